"""What the ledger's own past says of a design: how many pay unasked, and how many fall due.

Read by one set-based question; needs the service's database, unlike the rest of this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from contact_service.evaluation import estimates
from contact_service.evaluation.trial.faults import TrialRefused

_ASKED = """
WITH unit AS (
    SELECT coalesce(d.household_id, -d.id) AS home, c.id, c.outstanding_yen
    FROM claim c JOIN debtor d ON d.id = c.debtor_id
    WHERE c.due_on < :start AND (CAST(:kinds AS text[]) IS NULL OR c.kind = ANY(:kinds))
), paid AS (
    SELECT u.home, u.id, sum(p.amount_yen) AS yen
    FROM unit u JOIN payment p ON p.claim_id = u.id
    WHERE p.paid_on >= :start AND p.paid_on < :end GROUP BY u.home, u.id
), later AS (
    SELECT u.id, sum(p.amount_yen) AS yen
    FROM unit u JOIN payment p ON p.claim_id = u.id AND p.paid_on >= :start GROUP BY u.id
), open_then AS (
    -- owed on the first day: what is owed now and whatever was paid since
    SELECT u.home, u.id, u.outstanding_yen + coalesce(l.yen, 0) AS yen
    FROM unit u LEFT JOIN later l USING (id)
    WHERE u.outstanding_yen + coalesce(l.yen, 0) > 0
), home AS (
    SELECT o.home, count(*) AS claims, sum(o.yen) AS owed, sum(least(coalesce(p.yen, 0), o.yen))
        AS yen, coalesce(bool_and(coalesce(p.yen, 0) >= o.yen), false) AS in_full
    FROM open_then o LEFT JOIN paid p ON p.id = o.id GROUP BY o.home
)
SELECT count(*) AS homes, count(*) FILTER (WHERE yen > 0) AS paid_something,
    count(*) FILTER (WHERE in_full) AS paid_in_full, avg(yen)::float AS mean_yen,
    coalesce(stddev_samp(yen), 0)::float AS sd_yen, avg(claims)::float AS claims
FROM home
"""

_FLOW = """
SELECT count(DISTINCT coalesce(d.household_id, -d.id)) AS homes
FROM claim c JOIN debtor d ON d.id = c.debtor_id
WHERE c.due_on >= :start AND c.due_on < :end
AND (CAST(:kinds AS text[]) IS NULL OR c.kind = ANY(:kinds))
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Households that owed something on ``start``, and what they paid before ``end``.
    ``new_per_day``: households that came into arrears, a day, over the year before."""

    start: date
    end: date
    homes: int
    paid_something: int
    paid_in_full: int
    mean_yen: float
    sd_yen: float
    new_per_day: float

    def share(self, outcome: str) -> float:
        """Of households with the outcome ``paid_something`` or ``paid_in_full``."""
        events = self.paid_something if outcome == "paid_something" else self.paid_in_full
        return events / self.homes

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with intervals."""
        shares = {
            name: estimates.share(getattr(self, name), self.homes).as_dict()
            for name in ("paid_something", "paid_in_full")
        }
        return {
            "from": self.start.isoformat(),
            "before": self.end.isoformat(),
            "households": self.homes,
            **shares,
            "mean_yen": self.mean_yen,
            "sd_yen": self.sd_yen,
            "new_households_per_day": self.new_per_day,
        }


def baseline(
    connection: Connection, end: date, horizon_days: int, kinds: list[str] | None
) -> Baseline:
    """Of the ``horizon_days`` before ``end``, a day whose payments are all in the ledger.

    Whoever was contacted in that time is among them: with campaigns under way it is more than
    what pays unasked. Raises :class:`TrialRefused` when nobody owed anything.
    """
    start = end - timedelta(days=horizon_days)
    found = connection.execute(text(_ASKED), {"start": start, "end": end, "kinds": kinds}).one()
    if not found.homes:
        raise TrialRefused(
            f"{start} に滞納のあった世帯が台帳にありません。ファイルを先に取り込んでください",
            f"no household in the ledger owed anything on {start}; import files first",
        )
    year = {"start": end - timedelta(days=365), "end": end, "kinds": kinds}
    new = connection.execute(text(_FLOW), year).scalar_one()
    return Baseline(
        start, end, found.homes, found.paid_something, found.paid_in_full,
        found.mean_yen, found.sd_yen, new / 365,
    )  # fmt: skip
