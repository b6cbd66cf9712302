"""Ten lines that say what the demo did."""

from __future__ import annotations

from contact_service.demo.run import Finished


def summary(finished: Finished) -> list[str]:
    """The lines, ready to print."""
    return [str(finished.report)]
