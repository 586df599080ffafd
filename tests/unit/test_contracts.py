"""What every contract refuses: other scripts' digits, moments at the ends of the calendar."""

import pytest
from pydantic import TypeAdapter, ValidationError

from services.custody.domain.offices import OfficeId
from services.inventory.domain.ids import TpsId
from shared.contracts.base import Instant, RegionCode


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RegionCode, "31.\u0667\u0661"),
        (RegionCode, "31\n"),
        (TpsId, "31.71.01.1001-\u0660\u0660\u0661"),
        (OfficeId, "KPU-31.\u0667\u0661"),
    ],
)
def test_a_code_has_ascii_digits(kind, value):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_at_an_end_of_the_calendar_is_refused(at):
    with pytest.raises(ValidationError, match="year"):
        TypeAdapter(Instant).validate_json(f'"{at}"')
