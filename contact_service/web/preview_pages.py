"""The page that says what a campaign would do, for a version and for what is being written."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from campaigns.definition import Definition, Script
from campaigns.faults import DefinitionErrors
from campaigns.messages import office_values
from campaigns.parse import read
from campaigns.texts import Text, fill
from contact_service.domain.dates import ImpossibleDate, NotADate, parse_date
from contact_service.identity.sessions import Session
from contact_service.planning import versions
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.preview import first_open_day
from contact_service.web.campaigns import Key, Number, find_version, reads
from contact_service.web.carrier import service_of
from contact_service.web.editor import Draft, open_draft
from contact_service.web.previews import by_day, exclusion_words, preview_of, summary
from contact_service.web.rendering import page
from contact_service.web.session import own_form

router = APIRouter(include_in_schema=False)
Day = Query("", max_length=20)


@router.get("/campaigns/{key}/versions/{number}/preview")
@router.post("/campaigns/{key}/versions/{number}/preview", dependencies=[Depends(own_form)])
def of_version(
    request: Request,
    background: BackgroundTasks,
    key: Key,
    number: Number,
    day: str = Day,
    session: Session = Depends(reads),
) -> Response:
    """What a version would do from a day on."""
    with service_of(request).engine.connect() as connection:
        version = find_version(connection, session.account.actor, key, number)
        definition = definition_of_version(connection, version.id)
        source = versions.text_of(connection, version.id)
    back = f"/campaigns/{key}/versions/{number}"
    return _preview(request, background, definition, source, day, back)


@router.get("/drafts/{draft_id}/preview")
@router.post("/drafts/{draft_id}/preview", dependencies=[Depends(own_form)])
def of_draft(
    request: Request,
    background: BackgroundTasks,
    draft: Draft = Depends(open_draft),
    day: str = Day,
) -> Response:
    """What a draft would do, once it has no faults."""
    back = f"/drafts/{draft.id}"
    try:
        definition = read(draft.text, draft.title).definition
    except DefinitionErrors:
        return RedirectResponse(f"{back}?step=check", 303)
    return _preview(request, background, definition, draft.text, day, back)


def _preview(
    request: Request,
    background: BackgroundTasks,
    definition: Definition,
    source: str,
    day: str,
    back: str,
) -> Response:
    service = service_of(request)
    first = _day(day) or first_open_day(definition, service.clock.now().date())
    here = f"{back}/preview"
    found = preview_of(
        service, request.state.session.account.actor, background, definition, source, first,
        request.method == "POST",
    )  # fmt: skip
    answer: Response
    if request.method == "POST":
        answer = RedirectResponse(f"{here}?day={first}", 303)
    else:
        figures = found.figures if found else None
        answer = page(
            request, "preview.html", title=definition.title, back=back, address=here, day=first,
            found=found, summary=summary(figures) if figures else None,
            titles={arm.name: arm.title for arm in definition.arms},
            exclusions=exclusion_words(request),
            inbound=by_day(figures["call_backs"]) if figures else [],
            scripts=_scripts(request, definition),
        )  # fmt: skip
    answer.background = background
    return answer


def _scripts(request: Request, definition: Definition) -> dict[str, list[dict[str, object]]]:
    """What each script says in the order in which it may be heard, the office's name filled in,
    what leads on from there, and whether its recordings are there."""
    settings = service_of(request).settings
    office = office_values(settings.office_name, settings.office_phone)
    found: dict[str, list[dict[str, object]]] = {}
    for name, script in definition.scripts.items():
        places = {node: place for place, node in enumerate(_as_heard(script), 1)}
        found[name] = [
            {
                "say": _said(definition, node.say, office),
                "audio": node.audio,
                "there": node.audio and settings.recording(node.audio),
                "voicemail": node_name == script.voicemail,
                "keys": {key: places[there] for key, there in sorted(node.keys.items())},
                "otherwise": places.get(node.otherwise or ""),
                "then": node.then,
            }
            for node_name, node in ((node, script.nodes[node]) for node in places)
        ]
    return found


def _as_heard(script: Script) -> list[str]:
    """The names of a script's places, from what is heard first; last what nothing leads to."""
    found: list[str] = []
    ahead = [script.start]
    while ahead:
        name = ahead.pop(0)
        if name not in found:
            found.append(name)
            node = script.nodes[name]
            ahead += [there for _, there in sorted(node.keys.items())]
            ahead += [node.otherwise] if node.otherwise else []
    return found + [name for name in script.nodes if name not in found]


def _said(definition: Definition, say: Text, office: dict[str, str]) -> str:
    """The words; what differs by person stays a placeholder."""
    return fill(definition.words(say), office).strip()


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except (NotADate, ImpossibleDate):
        return None
