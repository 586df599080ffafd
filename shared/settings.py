"""What a process is told by its environment: `KAWAL_<FIELD>`."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROLES = frozenset({"api", "relay", "worker"})
MEBIBYTE = 1024 * 1024
WIB = timezone(timedelta(hours=7))


class Settings(BaseSettings):
    """The settings of one process of one service; the same names in every service."""

    model_config = SettingsConfigDict(env_prefix="KAWAL_", extra="ignore", frozen=True)

    service: str
    cell: Annotated[str, Field(pattern=r"^\d{2}$")] = "31"
    roles: Annotated[frozenset[str], NoDecode] = ROLES
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000

    public_url: str = ""
    """Where the world reaches the service, as its documents say; without it, host and port."""

    database_url: str = Field("", repr=False)
    pool_size: Annotated[int, Field(ge=1, le=100)] = 8
    store_patience: Annotated[float, Field(gt=0)] = 15.0
    """Seconds that a command waits for a lost database before it is answered with 503."""
    nats_url: str = "nats://127.0.0.1:4222"
    nats_user: str = ""
    nats_password: str = Field("", repr=False)

    issuer: str = ""
    audience: str = "kawal"
    jwks_url: str = ""
    """Empty: found through the issuer's OpenID configuration."""

    otlp_endpoint: str | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    clock: Literal["real", "simulated"] = "real"
    clock_start: AwareDatetime = datetime(2023, 9, 1, tzinfo=WIB)
    """Where a simulated clock stands until it is first moved."""

    peers: dict[str, str] = {}
    """URLs of the other services by name, as JSON; the console asks them how far they are."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 * MEBIBYTE
    max_upload_bytes: Annotated[int, Field(ge=1024)] = 128 * MEBIBYTE
    max_upload_lines: Annotated[int, Field(ge=1)] = 100_000
    """Of a file of commands, which is read as it comes and never held whole."""
    start_timeout: Annotated[float, Field(gt=0)] = 120.0
    stop_timeout: Annotated[float, Field(gt=0)] = 10.0

    @field_validator("roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(part.strip() for part in value.split(",") if part.strip())

    @field_validator("roles")
    @classmethod
    def _known(cls, value: frozenset[str]) -> frozenset[str]:
        if not value or value - ROLES:
            raise ValueError(f"roles are some of {', '.join(sorted(ROLES))}")
        return value

    @property
    def reached_at(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @field_validator("otlp_endpoint")
    @classmethod
    def _empty_is_none(cls, value: str | None) -> str | None:
        return value or None
