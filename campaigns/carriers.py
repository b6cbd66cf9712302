"""What a text becomes at a carrier: its parts and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from providers.parts import TYPICAL, PartRule, parts


@dataclass(frozen=True, slots=True)
class Carrier:
    """How one carrier divides and bills SMS."""

    name: str
    """What the deployment calls it; empty: Japanese carriers' usual way."""
    rule: PartRule
    part_yen: float | None = None
    """What one part costs by the office's contract; ``None``: as the definition says."""

    def cost(self, text: str, part_yen: float) -> float:
        """What a text costs, in yen; a part costs ``part_yen`` unless the contract says else."""
        return parts(self.rule, text) * (part_yen if self.part_yen is None else self.part_yen)


#: For judging a text before a carrier is known.
USUAL: Sequence[Carrier] = (Carrier("", TYPICAL),)
