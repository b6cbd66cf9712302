"""Console pages, JSON API, carriers' webhooks."""
