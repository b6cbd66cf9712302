"""The library of what worked (効果のあった取組み事例).

An entry is a finished trial whose payments are all in: its definition, setting, effects with
their uncertainty, cost, and lessons in the words of those who did it. Whether it worked or not:
what did not work is worth knowing, too. Small numbers are withheld before anything is stored.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, or_, select

from campaigns.faults import DefinitionErrors
from campaigns.parse import parse
from campaigns.parts import NAME
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require, require_kinds
from contact_service.domain.states import RunState
from contact_service.evaluation.chapters.voice import voice_of
from contact_service.evaluation.counts import Counts
from contact_service.evaluation.facts import Completeness, RunFacts, run_facts
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.wording import QUESTIONS, Lang
from contact_service.planning.definitions import kinds_of
from contact_service.store import audit
from contact_service.store.tables.campaigns import campaign_version, run
from contact_service.store.tables.library import library_entry

Entry = dict[str, Any]


class NotInLibrary(Exception):
    """No such entry, or a run that may not become one."""


def add(service: Service, actor: Actor, run_id: UUID, lessons: str) -> int:
    """Make a finished trial an entry; its number.

    Raises :class:`NotAllowed`, :class:`NoSuchRun`, and :class:`NotInLibrary` for a run that is
    not over, whose payments are not all in, that nobody was left alone in, or that is there.
    """
    require(actor, Role.STAFF, Role.APPROVER, Role.EVALUATOR)
    if not lessons.strip():
        raise NotInLibrary(
            "学んだことを書いてください（--lessons） / write what was learnt: --lessons"
        )
    with service.engine.connect() as connection:  # before minutes of counting
        facts = run_facts(Counts(connection), run_id)
        require_kinds(actor, kinds_of(facts.definition))
        _must_be_settled(facts)
        _must_be_new(connection, run_id)
    # here, not above: the statistics take seconds to load, and reading needs none of them
    from contact_service.evaluation.report import run_report

    _, figures = run_report(service, actor, run_id, "ja")
    if not figures["payment"]["comparisons"]:
        raise NotInLibrary("対照群がなく、効果を示せません / no holdout: no effect can be stated")
    at = service.clock.now()
    with service.engine.begin() as connection:
        _must_be_new(connection, run_id)
        text = connection.scalar(
            select(campaign_version.c.text)
            .join(run, run.c.campaign_version_id == campaign_version.c.id)
            .where(run.c.id == run_id)
        )
        about = figures["run"]
        made = connection.execute(
            insert(library_entry)
            .values(
                run_id=run_id, campaign=about["campaign"], title=about["title"], definition=text,
                entry=_entry(facts, figures), lessons=lessons.strip(), office=actor.office,
                training=about["training"], added_at=at, added_by=actor.name,
            )
            .returning(library_entry.c.id)
        ).scalar_one()  # fmt: skip
        audit.record(connection, at, actor, "library.add", str(run_id), entry=made)
    return int(made)


def search(
    service: Service,
    actor: Actor,
    words: str = "",
    before: int | None = None,
    most: int | None = None,
) -> list[Entry]:
    """Entries that hold every word in title, purpose, lessons or campaign; the latest first: the
    ``most`` that are older than the entry ``before``."""
    require(actor, *READERS)
    found = select(library_entry).order_by(library_entry.c.id.desc()).limit(most)
    if before is not None:
        found = found.where(library_entry.c.id < before)
    for word in words.split():
        like = "%" + re.sub(r"([%_\\])", r"\\\1", word) + "%"
        columns = (library_entry.c.title, library_entry.c.lessons, library_entry.c.campaign,
                   library_entry.c.definition)  # fmt: skip
        found = found.where(or_(*(column.ilike(like) for column in columns)))
    with service.engine.connect() as connection:
        return [dict(row) for row in connection.execute(found).mappings()]


def show(service: Service, actor: Actor, entry: int) -> Entry:
    """One entry. Raises :class:`NotAllowed`, :class:`NotInLibrary`."""
    require(actor, *READERS)
    with service.engine.connect() as connection:
        return _one(connection, entry)


def told(entry: Entry, lang: Lang) -> tuple[Lang, dict[str, list[str]]]:
    """What an entry says to each of :data:`~contact_service.evaluation.wording.QUESTIONS`, in
    their order, and in which language: entries made before there were two have Japanese alone."""
    kept = entry["entry"]
    if lang == "en" and "summary_en" not in kept:
        lang = "ja"
    said = kept["summary_en" if lang == "en" else "summary"]
    return lang, {question: said.get(question, []) for question in QUESTIONS}


def copied(service: Service, actor: Actor, entry: int, name: str) -> str:
    """The definition of an entry as a new campaign called ``name``, with a seed of its own: the
    same seed would deal the same people the same arms again."""
    if not re.fullmatch(NAME, name):
        raise NotInLibrary(
            "新しい計画の名前を英小文字、数字、ハイフンで入れてください（例 autumn-sms） / "
            "name the new campaign with small letters, digits and hyphens (autumn-sms)"
        )
    text: str = show(service, actor, entry)["definition"]
    said = f"# 事例{entry}から複写 / copied from library entry {entry}\n"
    text = re.sub(r"(?m)^campaign:.*$", f"campaign: {name}", text, count=1)
    text = re.sub(r"(?ms)^(allocation:\n.*?^  seed:)[^\n]*", rf"\1 {name}", text, count=1)
    try:
        made = parse(text, f"{name}.yaml")
    except DefinitionErrors as error:
        raise NotInLibrary(
            f"「{name}」という計画にはできません / cannot become a campaign called {name}\n{error}"
        ) from None
    if (made.campaign, made.allocation.seed) != (name, name):
        raise NotInLibrary(
            "書き換えられません。campaign と allocation.seed を手で変えてください / "
            "this definition cannot be renamed: change campaign and allocation.seed by hand"
        )
    return said + text


def _one(connection: Connection, entry: int) -> Entry:
    row = connection.execute(
        select(library_entry).where(library_entry.c.id == entry)
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise NotInLibrary(f"事例{entry}はありません / there is no entry {entry}")
    return dict(row)


def _must_be_new(connection: Connection, run_id: UUID) -> None:
    there = select(library_entry.c.id).where(library_entry.c.run_id == run_id)
    if connection.scalar(there) is not None:
        raise NotInLibrary("この実施はもう事例にあります / this run is in the library already")


def _must_be_settled(facts: RunFacts) -> None:
    if facts.state != RunState.COMPLETED:
        raise NotInLibrary(
            "終わっていない実施は事例にできません / only a finished run can be added"
        )
    if facts.completeness is not Completeness.FINAL:
        raise NotInLibrary(
            "納付がまだ確定していません。判定期間と遅れて届く納付を待ってください / "
            "payments are not all in: wait for the period counted and late payments"
        )


def _entry(facts: RunFacts, figures: Entry) -> Entry:
    """What an entry tells: nothing about anybody, nothing that is not in the report."""
    effects = ("arm", "control", "outcomes", "p_adjusted", "amount_difference")
    # here, not above: it loads the statistics
    from contact_service.evaluation.chapters.summary import summary

    return {
        "setting": {
            key: figures["run"][key]
            for key in ("purpose", "start_day", "horizon_days", "primary_outcome", "arms", "steps")
        }
        | {"randomised_households": figures["flow"]["randomised_clusters"]},
        "effects": [
            {key: one[key] for key in effects} for one in figures["payment"]["comparisons"]
        ],
        "cost": {key: figures["cost"][key] for key in ("prices", "arms", "additional")},
        "summary": figures["summary"],
        "summary_en": summary(facts, figures, voice_of(facts.definition, "en")),
    }
