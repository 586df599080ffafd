"""The published events of each service: what the services know of one another."""
