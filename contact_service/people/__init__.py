"""One person as staff look them up: search, opening, the timeline, and leaving them alone."""
