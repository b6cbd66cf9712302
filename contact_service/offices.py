"""Which office (所管課) keeps which kind of claim, and so sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from campaigns.vocabulary import ClaimKind
from contact_service.domain.actors import EVERY_OFFICE, Role
from contact_service.settings import Settings


@lru_cache(maxsize=1)
def usual() -> Mapping[str, Mapping[str, str]]:
    """The usual name of the office by kind of claim, in Japanese and English."""
    content = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = yaml.safe_load(content)
    return table


def name_of(kind: ClaimKind, settings: Settings) -> str:
    """The Japanese name of the office that keeps a kind of claim."""
    return settings.claim_offices.get(kind) or usual()[kind]["ja"]


def names(settings: Settings) -> Sequence[str]:
    """The Japanese names of all offices that keep claims."""
    return list(dict.fromkeys(name_of(kind, settings) for kind in ClaimKind))


#: Whose work needs no claims: any office may have them.
_WITHOUT_CLAIMS = (Role.ADMINISTRATOR, Role.AUDITOR)


def unknown(office: str, role: Role, settings: Settings) -> str | None:
    """What is wrong with the office of somebody in ``role``, in words: they would see nothing.
    ``None``: it keeps claims, stands for all (``"*"``), or their work needs none."""
    if office == EVERY_OFFICE or role in _WITHOUT_CLAIMS or office in names(settings):
        return None
    return (
        f"所管課「{office[:40]}」は債権を持つ課ではありません。次のどれか、またはすべて（*）です："
        f"{'、'.join(names(settings))} / no office that keeps claims is called {office[:40]}: "
        "it is one of these, or * for all"
    )


def kinds_of(office: str, settings: Settings) -> frozenset[ClaimKind]:
    """The kinds of claim that an office keeps. An office that nobody knows keeps none, and who is
    of every office sees all without it (``Actor.sees``)."""
    return frozenset(kind for kind in ClaimKind if name_of(kind, settings) == office)
