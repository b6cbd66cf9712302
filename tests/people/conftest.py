"""The same floor as for dispatch, and people of two offices."""

from tests.dispatch.conftest import floor
from tests.identity.offices import debtor

__all__ = ["debtor", "floor"]
