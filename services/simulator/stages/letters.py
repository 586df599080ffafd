"""Letters: the request to the police u.p. Karo Ops, and the supplementary ones for the 5 %."""

import asyncio
from typing import Any

from services.simulator import calendar
from services.simulator.client import OPERATOR, agency
from services.simulator.field import PARALLEL, Field

POLICE = "POLDA-METRO-JAYA"
COPIES = ("KPU-DKI.KETUA", "BAWASLU-DKI.KETUA", "KEJATI-DKI.ASINTEL")

SIGNER = "person-ketua-kpu"
PEOPLE = {
    SIGNER: {"name": "Contoh Nama Ketua", "position": "Ketua KPU Provinsi DKI Jakarta"},
    "person-kabag-logistik": {
        "name": "Contoh Nama Kepala Bagian",
        "position": "Kepala Bagian Logistik",
        "phone": "021-0000000",
    },
}


async def ask_for_security(field: Field) -> None:
    """One letter for the scope: which factories and warehouses to guard, and the schedule."""
    await field.caught_up("exchange", "inventory")
    await _register_people(field)
    for region in field.world.cities:
        await _write(field, region)
    await field.clock(calendar.LETTER_ACKNOWLEDGED)
    for region in field.world.cities:
        await _answer(field, letter_of(region), "acknowledge-letter", {})
    await field.clock(calendar.LETTER_FOLLOWED_UP)
    for region in field.world.cities:
        await _follow_up(field, letter_of(region))


async def supplement(field: Field) -> None:
    """The drafts that the settled sites caused are issued, acknowledged and followed up."""
    await field.caught_up("exchange", "inventory")
    await field.clock(calendar.SUPPLEMENT_ANSWERED)
    letters = await field.client.items("exchange", "/letters")
    drafts = [letter for letter in letters if letter["letter_kind"] == "supplementary"]
    for draft in sorted(drafts, key=lambda letter: letter["letter"]):
        await _issue(field, draft["letter"], draft["region"])
        await _answer(field, draft["letter"], "acknowledge-letter", {})
        await _follow_up(field, draft["letter"])


async def _register_people(field: Field) -> None:
    """Who signs, and whom one may ask at each place: invented names, in the vault."""
    places = field.world.places.values()
    sites = {place.replaced_by or place.site: place.name for place in places}
    sites |= {place.site: place.name for place in places}
    contacts = {f"person-{site}": {"name": f"Petugas {name}"} for site, name in sites.items()}
    limit = asyncio.Semaphore(PARALLEL)

    async def one(person: str, record: dict[str, str]) -> None:
        fields = {"person": person, "region": field.world.scope[0][:2], "record": record}
        async with limit:
            await field.client.command("exchange", "register-person", fields, f"person:{person}")

    await asyncio.gather(*(one(*each) for each in (PEOPLE | contacts).items()))


def letter_of(region: str) -> str:
    return f"PAM-{region}"


async def _write(field: Field, region: str) -> None:
    fields = {
        "letter": letter_of(region),
        "letter_kind": "security-request",
        "region": region,
        "sender": "KPU-DKI",
        "addressee": POLICE,
        "attention": "POLDA-METRO-JAYA.KARO-OPS",
        "copies": COPIES,
        "subject": f"Pengamanan logistik Pemilu 2024 di {field.world.name(region)}",
        "body": "Mohon pengamanan percetakan, gudang, dan distribusi logistik Pemilu 2024.",
        "nature": "segera",
        "attach_sites": True,
        "schedule": {
            "starts_at": calendar.RELEASE_FROM.isoformat(),
            "ends_at": calendar.DEADLINE.isoformat(),
        },
    }
    await field.client.command(
        "exchange", "draft-letter", fields, f"draft:{letter_of(region)}", OPERATOR
    )
    await _issue(field, letter_of(region), region)


async def _issue(field: Field, letter: str, region: str) -> None:
    issue = {
        "letter": letter,
        "classification": "PP.08",
        "document": "SD",
        "work_unit": region.replace(".", ""),
        "signer": SIGNER,
    }
    await field.client.command("exchange", "issue-letter", issue, f"issue:{letter}", OPERATOR)
    await field.caught_up("exchange", "exchange")  # which makes the letter's document
    dispatch = {"letter": letter, "carrier": "courier"}
    await field.client.command(
        "exchange", "dispatch-letter", dispatch, f"dispatch:{letter}", OPERATOR
    )


async def _answer(field: Field, letter: str, command: str, fields: dict[str, Any]) -> None:
    await field.client.command(
        "exchange", command, {"letter": letter, **fields}, f"{command}:{letter}", agency(POLICE)
    )


async def _follow_up(field: Field, letter: str) -> None:
    """Every attached site gets a unit: inside, outside and on the road, in three shifts."""
    attached = (await field.client.get("exchange", f"/letters/{letter}"))["sites"]
    assignments = [
        {
            "site": row["site"],
            "security_unit": f"Polres {field.world.name(row['region'][:5])}",
            "personnel": 11,
            "shifts": 3,
            "rings": ["inside", "outside", "road"],
        }
        for row in attached
    ]
    await _answer(
        field,
        letter,
        "follow-up-letter",
        {"assignments": assignments, "order_number": f"Sprin/{letter}/2023"},
    )
