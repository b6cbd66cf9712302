"""What was assumed, written down beside what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from contact_service.simulation.residents.parameters import Parameters


def write(
    folder: Path,
    seed: str,
    parameters: Parameters,
    start: datetime,
    end: datetime,
    households: int,
) -> None:
    """``truth.json``: the parameters, the seed and the horizon of payment."""
    document = {
        "seed": seed,
        "horizon": {"start": start.isoformat(), "end": end.isoformat()},
        "households": households,
        "parameters": asdict(parameters),
        "rule": "a household pays within the horizon if its uniform draw is below the baseline "
        "plus the sum of the effects of the contacts it had, each counted once",
    }
    draft = folder / "truth.new"
    draft.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / "truth.json")
