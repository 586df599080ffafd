"""What is stored as a command's result, and how it is given again.

An accepted command stores what its giver is told, mostly `{}`, its position being stored beside it;
a refused one whose attempt was recorded stores `{"refused": <members of the problem document>}`.
"""

from collections.abc import Mapping, Set
from typing import Any

import orjson

from shared.errors import Refused
from shared.eventstore.command import Request
from shared.eventstore.errors import CommandReused
from shared.eventstore.model import Appended, StoredCommand

ACCEPTED = b"{}"


class StoredRefusal(Refused):
    """A refusal given again; its `code`, `title`, `status` and problem are those of the first."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self._problem = problem
        self.code = problem["code"]  # type: ignore[misc]
        self.title = problem["title"]  # type: ignore[misc]
        self.status = problem["status"]  # type: ignore[misc]
        self.extra = {k: v for k, v in problem.items() if k not in _MEMBERS}

    def problem(self) -> dict[str, Any]:
        return self._problem


_MEMBERS = frozenset(("type", "title", "status", "code", "detail"))


def accepted(told: Mapping[str, Any]) -> bytes:
    """The result of an accepted command."""
    return orjson.dumps(told) if told else ACCEPTED


def refused(refusal: Refused) -> bytes:
    """The result of a refused command whose records are stored."""
    return orjson.dumps({"refused": refusal.problem()}, default=_plain)


def located(refusal: Refused, position: int) -> Refused:
    """The refusal, saying where its records are: member `position` of the problem."""
    refusal.extra = {**refusal.extra, "position": position}
    return refusal


def replayed(request: Request, stored: StoredCommand) -> Appended | Exception:
    """The answer to a command that is known already."""
    if stored.fingerprint != request.fingerprint:
        return CommandReused(request.command_id)
    return answer(Appended(stored.first, stored.last, stored.result, True))


def answer(appended: Appended) -> Appended | Refused:
    """An outcome that may be an earlier one, as its first caller got it."""
    if appended.result == ACCEPTED:
        return appended
    problem = orjson.loads(appended.result).get("refused")
    if problem is None:
        return appended
    return StoredRefusal({**problem, "position": appended.last})


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, Set) else str(value)
