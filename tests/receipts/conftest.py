"""The same floor as for dispatch."""

from tests.dispatch.conftest import floor

__all__ = ["floor"]
