"""Ages, as coarsely as a report needs them: birth dates stay sealed."""

from __future__ import annotations

from datetime import date

BAND_YEARS = 5
"""How many years of birth are told as one."""
AGES = (30, 45, 60, 75)
"""Where the bands of age begin, in years; the first band lies below."""
AGE_BANDS = ("-29", "30-44", "45-59", "60-74", "75-")


def birth_band(born: date) -> int:
    """The first of the five calendar years among which somebody was born: 1985 for 1985–1989."""
    return born.year - born.year % BAND_YEARS


def age_band_sql(birth_band: str, year: str) -> str:
    """SQL for the band of age that the people of ``birth_band`` mostly have in ``year``.

    They are taken to be born in the middle year, so that nobody is off by more than two years
    and the part of the year before their birthday. NULL where nothing is known.
    """
    age = f"({year} - {birth_band} - {BAND_YEARS // 2})"
    bands = " ".join(f"WHEN {age} < {least} THEN '{band}'" for least, band in
                     zip(AGES, AGE_BANDS, strict=False))  # fmt: skip
    return f"CASE WHEN {birth_band} IS NULL THEN NULL {bands} ELSE '{AGE_BANDS[-1]}' END"
