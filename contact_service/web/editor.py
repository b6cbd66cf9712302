"""Writing a campaign: its text and a form beside it, either of which may be changed.

Whatever is on the screen is kept with every button: first the text as it was typed, then, put
into it, what was changed in the form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from campaigns import source
from campaigns.editing import Unreadable, changed, value_at
from campaigns.explain import explain
from campaigns.faults import DefinitionErrors, Fault, FieldPath
from campaigns.messages import office_values
from campaigns.parse import Reading, read, read_file
from campaigns.phrases import Lang
from campaigns.ready_made import library
from contact_service.bootstrap import Service
from contact_service.dispatch.sms_carriers import sms_carriers
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.identity.sessions import Session
from contact_service.planning import drafts, versions
from contact_service.planning.drafts import Draft as Draft
from contact_service.web.carrier import service_of
from contact_service.web.locale import language_of, translations
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form
from contact_service.web.wizard import STEPS, Group, Input, Reader, changes
from contact_service.web.wizard_forms import NEW, groups

router = APIRouter(include_in_schema=False, prefix="/drafts")
writes = may(Role.STAFF)
FORMS = [Depends(own_form)]

GONE = (
    "この書きかけはもうありません。提出されたか、捨てられました / this draft is gone: it was "
    "submitted or thrown away"
)
UNREADABLE = (
    "本文の書き方に誤りがあるため、フォームの内容を入れられませんでした。先に本文を直してください"
    " / the text cannot be read, so the form could not be put into it: mend the text first"
)
FAULTY = "誤りがあるため提出できません / it has faults: it cannot be submitted"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
TOO_LONG = "本文が長すぎます（200KBまで） / the text is too long (at most 200 kB)"
FIRST_WORDS = (
    "【{office}】お知らせがあります。{centre_phone}へお電話ください。行き違いでお手続きがお済みの"
    "場合はご容赦ください。送信専用です。"
)
EMPTY = "campaign: new-campaign\ntitle: 新しい計画\n"


def open_draft(request: Request, draft_id: int, session: Session = Depends(writes)) -> Draft:
    """The draft of the address, for whoever of its office may write."""
    with service_of(request).engine.connect() as connection:
        found = drafts.draft(connection, session.account.actor, draft_id)
    if found is None:
        raise HTTPException(404, GONE)
    return found


@router.get("/new")
def new(request: Request, session: Session = Depends(writes)) -> Response:
    """Where a new campaign may start from."""
    ready = {name: read_file(path).definition for name, path in library().items()}
    return page(request, "draft_new.html", ready=ready)


@router.post("/from", dependencies=FORMS)
def begin(
    request: Request,
    session: Session = Depends(writes),
    ready: str = Form("", max_length=60),
    version: str = Form("", max_length=80),
) -> Response:
    """A draft that starts as a ready-made definition, as a version, or empty."""
    service = service_of(request)
    with service.engine.begin() as connection:
        text = source_of(connection, session.account.actor, ready, version)
        draft_id = drafts.begin(
            connection, session.account.actor, text, title_of(text), service.clock.now()
        )
    return RedirectResponse(f"/drafts/{draft_id}", 303)


@router.get("/{draft_id}")
def edit(
    request: Request,
    draft: Draft = Depends(open_draft),
    step: str = Query("whom", max_length=20),
    saved: bool = False,
) -> Response:
    """One step of the wizard, the text beside it."""
    return _page(request, draft, step if step in STEPS else "whom", saved=saved)


@router.post("/{draft_id}", dependencies=FORMS)
async def change(
    request: Request, draft: Draft = Depends(open_draft), session: Session = Depends(writes)
) -> Response:
    """Keep what is on the screen, and do what the button says: save, go on, add, remove, submit."""
    form = await request.form(max_fields=5000, max_part_size=4 * source.MAX_SIZE)
    given: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        given.setdefault(name, []).append(str(value))
    return await run_in_threadpool(_change, request, draft, session, given)


@router.post("/{draft_id}/discard", dependencies=FORMS)
def discard(
    request: Request, draft: Draft = Depends(open_draft), session: Session = Depends(writes)
) -> Response:
    """Throw it away."""
    service = service_of(request)
    with service.engine.begin() as connection:
        drafts.discard(connection, session.account.actor, draft.id, service.clock.now())
    return RedirectResponse("/campaigns", 303)


def _change(
    request: Request, draft: Draft, session: Session, given: Mapping[str, Sequence[str]]
) -> Response:
    service = service_of(request)

    def one(name: str, usual: str = "") -> str:
        return given.get(name, (usual,))[0]

    step = one("step") if one("step") in STEPS else "whom"
    typed = one("text", draft.text).replace("\r\n", "\n").rstrip() + "\n"
    revision = int(one("revision")) if one("revision").isdigit() else -1
    stored = _content(draft.text)
    found = changes(groups(step, stored, _reader(request)), given) if "form" in given else {}
    found |= _asked(one("do"), one("new-name"), _content(typed))
    wrong, text = "", typed
    try:
        text = changed(typed, found) if found else typed
    except Unreadable:
        wrong = UNREADABLE
    shown = replace(draft, text=text, title=title_of(text), revision=revision)
    if len(text.encode()) > source.MAX_SIZE:
        return _page(request, shown, step, wrong=TOO_LONG)
    try:
        with service.engine.begin() as connection:
            drafts.save(
                connection, session.account.actor, draft.id, revision, text, shown.title,
                service.clock.now(),
            )  # fmt: skip
    except CannotDo as error:
        return _page(request, shown, step, wrong=str(error))
    if wrong:
        with service.engine.connect() as connection:
            kept = drafts.draft(connection, session.account.actor, draft.id)
        return _page(request, kept or shown, step, wrong=wrong)
    if one("do") == "submit":
        return _submit(request, draft.id, session, one("reason")[:200].strip())
    if one("do") == "preview":
        return RedirectResponse(f"/drafts/{draft.id}/preview", 303)
    _, _, to = one("do").partition("go:")
    to = to if to in STEPS else step
    return RedirectResponse(f"/drafts/{draft.id}?step={to}&saved=1", 303)


def _submit(request: Request, draft_id: int, session: Session, reason: str) -> Response:
    """Hand it in for a second person's approval."""
    draft = open_draft(request, draft_id, session)
    try:
        version = submitted(service_of(request), session.account.actor, draft, reason)
    except (CannotDo, NotAllowed) as error:
        return _page(request, draft, "check", wrong=str(error))
    return RedirectResponse(f"/campaigns/{version.key}/versions/{version.number}", 303)


def submitted(service: Service, actor: Actor, draft: Draft, reason: str) -> versions.Version:
    """The version that a draft has become. Raises ``CannotDo``, ``NotAllowed``."""
    reading, _ = checked(service, draft.text)
    if reading is None:
        raise CannotDo(FAULTY)
    now = service.clock.now()
    with service.engine.begin() as connection:
        version = versions.put_in(connection, actor, reading.definition, draft.text, now, reason)
        drafts.discard(connection, actor, draft.id, now)
    return version


def _asked(do: str, name: str, content: Any) -> dict[FieldPath, Any]:
    """What a button adds or takes out."""
    verb, _, what = do.partition(":")
    if verb == "add" and what in NEW:
        found = value_at(content, (what,))
        count = len(found) if isinstance(found, list) else 0
        return {(what, count): NEW[what](count + 1)}
    if verb == "add" and what == "messages" and _NAME.fullmatch(name.strip()):
        return {("messages", name.strip()): FIRST_WORDS}
    if verb == "remove" and (match := re.fullmatch(r"(steps|arms)\[(\d{1,3})\]", what)):
        return {(match[1], int(match[2])): None}
    return {}


def _page(
    request: Request, draft: Draft, step: str, wrong: str = "", saved: bool = False
) -> Response:
    service = service_of(request)
    reading, faults = checked(service, draft.text)
    shown = groups(step, _content(draft.text), _reader(request))
    at_field, elsewhere = _placed(shown, faults)
    lang: Lang = "ja" if language_of(request) == "ja" else "en"
    office = office_values(service.settings.office_name, service.settings.office_phone)
    return page(
        request, "draft.html", 422 if wrong else 200, draft=draft, step=step, steps=STEPS,
        groups=shown, Input=Input, wrong=wrong, saved=saved, faults=faults, at_field=at_field,
        elsewhere=elsewhere, lines=draft.text.split("\n"), valid=reading is not None,
        explained=explain(reading.definition, lang, office) if reading else (),
        following=_following(step),
    )  # fmt: skip


def checked(service: Service, text: str) -> tuple[Reading | None, tuple[Fault, ...]]:
    """The definition, when it has no faults; all faults and warnings."""
    try:
        reading = read(text, "draft", sms_carriers(service.settings, lambda _: None))
    except DefinitionErrors as error:
        return None, error.faults
    return reading, reading.warnings


def _placed(
    form: Sequence[Group], faults: Sequence[Fault]
) -> tuple[dict[str, list[Fault]], list[Fault]]:
    """Each fault at the field whose part it is about, and those of no field of this form."""
    names = sorted((each.name for group in form for each in group.fields), key=len, reverse=True)
    found: dict[str, list[Fault]] = {}
    elsewhere = []
    for fault in faults:
        name = next(
            (n for n in names if fault.path == n or fault.path.startswith((n + ".", n + "["))), ""
        )
        if name:
            found.setdefault(name, []).append(fault)
        else:
            elsewhere.append(fault)
    return found, elsewhere


def _content(text: str) -> Any:
    """The text as plain values, as far as it can be read."""
    try:
        return source.read(text, "draft")[0].value
    except DefinitionErrors:
        return None


def title_of(text: str) -> str:
    title = value_at(_content(text), ("title",))
    return str(title)[:100] if title else ""


def _following(step: str) -> str:
    names = list(STEPS)
    place = names.index(step) + 1
    return names[place] if place < len(names) else ""


def _reader(request: Request) -> Reader:
    language = language_of(request)
    return Reader(language, translations(language).gettext)


def source_of(connection: Connection, actor: Actor, ready: str, version: str) -> str:
    """The text that a draft starts from: a ready-made definition, a version, or nearly nothing."""
    if ready in (found := library()):
        return found[ready].read_text(encoding="utf-8")
    if version:
        try:
            return versions.text_of(connection, versions.find(connection, actor, version).id)
        except CannotDo as error:
            raise HTTPException(404, str(error)) from None
    return EMPTY
