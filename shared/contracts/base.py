"""What every published event has in common: a type, a stream, a place, and canonical bytes.

The canonical form is RFC 8785 restricted to a subset on which sorted-key JSON gives the same bytes:
no floats (coordinates are integer microdegrees, money is a string), integers within +-(2**53 - 1),
ASCII keys. The models refuse what lies outside.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

SAFE_INTEGER = 2**53 - 1
WIB_OFFSET = timedelta(hours=7)

REGION = r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$"
RegionCode = Annotated[str, StringConstraints(pattern=REGION)]
"""Kemendagri code of province, city, kecamatan, kelurahan: 31, 31.71, 31.71.01, 31.71.01.1001.

Not `\\d`, which matches the digits of every script.
"""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,79}$")]
"""Identifier given by its owner; also the tail of a stream name."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""In hexadecimal."""

Count = Annotated[int, Field(ge=0, le=SAFE_INTEGER)]
Positive = Annotated[int, Field(ge=1, le=SAFE_INTEGER)]


def _instant(at: datetime) -> datetime:
    if not 1900 <= at.year < 2200:
        raise ValueError("the year must be from 1900 to 2199")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
"""A moment in UTC, far enough from the ends of the calendar for sums of times."""

EVENT_TYPES: dict[str, type["Event"]] = {}


class Value(BaseModel):
    """A part of an event or of a command."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Value):
    """A published fact. Subclasses of a service share its `service`; those of an entity its `kind`.

    `region` is the place where the fact happened, fixed for ever; it makes the subject.
    """

    service: ClassVar[str]
    kind: ClassVar[str]
    fact: ClassVar[str]
    version: ClassVar[int] = 1
    type: ClassVar[str]

    region: RegionCode

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "fact" in cls.__dict__:
            cls.type = f"{cls.service}.{cls.kind}-{cls.fact}.v{cls.version}"
            EVENT_TYPES[cls.type] = cls

    @property
    def stream(self) -> str:
        """The stream that this event belongs to, a function of its content."""
        raise NotImplementedError(self.type)

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region concerned: origin, route, destination, custodian."""
        return (self.region,)

    def encode(self) -> bytes:
        """The canonical bytes that are stored, published and proven."""
        return canonical(self.model_dump(exclude_none=True))


class Clock(Event):
    """The business clock of the local stack was moved; on real time this never happens."""

    kind = "clock"
    to: Instant

    @property
    def stream(self) -> str:
        return "clock"


class Person(Event):
    """A person whose record is in the service's vault: here only an id."""

    kind = "person"
    person: Id

    @property
    def stream(self) -> str:
        return f"person-{self.person}"


class PersonRegistration(Person):
    """`record_sha256` is the hash of salt and record, both of which are in the vault alone."""

    record_sha256: Sha256


def canonical(value: Any) -> bytes:
    """Canonical JSON of `value`; an integer beyond +-(2**53 - 1) is a `TypeError`.

    Floats are kept out by the models: no field of an event may be one (a test reads them all).
    """
    return orjson.dumps(value, option=_OPTIONS)


_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER | orjson.OPT_UTC_Z


def decode(type: str, data: bytes) -> Event:
    """The event of `type` from its stored bytes; an unknown type is a `KeyError`."""
    return EVENT_TYPES[type].model_validate_json(data)


def day(at: datetime) -> date:
    """The date in western Indonesia (UTC+7), the zone of every deadline in DKI Jakarta."""
    return (at.astimezone(UTC) + WIB_OFFSET).date()
