"""The definition language of campaigns. Knows nothing of the database."""
