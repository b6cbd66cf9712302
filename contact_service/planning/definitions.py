"""The definitions behind runs, as they were approved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.vocabulary import ClaimKind
from contact_service.domain.actors import EVERY_OFFICE, Actor


def definitions_of(connection: Connection, run_ids: Collection[UUID]) -> dict[UUID, Definition]:
    """The definition of each run."""
    rows = connection.execute(
        text("SELECT id, campaign_version_id FROM run WHERE id = ANY(:ids)"),
        {"ids": list(run_ids)},
    )
    return {
        row.id: definition_of_version(connection, row.campaign_version_id) for row in rows.all()
    }


def definitions_running(connection: Connection) -> dict[UUID, Definition]:
    """The definitions of all running runs."""
    ids = connection.execute(text("SELECT id FROM run WHERE state = 'running'")).scalars().all()
    return definitions_of(connection, ids)


def kinds_of(definition: Definition) -> frozenset[ClaimKind]:
    """The kinds of claim that a campaign may concern: those that it names, else all."""
    return frozenset(definition.select.kinds or ClaimKind)


def of_own_kinds(version: str = "v") -> str:
    """:func:`kinds_of` as a condition on a row ``version`` of ``campaign_version``: whether every
    kind that it may concern is the reader's office's. Binds :func:`own_kinds`."""
    kinds = f"{version}.definition #> '{{select,kinds}}'"
    return f"""(CAST(:own_kinds AS text[]) IS NULL OR CASE
        WHEN jsonb_typeof({kinds}) = 'array' AND {kinds} <> '[]'
        THEN {kinds} <@ to_jsonb(CAST(:own_kinds AS text[])) ELSE false END)"""


def own_kinds(actor: Actor) -> dict[str, list[str] | None]:
    """Parameters of :func:`of_own_kinds`: all of them for who sees every office."""
    return {"own_kinds": None if actor.office == EVERY_OFFICE else actor.own_kinds}


def run_is_own(connection: Connection, actor: Actor, run_id: UUID) -> bool:
    """Whether there is such a run, of the actor's office."""
    found = connection.scalar(
        text(f"""
        SELECT true FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE r.id = :id AND {of_own_kinds()}
        """),
        {"id": run_id} | own_kinds(actor),
    )
    return bool(found)


def own_runs(connection: Connection, actor: Actor) -> Sequence[UUID] | None:
    """The runs of the actor's office; ``None``: all there are."""
    if actor.office == EVERY_OFFICE:
        return None
    return connection.scalars(
        text(f"""
        SELECT r.id FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE {of_own_kinds()}
        """),
        own_kinds(actor),
    ).all()


def without_others_names(
    connection: Connection, actor: Actor, runs: Sequence[Mapping[str, Any]], run: str = "run"
) -> list[dict[str, Any]]:
    """Rows about runs, each named by ``run``: what another office's are called (``campaign``,
    ``title``) is left out, ``own`` says whose they are. Their days and counts stay: whoever plans
    has to know what else people hear, and what the centre is busy with."""
    own = own_runs(connection, actor)
    known = None if own is None else {str(each) for each in own}
    found = []
    for row in runs:
        mine = known is None or row[run] is None or str(row[run]) in known
        hidden = {} if mine else dict.fromkeys(_NAMES & row.keys())
        found.append({**row, **hidden, "own": mine})
    return found


_NAMES = frozenset({"campaign", "title"})
#: What such a campaign is called instead.
ANOTHER_OFFICE = {"ja": "別の課の催告計画", "en": "another office's campaign"}


#: A version is never changed, so what was read once need not be read again.
_known: dict[tuple[str, int], Definition] = {}


def definition_of_version(connection: Connection, version_id: int) -> Definition:
    """The definition that a version holds."""
    key = (str(connection.engine.url), version_id)
    if key not in _known:
        stored = connection.scalar(
            text("SELECT definition FROM campaign_version WHERE id = :id"), {"id": version_id}
        )
        _known[key] = Definition.model_validate(stored)
    return _known[key]
