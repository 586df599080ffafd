"""Agencies, places and letters that the tests of the exchange start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.exchange.domain.decider import ExchangeDecider
from services.exchange.domain.drafting import DraftLetter
from services.exchange.domain.facts import Attachments, Facts, Kelurahan, Steps, Subscriber
from shared.contracts.exchange import (
    AgencyRegistered,
    AttachedSite,
    LetterAcknowledged,
    LetterDispatched,
    LetterDrafted,
    LetterIssued,
    LetterRendered,
    Office,
)
from shared.eventstore.command import Context

DECIDER = ExchangeDecider()
CITY = "31.71"
NOW = datetime(2023, 10, 30, 1, tzinfo=UTC)
ANSWER_DUE = NOW + timedelta(days=4)
FOLLOW_UP_DUE = NOW + timedelta(days=10)


def agency(name: str, sector: str, *offices: tuple[str, int], topics: Any = ()) -> AgencyRegistered:
    return AgencyRegistered(
        region="31",
        agency=name,
        name=name,
        sector=sector,
        jurisdiction=("31",),
        offices=tuple(Office(office=f"{name}.{o}", title=o, rank=r) for o, r in offices),
        notices=topics,
    )


KPU = agency("KPU-DKI", "kpu", ("KETUA", 2), ("SEKRETARIS", 4))
POLDA = agency("POLDA-METRO-JAYA", "police", ("KARO-OPS", 3), ("KAPOLDA", 1))
BAWASLU = agency("BAWASLU-DKI", "bawaslu", ("KETUA", 2))
KEJATI = agency("KEJATI-DKI", "prosecutor", ("KAJATI", 1), ("ASINTEL", 3))
DIRECTORY = (KPU, POLDA, BAWASLU, KEJATI)


def site(name: str, region: str = CITY) -> AttachedSite:
    return AttachedSite(
        site=name,
        name=f"Gudang {name}",
        function="city-warehouse",
        region=region,
        address="Jalan Salemba Raya",
        owner="Pemprov DKI Jakarta",
        latitude_udeg=-6_180_000,
        longitude_udeg=106_835_000,
        capacity_m2=400,
        cctv=True,
    )


WAREHOUSE = site("GUDANG-31.71")
DISTRICT = site("PPK-31.71.01", "31.71.01")
SUBSCRIBERS = (
    Subscriber("POLDA-METRO-JAYA", frozenset({"31"}), frozenset({"site", "departure", "incident"})),
    Subscriber("POLRES-PUSAT", frozenset({"31.71"}), frozenset({"departure"})),
    Subscriber("BAWASLU-JABAR", frozenset({"32"}), frozenset({"incident", "departure"})),
)
FACTS = Facts(
    steps={"segera": Steps(timedelta(days=4), timedelta(days=10))},
    subscribers=SUBSCRIBERS,
    attachments={
        CITY: Attachments(
            sites=(WAREHOUSE,), kelurahan=(Kelurahan("31.71.01.1001", "Gambir", 40, 160),)
        )
    },
)


def context(agency: str = "KPU", now: datetime = NOW, facts: Facts = FACTS, *roles: str) -> Context:
    return Context(
        now=now,
        actor="person-1",
        agency=agency,
        roles=frozenset(roles or {"*"}),
        jurisdiction=frozenset({"*"}),
        facts=facts,
    )


POLICE = context("POLDA-METRO-JAYA")


def draft(**changes: Any) -> DraftLetter:
    fields = {
        "letter": "PAM-31.71",
        "letter_kind": "security-request",
        "region": CITY,
        "sender": "KPU-DKI",
        "addressee": "POLDA-METRO-JAYA",
        "attention": "POLDA-METRO-JAYA.KARO-OPS",
        "copies": ("KPU-DKI.KETUA", "KEJATI-DKI.KAJATI", "BAWASLU-DKI.KETUA"),
        "subject": "Pengamanan logistik Pemilu 2024",
        "body": "Mohon pengamanan gudang.",
        "nature": "segera",
        "attach_sites": True,
    }
    return DraftLetter(**(fields | changes))


def drafted(**changes: Any) -> LetterDrafted:
    fields = {
        "region": CITY,
        "letter": "PAM-31.71",
        "letter_kind": "security-request",
        "sender": "KPU-DKI",
        "addressee": "POLDA-METRO-JAYA",
        "attention": "POLDA-METRO-JAYA.KARO-OPS",
        "copies": ("KEJATI-DKI.KAJATI", "KPU-DKI.KETUA", "BAWASLU-DKI.KETUA"),
        "subject": "Pengamanan logistik Pemilu 2024",
        "body": "Mohon pengamanan gudang.",
        "nature": "segera",
        "sites": (WAREHOUSE,),
        "schedule": (),
    }
    return LetterDrafted(**(fields | changes))


def issued(letter: str = "PAM-31.71", serial: int = 1) -> LetterIssued:
    return LetterIssued(
        region=CITY,
        letter=letter,
        number=f"{serial}/PP.08-SD/3171/2023",
        series="PP.08-SD.3171.2023",
        serial=serial,
        signer="person-ketua",
        answer_due=ANSWER_DUE,
    )


def rendered(letter: str = "PAM-31.71") -> LetterRendered:
    return LetterRendered(
        region=CITY,
        letter=letter,
        sha256="d" * 64,
        content_sha256="c" * 64,
        bytes=50_000,
        media_type="application/pdf",
    )


def dispatched(letter: str = "PAM-31.71") -> LetterDispatched:
    return LetterDispatched(
        region=CITY, letter=letter, carrier="courier", follow_up_due=FOLLOW_UP_DUE
    )


def acknowledged(letter: str = "PAM-31.71") -> LetterAcknowledged:
    return LetterAcknowledged(region=CITY, letter=letter, agency="POLDA-METRO-JAYA")


SENT = (*DIRECTORY, drafted(), issued(), rendered(), dispatched())
RECEIVED = (*SENT, acknowledged())
