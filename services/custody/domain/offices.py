"""Offices that hold units: `<KIND>-<region>`, a polling station's crew `KPPS-<tps>`."""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints

from services.custody.domain.errors import NotYourOffice
from shared.eventstore.command import Context

_REGION = r"[0-9]{2}(?:\.[0-9]{2}(?:\.[0-9]{2}(?:\.[0-9]{4})?)?)?"
PATTERN = rf"^([A-Z]+(?:-[A-Z]+)*)-({_REGION})(-[0-9]{{3}})?$"
TpsId = Annotated[str, StringConstraints(pattern=rf"^{_REGION}-[0-9]{{3}}$")]
OfficeId = Annotated[str, StringConstraints(pattern=PATTERN, max_length=60)]

_PARTS = re.compile(PATTERN)


@lru_cache(maxsize=8_192)
def parts(office: str) -> tuple[str, str]:
    """The agency of an office and its region; an office that is no office is a `ValueError`."""
    found = _PARTS.match(office)
    if found is None:
        raise ValueError(f"{office} is not an office")
    return found[1], found[2]


def region_of(office: str) -> str:
    return parts(office)[1]


def region_of_tps(tps: str) -> str:
    return tps[:-4]


def require_within(office: str, region: str) -> None:
    """The region lies in the office's: what is found there is for this office to say."""
    if not f"{region}.".startswith(f"{region_of(office)}."):
        raise NotYourOffice(f"{office} answers for no place in {region}", region=region)


def require_acting_for(context: Context, *offices: str) -> None:
    """One of the offices is the person's: of the same agency, within the jurisdiction."""
    for office in offices:
        agency, region = parts(office)
        if agency == context.agency and context.covers(region):
            return
    raise NotYourOffice(
        f"{context.agency} does not act for {' or '.join(offices)}", offices=list(offices)
    )
