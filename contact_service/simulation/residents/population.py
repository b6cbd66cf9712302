"""Who lives behind the numbers: read from ``residents.jsonl``."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError


class Claim(BaseModel):
    """One sum that is owed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    kind_ja: str
    notice_number: str
    instalment: int
    yen: int


class Resident(BaseModel):
    """One debtor."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    debtor_code: str
    household: int
    phone: str | None
    phone_kind: Literal["mobile", "fixed", "ip", "other"] | None
    claims: tuple[Claim, ...]


class UnreadableResidents(Exception):
    """The file is missing or a line of it does not say who lives there."""


class Population:
    """Residents by household and by telephone number."""

    def __init__(self, residents: list[Resident]) -> None:
        self.by_household: dict[int, list[Resident]] = defaultdict(list)
        self.by_phone: dict[str, list[Resident]] = defaultdict(list)
        self.phone_kinds: dict[str, str] = {}
        for resident in residents:
            self.by_household[resident.household].append(resident)
            if resident.phone:
                self.by_phone[resident.phone].append(resident)
                if resident.phone_kind:
                    self.phone_kinds[resident.phone] = resident.phone_kind
        self.phones = sorted(self.by_phone)

    def households_of(self, number: str) -> set[int]:
        """The households that share a number; none for a number that nobody knows."""
        return {resident.household for resident in self.by_phone.get(number, ())}


def load(path: Path) -> Population:
    """Read one resident a line. Raises :class:`UnreadableResidents`."""
    residents = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                residents.append(_read(path, number, line))
    except OSError as fault:
        raise UnreadableResidents(
            f"{path}: 住民ファイルを読めません / the residents' file cannot be read "
            f"({fault.strerror})"
        ) from fault
    return Population(residents)


def _read(path: Path, number: int, line: str) -> Resident:
    try:
        return Resident.model_validate_json(line)
    except ValidationError as fault:
        # Only where and what kind of error: the values are about people.
        field = ".".join(map(str, fault.errors()[0]["loc"])) or "-"
        raise UnreadableResidents(
            f"{path}:{number}: 項目「{field}」が正しくありません / field {field!r}: "
            f"{fault.errors()[0]['type']}"
        ) from None
