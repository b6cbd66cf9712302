"""How pages are made: one frame, the reader's language, nothing unescaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contact_service import __version__
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.web import words
from contact_service.web.carrier import service_of
from contact_service.web.locale import (
    LANGUAGES,
    language_of,
    side,
    translatable,
    translations,
)
from contact_service.web.navigation import menu

TEMPLATES = Path(__file__).parent / "templates"

ROLE_WORDS = {
    Role.STAFF: translatable("催告担当"),
    Role.APPROVER: translatable("承認者"),
    Role.OPERATOR: translatable("オペレーター"),
    Role.CONTRACTOR: translatable("受託者のオペレーター"),
    Role.SUPERVISOR: translatable("センター管理者"),
    Role.EVALUATOR: translatable("効果測定担当"),
    Role.AUDITOR: translatable("監査担当"),
    Role.ADMINISTRATOR: translatable("システム管理者"),
}


def _environment(language: str) -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    found.filters["n"] = "{:,}".format
    return found


_ENVIRONMENTS = {language: _environment(language) for language in LANGUAGES}


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, for whoever is signed in. Templates have ``words`` (see ``web.words``), the filter
    ``n`` for counts, and the parts of ``parts.html``."""
    service = service_of(request)
    session = getattr(request.state, "session", None)
    language = language_of(request)
    role = session.account.role if session else None
    body = (
        _ENVIRONMENTS[language]
        .get_template(template)
        .render(
            session=session,
            menu=menu(role, request.url.path),
            here=request.url.path,
            language=language,
            languages=LANGUAGES,
            role_words=ROLE_WORDS,
            office=service.settings.office_name,
            now=service.clock.now(),
            service_version=__version__,
            side=lambda both: side(request, both),
            **{"words": words.of(request, service.clock.now().astimezone(TOKYO).date()), **values},
        )
    )
    # personal pages must not come back out of a cache after signing out
    return HTMLResponse(body, status)
