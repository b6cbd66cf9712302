"""A definition becomes a run: frozen targets, arms, attempts."""
