"""Carriers with an HTTP interface of their own, described by a file instead of by code."""
