"""Carriers' reports become append-only events, and events outcomes."""
