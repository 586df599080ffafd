"""Refusals: the typed errors of the domain; `shared.web` turns them into problem+json."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from shared.contracts.base import Event


class Refused(Exception):
    """A command that the domain does not accept.

    `records` are facts that the attempt itself establishes (an incident, a finding): they are
    appended although the command is refused. `extra` becomes members of the problem document.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The command was refused"
    status: ClassVar[int] = 409

    def __init__(self, detail: str, *, records: Sequence["Event"] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.records = tuple(records)
        self.extra = extra

    def problem(self) -> dict[str, Any]:
        """The members of the RFC 9457 problem document."""
        return {
            "type": f"urn:problem:kawal:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }


class NotFound(Refused):
    code = "not-found"
    title = "No such thing"
    status = 404


class Forbidden(Refused):
    code = "forbidden"
    title = "Not allowed for this person"
    status = 403


class Invalid(Refused):
    code = "invalid"
    title = "The command makes no sense"
    status = 422
