"""Seals are logged before use and used once; units begin, are sealed anew, and end."""

import pytest
from custody_facts import (
    BOXES,
    CITY,
    MORNING,
    ROLL,
    ROUTE,
    SEALS,
    TPS,
    VILLAGE,
    acting,
    after,
    in_store,
    loaded,
    logged,
    regions_needed,
    registered,
    sealed,
)
from pydantic import ValidationError

from services.custody.domain.errors import (
    NotYourOffice,
    Repeated,
    RollLogged,
    SealNotLogged,
    SealUsed,
    UnitExists,
    UnitInConsignment,
    UnitNotFit,
    UnknownUnit,
)
from services.custody.domain.registering import RegisterUnits, VoidUnits
from services.custody.domain.seals import LogSealRoll, ResealUnits
from shared.contracts.custody import (
    AppliedSeal,
    SealsApplied,
    UnitOrphaned,
    UnitVoided,
)
from shared.errors import Invalid

IN_STORE = {"custodian": "KPU-31.71", "was": "registered"}
KPU = acting("KPU")
BOX = BOXES[0]


def register(*units: tuple[str, str | None]) -> RegisterUnits:
    return RegisterUnits(
        units=tuple(
            {
                "unit": unit,
                "unit_kind": "box",
                "contents": "PPWP",
                "home": VILLAGE,
                "tps": TPS,
                "seal": seal,
            }
            for unit, seal in units
        ),
        place=ROUTE[0].place,
        custodian=ROUTE[0].office,
        region=CITY,
    )


def reseal(*seals: tuple[str, str], place: str = TPS) -> ResealUnits:
    return ResealUnits(seals=tuple({"unit": u, "seal": s} for u, s in seals), place=place)


def applied(*pairs: tuple[str, str], roll: str = ROLL) -> SealsApplied:
    seals = tuple(AppliedSeal(seal=seal, unit=unit) for unit, seal in pairs)
    return SealsApplied(region=VILLAGE, roll=roll, seals=seals)


def test_a_roll_is_logged_once() -> None:
    command = LogSealRoll(roll=ROLL, first=0, last=99, region=VILLAGE)
    after().when(command, KPU).then(logged(0, 99))
    after(logged()).when(command, KPU).then(RollLogged)


def test_a_roll_that_ends_before_it_begins_makes_no_sense() -> None:
    command = LogSealRoll(roll=ROLL, first=5, last=4, region=VILLAGE)
    after().when(command, KPU).then(Invalid)


def test_a_unit_is_registered_with_its_seal() -> None:
    after(logged()).when(register((BOX, SEALS[BOX])), KPU).then(
        registered(BOX), sealed(BOX), applied((BOX, SEALS[BOX]))
    )


def test_a_koli_may_have_no_seal() -> None:
    after().when(register((BOX, None)), KPU).then(registered(BOX))


def test_seals_of_two_rolls_are_noted_at_each_roll() -> None:
    other = "3171011001B"
    command = register((BOXES[0], f"{ROLL}001"), (BOXES[1], f"{other}001"))
    outcome = after(logged(), logged(roll=other)).when(command, KPU)
    assert outcome.events[-2:] == (
        applied((BOXES[0], f"{ROLL}001")),
        applied((BOXES[1], f"{other}001"), roll=other),
    )


def test_a_unit_is_registered_once() -> None:
    after(*in_store()).when(register((BOX, f"{ROLL}900")), KPU).then(UnitExists)


def test_a_unit_listed_twice_is_refused() -> None:
    after(logged()).when(register((BOX, f"{ROLL}001"), (BOX, f"{ROLL}002")), KPU).then(Repeated)


@pytest.mark.parametrize("seal", [f"{ROLL}100", "9999A001"])
def test_a_seal_must_be_logged_before_use(seal: str) -> None:
    after(logged(0, 99)).when(register((BOX, seal)), KPU).then(SealNotLogged)


def test_a_seal_is_used_once() -> None:
    used = applied((BOXES[1], f"{ROLL}007"))
    after(logged(), used).when(register((BOX, f"{ROLL}007")), KPU).then(SealUsed)


def test_a_seal_is_used_once_within_one_command_too() -> None:
    command = register((BOXES[0], f"{ROLL}007"), (BOXES[1], f"{ROLL}007"))
    after(logged()).when(command, KPU).then(SealUsed)


def test_a_seal_ends_in_three_digits() -> None:
    with pytest.raises(ValidationError):
        register((BOX, "ABC12"))


def test_the_present_custodian_seals_anew_and_the_old_number_is_kept() -> None:
    new = f"{ROLL}500"
    after(*in_store()).when(reseal((BOX, new), place=ROUTE[0].place), KPU).then(
        sealed(BOX, new, replaces=SEALS[BOX]), applied((BOX, new))
    )


def test_nobody_else_may_seal_a_unit() -> None:
    after(*in_store()).when(reseal((BOX, f"{ROLL}500")), acting("PPK")).then(NotYourOffice)


def test_sealing_needs_the_region_of_the_custodian() -> None:
    assert regions_needed(after(*in_store()), reseal((BOX, f"{ROLL}500"))) == [CITY]


def test_an_orphan_cannot_be_sealed() -> None:
    orphaned = UnitOrphaned(region=VILLAGE, unit=BOX, place=TPS, office=f"KPPS-{TPS}", **IN_STORE)
    command = reseal((BOX, f"{ROLL}500"))
    after(*in_store(), orphaned).when(command, acting("KPPS")).then(UnitNotFit)


def test_a_unit_that_nobody_registered_cannot_be_sealed() -> None:
    after(logged()).when(reseal((BOX, f"{ROLL}500")), KPU).then(UnknownUnit)


def test_voided_units_name_what_takes_their_place() -> None:
    command = VoidUnits(units=({"unit": BOX, "replaced_by": BOXES[1]},), reason="Basah")
    after(*in_store()).when(command, KPU).then(
        UnitVoided(region=CITY, unit=BOX, reason="Basah", replaced_by=BOXES[1], **IN_STORE)
    )


def test_a_unit_on_a_consignment_is_not_voided() -> None:
    command = VoidUnits(units=({"unit": BOX},), reason="Basah")
    after(*in_store(), loaded(BOX)).when(command, KPU).then(UnitInConsignment)


def test_a_unit_is_voided_once() -> None:
    voided = UnitVoided(region=CITY, unit=BOX, reason="Basah", **IN_STORE)
    command = VoidUnits(units=({"unit": BOX},), reason="Basah", occurred_at=MORNING)
    after(*in_store(), voided).when(command, KPU).then(UnitNotFit)
