"""The layouts that come with the service, as data."""
