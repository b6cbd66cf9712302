"""Outbound contact automation for a public office's arrears."""

__version__ = "0.1.0"
