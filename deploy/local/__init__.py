"""The whole of Kawal on this machine: Postgres and NATS from wheels, an issuer, the services."""
