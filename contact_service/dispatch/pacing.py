"""How much may go out: what an administrator states, beside what a carrier's entry says.

Rates are a carrier's (``per_second``); everything that is counted over a day, a half-hour or at
once is a :class:`Budget`, kept in the database with the leases that use it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0, le=1)]


class BadPacingFile(Exception):
    """The file that states budgets and thresholds cannot be used; the text says why."""


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CampaignPace(_Stated):
    """What one campaign may use, over all its runs."""

    yen_per_day: float | None = Field(default=None, gt=0)
    yen: float | None = Field(default=None, gt=0)
    """In all."""
    weight: int = Field(default=1, ge=1, le=100)
    """Its part of a lane that several campaigns want at once."""
    urgent: bool = False
    """Goes by queues of its own, which need not wait for others."""


class Centre(_Stated):
    """What the telephone centre can take."""

    calls_per_half_hour: float | None = Field(default=None, gt=0)
    """How many calls back it can answer in a half-hour; unset: never a reason to wait. Also how
    densely campaigns are planned, unless ``call_backs.per_half_hour`` of theirs is less."""
    most_waiting: int | None = Field(default=None, ge=1)
    """How many attempts may wait on the operators' list before campaigns pause."""


class Threshold(_Stated):
    """When too much of what was just sent went wrong. Never judged on a handful."""

    share: Share
    least: int = Field(default=50, ge=2)
    """So many attempts must have been made in the time looked at."""


class Pauses(_Stated):
    """When the service pauses by itself, looking at ``minutes`` of the service's clock."""

    minutes: float = Field(default=60, gt=0)
    failures: Threshold | None = Threshold(share=0.5)
    """Of what one carrier was given on one channel: refused, failed, or of unknown fate."""
    wrong_numbers: Threshold | None = Threshold(share=0.1)
    """Of what one run reached: somebody else's number, or no number at all."""
    complaints: Threshold | None = Threshold(share=0.05)
    """Of what one run reached: people who want no more contacts."""

    @property
    def window(self) -> timedelta:
        """The time looked at."""
        return timedelta(minutes=self.minutes)


class Pacing(_Stated):
    """All that is stated."""

    centre: Centre = Centre()
    campaigns: Mapping[str, CampaignPace] = {}
    pauses: Pauses = Pauses()

    @property
    def urgent(self) -> bool:
        """Whether any campaign is."""
        return any(item.urgent for item in self.campaigns.values())

    def campaign(self, key: str) -> CampaignPace:
        """What one campaign may use."""
        return self.campaigns.get(key, CampaignPace())


@lru_cache
def pacing(path: Path | None) -> Pacing:
    """What ``path`` states; without a file the thresholds alone. Raises :class:`BadPacingFile`."""
    if path is None:
        return Pacing()
    try:
        return Pacing.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or '-'}: {fault['msg']}" for fault in error.errors()
        )
        raise BadPacingFile(
            f"{path}: 送信量の設定に誤りがあります / faulty limits: {faults}"
        ) from None
    except (OSError, yaml.YAMLError) as error:
        raise BadPacingFile(
            f"{path}: 送信量の設定を読めません / cannot read the limits: {error}"
        ) from error
