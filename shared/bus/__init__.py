"""The bus: a copy of each service's events in NATS JetStream, rebuildable from Postgres.

A stream is a window of its owner's store in which the JetStream sequence equals the position.
"""
