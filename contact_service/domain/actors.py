"""Who acts. Every service function is told, so that rights and audit have their place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from campaigns.vocabulary import CLAIM_KIND_JA, ClaimKind

EVERY_OFFICE = "*"


class Role(StrEnum):
    """What somebody is to the service."""

    STAFF = "staff"  # plans campaigns
    APPROVER = "approver"  # the second person
    OPERATOR = "operator"  # talks to people
    CONTRACTOR = "contractor"  # an operator of a contractor (受託者): the desk, nothing else
    SUPERVISOR = "supervisor"
    EVALUATOR = "evaluator"  # reads reports, sees no names
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"  # the service itself: workers, webhooks


#: Who does whose work. What is not for them says so: ``require(…, contractors=False)``.
STANDS_IN_FOR = {Role.CONTRACTOR: Role.OPERATOR}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or process, in one role, for one office (``"*"``: all offices).

    ``origin`` is from where they act: an address, or the account of the operating system.
    ``kinds`` are the kinds of claim that their office keeps: of an office whose kinds were not
    looked up they are none.
    """

    name: str
    role: Role
    office: str = EVERY_OFFICE
    origin: str = ""
    kinds: frozenset[ClaimKind] = frozenset()

    def sees(self, kind: ClaimKind) -> bool:
        """Whether claims of this kind are their office's (所管課)."""
        return self.office == EVERY_OFFICE or kind in self.kinds

    @property
    def own_kinds(self) -> list[str]:
        """The kinds of claim that they see, for SQL."""
        return [kind.value for kind in ClaimKind if self.sees(kind)]


class NotAllowed(Exception):
    """The actor's role or office does not permit the action."""


SYSTEM = Actor("system", Role.SYSTEM)


def allowed(role: Role, roles: Collection[Role], *, contractors: bool = True) -> bool:
    """Whether somebody in ``role`` may do what is for ``roles``.

    The system itself and the administrator may do everything. A contractor's operator may do
    what operators may, unless it is not for contractors.
    """
    stands_in_for = STANDS_IN_FOR.get(role, role) if contractors else role
    return role in (Role.SYSTEM, Role.ADMINISTRATOR) or role in roles or stands_in_for in roles


def require(actor: Actor, *roles: Role, contractors: bool = True) -> None:
    """Raise :class:`NotAllowed` unless the actor has one of ``roles`` (:func:`allowed`)."""
    if allowed(actor.role, roles, contractors=contractors):
        return
    said = ", ".join(sorted(roles or (Role.ADMINISTRATOR,)))
    raise NotAllowed(
        f"{actor.name}（{actor.role}）にはこの操作の権限がありません。必要な役割: {said} / "
        f"{actor.role} may not do this; it takes one of: {said}"
    )


def require_another(actor: Actor, asked_by: str) -> None:
    """Raise :class:`NotAllowed` for whoever asked for what is to be decided."""
    if actor.name == asked_by:
        raise NotAllowed(
            "依頼した人は確認できません。ほかの人に頼んでください / whoever asked may not decide: "
            "ask somebody else"
        )


def require_kinds(actor: Actor, kinds: Iterable[ClaimKind]) -> None:
    """Raise :class:`NotAllowed` unless all these kinds of claim are of the actor's office."""
    others = [kind for kind in kinds if not actor.sees(kind)]
    if others:
        names = "、".join(CLAIM_KIND_JA[kind] for kind in others)
        raise NotAllowed(
            f"{names}は{actor.office}の所管ではありません。すべての課を見る人に頼んでください / "
            f"{', '.join(others)}: not of the office {actor.office}; ask somebody of all offices"
        )
