"""What inventory refuses, and why; `code` is part of the interface."""

from shared.errors import Refused


class AlreadyExists(Refused):
    code = "already-exists"
    title = "It exists already, with other content"


class WrongState(Refused):
    code = "wrong-state"
    title = "Not possible in the present state"


class SiteNotReady(Refused):
    code = "site-not-ready"
    title = "The storage site is not ready"


class RulesMissing(Refused):
    code = "rules-missing"
    title = "The rules for needs are not set"


class TooManyVoters(Refused):
    code = "too-many-voters"
    title = "More voters than a polling station may have"


class NoDapil(Refused):
    code = "no-dapil"
    title = "The region has no electoral district for a ballot kind"


class NeedsFrozen(Refused):
    code = "needs-frozen"
    title = "The materials of this polling station are drawn already"


class InsufficientStock(Refused):
    code = "insufficient-stock"
    title = "The stock does not suffice"


class LinesMismatch(Refused):
    code = "lines-mismatch"
    title = "The lines differ from the needs of the polling stations"


class AlreadyDrawn(Refused):
    code = "already-drawn"
    title = "The materials of a polling station are drawn already"


class NotDrawn(Refused):
    code = "not-drawn"
    title = "The materials of this kit were not drawn at this site"


class AlreadyPacked(Refused):
    code = "already-packed"
    title = "The kit is packed already"


class WrongBoxes(Refused):
    code = "wrong-boxes"
    title = "The boxes are not those of this kit"
    status = 422


class WrongBallots(Refused):
    code = "wrong-ballots"
    title = "Ballots that are not this polling station's"


class KitIncomplete(Refused):
    code = "kit-incomplete"
    title = "The kit is incomplete"


class KitExcess(Refused):
    code = "kit-excess"
    title = "The kit holds more than its needs"


class WitnessesMissing(Refused):
    code = "witnesses-missing"
    title = "A witness of the destruction is missing"
