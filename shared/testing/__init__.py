"""Given / when / then for deciders, and a real Postgres and NATS in a folder of one's own."""
