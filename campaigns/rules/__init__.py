"""The rules of :mod:`campaigns.check`, by subject."""
