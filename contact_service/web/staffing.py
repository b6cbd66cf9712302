"""The centre's load, and what becomes of it when outbound calls are cut: counted on the page, kept
as a file for a meeting, and read by other systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, Request, Response

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor
from contact_service.evaluation.forms import READERS, Format
from contact_service.evaluation.wording import Lang, number, percent, signed
from contact_service.identity.sessions import Session
from contact_service.identity.tokens import Scope
from contact_service.planning.computed import Computed
from contact_service.web import api_base, beside, session, words
from contact_service.web.carrier import service_of
from contact_service.web.locale import language_of, translatable
from contact_service.web.rendering import page
from contact_service.web.reports import REPORT_POLICY, TYPES

if TYPE_CHECKING:
    from contact_service.evaluation.staffing.shift import Plan
    from contact_service.evaluation.staffing.trials import Trial

router = APIRouter(include_in_schema=False, prefix="/centre")
api_router = api_base.api_router("/api/centre", "records")
reads = session.may(*READERS)
REPORTED = Depends(api_base.may(Scope.REPORTS_READ, *READERS))


class What(StrEnum):
    """What is counted."""

    LOAD = "load"
    SHIFT = "shift"


#: What takes the place of dialling, where no run is named.
LATEST, NONE = "latest", "none"
COUNTING = "数えています。少し待って、もう一度 / it is being counted: ask again in a while"


class CannotCount(Exception):
    """Nothing to count, or a question that makes no sense; the text says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants counted; days and shares as they are typed."""

    first: str = Query("", alias="from", max_length=10, description="初日 / first day, YYYY-MM-DD")
    last: str = Query("", alias="to", max_length=10, description="最終日 / last day, YYYY-MM-DD")
    level: float = Query(
        80, gt=0, lt=100, description="応答率の目標（%） / service level in per cent"
    )
    within: float = Query(20, ge=0, le=3600, description="何秒以内に / seconds")
    patience: str = Query(
        "",
        max_length=6,
        description="辛抱する秒数（空なら切らない） / seconds; empty: nobody hangs up",
    )
    shrinkage: float = Query(
        0, ge=0, lt=100, description="休憩・研修などの割合（%） / per cent of paid time"
    )
    contacts: float = Query(
        1,
        ge=0,
        le=100,
        description="減らした架電1件に替わる連絡 / contacts for each call not dialled",
    )
    trial: str = Query(
        LATEST,
        max_length=120,
        description="替わる手段の試行 / "
        "whose methods take the place: a run, latest, none; RUN:ARM names both",
    )
    arm: str = Query("", max_length=80, description="その群 / its arm; empty: most contacts")
    inbound_change: float = Query(
        0,
        ge=-100,
        le=1000,
        description="そのほかの受電の変化（%、仮定） / "
        "other change of inbound calls, assumed, in per cent",
    )

    def days(self) -> tuple[date | None, date | None]:
        """The period; raises :class:`CannotCount`."""
        try:
            first, last = (
                date.fromisoformat(day) if day else None for day in (self.first, self.last)
            )
        except ValueError:
            raise CannotCount("日を読み取れません（例 2026-11-09） / no such day") from None
        if first and last and first > last:
            raise CannotCount("初日は最終日より前にしてください / the first day is after the last")
        return first, last

    def patience_seconds(self) -> float | None:
        """Raises :class:`CannotCount`."""
        if not self.patience.strip():
            return None
        try:
            found = float(self.patience)
        except ValueError:
            found = 0
        if not 0 < found <= 36_000:
            raise CannotCount("辛抱する秒数は0より大きい数で / patience: seconds above 0")
        return found

    def plan(self, service: Service, actor: Actor) -> Plan:
        """What takes the place. Raises :class:`CannotCount`."""
        from contact_service.evaluation.staffing.shift import Plan
        from contact_service.evaluation.staffing.trials import latest_trial

        named, _, of_form = self.trial.strip().partition(":")
        arm = self.arm.strip() or of_form or None
        if named in ("", LATEST):
            run = latest_trial(service, actor)
        elif named == NONE:
            run = None
        else:
            try:
                run = UUID(named)
            except ValueError:
                raise CannotCount(
                    "試行を選んでください（実施番号、latest、none） / "
                    "choose a trial: a run, latest, none"
                ) from None
        return Plan(run, arm, self.contacts, self.inbound_change / 100)

    def query(self) -> str:
        """The same question as part of an address."""
        return urlencode({
            "from": self.first, "to": self.last, "level": self.level, "within": self.within,
            "patience": self.patience, "shrinkage": self.shrinkage, "contacts": self.contacts,
            "trial": self.trial, "arm": self.arm, "inbound_change": self.inbound_change,
        })  # fmt: skip


def figures_of(service: Service, actor: Actor, what: What, asked: Asked) -> dict[str, Any]:
    """Count. Raises :class:`CannotCount`."""
    # what counts and draws takes seconds to load: only where it is asked for
    from contact_service.evaluation.facts import NoSuchRun
    from contact_service.evaluation.report import NoCalls
    from contact_service.evaluation.staffing.broken_down import load_broken_down
    from contact_service.evaluation.staffing.performance import Standard
    from contact_service.evaluation.staffing.replacement import NoSuchArm
    from contact_service.evaluation.staffing.shift import NothingToStaff, shift_figures

    first, last = asked.days()
    try:
        if what is What.LOAD:
            return load_broken_down(service, actor, first, last)
        standard = Standard(
            asked.level / 100, asked.within, asked.patience_seconds(), asked.shrinkage / 100
        )
        plan = asked.plan(service, actor)
        return shift_figures(service, actor, first, last, standard, plan)
    except (NoCalls, NothingToStaff, NoSuchRun, NoSuchArm) as error:
        raise CannotCount(str(error)) from None


#: What the page's table is broken down by.
GROUPS = {
    "half_hour": translatable("30分ごと"),
    "weekday": translatable("曜日ごと"),
    "day": translatable("日ごと"),
    "week": translatable("週ごと"),
    "campaign": translatable("催告計画ごと"),
    "kind": translatable("債権の種類ごと"),
}


@router.get("/load")
def load(
    request: Request,
    background: BackgroundTasks,
    asked: Asked = Depends(),
    by: str = Query("half_hour", max_length=20),
    session: Session = Depends(reads),
) -> Response:
    """Inbound, outbound, and what messages and auto-calls were followed by."""
    chosen = by if by in GROUPS else "half_hour"
    return _show(request, background, session, What.LOAD, asked, chosen)


@router.get("/shift")
def shift(
    request: Request,
    background: BackgroundTasks,
    asked: Asked = Depends(),
    session: Session = Depends(reads),
) -> Response:
    """Operators when outbound is cut and messages and auto-calls take its place."""
    return _show(request, background, session, What.SHIFT, asked)


@router.get("/{what}/page.{form}")
def file(
    request: Request,
    what: What,
    form: Format,
    asked: Asked = Depends(),
    session: Session = Depends(reads),
) -> Response:
    """The page for a meeting: opened, or kept as a file."""
    return _file(request, session.account.actor, what, form, asked, _lang(request))


def _file(
    request: Request, actor: Actor, what: What, form: Format, asked: Asked, lang: Lang
) -> Response:
    from contact_service.evaluation.report import about, written
    from contact_service.evaluation.staffing.load_page import load_document
    from contact_service.evaluation.staffing.shift_page import shift_document

    service = service_of(request)
    figures = _figures(request, actor, what, asked)
    document = (load_document if what is What.LOAD else shift_document)(figures, lang)
    kind = f"centre.{what}"
    body = written(document, {"report": about(kind, service.clock.now()), **figures}, form)
    if form is Format.HTML:
        headers = {"Content-Security-Policy": REPORT_POLICY}
    else:
        name = f"centre-{what}-{figures['from']}-{figures['to']}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=TYPES[form], headers=headers)


#: The page as the menu opens it.
NOTHING_ASKED = Asked(
    **{each.name: each.default.default for each in fields(Asked)}  # type: ignore[union-attr]
)


def _counted(
    request: Request,
    actor: Actor,
    background: BackgroundTasks | None,
    what: What,
    asked: Asked,
) -> Computed:
    """The figures, once they are there. Raises :class:`CannotCount`."""
    service = service_of(request)
    asked.days()
    found = beside.counted(
        service, actor, background, (what, asked.query()),
        lambda: figures_of(service, actor, what, asked), CannotCount,
    )  # fmt: skip
    if found.done and found.wrong:
        raise CannotCount(found.wrong)
    return found


def _figures(request: Request, actor: Actor, what: What, asked: Asked) -> dict[str, Any]:
    """The same, for somebody who waits."""
    try:
        found = _counted(request, actor, None, what, asked)
    except CannotCount as error:
        raise HTTPException(422, str(error)) from None
    if found.figures is None:
        raise HTTPException(503, COUNTING, {"Retry-After": "5"})
    return found.figures


def _lang(request: Request) -> Lang:
    return "en" if language_of(request) == "en" else "ja"


def _show(
    request: Request,
    background: BackgroundTasks,
    session: Session,
    what: What,
    asked: Asked,
    by: str = "",
) -> Response:
    service, actor = service_of(request), session.account.actor
    said = words.of(request, service.clock.now().date())
    figures, wrong, waits = None, "", False
    told: list[str] = []
    rests_on: list[str] = []
    choice: Sequence[Trial] = ()
    try:
        found = _counted(request, actor, background, what, asked)
        figures, waits = found.figures, not found.done and found.figures is None
    except CannotCount as error:
        wrong = str(error)
    if what is What.SHIFT:
        from contact_service.evaluation.staffing.shift_page import basis, in_short
        from contact_service.evaluation.staffing.trials import trials

        choice = trials(service, actor)
        if figures is not None:
            lang = _lang(request)
            told, rests_on = in_short(figures, lang), basis(figures, lang)
    # an office without records yet, which has asked nothing, did nothing wrong
    at_fault = bool(wrong) and asked != NOTHING_ASKED
    answer = page(
        request, f"centre_{what}.html", 422 if at_fault else 200, asked=asked,
        figures=figures, waits=waits,
        told=told, rests_on=rests_on, trials=choice, wrong=wrong,
        at_fault=at_fault, number=number,
        percent=percent, signed=signed, forms=list(Format), words=said,
        by=by, groups=GROUPS, named=partial(_named, said, by),
    )  # fmt: skip
    answer.background = background
    return answer


def _named(said: words.Words, by: str, row: dict[str, Any]) -> str | None:
    """What a row of the table is called; ``None``: of nothing known."""
    key: str | None = row["key"]
    if key is None:
        return None
    match by:
        case "weekday":
            return said.weekday(int(key) - 1)
        case "kind":
            return str(said.claim_kind[key])
        case "campaign":
            return str(row["campaign"]) if row["own"] else said.another_office
        case "day" | "week":
            return said.day(date.fromisoformat(key))
    return key


@api_router.get("/load", summary="センターの負荷 / the centre's load")
def load_figures(
    request: Request, asked: Asked = Depends(), caller: Actor = REPORTED
) -> dict[str, Any]:
    """センターの負荷（30分・曜日・日・週・催告計画・債権の種類ごと） / the load by half-hour,
    weekday, day, week, campaign and kind of claim"""
    return _figures(request, caller, What.LOAD, asked)


@api_router.get("/shift", summary="架電を減らすと / when outbound is cut")
def shift_figures_(
    request: Request, asked: Asked = Depends(), caller: Actor = REPORTED
) -> dict[str, Any]:
    """架電を減らし、SMS・オートコールに替えたときの負荷と人数 / load and operators when outbound
    is cut and messages and auto-calls take its place"""
    return _figures(request, caller, What.SHIFT, asked)


@api_router.get(
    "/{what}/page.{form}", response_class=Response, summary="会議の資料 / a page for a meeting"
)
def file_(
    request: Request,
    what: What,
    form: Format,
    asked: Asked = Depends(),
    lang: Annotated[Lang, Query(description="どの言語で / in which language it is told")] = "ja",
    caller: Actor = REPORTED,
) -> Response:
    """同じ数字を、会議の資料として / the same figures as a page for a meeting"""
    return _file(request, caller, what, form, asked, lang)
