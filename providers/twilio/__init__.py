"""Twilio: SMS and auto-calls over its public REST API (version 2010-04-01)."""
