"""The directory of agencies that ships with the service, to be edited before it is loaded."""

from pathlib import Path

from pydantic import TypeAdapter

from services.exchange.domain.agencies import RegisterAgency

FILE = Path(__file__).parent / "data" / "agencies.json"

_ADAPTER = TypeAdapter(tuple[RegisterAgency, ...])


def shipped(file: Path = FILE) -> tuple[RegisterAgency, ...]:
    """A registration for each agency of the file; a `ValidationError` names what is wrong in it."""
    return _ADAPTER.validate_json(file.read_bytes())
