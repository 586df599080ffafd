"""The carrier on NATS: what concerns an agency, copied once into that agency's stream."""

from services.exchange.carrier.carrier import Carrier

__all__ = ["Carrier"]
