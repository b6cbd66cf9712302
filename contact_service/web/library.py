"""The library of what worked: searched, read, copied as a new draft."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.domain.actors import NotAllowed, Role
from contact_service.evaluation import library
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.wording import language
from contact_service.identity.sessions import Session
from contact_service.planning import drafts
from contact_service.web.carrier import service_of
from contact_service.web.editor import title_of
from contact_service.web.locale import language_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/library")
reads = may(*READERS)
writes = may(Role.STAFF)


@router.get("")
def show(
    request: Request, session: Session = Depends(reads), words: str = Query("", max_length=100)
) -> Response:
    """Entries that hold these words, the latest first."""
    found = library.search(service_of(request), session.account.actor, words)
    return page(request, "library.html", entries=found, wanted=words)


@router.get("/{entry}")
def read(request: Request, entry: int, session: Session = Depends(reads)) -> Response:
    """One entry."""
    return _entry(request, session, entry)


@router.post("/{entry}/copy", dependencies=[Depends(own_form)])
def copy(
    request: Request,
    entry: int,
    session: Session = Depends(writes),
    name: str = Form("", max_length=60),
) -> Response:
    """A draft with the definition under another name, and with a seed of its own."""
    service, actor = service_of(request), session.account.actor
    try:
        text = library.copied(service, actor, entry, name.strip())
        with service.engine.begin() as connection:
            made = drafts.begin(connection, actor, text, title_of(text), service.clock.now())
    except (library.NotInLibrary, NotAllowed) as error:
        return _entry(request, session, entry, wrong=str(error), name=name)
    return RedirectResponse(f"/drafts/{made}", 303)


def _entry(
    request: Request, session: Session, entry: int, wrong: str = "", name: str = ""
) -> Response:
    try:
        found = library.show(service_of(request), session.account.actor, entry)
    except library.NotInLibrary as error:
        raise HTTPException(404, str(error)) from None
    spoken, said = library.told(found, language(language_of(request)))
    return page(
        request,
        "library_entry.html",
        422 if wrong else 200,
        entry=found,
        spoken=spoken,
        said=said,
        wrong=wrong,
        name=name,
        may_copy=session.account.role in (Role.STAFF, Role.ADMINISTRATOR),
    )
