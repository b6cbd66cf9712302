"""Trial estimates, centre load, and the reports that show them."""
