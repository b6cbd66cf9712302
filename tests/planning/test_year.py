"""A year of campaigns over the same people, by a clock that jumps from one due time to the next:
nobody is contacted outside the hours of the campaign, more often than its caps allow, after they
have said no, or when nothing is owed any more. Letters count towards the caps, and know no hours."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jpholiday
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaigns.hours import Hours
from campaigns.parse import parse
from campaigns.vocabulary import Channel, Outcome
from contact_service.clock import TOKYO
from contact_service.dispatch.letters import hand_over
from contact_service.dispatch.reconcile import collect_unknown
from contact_service.domain.life import CannotDo
from contact_service.domain.windows import next_open
from contact_service.planning import runs
from contact_service.planning.completion import complete_runs
from contact_service.planning.schedule import DoesNotFit
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Accepted, Contact, Receipt, Result
from tests.campaigns.generated import Draft, drafts, written
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.ledger import Owed, mobile

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Two campaigns at once every ten weeks.
ROUNDS, APART = 5, timedelta(weeks=10)
ENDS: dict[Channel, tuple[Outcome, ...]] = {
    Channel.SMS: (Outcome.DELIVERED, Outcome.UNDELIVERED, Outcome.UNDELIVERED),
    Channel.AUTO_CALL: (Outcome.NO_ANSWER, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CONFIRMED),
}


def is_open(hours: Draft, at: datetime) -> bool:
    """A plain reading of what the definition says of an instant."""
    day, clock = at.date(), at.time()
    if day.isoformat() in hours["closed_on"]:
        return False
    if (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
        return False
    name = "holidays" if jpholiday.is_holiday(day) else DAYS[day.weekday()]
    spans = [*hours.get(name, ()), *(s for s in hours["sessions"] if s["on"] == day.isoformat())]
    return any(
        time.fromisoformat(span["opens"]) <= clock < time.fromisoformat(span["closes"])
        for span in spans
    )


@st.composite
def campaigns(draw: st.DrawFn) -> list[Draft]:
    """Two campaigns that may have the same people, with tight caps."""
    made = []
    for number in range(2):
        draft: Draft = draw(drafts((*ENDS, Channel.LETTER)))
        draft |= {"campaign": f"c{number}", "select": {"days_since_due": {"min": 1}}}
        draft["trial"] = {"may_share_people_with": ["c0", "c1"]}
        draft["arms"] = [{**arm, "weight": 1} for arm in draft["arms"]]
        most = draw(st.integers(1, 3))
        draft["caps"] = {"per_7_days": most, "per_30_days": draw(st.integers(most, most + 2))}
        for step in draft["steps"]:
            step.pop("per_half_hour", None)
            step["expires_after_days"] = 14
            cause = {Channel.SMS: "undelivered", Channel.AUTO_CALL: "no_answer"}
            if step["channel"] in cause:  # due when it is night
                step["retries"] = [{"on": cause[step["channel"]], "after": "9 h", "most": 3}]
        draft["steps"].append(
            {"name": "office-letter", "channel": "letter", "start": {"after_days": 40}}
        )
        made.append(draft)
    return made


@dataclass
class Year:
    """What happens to some people in a year."""

    floor: Floor
    drafts: list[Draft]
    draw: random.Random
    folder: Path
    drafts_of: dict[UUID, Draft] = field(default_factory=dict)
    hours: dict[object, Hours] = field(default_factory=dict)
    sent: list[tuple[datetime, str, str | None]] = field(default_factory=list)
    """When, by which attempt, and to which number; ``None`` for a letter."""
    forbidden: set[str] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    """Who has said no or paid; until the next round, like the numbers that are ``forbidden``."""
    unwanted: list[tuple[datetime, str]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def live(self, first: date) -> None:
        """Go through it."""
        floor = self.floor
        floor.clock.at = datetime.combine(first, time(8, 0), TOKYO)
        starts = [floor.clock.at + n * APART for n in range(ROUNDS)]
        floor.carrier.answer = self.answer
        while starts or self.next_due() is not None:
            now = floor.clock.now()
            if starts and now >= starts[0]:
                starts.pop(0)
                self.done.clear()
                self.forbidden.clear()
                floor.ledger.run("UPDATE claim SET outstanding_yen = filed_outstanding_yen")
                floor.ledger.run("DELETE FROM restriction")
                for draft in self.drafts:
                    self.start(draft)
            for channel in ENDS:
                if self.due_by(channel, now):
                    floor.drain(channel)
            self.write_letters(now)
            collect_unknown(floor.service)  # also puts aside what has expired
            complete_runs(floor.service.engine, now)
            floor.clock.at = self.later(now, starts)

    def start(self, draft: Draft) -> None:
        spec, now = parse(written(draft), "generated.yaml"), self.floor.clock.now()
        engine = self.floor.service.engine
        try:
            run_id = runs.plan(engine, STAFF, spec, written(draft), now.date(), now).run_id
        except (DoesNotFit, CannotDo):
            return  # nobody is left, or there are no hours before a step expires
        runs.start(engine, APPROVER, run_id, now, [])
        self.drafts_of[run_id] = draft
        self.hours[run_id] = spec.hours

    def answer(self, contact: Contact, ref: str) -> Result:
        self.contacted(contact.reference, contact.to)
        return Accepted(ref)

    def contacted(self, attempt: str, number: str | None) -> None:
        """Judged later: dispatch survives what fails in an adapter."""
        now = self.floor.clock.now()
        if number in self.forbidden or self.people(attempt) <= self.done:
            self.unwanted.append((now, attempt))
        self.sent.append((now, attempt, number))

    def people(self, attempt: str) -> set[int]:
        """Who owes what the attempt is about."""
        rows: Any = self.floor.ledger.rows(
            "SELECT DISTINCT c.debtor_id FROM attempt a JOIN target_claim tc USING (target_id) "
            "JOIN claim c ON c.id = tc.claim_id WHERE a.id = CAST(:id AS uuid)",
            id=attempt,
        )
        return {person for (person,) in rows}

    def write_letters(self, now: datetime) -> None:
        steps: Any = self.floor.ledger.rows(
            "SELECT DISTINCT run_id, step FROM attempt a JOIN run r ON r.id = a.run_id "
            "WHERE a.state = 'planned' AND channel = 'letter' AND due_at <= :now "
            "AND r.state = 'running'",
            now=now,
        )
        for run_id, step in steps:
            file = self.folder / f"{len(list(self.folder.iterdir()))}.csv"
            done = hand_over(self.floor.service, STAFF, run_id, step, file, now)
            if done.batch is None:
                continue
            self.seen["letters"] += done.batch.letters
            for (attempt,) in self.floor.ledger.rows(
                "SELECT DISTINCT attempt_id FROM letter_line WHERE batch_id = :b", b=done.batch.id
            ):
                self.contacted(str(attempt), None)

    def due_by(self, channel: Channel, now: datetime) -> bool:
        return bool(
            self.floor.ledger.one(
                "SELECT 1 FROM attempt WHERE state = 'planned' AND channel = :c AND due_at <= :now",
                c=channel.value, now=now,
            )
        )  # fmt: skip

    def next_due(self) -> datetime | None:
        found: Any = self.floor.ledger.one(
            "SELECT min(due_at) FROM attempt WHERE state = 'planned' AND channel <> 'operator'"
        )
        return found  # type: ignore[no-any-return]

    def later(self, now: datetime, starts: list[datetime]) -> datetime:
        """Reports come in; then the next moment at which something can happen."""
        self.report()
        due = self.next_due()
        moments = [*starts[:1], *([due] if due and due > now else [])]
        if due and due <= now:  # due, and closed: hours begin on the half-hour
            self.seen["closed"] += 1
            soon = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
            soon += timedelta(minutes=30)
            for (run_id,) in self.floor.ledger.rows(
                "SELECT DISTINCT run_id FROM attempt WHERE state = 'planned' AND due_at <= :now",
                now=now,
            ):
                if opens := next_open(self.hours[run_id], soon):
                    moments.append(opens)
        return min(moments, default=now + timedelta(days=15))

    def report(self) -> None:
        """The carrier says what became of what it took; somebody wants no more, somebody pays."""
        floor, told = self.floor, []
        if self.draw.random() < 0.4:
            self.leave_alone()
        for ref, contact in floor.carrier.taken:
            channel = Channel.SMS if hasattr(contact, "body") else Channel.AUTO_CALL
            outcome = self.draw.choice(ENDS[channel])
            receipt = Receipt(channel, ref, outcome.value, outcome, final=True)
            told.append(Reported(receipt, UUID(contact.reference), Via.WEBHOOK))
        floor.carrier.taken.clear()
        store_receipts(floor.service.engine, "scripted", told, floor.clock.now())

    def leave_alone(self) -> None:
        """One of those who are to be contacted rings up and wants no more, or pays."""
        found: Any = self.floor.ledger.rows(
            "SELECT a.id::text, p.number FROM attempt a JOIN phone p ON p.id = a.phone_id "
            "WHERE a.state = 'planned' ORDER BY a.id"
        )
        if not found:
            return
        attempt, sealed = self.draw.choice(found)
        if self.draw.random() < 0.5:
            self.done |= self.people(attempt)
            for person in self.people(attempt):
                self.floor.ledger.pays(person)
            self.seen["somebody_paid"] += 1
        else:
            number = self.floor.service.vault.open("phone.number", sealed)
            if number in self.forbidden:
                return
            self.floor.ledger.restrict("opted_out", phone=number)
            self.forbidden.add(number)
            self.seen["said_no"] += 1

    def judge(self) -> Counter[str]:
        """Hold everything that was sent against what was said, hours and caps; what came up to a
        limit."""
        assert self.unwanted == []
        rows: Any = self.floor.ledger.rows("SELECT id::text, run_id FROM attempt")
        run_of: dict[str, UUID] = dict(rows)
        before: dict[object, list[datetime]] = defaultdict(list)
        seen = self.seen + Counter(contacts=len(self.sent))
        for at, attempt, number in self.sent:
            draft = self.drafts_of[run_of[attempt]]
            assert number is None or is_open(draft["hours"], at), (at, draft["hours"])
            for whose in (*([number] if number else []), *self.people(attempt)):
                for days in (7, 30):
                    since = at - timedelta(days=days)
                    earlier = sum(moment > since for moment in before[whose])
                    most = draft["caps"][f"per_{days}_days"]
                    assert earlier < most, (at, whose, days, earlier, draft["caps"])
                    seen[f"full {days}"] += earlier + 1 == most
                before[whose].append(at)
        return seen


def test_hours_and_caps_hold_over_a_year(floor: Floor, tmp_path: Path) -> None:
    people = [
        floor.ledger.person([mobile(1)], [Owed()], "h1"),
        floor.ledger.person([mobile(1), "+81312345678"], [Owed(50_000)], "h1"),
        floor.ledger.person([mobile(2)], [Owed(due_on=date(2026, 9, 30))], "h2"),
        floor.ledger.person(["+81312345679"], [Owed()], "h3"),
        *(floor.ledger.person([mobile(n)], [Owed()], f"h{n}") for n in (4, 5, 6)),
    ]
    assert people
    seen: Counter[str] = Counter()

    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(campaigns(), st.integers(0, 2**32))
    def check(drawn: list[Draft], seed: int) -> None:
        floor.ledger.run(
            "TRUNCATE run, campaign_version, target, target_claim, attempt, restriction, call, "
            "letter_batch CASCADE"
        )
        floor.carrier.taken.clear()
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        year = Year(floor, drawn, random.Random(seed), folder)
        year.live(date(2026, 10, 26))
        seen.update(year.judge())
        reasons: Any = floor.ledger.rows(
            "SELECT reason, count(*) FROM attempt WHERE reason IS NOT NULL GROUP BY 1"
        )
        seen.update(dict(reasons))

    check()
    tried = {"contacts", "closed", "full 7", "letters", "somebody_paid", "said_no"}
    tried |= {"contact_cap", "paid", "restricted"}
    assert not {each for each in tried if not seen[each]}, "nothing was tried"
