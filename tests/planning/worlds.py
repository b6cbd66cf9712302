"""Small ledgers drawn at random, and a plain reading of who in them must be left alone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from campaigns.vocabulary import ClaimKind, LegalClass
from contact_service.domain.restrictions import BY_KIND, Reach, RestrictionKind
from tests.ledger import Ledger, Owed, mobile

TODAY = date(2026, 10, 26)
_LONG_AGO, _SOON = date(2020, 1, 1), TODAY + timedelta(days=1)
#: First day, last day, lifted at; and whether the restriction holds today.
_TIMES: tuple[tuple[date, date | None, datetime | None, bool], ...] = (
    (_LONG_AGO, None, None, True),
    (TODAY, TODAY, None, True),
    (_LONG_AGO, TODAY - timedelta(days=1), None, False),
    (_SOON, None, None, False),
    (_LONG_AGO, None, datetime(2026, 10, 1, tzinfo=UTC), False),
)


@dataclass
class World:
    """People with their numbers, homes and claims, and who is to be left alone today."""

    book: Ledger
    numbers: dict[int, list[str]] = field(default_factory=dict)
    homes: dict[int, str] = field(default_factory=dict)
    restrictions: list[tuple[RestrictionKind, int | None, int | None, int | None]] = field(
        default_factory=list
    )
    """Those in force: kind, person, number, claim."""

    def untouchable(self, lifted: set[str]) -> tuple[set[Any], set[Any], set[Any]]:
        """Claims, people and numbers that no target may have, read row by row."""
        claims, people, phones = set(), set(), set()
        owner = self.book.rows("SELECT id, debtor_id FROM claim")
        held = self.book.rows("SELECT debtor_id, phone_id FROM debtor_phone")
        for kind, person, phone, claim in self.restrictions:
            reach = BY_KIND[kind].reach
            if reach is Reach.CLAIM:
                claims |= {c for c, whose in owner if c == claim or (not claim and whose == person)}
            elif reach is Reach.PHONE and phone is not None:
                phones.add(phone)
                if kind is RestrictionKind.OPTED_OUT:
                    people |= {whose for whose, number in held if number == phone}
            elif reach is Reach.HOUSEHOLD:
                theirs = {number for whose, number in held if whose == person}
                phones |= theirs
                people |= {whose for whose, number in held if number in theirs}
                people |= {o for o, home in self.homes.items() if home == self.homes[person or 0]}
            elif kind.value not in lifted:
                people.add(person)
        return claims, people, phones


def draw_world(book: Ledger, seed: int, people: int = 9) -> World:
    """Replace what is in the ledger: homes and numbers shared or not, claims of all sorts,
    restrictions of any kind on people, claims and numbers, in force or not."""
    draw, world = random.Random(seed), World(book)
    book.run(
        "TRUNCATE debtor, household, phone, run, campaign_version, target, target_claim, attempt CASCADE"
    )
    for n in range(people):
        home = f"h{draw.randrange(people)}"
        numbers = draw.sample([mobile(n), mobile(n // 2), f"+8131234567{n // 3}"],
                              draw.choice([0, 1, 1, 2]))  # fmt: skip
        numbers = list(dict.fromkeys(numbers))
        owes = [
            Owed(
                draw.choice([900, 12_000, 60_000, 240_000]),
                draw.choice([each.value for each in ClaimKind]),
                draw.choice([each.value for each in LegalClass]),
                draw.choice([2024, 2025, 2026]),
                TODAY - timedelta(days=draw.choice([-9, 1, 20, 70, 300, 700])),
            )
            for _ in range(draw.choice([1, 1, 2]))
        ]
        person = book.person(numbers, owes, home)
        world.numbers[person], world.homes[person] = numbers, home
    book.run("UPDATE claim SET demand_sent_on = due_on + 20 WHERE id % 3 > 0")
    for _ in range(draw.choice([2, 4, 6])):  # never none: a rule of nobody says nothing
        _restrict(world, draw)
    return world


def _restrict(world: World, draw: random.Random) -> None:
    kind, (starts, ends, lifted, holds) = draw.choice(list(RestrictionKind)), draw.choice(_TIMES)
    person = draw.choice(list(world.numbers))
    claim = phone = None
    reach = BY_KIND[kind].reach
    if reach is Reach.CLAIM and draw.random() < 0.5:
        claim = world.book.one("SELECT min(id) FROM claim WHERE debtor_id = :d", d=person)
    if reach is Reach.PHONE and world.numbers[person] and draw.random() < 0.8:
        phone = world.book.one(
            "SELECT max(phone_id) FROM debtor_phone WHERE debtor_id = :d", d=person
        )
    names = person if phone is None else None
    stored = world.book.run(
        "INSERT INTO restriction (kind, debtor_id, debtor_code, claim_id, phone_id, starts_on, "
        "ends_on, lifted_at, origin) VALUES (:k, :d, CAST(CAST(:d AS bigint) AS text), :c, :p, :s, "
        ":e, :l, 'file') ON CONFLICT DO NOTHING",
        k=kind.value, d=names, c=claim, p=phone, s=starts, e=ends, l=lifted,
    )  # fmt: skip
    if holds and stored:  # one like it, from the same day, may be there already
        world.restrictions.append((kind, names, phone, claim))  # type: ignore[arg-type]
