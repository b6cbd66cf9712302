"""Lease, submit, record: what is due goes out, at most once."""
