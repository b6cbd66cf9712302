"""Who acts. Every service function is told, so that rights and audit have their place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the service."""

    STAFF = "staff"  # plans campaigns
    APPROVER = "approver"  # the second person
    OPERATOR = "operator"  # talks to people
    SUPERVISOR = "supervisor"
    EVALUATOR = "evaluator"  # reads reports, sees no names
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"  # the service itself: workers, webhooks


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or process, in one role, for one office (``"*"``: all offices).

    ``origin`` is from where they act: an address, or the account of the operating system.
    """

    name: str
    role: Role
    office: str = "*"
    origin: str = ""


class NotAllowed(Exception):
    """The actor's role does not permit the action."""


SYSTEM = Actor("system", Role.SYSTEM)


def require(actor: Actor, *roles: Role) -> None:
    """Raise :class:`NotAllowed` unless the actor has one of ``roles``.

    The system itself and the administrator may do everything; finer rules by office
    have their place here.
    """
    if actor.role in (Role.SYSTEM, Role.ADMINISTRATOR) or actor.role in roles:
        return
    allowed = ", ".join(sorted(roles or (Role.ADMINISTRATOR,)))
    raise NotAllowed(
        f"{actor.name}（{actor.role}）にはこの操作の権限がありません。必要な役割: {allowed} / "
        f"{actor.role} may not do this; it takes one of: {allowed}"
    )
