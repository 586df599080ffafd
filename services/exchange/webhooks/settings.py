"""How webhooks are sent: `KAWAL_WEBHOOK_<FIELD>`."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
Seconds = Annotated[float, Field(ge=0)]


class WebhookSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KAWAL_WEBHOOK_", extra="ignore", frozen=True)

    schedule: Annotated[tuple[Seconds, ...], Field(min_length=1)] = (
        *(0.0, 5.0, 5 * MINUTE, 30 * MINUTE),
        *(2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR),
    )
    """Pauses before each try; a delivery that failed after the last is a dead letter."""
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """By which share a pause is shortened or lengthened."""
    longest_pause: Seconds = DAY
    """At most so long is waited because an endpoint said `Retry-After`."""
    timeout: Annotated[float, Field(gt=0)] = 15.0
    give_up_after: Seconds = 5 * DAY
    """An endpoint to which nothing got through for so long is disabled."""
    at_once: Annotated[int, Field(ge=1, le=100)] = 4
    """Deliveries under way to one endpoint."""
    poll: Annotated[float, Field(gt=0)] = 1.0
    overlap: Annotated[int, Field(ge=0, le=30 * 86_400)] = 86_400
    """Seconds that a secret signs on beside its successor."""
    keep_days: Annotated[int, Field(ge=1)] = 90
    """How long the log of what was delivered is kept."""
    loopback: bool = False
    """Whether endpoints may be http on this machine: for development alone."""
