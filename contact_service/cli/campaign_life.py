"""``contact-service campaign``: submit, approve, schedule, start, pause, stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import Connection, Engine, text

from campaigns.explain import as_text, explain
from campaigns.faults import DefinitionErrors, describe
from campaigns.messages import office_values
from campaigns.parse import read_file
from campaigns.ready_made import NoSuchDefinition, locate
from contact_service.bootstrap import Service
from contact_service.cli.common import actor, fail, print_json, service
from contact_service.dispatch import providers
from contact_service.dispatch.pacing import pacing
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.life import MOVES, STATE_JA
from contact_service.domain.states import VersionState
from contact_service.planning import runs, versions
from contact_service.planning.definitions import (
    definition_of_version,
    of_own_kinds,
    own_kinds,
    run_is_own,
)
from contact_service.planning.schedule import DoesNotFit
from contact_service.planning.transitions import transitions
from contact_service.settings import settings

app = typer.Typer()
T = TypeVar("T")

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A YAML file, or a ready-made definition's name.")
]
Campaign = Annotated[
    str, typer.Argument(metavar="CAMPAIGN", help="A campaign's name; NAME@2 for its version 2.")
]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's identifier, a campaign's name, or 'latest'.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the action.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FirstDay = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The run's first day.")
]


@app.command("submit")
def submit_command(file: File, reason: Reason = "", as_json: AsJson = False) -> None:
    """Hand a definition in for approval by somebody else. The same text is the same version."""
    try:
        path = locate(file)
        definition = read_file(path).definition
    except NoSuchDefinition as error:
        raise fail(str(error), 2) from None
    except DefinitionErrors as error:
        raise fail(describe(file, error.faults)) from None
    source = path.read_text(encoding="utf-8-sig")

    def submit(found: Service) -> versions.Version:
        now, who = found.clock.now(), actor(Role.STAFF)
        return versions.submit(found.engine, who, definition, source, now, reason)

    _show_version(_done(submit), as_json)


@app.command("approve")
def approve_command(
    campaign: Campaign,
    yes: Annotated[bool, typer.Option("--yes", help="Approve without being asked.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Approve what somebody else submitted, after reading what is different in it.

    --json shows what is different, and approves with --yes only."""
    with service() as found:
        office = office_values(found.settings.office_name, found.settings.office_phone)
        try:
            with found.engine.connect() as connection:
                version = versions.find(
                    connection, actor(Role.APPROVER), campaign, VersionState.SUBMITTED
                )
                shown = versions.for_approval(connection, version, values=office)
                definition = definition_of_version(connection, version.id)
            if as_json and not yes:
                print_json(_approval(shown))
                return
            who = actor(Role.APPROVER)
            with found.engine.connect() as connection:
                versions.must_be_another(connection, who, version.id)
            if not as_json:
                _show_approval(shown, as_text(explain(definition, "ja", office)))
            if not yes:
                typer.confirm("承認しますか / approve", abort=True)
            done = versions.approve(found.engine, who, version.id, found.clock.now(), reason)
        except (runs.CannotDo, NotAllowed) as error:
            raise fail(str(error)) from None
    if as_json:
        print_json(_approval(shown) | _version(done))
    else:
        _show_version(done, as_json)


@app.command("send-back")
def send_back_command(campaign: Campaign, reason: Reason = "", as_json: AsJson = False) -> None:
    """Return a submitted version to its authors, saying why."""
    _show_version(
        _with_version(campaign, VersionState.SUBMITTED, versions.send_back, reason), as_json
    )


@app.command("withdraw")
def withdraw_command(campaign: Campaign, reason: Reason = "", as_json: AsJson = False) -> None:
    """Take a version back for good: runs of it that wait for their day are not started."""
    _show_version(_with_version(campaign, None, versions.withdraw, reason), as_json)


@app.command("schedule")
def schedule_command(
    campaign: Campaign, first_day: FirstDay = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Put an approved version on the calendar; it starts by itself on its day, in its hours."""
    if first_day is None:
        raise fail("開始日を --first-day 2026-10-26 の形で / give --first-day 2026-10-26", 2)
    day = first_day.date()

    def schedule(found: Service) -> runs.Planned:
        with found.engine.connect() as connection:
            version = versions.find(connection, actor(Role.STAFF), campaign, VersionState.APPROVED)
        now, who = found.clock.now(), actor(Role.STAFF)
        return runs.schedule(found.engine, who, version.id, day, now, reason)

    planned = _done(schedule)
    if as_json:
        print_json({"run": planned.run_id, "first_day": day, "new": planned.new})
        return
    new = "日程に入れました / scheduled" if planned.new else "日程に入っています / on the calendar"
    typer.echo(f"{planned.run_id}: {new}（開始日 {day}）")


@app.command("start")
def start_command(run: Run, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let a scheduled run go out now, without waiting for the service to start it."""

    def start(engine: Engine, who: Actor, run_id: UUID, now: datetime, why: str) -> None:
        live = [item.name for item in providers.configured(settings()) if item.live]
        allowance = pacing(settings().pacing_file).centre.calls_per_half_hour
        runs.start(engine, who, run_id, now, live, why, allowance)

    _act(run, Role.APPROVER, start, reason, "開始しました / started", as_json)


@app.command("pause")
def pause_command(run: Run, reason: Reason = "", as_json: AsJson = False) -> None:
    """Send nothing more until resumed."""
    _act(run, Role.STAFF, runs.pause, reason, "一時停止しました / paused", as_json)


@app.command("resume")
def resume_command(run: Run, reason: Reason = "", as_json: AsJson = False) -> None:
    """Go on with a paused run."""
    _act(run, Role.STAFF, runs.resume, reason, "再開しました / resumed", as_json)


@app.command("stop")
def stop_command(run: Run, reason: Reason = "", as_json: AsJson = False) -> None:
    """End a run for good."""
    _act(run, Role.STAFF, runs.stop, reason, "中止しました / stopped", as_json)


@app.command("history")
def history_command(campaign: Campaign, as_json: AsJson = False) -> None:
    """Who did what with a campaign, when and why."""
    with service() as found, found.engine.connect() as connection:
        try:
            key = versions.find(connection, actor(Role.STAFF), campaign.partition("@")[0]).key
        except runs.CannotDo as error:
            raise fail(str(error)) from None
        kept = transitions(connection, key)
    if as_json:
        print_json([asdict(each) for each in kept])
        return
    for each in kept:
        subject = f"版{each.version}" if each.run_id is None else str(each.run_id)
        why = f"（{each.reason}）" if each.reason else ""
        action = MOVES[each.action].ja
        typer.echo(f"{each.at:%Y-%m-%d %H:%M}  {subject}  {action}  {each.actor}{why}")


def run_id_of(connection: Connection, who: Actor, run: str) -> UUID:
    """The run of their office that somebody means: an identifier, a campaign's newest, or the
    newest."""
    key, _, number = run.partition("@")
    latest = connection.scalar(
        text(f"""
        SELECT r.id FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE (:key = 'latest' OR v.key = :key) AND {of_own_kinds()}
        AND (:number = '' OR CAST(v.version AS text) = :number)
        ORDER BY r.state IN ('completed', 'cancelled') AND :key <> 'latest',
            r.planned_at DESC, r.starts_at DESC, r.id LIMIT 1
        """),
        {"key": key, "number": number} | own_kinds(who),
    )
    if latest is not None:
        return UUID(str(latest))
    try:
        run_id = UUID(run)
    except ValueError:
        raise fail(f"{run}: 実施がありません / there is no such run", 2) from None
    if not run_is_own(connection, who, run_id):
        raise fail(f"実施 {run} はありません / there is no run {run}", 2)
    return run_id


def _done(action: Callable[[Service], T]) -> T:
    with service() as found:
        try:
            return action(found)
        except (runs.CannotDo, NotAllowed, DoesNotFit) as error:
            raise fail(str(error)) from None


def _act(
    run: str,
    role: Role,
    action: Callable[[Engine, Actor, UUID, datetime, str], None],
    reason: str,
    done: str,
    as_json: bool,
) -> None:
    def act(found: Service) -> tuple[UUID, str]:
        with found.engine.connect() as connection:
            run_id = run_id_of(connection, actor(role), run)
        action(found.engine, actor(role), run_id, found.clock.now(), reason)
        with found.engine.connect() as connection:
            state = connection.scalar(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
        return run_id, str(state)

    run_id, state = _done(act)
    if as_json:
        print_json({"run": run_id, "state": state})
    else:
        typer.echo(f"{run_id}: {done}")


def _with_version(
    campaign: str,
    state: VersionState | None,
    action: Callable[[Engine, Actor, int, datetime, str], None],
    reason: str,
) -> versions.Version:
    def act(found: Service) -> versions.Version:
        who = actor(Role.STAFF)
        with found.engine.connect() as connection:
            version = versions.find(connection, who, campaign, *([state] if state else []))
        action(found.engine, who, version.id, found.clock.now(), reason)
        with found.engine.connect() as connection:
            return versions.by_id(connection, version.id)

    return _done(act)


def _show_version(version: versions.Version, as_json: bool) -> None:
    if as_json:
        print_json(_version(version))
        return
    typer.echo(f"{version.name}: {STATE_JA[version.state]} / {version.state}（{version.title}）")


def _version(version: versions.Version) -> dict[str, Any]:
    return {"name": version.name, **asdict(version)}


def _approval(shown: versions.ForApproval) -> dict[str, Any]:
    return {
        **_version(shown.version),
        "previous": shown.previous.name if shown.previous else None,
        "difference": asdict(shown.difference) if shown.difference else None,
        "lifted": shown.lifted.lines if shown.lifted else [],
    }


def _show_approval(shown: versions.ForApproval, whole: str) -> None:
    version = shown.version
    typer.echo(f"{version.name} {version.title}（提出 {version.created_by}）")
    if shown.lifted is not None:
        typer.secho(as_text((shown.lifted,)), fg=typer.colors.RED, bold=True)
    if shown.previous is None or shown.difference is None:
        typer.echo("初めての版です。内容: / the first version:\n")
        typer.echo(whole)
        return
    typer.echo(f"{shown.previous.name} との違い / difference to the version approved last:\n")
    if shown.difference.sections:
        typer.echo(as_text(shown.difference.sections))
    else:
        typer.echo("  行うことは同じです / they do the same")
