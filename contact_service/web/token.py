"""The JSON API's bearer token: from the environment, else made at first start."""

from __future__ import annotations

import hmac

from fastapi import HTTPException, Request

from contact_service.generated import generated_secret
from contact_service.settings import Settings


def api_token(settings: Settings) -> str:
    """The token of this deployment. A made one lies in the state folder, for its owner only."""
    if settings.api_token is not None:
        return settings.api_token.get_secret_value()
    return generated_secret(settings.state_dir, "api-token")


def require_token(request: Request) -> None:
    """Refuse a request without the API's token."""
    expected = f"Bearer {request.app.state.api_token}"
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(401, "認証が必要です / a bearer token is required")
