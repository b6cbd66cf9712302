"""A carrier that speaks Twilio's REST API (2010-04-01) for messages and calls."""
