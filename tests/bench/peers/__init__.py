"""What a user could take instead of Kawal, each in an environment of its own, as it is fastest."""

from tests.bench.peers.append import append_contenders
from tests.bench.peers.projection import projection_contenders

__all__ = ["append_contenders", "projection_contenders"]
