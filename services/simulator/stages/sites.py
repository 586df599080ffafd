"""Storage places: 95 % as at the last election, 5 % that wait for certainty."""

from datetime import datetime
from typing import Any

from services.simulator import calendar
from services.simulator.field import Command, Field
from services.simulator.world import Place

POINTS = (
    "flood_free",
    "electricity",
    "cctv",
    "safe_gate",
    "sound_building",
    "ventilation",
    "pallets",
    "truck_access",
    "extinguisher",
    "anti_termite",
    "handling_tools",
    "guards",
)
CENTRES = {
    "31": (-6_310_000, 106_870_000),
    "31.01": (-5_745_000, 106_613_000),
    "31.71": (-6_180_000, 106_835_000),
    "31.72": (-6_127_000, 106_867_000),
    "31.73": (-6_165_000, 106_748_000),
    "31.74": (-6_273_000, 106_810_000),
    "31.75": (-6_255_000, 106_901_000),
}
"""Centres of the cities in microdegrees (WGS 84): where a place of the exercise is put."""


async def propose(field: Field) -> None:
    places = field.world.places.values()
    proposals = [_proposal(place, unchanged=not place.pending) for place in places]
    await field.send("sites proposed", "inventory", proposals)
    await field.send("sites surveyed", "inventory", [_survey(place) for place in places])


async def confirm_unchanged(field: Field) -> None:
    await field.clock(calendar.COORDINATION_MEETING)
    settled = [place for place in field.world.places.values() if not place.pending]
    await field.send(
        "sites ready", "inventory", [_ready(p.site, calendar.COORDINATION_MEETING) for p in settled]
    )


async def settle_waiting(field: Field) -> None:
    """The waiting places: the owner is written to; two in three agree, the third is replaced."""
    await field.clock(calendar.SITES_SETTLED)
    waiting = [place for place in field.world.places.values() if place.pending]
    replaced = [place for place in waiting if place.replaced_by]
    when = calendar.SITES_SETTLED
    await field.send("letters to owners", "inventory", [_owner_letter(p) for p in waiting])
    await field.send(
        "waiting sites ready",
        "inventory",
        [_ready(place.site, when) for place in waiting if not place.replaced_by],
    )
    substitutes = [_substitute(place) for place in replaced]
    proposals = [_proposal(place, unchanged=False) for place in substitutes]
    await field.send("substitutes proposed", "inventory", proposals)
    await field.send("substitutes surveyed", "inventory", [_survey(p) for p in substitutes])
    await field.send("substitutes ready", "inventory", [_ready(p.site, when) for p in substitutes])
    await field.send("sites replaced", "inventory", [_replacement(place) for place in replaced])


def _proposal(place: Place, *, unchanged: bool) -> Command:
    latitude, longitude = _coordinates(place)
    return {
        "name": "propose-site",
        "site": place.site,
        "region": place.region,
        "site_name": place.name,
        "function": place.function,
        "address": place.name,
        "owner": "Pemprov DKI Jakarta",
        "latitude_udeg": latitude,
        "longitude_udeg": longitude,
        "capacity_m2": 400,
        "cctv": not place.pending,
        "unchanged": unchanged,
    }


def _coordinates(place: Place) -> tuple[int, int]:
    latitude, longitude = CENTRES[place.region[:5]]
    digits = int(place.region.replace(".", ""))
    return latitude + digits % 97 * 300, longitude + digits % 89 * 300


def _survey(place: Place) -> Command:
    return {
        "name": "survey-site",
        "site": place.site,
        "checklist": dict.fromkeys(POINTS, True) | {"cctv": not place.pending},
    }


def _ready(site: str, when: datetime) -> Command:
    return {
        "name": "confirm-site",
        "site": site,
        "opens_on": when.date().isoformat(),
        "closes_on": "2024-03-20",
        "contact": f"person-{site}",
    }


def _owner_letter(place: Place) -> Command:
    number = f"{abs(hash_of(place.site))}/PP.08-SD/{place.region.replace('.', '')[:4]}/2023"
    return {"name": "send-owner-letter", "site": place.site, "letter_number": number}


def hash_of(text: str) -> int:
    """A small number that follows from the text alone."""
    return sum(ord(letter) * (i + 1) for i, letter in enumerate(text)) % 1000


def _substitute(place: Place) -> Place:
    assert place.replaced_by is not None
    return Place(place.replaced_by, place.region, place.function, f"{place.name} (pengganti)")


def _replacement(place: Place) -> dict[str, Any]:
    return {"name": "replace-site", "site": place.site, "replaced_by": place.replaced_by}
