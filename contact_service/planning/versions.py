"""Versions of a definition: submitted by one person, approved by another, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine, insert, select, text

from campaigns.definition import Definition
from campaigns.difference import Difference, compare
from campaigns.lifted import lifted_section
from campaigns.messages import TYPICAL
from campaigns.phrases import Lang
from campaigns.told import Section
from contact_service.domain.actors import Actor, NotAllowed, Role, require
from contact_service.domain.life import Action, CannotDo
from contact_service.domain.states import VersionState
from contact_service.planning.definitions import definition_of_version, of_own_kinds, own_kinds
from contact_service.planning.transitions import move_version
from contact_service.store.tables.campaigns import campaign_version

#: One at a time gives a campaign its next version (an arbitrary, fixed number).
_NUMBERING_LOCK = 7215_2026


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a campaign's definition."""

    id: int
    key: str
    number: int
    state: VersionState
    title: str
    created_at: datetime
    created_by: str
    approved_at: datetime | None
    approved_by: str | None

    @property
    def name(self) -> str:
        """What commands call it: ``three-arm-trial@2``."""
        return f"{self.key}@{self.number}"


@dataclass(frozen=True, slots=True)
class ForApproval:
    """What an approver is shown."""

    version: Version
    previous: Version | None
    """The version that was approved last, if any."""
    difference: Difference | None
    """What is different from ``previous``, in words and field by field."""
    lifted: Section | None
    """Exclusions that it lifts, with the reasons: shown whether they are new or not."""


def submit(
    engine: Engine,
    actor: Actor,
    definition: Definition,
    source: str,
    now: datetime,
    reason: str = "",
) -> Version:
    """Hand in ``definition`` (written as ``source``) for approval.

    The same text again is the same version, and waits for another approval if the last one has
    been used; another text is a new version, and overtakes those of the campaign that still wait
    for approval. Raises ``NotAllowed``, :class:`CannotDo`.
    """
    with engine.begin() as connection:
        return put_in(connection, actor, definition, source, now, reason)


def put_in(
    connection: Connection,
    actor: Actor,
    definition: Definition,
    source: str,
    now: datetime,
    reason: str = "",
) -> Version:
    """Like :func:`submit`, in the caller's transaction."""
    require(actor, Role.STAFF)
    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _NUMBERING_LOCK})
    if _all_own(connection, actor, definition.campaign) is False:
        raise NotAllowed(
            f"計画の名前「{definition.campaign}」は、ほかの課が使っています。別の名前を付けてください"
            f" / another office has a campaign {definition.campaign}: choose another name"
        )
    digest = sha256(source.encode()).hexdigest()
    known = connection.execute(
        select(campaign_version.c.id, campaign_version.c.state).where(
            campaign_version.c.key == definition.campaign, campaign_version.c.sha256 == digest
        )
    ).one_or_none()
    version_id = known.id if known else _draft(connection, actor, definition, source, digest, now)
    state = known.state if known else VersionState.DRAFT
    if state == VersionState.WITHDRAWN:
        move_version(connection, actor, Action.DRAFT, version_id, now)
        state = VersionState.DRAFT
    if state == VersionState.DRAFT or (
        state == VersionState.APPROVED and approval_used(connection, version_id)
    ):
        move_version(connection, actor, Action.SUBMIT, version_id, now, reason)
        _overtake(connection, actor, definition.campaign, version_id, now)
    return by_id(connection, version_id)


def submit_again(
    engine: Engine, actor: Actor, version_id: int, now: datetime, reason: str = ""
) -> Version:
    """Hand a version in as it is for another approval, for another run. Raises ``NotAllowed``, and
    :class:`CannotDo` while the approval that it has is still to be used."""
    with engine.begin() as connection:
        version = by_id(connection, version_id)
        if version.state is VersionState.APPROVED and not approval_used(connection, version_id):
            raise CannotDo(
                f"{version.name} の承認はまだ使われていません。そのまま日程に入れられます / the "
                f"approval of {version.name} has not been used: schedule it as it is"
            )
        move_version(connection, actor, Action.SUBMIT, version_id, now, reason)
        _overtake(connection, actor, version.key, version_id, now)
        return by_id(connection, version_id)


def approval_used(connection: Connection, version_id: int) -> bool:
    """Whether a run of this version has started since it was approved last: the two-person rule is
    for each launch, and an approval is for one."""
    found = connection.scalar(
        text("""
        SELECT EXISTS (SELECT FROM campaign_transition s
            WHERE s.campaign_version_id = :id AND s.action = 'start'
            AND s.id > (SELECT max(a.id) FROM campaign_transition a
                WHERE a.campaign_version_id = :id AND a.action = 'approve'))
        """),
        {"id": version_id},
    )
    return bool(found)


def _draft(
    connection: Connection,
    actor: Actor,
    definition: Definition,
    source: str,
    digest: str,
    now: datetime,
) -> int:
    latest = connection.scalar(
        text("SELECT coalesce(max(version), 0) FROM campaign_version WHERE key = :key"),
        {"key": definition.campaign},
    )
    version_id = connection.execute(
        insert(campaign_version)
        .values(
            key=definition.campaign,
            version=int(latest or 0) + 1,
            sha256=digest,
            text=source,
            definition=definition.model_dump(mode="json"),
            state=VersionState.DRAFT,
            created_at=now,
            created_by=actor.name,
        )
        .returning(campaign_version.c.id)
    ).scalar_one()
    move_version(connection, actor, Action.DRAFT, version_id, now)
    return int(version_id)


def _overtake(
    connection: Connection, actor: Actor, key: str, version_id: int, now: datetime
) -> None:
    number = by_id(connection, version_id).number
    waiting = connection.execute(
        text("""
        SELECT id FROM campaign_version
        WHERE key = :key AND id <> :id AND state IN ('draft', 'submitted') ORDER BY id
        """),
        {"key": key, "id": version_id},
    )
    for row in waiting.all():
        reason = f"版{number}に置き換え / replaced by version {number}"
        move_version(connection, actor, Action.WITHDRAW, row.id, now, reason)


def approve(
    engine: Engine, actor: Actor, version_id: int, now: datetime, reason: str = ""
) -> Version:
    """Approve what somebody else has submitted. Raises ``NotAllowed``, :class:`CannotDo`."""
    with engine.begin() as connection:
        approve_in(connection, actor, version_id, now, reason)
        return by_id(connection, version_id)


def approve_in(
    connection: Connection, actor: Actor, version_id: int, now: datetime, reason: str = ""
) -> None:
    """Like :func:`approve`, in the caller's transaction."""
    must_be_another(connection, actor, version_id)
    move_version(connection, actor, Action.APPROVE, version_id, now, reason)
    connection.execute(
        text("UPDATE campaign_version SET approved_at = :now, approved_by = :by WHERE id = :id"),
        {"now": now, "by": actor.name, "id": version_id},
    )


def must_be_another(connection: Connection, actor: Actor, version_id: int) -> None:
    """Raise ``NotAllowed`` for who may not approve, or had a hand in this version."""
    require(actor, Role.APPROVER)
    hands = connection.scalars(
        text("""
        SELECT actor FROM campaign_transition
        WHERE campaign_version_id = :id AND run_id IS NULL AND action IN ('draft', 'submit')
        UNION SELECT created_by FROM campaign_version WHERE id = :id
        """),
        {"id": version_id},
    )
    if actor.name in set(hands):
        raise NotAllowed(
            "提出した人とは別の人が承認してください（CONTACT_ACTOR で名乗ります） / somebody "
            f"else must approve what {actor.name} submitted (CONTACT_ACTOR says who you are)"
        )


def send_back(engine: Engine, actor: Actor, version_id: int, now: datetime, reason: str) -> None:
    """Return a submitted version to its authors, saying why."""
    _said(reason)
    with engine.begin() as connection:
        move_version(connection, actor, Action.SEND_BACK, version_id, now, reason)


def withdraw(engine: Engine, actor: Actor, version_id: int, now: datetime, reason: str) -> None:
    """Take a version back for good; runs of it that wait for their day are not started."""
    _said(reason)
    with engine.begin() as connection:
        move_version(connection, actor, Action.WITHDRAW, version_id, now, reason)


#: What may be decided about a version, and how: each is told why.
DECISIONS: Mapping[Action, Callable[[Engine, Actor, int, datetime, str], object]] = {
    Action.APPROVE: approve,
    Action.SEND_BACK: send_back,
    Action.WITHDRAW: withdraw,
}


def for_approval(
    connection: Connection,
    version: Version,
    lang: Lang = "ja",
    values: Mapping[str, str] = TYPICAL,
) -> ForApproval:
    """What an approver must see of ``version``; texts are shown with ``values`` filled in."""
    previous = connection.scalar(
        text("""
        SELECT id FROM campaign_version WHERE key = :key AND id <> :id AND approved_at IS NOT NULL
        ORDER BY approved_at DESC, version DESC LIMIT 1
        """),
        {"key": version.key, "id": version.id},
    )
    new = definition_of_version(connection, version.id)
    if previous is None:
        return ForApproval(version, None, None, lifted_section(new, lang))
    old = definition_of_version(connection, previous)
    difference, lifted = compare(old, new, lang, values), lifted_section(new, lang, old)
    return ForApproval(version, by_id(connection, previous), difference, lifted)


def find(connection: Connection, actor: Actor, name: str, *states: VersionState) -> Version:
    """The version called ``KEY@NUMBER``, or the newest of campaign ``KEY`` in one of ``states``
    (any, when none are given); another office's is not found. Raises :class:`CannotDo`."""
    key, _, number = name.partition("@")
    if number and number != "latest" and not number.isdigit():
        raise CannotDo(f"{name}: 版は番号で書きます（{key}@2） / write a version as {key}@2")
    wanted = int(number) if number.isdigit() else None
    rows = connection.execute(
        text("""
        SELECT id, state FROM campaign_version
        WHERE key = :key AND version = coalesce(CAST(:number AS int), version)
        ORDER BY version DESC
        """),
        {"key": key, "number": wanted},
    ).all()
    if not rows or not _all_own(connection, actor, key):
        raise CannotDo(
            f"計画 {name} は登録されていません。campaign submit で提出してください / there is no "
            f"campaign {name}: hand it in with `campaign submit`"
        )
    for row in rows:
        if wanted is not None or not states or row.state in states:
            return by_id(connection, row.id)
    allowed = "・".join(states)
    raise CannotDo(f"計画 {name} に {allowed} の版はありません / {name} has no {allowed} version")


def by_id(connection: Connection, version_id: int) -> Version:
    """The version with this id."""
    return _versions(connection, "v.id = :id", {"id": version_id})[0]


def text_of(connection: Connection, version_id: int) -> str:
    """The definition as it was written."""
    stored = connection.scalar(
        select(campaign_version.c.text).where(campaign_version.c.id == version_id)
    )
    return str(stored)


def open_versions(connection: Connection, actor: Actor) -> list[Version]:
    """The office's versions that are not withdrawn, by campaign and number."""
    return _versions(
        connection, f"v.state <> 'withdrawn' AND {of_own_kinds()}", {**own_kinds(actor)}
    )


def versions_of(connection: Connection, actor: Actor, key: str) -> list[Version]:
    """The versions of a campaign, the newest first; none when one is of another office's."""
    found = _versions(connection, "v.key = :key", {"key": key})[::-1]
    return found if _all_own(connection, actor, key) else []


def _all_own(connection: Connection, actor: Actor, key: str) -> bool | None:
    """Whether every version of a campaign is the actor's office's; ``None`` when there is none."""
    own = connection.scalar(
        text(f"SELECT bool_and({of_own_kinds()}) FROM campaign_version v WHERE v.key = :key"),
        {"key": key} | own_kinds(actor),
    )
    return None if own is None else bool(own)


def waiting(connection: Connection, actor: Actor) -> list[Version]:
    """The office's versions that wait for a second person."""
    return _versions(
        connection, f"v.state = 'submitted' AND {of_own_kinds()}", {**own_kinds(actor)}
    )


def _versions(connection: Connection, condition: str, values: dict[str, object]) -> list[Version]:
    rows = connection.execute(
        text(f"""
        SELECT v.id, v.key, v.version, v.state, v.definition ->> 'title' AS title, v.created_at,
            v.created_by, v.approved_at, v.approved_by
        FROM campaign_version v WHERE {condition} ORDER BY v.key, v.version
        """),
        values,
    )
    return [
        Version(
            row.id, row.key, row.version, VersionState(row.state), row.title, row.created_at,
            row.created_by, row.approved_at, row.approved_by,
        )
        for row in rows
    ]  # fmt: skip


def _said(reason: str) -> None:
    if not reason.strip():
        raise CannotDo("理由を書いてください。あとで見る人の判断に要ります / say why")
