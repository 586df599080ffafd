"""What custody refuses, each with the code that a client can rely on."""

from shared.errors import Forbidden, Invalid, NotFound, Refused


class UnknownUnit(NotFound):
    code = "unknown-unit"
    title = "No such unit"


class UnknownConsignment(NotFound):
    code = "unknown-consignment"
    title = "No such consignment"


class UnknownIncident(NotFound):
    code = "unknown-incident"
    title = "No such incident"


class NotYourOffice(Forbidden):
    code = "not-your-office"
    title = "The person does not act for this office"


class SamePerson(Forbidden):
    code = "same-person"
    title = "Giver and receiver are two persons"


class Repeated(Invalid):
    code = "listed-twice"
    title = "Something is listed twice"


class RollLogged(Refused):
    code = "seal-roll-logged"
    title = "The seal roll was logged before"


class SealNotLogged(Refused):
    code = "seal-not-logged"
    title = "The seal number was not logged before use"


class SealUsed(Refused):
    code = "seal-used"
    title = "The seal number was used before"


class UnitExists(Refused):
    code = "unit-exists"
    title = "The unit is registered already"


class UnitNotFit(Refused):
    code = "unit-not-fit"
    title = "The unit is orphaned, missing or voided"


class UnitInConsignment(Refused):
    code = "unit-in-consignment"
    title = "The unit is in another consignment"


class NotTheCustodian(Refused):
    code = "not-the-custodian"
    title = "Only the present custodian can hand over"


class SameOffice(Refused):
    code = "same-office"
    title = "A hand-over has two parties"


class SealOfAnotherRegion(Refused):
    code = "seal-of-another-region"
    title = "The seal belongs to another region"


class PlaceNotRegistered(Refused):
    code = "place-not-registered"
    title = "The place is not registered as ready"


class ConsignmentExists(Refused):
    code = "consignment-exists"
    title = "The consignment is planned already"


class WrongState(Refused):
    code = "wrong-state"
    title = "It is not in the state for this"


class EarlyRelease(Refused):
    code = "early-release"
    title = "The release window has not opened"


class ReleaseClosed(Refused):
    code = "release-closed"
    title = "The release window has closed"


class LegNotDue(Refused):
    code = "leg-not-due"
    title = "This leg is over, or not reached yet"


class AlreadyGiven(Refused):
    code = "already-given"
    title = "The giver has confirmed this leg already"


class NotGiven(Refused):
    code = "not-given"
    title = "The giver has not confirmed this leg"


class NotOnConsignment(Refused):
    code = "not-on-consignment"
    title = "The unit is not on this consignment"


class UnitsUnaccounted(Refused):
    code = "units-unaccounted"
    title = "Every unit must be received or reported missing"


class NotAStray(Refused):
    code = "not-a-stray"
    title = "The unit is where it should be"


class NotOnRoute(Refused):
    code = "not-on-route"
    title = "The office is not on the unit's route"


class Changed(Refused):
    code = "changed-meanwhile"
    title = "The unit changed while this was decided; repeat the command"


class NotLate(Refused):
    code = "not-late"
    title = "The delivery was in time"
