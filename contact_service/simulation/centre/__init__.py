"""The telephone centre: operators, a queue, and what they tell the service."""
