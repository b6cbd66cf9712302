"""Adapters to carriers. Knows nothing of the database or of ``contact_service``."""
