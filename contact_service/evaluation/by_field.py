"""What the arms paid, broken down by any field that a selection can ask for.

Current and carried over are never pooled: of each, a cluster counts with its claims of that period
and in the group of the largest of them, as of the day on which the run looked at the ledger.
Small numbers are withheld.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text

from campaigns import phrases
from campaigns.condition_words import NAMES
from campaigns.conditions import FIELDS, SelectionField, Shape
from campaigns.vocabulary import Period
from campaigns.wording import nearest
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require, require_kinds
from contact_service.evaluation import flow
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.disclosure import hidden_with, hide, is_small, is_telling
from contact_service.evaluation.facts import Completeness, RunFacts, run_facts
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.wording import Lang, language, number, percent, yen
from contact_service.evaluation.wording import name as worded
from contact_service.planning.definitions import kinds_of
from contact_service.planning.selection import banded, field_sql
from contact_service.store import audit

#: What follows from the number of clusters, and from the number of those that paid.
_OF_PAID = ("share", "interval")
_OF_CLUSTERS = ("outstanding_yen", "paid_yen")

#: What was frozen when the run was planned, of the claim ``c`` and its target (``frozen``).
_FROZEN = {
    "period": "frozen.period",
    "legal_classes": "frozen.legal_class",
    "claim_outstanding_yen": "frozen.outstanding_yen",
    "debtor_outstanding_yen": "frozen.of_target_yen",
}
#: What the ledger has no history of: it may have changed since the run was planned.
_AS_NOW = frozenset({"days_since_demand", "has_mobile", "household_size", "languages"})

_HEADING = {
    "ja": "区分\t{field}\t群\t世帯\tうち納付\t割合（95%信頼区間）\t対象額\t納付額",
    "en": "period\t{field}\tarm\tclusters\tpaid\tshare (95% CI)\toutstanding\tpaid yen",
}
_READ = {
    "frozen": {
        "ja": "値は計画時に固定したもの",
        "en": "values are those frozen when the run was planned",
    },
    "as_of": {
        "ja": "値は計画の基準日現在。債権の種類は変わらない",
        "en": "values are those of the run's day of reference; a claim's kind never changes",
    },
    "now": {
        "ja": "値は現在の台帳による。計画時の値は保存されていない",
        "en": "values are the ledger's now; those of the day of planning are not kept",
    },
}
_UNKNOWN = {
    "ja": "開始後の収納データがまだありません",
    "en": "no payments file has come since the start",
}


class NoSuchField(Exception):
    """Reports cannot be broken down by this."""


def by_field(service: Service, actor: Actor, run_id: UUID, name: str) -> Row:
    """Payment by arm, period and the values or bands of the field ``name``.

    ``rows`` hold clusters, how many paid something within the horizon, the share with its 95 %
    interval (Wilson), outstanding and paid yen; empty while no payments file can tell. ``read``
    says of when the values are: ``frozen`` with the run, found again for its ``as_of``, or
    ``now``. Reading is recorded. Raises :class:`NotAllowed`, :class:`NoSuchRun`,
    :class:`NoSuchField`.
    """
    require(actor, *READERS)
    field = _field(name)
    at = service.clock.now()
    with (
        service.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        connection.begin(),
    ):
        counts = Counts(connection)
        facts = run_facts(counts, run_id)
        require_kinds(actor, kinds_of(facts.definition))
        known = facts.completeness is not Completeness.UNKNOWN
        rows = _count(counts, facts, field) if known else []
        audit.record(connection, at, actor, "report.by_field", str(run_id), field=name)
    return {
        "run": str(run_id),
        "field": field.as_dict(),
        "read": _read(name),
        "completeness": facts.completeness.value,
        "rows": _withheld(rows, service.settings.disclosure_threshold),
        "sources": counts.asked,
    }


def _field(name: str) -> SelectionField:
    if name in FIELDS:
        return FIELDS[name]
    near = nearest(name, FIELDS)
    ja, en = (f"; `{near}` ですか", f"; did you mean `{near}`?") if near else ("", "")
    raise NoSuchField(
        f"未知の項目 `{name}`{ja}。一覧は campaign fields で / unknown field `{name}`{en} "
        "campaign fields lists them"
    )


def _read(name: str) -> str:
    if name in _FROZEN:
        return "frozen"
    return "now" if name in _AS_NOW else "as_of"


def _count(counts: Counts, facts: RunFacts, field: SelectionField) -> list[Row]:
    flow.prepare(counts, facts)
    values: dict[str, object] = {}
    if frozen := _FROZEN.get(field.name):
        expression = banded(field.name, frozen)
    else:
        expression, values = field_sql(field.name, facts.as_of, facts.definition.default_language)
    values |= {"run_id": facts.id}
    within = "frozen.legal_class" if field.name == "kinds" else "NULL"
    sql = f"""
        WITH paid AS (
            SELECT cluster, claim_id, max(credited_so_far) > 0 AS something,
                (array_agg(credited_so_far ORDER BY day DESC))[1] AS yen
            FROM report_payment GROUP BY cluster, claim_id
        ), whole AS (
            SELECT r.arm, r.cluster, r.period, sum(r.outstanding_yen) AS outstanding_yen,
                coalesce(sum(p.yen), 0) AS paid_yen, coalesce(bool_or(p.something), false) AS paid,
                (array_agg(claim_id ORDER BY r.outstanding_yen DESC, claim_id))[1] AS largest
            FROM report_claim r LEFT JOIN paid p USING (cluster, claim_id)
            GROUP BY r.arm, r.cluster, r.period
        ), frozen AS (
            SELECT DISTINCT ON (tc.claim_id) tc.*,
                sum(tc.outstanding_yen) OVER (PARTITION BY tc.target_id) AS of_target_yen
            FROM target_claim tc JOIN target t ON t.id = tc.target_id WHERE t.run_id = :run_id
            ORDER BY tc.claim_id, tc.target_id
        ), valued AS (
            SELECT w.*, {expression} AS value, {within} AS legal_class
            FROM whole w
            JOIN claim c ON c.id = w.largest
            JOIN frozen ON frozen.claim_id = c.id
        )
        SELECT arm, period, value, min(legal_class) AS legal_class, count(*) AS clusters,
            count(*) FILTER (WHERE paid) AS paid_something,
            sum(outstanding_yen) AS outstanding_yen, sum(paid_yen) AS paid_yen
        FROM valued GROUP BY arm, period, value
    """
    found = [dict(row) for row in counts.connection.execute(text(sql), values).mappings()]
    counts.keep("by_field", sql, values, len(found))
    arms, periods = facts.in_order({row["arm"] for row in found}), list(Period)
    found.sort(
        key=lambda row: (
            periods.index(Period(row["period"])), _place(field, row["value"]),
            arms.index(row["arm"]),
        )
    )  # fmt: skip
    return [_estimated(row) for row in found]


def _estimated(row: Row) -> Row:
    # here, not above: the statistics take seconds to load, and pages need the labels alone
    from contact_service.evaluation import estimates

    share = estimates.share(row["paid_something"], row["clusters"])
    yen = {key: int(row[key]) for key in _OF_CLUSTERS}
    return {**row, **yen, "share": share.estimate, "interval": [share.low, share.high]}


def _place(field: SelectionField, value: object) -> int:
    """Words in the order of their vocabulary, numbers by size, what is not there last."""
    if value is None:
        return 1 << 40
    if field.words:
        return [word.value for word in field.words].index(str(value))
    return value if isinstance(value, int) else 0


def _withheld(rows: list[Row], threshold: int) -> list[Row]:
    """Small groups are hidden, and counts of payers that are small or leave few others, and more
    until what is hidden cannot be worked out: within each arm and period, whose sum every field
    tells, and of kinds within each legal class, too, whose sum is told by that field."""
    margins = [_groups(rows, "arm", "period"), _groups(rows, "arm", "period", "legal_class")]
    clusters = [int(row["clusters"]) for row in rows]
    payers = [int(row["paid_something"]) for row in rows]

    def many(places: set[int]) -> bool:
        return len(places) > 1 and sum(clusters[n] for n in places) >= 2 * threshold

    def many_of_both(places: set[int]) -> bool:
        paid = sum(payers[n] for n in places)
        rest = sum(clusters[n] for n in places) - paid
        return len(places) > 1 and not any(is_small(n, 2 * threshold) for n in (paid, rest))

    small = {n for n, count in enumerate(clusters) if is_small(count, threshold)}
    gone = hidden_with(small, margins, many, clusters)
    tells = {n for n in range(len(rows)) if is_telling(payers[n], clusters[n], threshold)}
    unpaid = hidden_with(gone | tells, margins, many_of_both, clusters)
    return [_told(row, n in gone, n in unpaid) for n, row in enumerate(rows)]


def _groups(rows: list[Row], *keys: str) -> list[set[int]]:
    found: dict[tuple[object, ...], set[int]] = {}
    for n, row in enumerate(rows):
        found.setdefault(tuple(row[key] for key in keys), set()).add(n)
    return list(found.values())


def _told(row: Row, gone: bool, unpaid: bool) -> Row:
    told = {key: value for key, value in row.items() if key != "legal_class"}
    if gone:
        return hide(told, ("clusters",), ("paid_something", *_OF_PAID, *_OF_CLUSTERS))
    return _without_payers(told) if unpaid else told


def _without_payers(row: Row) -> Row:
    return hide(row, ("paid_something",), (*_OF_PAID, "paid_yen"))


def lines(figures: Row, lang: str) -> Iterator[str]:
    """The figures as tab-separated lines, with a heading; ``lang`` is ``ja`` or ``en``."""
    said, field = language(lang), figures["field"]
    yield _HEADING[said].format(field=field[lang])
    for row in figures["rows"]:
        low, high = row["interval"] or (None, None)
        yield "\t".join(
            (
                worded("period", row["period"], said),
                label(field, row["value"], said),
                row["arm"],
                number(row["clusters"]),
                number(row["paid_something"]),
                f"{percent(row['share'])} ({percent(low)}–{percent(high)})",
                yen(row["outstanding_yen"], said),
                yen(row["paid_yen"], said),
            )
        )
    yield _READ[figures["read"]][said] if figures["rows"] else _UNKNOWN[said]


def label(field: Row, value: int | str | None, lang: Lang) -> str:
    """What people call a group: a word, a band with its unit, or that there is none."""
    if value is None:
        return "なし" if lang == "ja" else "none"
    if field["type"] == Shape.FLAG.value:
        return ("はい" if value else "いいえ") if lang == "ja" else ("yes" if value else "no")
    if not isinstance(value, int):
        vocabulary = FIELDS[field["name"]].words
        return phrases.named((vocabulary(value),), NAMES[vocabulary], lang) if vocabulary else value
    if not field["bands"]:
        return f"{value}"
    unit = field["unit"][lang] if field["unit"] else ""
    beyond = [least for least in field["bands"] if least > value]
    last = f"{min(beyond) - 1:,}" if beyond else ""
    ends = f"{value:,}" if last == f"{value:,}" else f"{value:,}–{last}"
    return f"{ends}{unit}" if lang == "ja" else f"{ends} {unit}".rstrip()
