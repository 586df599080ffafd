"""How people appear in documents: by the name in the vault, as long as it is there."""

from dataclasses import dataclass

FORGOTTEN = "(data dihapus)"


@dataclass(frozen=True, slots=True)
class Person:
    """`sha256` is the salted hash of the vault's record; empty for who was never registered."""

    shown: str
    position: str = ""
    phone: str = ""
    sha256: str = ""
