"""The token that every deployment has for its telephone system: from the environment, else
made at first start."""

from __future__ import annotations

from contact_service.generated import generated_secret
from contact_service.settings import Settings


def api_token(settings: Settings) -> str:
    """The token of this deployment. A made one lies in the state folder, for its owner only."""
    if settings.api_token is not None:
        return settings.api_token.get_secret_value()
    return generated_secret(settings.state_dir, "api-token")
