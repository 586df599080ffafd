"""An issued letter gets its document."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from services.exchange.domain import letters
from services.exchange.domain.answering import LetterCommand
from services.exchange.domain.errors import WrongState
from shared.contracts.base import Event, Positive, Sha256, Text
from shared.contracts.exchange import LetterRendered


class RecordDocument(LetterCommand):
    """The document was rendered and is kept. A letter has one, whatever comes after it."""

    name: ClassVar[str] = "record-document"
    roles: ClassVar[frozenset[str]] = frozenset({"service"})

    sha256: Sha256
    content_sha256: Sha256
    bytes: Positive
    media_type: Text


def record_document(
    command: RecordDocument, states: Mapping[str, Any], context: Any
) -> Sequence[Event]:
    letter = letters.require(states, command.letter)
    if letter.document:
        return ()
    if not letter.number:
        raise WrongState(f"{command.letter} was not issued.", state=letter.state)
    rendered = LetterRendered(
        region=letter.region,
        letter=command.letter,
        sha256=command.sha256,
        content_sha256=command.content_sha256,
        bytes=command.bytes,
        media_type=command.media_type,
    )
    return (rendered,)
