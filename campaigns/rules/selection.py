"""Rules about which claims are selected."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.definition import Definition
from campaigns.faults import Problem


def sensible_ranges(definition: Definition) -> Iterator[Problem]:
    """Ranges run upwards, and neither claims not yet due nor paid ones are selected."""
    select = definition.select
    ranges = {
        "fiscal_years": select.fiscal_years,
        "days_since_due": select.days_since_due,
        "claim_outstanding_yen": select.claim_outstanding_yen,
        "debtor_outstanding_yen": select.debtor_outstanding_yen,
    }
    for name, found in ranges.items():
        if found.min is not None and found.max is not None and found.min > found.max:
            yield Problem(
                ("select", name),
                f"`{name}` の min（{found.min}）が max（{found.max}）より大きく、対象がありません",
                f"`{name}` selects nothing: min ({found.min}) is above max ({found.max})",
            )
    for name, ja, en in (
        ("days_since_due", "納期限前の債権", "claims that are not yet due"),
        ("claim_outstanding_yen", "納付済みの債権", "claims that are paid"),
    ):
        least = ranges[name].min
        if least is None or least < 1:
            yield Problem(
                ("select", name),
                f"{ja}まで対象になります。`{name}: {{min: 1}}` 以上にしてください",
                f"this would select {en}; write at least `{name}: {{min: 1}}`",
                "min: 1",
            )
    for end in ("min", "max"):
        year = getattr(select.fiscal_years, end)
        if year is not None and not 1990 <= year <= 2100:
            yield Problem(
                ("select", "fiscal_years", end),
                f"年度は西暦で書いてください（令和8年度は 2026）: {year}",
                f"write fiscal years as Western years (令和8 is 2026), not {year}",
            )
