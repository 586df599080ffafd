"""Names on the bus: subjects carry the place and the fact, never an id."""

from functools import lru_cache

from shared.contracts import custody, exchange, inventory  # noqa: F401  (they fill EVENT_TYPES)
from shared.contracts.base import EVENT_TYPES

ROOT = "kawal"
LEVELS = 4
"""Province, kabupaten or kota, kecamatan, kelurahan."""


def stream_name(service: str, cell: str) -> str:
    """`CUSTODY_31`: the JetStream stream of a service in a cell."""
    return f"{service.upper()}_{cell}".replace(".", "_")


def agency_stream(agency: str) -> str:
    """`AGENCY_POLDA_METRO_JAYA`: what the exchange has filtered for one agency."""
    return "AGENCY_" + agency.upper().replace("-", "_").replace(".", "_")


def agency_subjects(agency: str) -> str:
    """Every subject on which the exchange copies facts to one agency."""
    return f"{ROOT}.agency.{agency}.>"


def agency_subject(agency: str, subject: str) -> str:
    """`kawal.custody.31...` as the agency gets it: `kawal.agency.<agency>.custody.31...`."""
    return f"{ROOT}.agency.{agency}.{subject.removeprefix(ROOT + '.')}"


def subjects_of(service: str) -> str:
    """Every subject on which a service publishes its facts."""
    return f"{ROOT}.{service}.>"


@lru_cache(maxsize=16_384)
def subject(service: str, region: str, kind: str, fact: str) -> str:
    """`kawal.custody.31.71.01.1001.unit.sealed`; `_` where a level does not apply."""
    levels = region.split(".") if region else []
    places = levels + ["_"] * (LEVELS - len(levels))
    return ".".join((ROOT, service, *places, kind, fact))


@lru_cache(maxsize=4_096)
def parts(type: str) -> tuple[str, str, str]:
    """Service, kind and fact of an event type: `custody.unit-sealed.v1` -> custody, unit, sealed.

    A type that no contract knows (any more) is split at its first dash.
    """
    if known := EVENT_TYPES.get(type):
        return known.service, known.kind, known.fact
    service, name, _version = type.split(".")
    kind, _, fact = name.partition("-")
    return service, kind, fact


def subject_of(type: str, region: str) -> str:
    """The subject of an event by its type and the place where it happened."""
    service, kind, fact = parts(type)
    return subject(service, region, kind, fact)


def wake(service: str) -> str:
    """Core-NATS hint to the relay of `service`: the log has grown."""
    return f"kawal-wake.{service}"


def replay(service: str) -> str:
    """Requests for any range of positions of a service's log."""
    return f"{ROOT}.replay.{service}"


def position(service: str) -> str:
    """Requests for the end of a service's log."""
    return f"{ROOT}.position.{service}"


def command(service: str, name: str, caller: str) -> str:
    """Where only `caller`'s user may publish the command `name` to `service`."""
    return f"{ROOT}.command.{service}.{name}.{caller}"
