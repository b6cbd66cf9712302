"""Collections files (収納データ) as the core system hands them over each working morning."""

from __future__ import annotations

import csv
from datetime import datetime, time, timedelta
from pathlib import Path

from contact_service.clock import TOKYO
from contact_service.domain.windows import at_tokyo, is_holiday, is_year_end
from contact_service.simulation.residents.payments import Payment
from contact_service.simulation.timeline import Timeline

HEADINGS = ("宛名番号", "科目", "通知書番号", "期別", "収納日", "収納額", "収納方法")
HANDED_OVER_AT = time(7, 0)
_SATURDAY = 5


class CollectionsFiles:
    """Keeps payments until their data has arrived, then writes them, each once."""

    def __init__(self, folder: Path, timeline: Timeline) -> None:
        self._folder = folder
        self._timeline = timeline
        self._under_way: list[Payment] = []

    def begin(self, start: datetime) -> None:
        """Hand over every working morning from ``start`` on."""
        today = at_tokyo(start.astimezone(TOKYO).date(), HANDED_OVER_AT)
        first = today if today >= start else today + timedelta(days=1)
        self._timeline.at(first, self._morning)

    def add(self, payments: list[Payment]) -> None:
        """Payments that will reach the office some day."""
        self._under_way.extend(payments)

    def _morning(self, at: datetime) -> None:
        self._timeline.at(at + timedelta(days=1), self._morning)
        day = at.astimezone(TOKYO).date()
        if day.weekday() >= _SATURDAY or is_holiday(day) or is_year_end(day):
            return
        arrived = [payment for payment in self._under_way if payment.known_at <= at]
        self._under_way = [payment for payment in self._under_way if payment.known_at > at]
        # Without payments too: that nothing came in until today is news for the office.
        self._write(f"収納データ_{day:%Y%m%d}", arrived)

    def _write(self, stem: str, payments: list[Payment]) -> None:
        path = self._folder / f"{stem}.csv"
        again = 1
        while path.exists():
            again += 1
            path = self._folder / f"{stem}_{again}.csv"
        draft = path.with_suffix(".new")
        with draft.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADINGS)
            writer.writerows(map(_row, payments))
        draft.replace(path)


def _row(payment: Payment) -> tuple[str, ...]:
    claim = payment.claim
    return (
        payment.resident.debtor_code,
        claim.kind_ja,
        claim.notice_number,
        str(claim.instalment),
        f"{payment.paid_on:%Y/%m/%d}",
        str(claim.yen),
        payment.method,
    )
