"""Trials designed and estimated from figures given from outside: no database, no service."""
