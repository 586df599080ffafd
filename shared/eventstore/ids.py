"""Ids as UUIDs (RFC 9562): events' of version 7, which sort by time; commands' of version 5."""

from hashlib import sha1
from random import getrandbits
from time import time_ns
from uuid import UUID

# A subclass of `uuid.UUID` that asyncpg makes and encodes several times faster.
from asyncpg.pgproto.pgproto import UUID as FastUUID


def uuid7() -> UUID:
    """A new id: 48 bits of milliseconds, 74 random bits."""
    value = (time_ns() // 1_000_000) << 80 | 0x7 << 76 | getrandbits(12) << 64
    value |= 0x2 << 62 | getrandbits(62)
    return FastUUID(value.to_bytes(16, "big"))


def uuid5(namespace: UUID, name: str) -> UUID:
    """The id of a name in a namespace, as `uuid.uuid5` gives it."""
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    value = bytearray(digest[:16])
    value[6] = value[6] & 0x0F | 0x50
    value[8] = value[8] & 0x3F | 0x80
    return FastUUID(bytes(value))
