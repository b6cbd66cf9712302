"""Somebody for each role in the demo's office, so that every page can be looked at."""

from __future__ import annotations

from contact_service.bootstrap import Service
from contact_service.domain.actors import SYSTEM, Role
from contact_service.identity import accounts


def people(service: Service) -> dict[str, str]:
    """One account for each role, named like it, all with a new first password: by name."""
    return {role.value: _anew(service, role) for role in accounts.ROLES}


def _anew(service: Service, role: Role) -> str:
    if accounts.find(service, role.value) is None:
        return accounts.add(service, SYSTEM, role.value, role.value, role)
    return accounts.reset(service, SYSTEM, role.value)
