"""Runs on a small ledger, and a lane to a scripted carrier: as in dispatch."""

from tests.dispatch.conftest import floor

__all__ = ["floor"]
