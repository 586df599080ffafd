"""Identifiers as inventory accepts them; lengths leave room for the names built from them."""

from typing import Annotated

from pydantic import Field, StringConstraints

_KELURAHAN = r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}"
KelurahanCode = Annotated[str, StringConstraints(pattern=_KELURAHAN + "$")]
KecamatanCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$")]
TpsId = Annotated[str, StringConstraints(pattern=_KELURAHAN + "-[0-9]{3}$")]
"""`<kelurahan code>-<number, three digits>`: 31.71.01.1001-001."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,59}$")]
"""Of a site, unit or item: short enough for `delivery-variance.<name>` to be an id too."""

Variant = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._\-]{0,60}$")]
"""Of an item: `<kind>.<dapil>` of a ballot, otherwise empty."""

Pieces = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""Of one line of a delivery: so few that no sum of them overflows."""

FIRST_SPECIAL = 901
"""Polling stations at special places (prisons, hospitals) are numbered from here."""

BALLOT = "surat-suara"
RECAP_BOX = "kotak-rekapitulasi"


def kelurahan_of(tps: str) -> str:
    """The region of a polling station."""
    return tps[:13]


def ballot_variant(kind: str, dapil: str) -> str:
    """The stock variant of a ballot of `kind` for the electoral district `dapil`."""
    return f"{kind}.{dapil}"
