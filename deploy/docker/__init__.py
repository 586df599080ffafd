"""Kawal in containers: one image, and what only an image needs."""
