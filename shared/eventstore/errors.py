"""Why an append did not happen."""

from uuid import UUID

from shared.errors import Refused


class Conflict(Exception):
    """A stream was not at the version that the command had been decided on."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream}: expected version {expected}, found {actual}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class CommandReused(Exception):
    """The command id is known with another content."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(f"command {command_id} was given before with another content")
        self.command_id = command_id


class Unavailable(Refused):
    """The database did not answer in time. The outcome is unknown: repeat with the same id."""

    code = "store-unavailable"
    title = "The event store does not answer"
    status = 503


class TooLarge(Refused):
    """An event's body is larger than what the bus can carry."""

    code = "event-too-large"
    title = "The event is too large"
    status = 413
