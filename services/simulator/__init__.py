"""Plays the field: drives a whole operation through the public APIs of the services."""
