"""Selections in SQL choose what a plain reading of the ledger's rows in Python chooses."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from campaigns.conditions import FIELDS, Condition, Selection, SelectionField, Shape, asked, put_in
from campaigns.parts import Range
from campaigns.vocabulary import ClaimKind, LegalClass
from contact_service.clock import TOKYO, FixedClock
from contact_service.domain import limitation
from contact_service.domain.actors import Actor, Role
from contact_service.planning import runs
from contact_service.planning.selection import NULLABLE, VALUES, compile_selection
from contact_service.store.crypto import Vault
from tests.ledger import Ledger, Owed, definition, mobile

AS_OF = date(2026, 12, 1)
MIDNIGHT = datetime.combine(AS_OF, time(0), TOKYO)
NESTED = [each for each in FIELDS.values() if each.nested]
Facts = Mapping[str, Any]


@pytest.fixture
def ledger(engine: Engine, vault: Vault, clock: FixedClock) -> Ledger:
    """Thirty people: alone and together, contacted or not, some with promises and payments."""
    draw = random.Random(20261201)
    book = Ledger(engine, vault)
    kinds, classes = [each.value for each in ClaimKind], [each.value for each in LegalClass]
    for n in range(30):
        phones = [[mobile(n)], ["+81312345678"], [mobile(n // 2)], []][n % 4]
        owes = [
            Owed(
                draw.choice([500, 8_000, 20_000, 90_000]),
                draw.choice(kinds[:4]),
                draw.choice(classes),
                draw.choice([2024, 2025, 2026]),
                date(2026, 12, 1)
                - timedelta(days=draw.choice([-3, 0, 1, 7, 30, 40, 60, 90, 380, 400])),
            )
            for _ in range(draw.choice([1, 2, 3]))
        ]
        book.person(phones, owes, household=f"h{n // 3}")
    book.run("UPDATE debtor SET household_id = NULL WHERE id % 7 = 0")
    book.run(
        "UPDATE claim SET demand_sent_on = due_on + 20 WHERE id % 3 > 0 AND due_on < :d", d=AS_OF
    )
    for language in ("en", "vi", "ja-easy"):
        book.run(
            "UPDATE debtor SET language = :l WHERE id % 8 = :n",
            l=language, n=len(language),
        )  # fmt: skip
    book.run(
        "INSERT INTO restriction (kind, debtor_id, debtor_code, claim_id, notice_number, starts_on,"
        " ends_on, lifted_at, origin) SELECT 'instalment_pledge', debtor_id, debtor_id::text,"
        " CASE WHEN id % 2 = 0 THEN id END, id::text, DATE '2026-10-28' - (id % 3)::int,"
        " CASE WHEN id % 4 = 0 THEN DATE '2026-11-30' END,"
        " CASE WHEN id % 4 = 1 THEN timestamptz '2026-11-20' END, 'file' FROM claim WHERE id % 5 = 0"
    )
    spec = definition(arms=[{"name": "contact"}])
    source = spec.model_dump_json()
    runs.plan(engine, Actor("p", Role.STAFF), spec, source, date(2026, 10, 26), clock.now())
    _contact(book, draw)
    book.run("UPDATE attempt SET channel = 'letter', phone_id = NULL WHERE channel = 'operator' AND id < :half",
             half="80000000-0000-0000-0000-000000000000")  # fmt: skip
    return book


def _contact(book: Ledger, draw: random.Random) -> None:
    """Some attempts are made, on either side of midnight; some end in promises, some pay."""
    for place, (attempt_id, target_id) in enumerate(
        book.rows("SELECT id, target_id FROM attempt ORDER BY id")
    ):
        if draw.random() < 0.25:
            continue
        at = MIDNIGHT + timedelta(days=draw.choice([-40, -20, -1]), minutes=-place)
        at = MIDNIGHT if draw.random() < 0.15 else at
        outcome = draw.choice(["delivered", "no_answer", "confirmed", None])
        ended = at + timedelta(hours=draw.choice([0, 30])) if outcome else None
        book.run(
            "UPDATE attempt SET state = 'finished', submitted_at = :at, outcome = :outcome, "
            "outcome_at = :ended WHERE id = :id",
            id=attempt_id, at=at, outcome=outcome, ended=ended,
        )  # fmt: skip
        if draw.random() < 0.5:
            _promise(book, draw, attempt_id, target_id, at)


def _promise(
    book: Ledger, draw: random.Random, attempt_id: object, target_id: object, at: datetime
) -> None:
    book.run(
        "INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by) "
        "VALUES (:id, 'promised', :at, 'o')", id=attempt_id, at=at,
    )  # fmt: skip
    due = AS_OF - timedelta(days=draw.choice([-2, -2, 1, 14, 14, 15, 15, 16]))
    book.run(
        "INSERT INTO promise (disposition_id, target_id, promised_on, amount_yen) "
        "SELECT id, :t, :due, 3000 FROM disposition WHERE attempt_id = :a",
        t=target_id, due=due, a=attempt_id,
    )  # fmt: skip
    for part in range(draw.choice([0, 1, 2])):
        book.run(
            "INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, "
            "paid_on, amount_yen, method, source_file_id, source_line) "
            "SELECT min(claim_id), 'x', 'x', :n, :part, :paid, :yen, 'bank', :f, 1 "
            "FROM target_claim WHERE target_id = :t",
            n=str(attempt_id).replace("-", ""), part=part, f=book.file_id, t=target_id,
            paid=due - timedelta(days=draw.choice([-1, 0, 0, 1, 2, 60])),
            yen=draw.choice([1500, 3000]),
        )  # fmt: skip


def read(book: Ledger) -> dict[int, Facts]:
    """Every field's value for every unpaid claim, from whole tables and without joins."""
    table = {
        name: [dict(row._mapping) for row in _all(book, name)]
        for name in ("claim", "debtor", "debtor_phone", "phone", "attempt", "target_claim",
                     "promise", "disposition", "payment", "restriction")
    }  # fmt: skip
    return {
        claim["id"]: _facts(claim, table)
        for claim in table["claim"]
        if claim["outstanding_yen"] > 0
    }


def _all(book: Ledger, name: str) -> list[Any]:
    with book.engine.connect() as connection:
        return list(connection.execute(text(f"SELECT * FROM {name}")))


def _facts(claim: dict[str, Any], table: dict[str, list[dict[str, Any]]]) -> Facts:
    person = claim["debtor_id"]
    own = {each["id"] for each in table["claim"] if each["debtor_id"] == person}
    targets = {each["target_id"] for each in table["target_claim"] if each["claim_id"] in own}
    made = [
        each
        for each in table["attempt"]
        if each["target_id"] in targets and each["submitted_at"] and each["submitted_at"] < MIDNIGHT
    ]
    ended = [each for each in made if each["outcome_at"] and each["outcome_at"] < MIDNIGHT]
    last = max(ended, key=lambda each: (each["outcome_at"], -each["id"].int), default=None)
    phones = {each["phone_id"] for each in table["debtor_phone"] if each["debtor_id"] == person}
    home = next(each["household_id"] for each in table["debtor"] if each["id"] == person)
    sent = claim["demand_sent_on"]
    return {
        "kinds": claim["kind"],
        "legal_classes": claim["legal_class"],
        "period": "current" if claim["assessed_year"] == 2026 else "carried_over",
        "fiscal_years": claim["assessed_year"],
        "instalments": claim["instalment"],
        "days_since_due": (AS_OF - claim["due_on"]).days,
        "days_since_demand": (AS_OF - sent).days if sent else None,
        "claim_outstanding_yen": claim["outstanding_yen"],
        **{
            f"{channel}_contacts": sum(each["channel"] == channel for each in made)
            for channel in ("sms", "auto_call", "operator", "letter")
        },
        "last_outcomes": last["outcome"] if last else None,
        "promises": _latest_promise(targets, table),
        "instalment_plans": _latest_plan(claim, table),
        **_limitation(claim, table),
        "languages": next(each["language"] for each in table["debtor"] if each["id"] == person)
        or "ja",
        "has_mobile": any(
            each["kind"] == "mobile" for each in table["phone"] if each["id"] in phones
        ),
        "household_size": sum(
            each["household_id"] == home if home else each["id"] == person
            for each in table["debtor"]
        ),
    }


def _plans(claim: dict[str, Any], table: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [
        each
        for each in table["restriction"]
        if each["kind"] == "instalment_pledge"
        and each["debtor_id"] == claim["debtor_id"]
        and each["claim_id"] in (None, claim["id"])
        and each["starts_on"] <= AS_OF
    ]


def _latest_plan(claim: dict[str, Any], table: dict[str, list[dict[str, Any]]]) -> str | None:
    latest = max(
        _plans(claim, table), key=lambda each: (each["starts_on"], each["id"]), default=None
    )
    if latest is None:
        return None
    over = latest["lifted_at"] or (latest["ends_on"] and latest["ends_on"] < AS_OF)
    return "broken" if over else "kept"


def _limitation(claim: dict[str, Any], table: dict[str, list[dict[str, Any]]]) -> dict[str, int]:
    kind = ClaimKind(claim["kind"])
    paid = [
        each["paid_on"]
        for each in table["payment"]
        if each["claim_id"] == claim["id"] and each["paid_on"] < AS_OF
    ]
    pledged = [each["starts_on"] for each in _plans(claim, table)]
    begins = limitation.begins_on(
        kind,
        claim["due_on"],
        claim["demand_sent_on"],
        max(paid, default=None),
        max(pledged, default=None),
    )
    rule = limitation.rule_of(kind, LegalClass(claim["legal_class"]), claim["due_on"])
    return {
        "limitation_age_months": limitation.months_between(begins, AS_OF),
        "limitation_months_left": limitation.months_between(
            AS_OF, limitation.ends_on(rule, begins)
        ),
    }


def _latest_promise(targets: set[Any], table: dict[str, list[dict[str, Any]]]) -> str | None:
    said = {each["id"]: each["recorded_at"] for each in table["disposition"]}
    found = [
        (said[each["disposition_id"]], each["id"], each)
        for each in table["promise"]
        if each["target_id"] in targets and said[each["disposition_id"]] < MIDNIGHT
    ]
    if not found:
        return None
    given_at, _, promise = max(found)
    claims = {
        each["claim_id"]
        for each in table["target_claim"]
        if each["target_id"] == promise["target_id"]
    }
    paid = sum(
        each["amount_yen"]
        for each in table["payment"]
        if each["claim_id"] in claims
        and given_at.astimezone(TOKYO).date() <= each["paid_on"] <= promise["promised_on"]
        and each["paid_on"] < AS_OF
    )
    if paid >= promise["amount_yen"]:
        return "kept"
    return "broken" if promise["promised_on"] + timedelta(days=14) < AS_OF else "open"


def holds(condition: Condition, facts: Facts, named: Mapping[str, Condition]) -> bool:
    """Whether a condition is true of a claim."""
    return (
        all(_fits(field, wanted, facts[field.name]) for field, wanted in asked(condition))
        and all(holds(named[name], facts, named) for name in condition.use)
        and all(holds(inner, facts, named) for inner in condition.all)
        and (not condition.any or any(holds(inner, facts, named) for inner in condition.any))
        and not any(holds(inner, facts, named) for inner in condition.not_)
    )


def _fits(field: SelectionField, wanted: Any, value: Any) -> bool:
    if value is None:
        return False
    if field.shape is Shape.RANGE:
        least = wanted.min if wanted.min is not None else value
        most = wanted.max if wanted.max is not None else value
        return bool(least <= value <= most)
    return value in wanted if field.shape is Shape.WORDS else bool(value == wanted)


def chosen(book: Ledger, selection: Selection) -> set[int]:
    """The claims that the database selects, as planning asks it."""
    condition, values = compile_selection(selection, AS_OF)
    statement = text(
        f"SELECT c.id FROM claim c JOIN debtor d ON d.id = c.debtor_id WHERE {condition}"
    )
    with book.engine.connect() as connection:
        return set(connection.scalars(statement, values))


def selection(**fields: Any) -> Selection:
    """A selection with no limits but those given."""
    open_ended: dict[str, Any] = {"days_since_due": {}, "claim_outstanding_yen": {}}
    return Selection.model_validate(open_ended | fields)


def wanted_of(field: SelectionField) -> Iterator[Any]:
    """Things to ask of a field, each of which splits the ledger above."""
    if field.shape is Shape.FLAG:
        yield from (True, False)
    elif field.words:
        for word in field.words:
            yield word.value if field.shape is Shape.WORD else [word.value]
    else:
        for edge in (0, 1, 2, 3, 7, 20, 30, 380, 2025, 8_000):
            yield from ({"min": edge}, {"max": edge}, {"min": edge, "max": 2 * edge})


def test_every_field_has_a_value_and_every_value_a_field() -> None:
    assert set(VALUES) == {field.name for field in NESTED}
    assert set(VALUES) >= NULLABLE


def test_each_field_selects_what_the_rows_say_and_so_does_its_opposite(ledger: Ledger) -> None:
    rows = read(ledger)
    for field in NESTED:
        sizes = set()
        for wanted in wanted_of(field):
            asked_for = selection(**{field.name: wanted})
            expected = {claim for claim, facts in rows.items() if holds(asked_for, facts, {})}
            assert chosen(ledger, asked_for) == expected, (field.name, wanted)
            opposite = selection(**{"not": [{field.name: wanted}]})
            assert chosen(ledger, opposite) == rows.keys() - expected, (field.name, wanted)
            sizes.add(len(expected))
        assert sizes - {0, len(rows)}, f"the ledger does not tell {field.name} apart"


def _ranges() -> st.SearchStrategy[dict[str, int]]:
    edge = st.sampled_from([0, 1, 2, 3, 7, 15, 30, 380, 2025, 2026, 8_000, 20_000])
    return st.fixed_dictionaries({}, optional={"min": edge, "max": edge})


def _values(field: SelectionField) -> st.SearchStrategy[Any]:
    if field.shape is Shape.RANGE:
        return _ranges()
    if field.shape is Shape.FLAG:
        return st.booleans()
    words = st.sampled_from([word.value for word in field.words or ()])
    return words if field.shape is Shape.WORD else st.lists(words, max_size=4)


def _leaf() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(NESTED).flatmap(
        lambda field: st.fixed_dictionaries({field.name: _values(field)})
    )


def _joined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.lists(inner, min_size=1, max_size=3)
    group = st.sampled_from(["all", "any", "not"])
    one = st.builds(lambda name, found: {name: found}, group, lists)
    return st.builds(lambda own, joined: own | joined, _leaf() | st.just({}), one)


CONDITIONS = st.recursive(_leaf(), _joined, max_leaves=8)


def test_generated_selections_select_what_the_rows_say(ledger: Ledger) -> None:
    rows = read(ledger)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CONDITIONS, CONDITIONS, CONDITIONS)
    def check(written: dict[str, Any], inner: dict[str, Any], outer: dict[str, Any]) -> None:
        named = {
            "inner": Condition.model_validate(inner),
            "outer": Condition.model_validate(outer | {"use": ["inner"]}),
        }
        asked_for = selection(**written | {"not": [{"use": ["outer"]}], "use": ["inner"]})
        for each in (selection(**written), asked_for):
            expected = {claim for claim, facts in rows.items() if holds(each, facts, named)}
            ready = put_in(each, named)
            assert chosen(ledger, ready) == expected
            stored = Selection.model_validate(ready.model_dump(mode="json"))
            assert compile_selection(stored, AS_OF) == compile_selection(ready, AS_OF)

    check()


def test_paid_claims_are_never_selected(ledger: Ledger) -> None:
    before = chosen(ledger, selection())
    ledger.run("UPDATE claim SET outstanding_yen = 0 WHERE id = :id", id=min(before))
    assert chosen(ledger, selection()) == before - {min(before)}
    assert min(before) not in chosen(ledger, selection(**{"not": [{"kinds": ["other"]}]}))


def test_a_name_that_was_not_put_in_is_refused() -> None:
    with pytest.raises(ValueError, match="small"):
        compile_selection(selection(use=["small"]), AS_OF)
    with pytest.raises(KeyError):
        put_in(selection(use=["small"]), {})


def test_a_definition_hands_its_named_selections_to_planning(
    engine: Engine, vault: Vault, clock: FixedClock
) -> None:
    book = Ledger(engine, vault)
    small = book.person([mobile(1)], [Owed(900)])
    book.person([mobile(2)], [Owed(90_000)])
    plan: Callable[..., runs.Planned] = runs.plan
    spec = definition(
        arms=[{"name": "contact"}],
        select={"use": ["small"]},
        selections={"small": {"claim_outstanding_yen": {"max": 1000}}},
    )
    assert spec.select.claim_outstanding_yen == Range(min=1)
    staff = Actor("p", Role.STAFF)
    plan(engine, staff, spec, spec.model_dump_json(), date(2026, 10, 26), clock.now())
    assert book.rows("SELECT addressee_id FROM target") == [(small,)]


def test_a_promise_is_kept_by_what_was_paid_before_the_day_itself(ledger: Ledger) -> None:
    kept = selection(promises=["kept"])
    ledger.run("UPDATE promise SET promised_on = :day", day=AS_OF + timedelta(days=2))
    ledger.run("UPDATE payment SET amount_yen = 3000, paid_on = :day", day=AS_OF)
    assert chosen(ledger, kept) == set()
    ledger.run("UPDATE payment SET paid_on = :day", day=AS_OF - timedelta(days=1))
    assert chosen(ledger, kept)
