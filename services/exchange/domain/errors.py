"""What the exchange refuses, and why; `code` is part of the interface."""

from shared.errors import Forbidden, Invalid, NotFound, Refused


class AlreadyExists(Refused):
    code = "already-exists"
    title = "It exists already"


class WrongState(Refused):
    code = "wrong-state"
    title = "Not possible in the present state"


class UnknownAgency(Refused):
    code = "unknown-agency"
    title = "The agency is not in the directory"


class UnknownOffice(Refused):
    code = "unknown-office"
    title = "The agency has no such office"


class ForeignOffice(Invalid):
    code = "foreign-office"
    title = "An office's id begins with that of its agency"


class NotAddressee(Forbidden):
    code = "not-the-addressee"
    title = "The letter is addressed to another agency"


class NotRendered(Refused):
    code = "not-rendered"
    title = "The letter has no document yet"


class NotAttached(Refused):
    code = "not-attached"
    title = "The letter does not name this site"


class EmptySupplement(Refused):
    code = "empty-supplement"
    title = "There is no difference to tell"


class TooManySupplements(Refused):
    code = "too-many-supplements"
    title = "Write a new letter instead of another supplement"


class NotDue(Refused):
    code = "not-due"
    title = "The deadline has not passed"


class NotSender(Forbidden):
    code = "not-sender"
    title = "The letter would be another agency's"


class NotItsAgency(Forbidden):
    code = "not-its-agency"
    title = "The endpoint is another agency's"


class UnknownEndpoint(NotFound):
    code = "unknown-endpoint"
    title = "There is no such endpoint"


class BadUrl(Invalid):
    code = "bad-url"
    title = "Webhooks are not sent to such a URL"


class OutsideJurisdiction(Invalid):
    code = "outside-jurisdiction"
    title = "The region does not lie in the agency's jurisdiction"
