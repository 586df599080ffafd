"""A letter: drafted, issued, dispatched, acknowledged, followed up, closed; or refused."""

from datetime import UTC, datetime, timedelta

import pytest
from exchange_facts import (
    ANSWER_DUE,
    CITY,
    DECIDER,
    DIRECTORY,
    FOLLOW_UP_DUE,
    NOW,
    POLICE,
    RECEIVED,
    SENT,
    acknowledged,
    context,
    dispatched,
    draft,
    drafted,
    issued,
    rendered,
)
from pydantic import ValidationError

from services.exchange.domain import errors
from services.exchange.domain.answering import (
    AcknowledgeLetter,
    CloseLetter,
    DispatchLetter,
    EscalateLetter,
    FollowUpLetter,
    RefuseLetter,
)
from services.exchange.domain.drafting import Schedule
from services.exchange.domain.issuing import IssueLetter
from services.exchange.domain.rendering import RecordDocument
from shared.contracts.exchange import (
    Assignment,
    LetterClosed,
    LetterDispatched,
    LetterEscalated,
    LetterFollowedUp,
    LetterIssued,
    LetterRefused,
    NumberTaken,
    ScheduleRow,
)
from shared.errors import NotFound
from shared.testing.scenario import given

LETTER = "PAM-31.71"


def issue(letter: str = LETTER, **changes: str) -> IssueLetter:
    fields = {"classification": "PP.08", "document": "SD", "work_unit": "3171", "signer": "p-1"}
    return IssueLetter(letter=letter, **(fields | changes))


def taken(letter: str, serial: int, year: int = 2023) -> NumberTaken:
    return NumberTaken(region=CITY, book="PP.08-SD.3171", year=year, serial=serial, letter=letter)


def test_a_draft_attaches_the_ready_places_and_orders_the_tembusan_by_rank() -> None:
    given(*DIRECTORY, by=DECIDER).when(draft(), context()).then(drafted())


def test_a_draft_with_a_schedule_attaches_a_row_for_each_kelurahan() -> None:
    starts, ends = NOW + timedelta(days=100), NOW + timedelta(days=103)
    row = ScheduleRow(
        region="31.71.01.1001",
        name="Gambir",
        stations=40,
        boxes=160,
        starts_at=starts,
        ends_at=ends,
    )
    wish = draft(attach_sites=False, schedule=Schedule(starts_at=starts, ends_at=ends))
    given(*DIRECTORY, by=DECIDER).when(wish, context()).then(drafted(sites=(), schedule=(row,)))


def test_a_schedule_that_ends_before_it_starts_is_no_schedule() -> None:
    with pytest.raises(ValidationError):
        Schedule(starts_at=NOW, ends_at=NOW)


def test_a_letter_is_drafted_once() -> None:
    given(*DIRECTORY, drafted(), by=DECIDER).when(draft(), context()).then(errors.AlreadyExists)


def test_an_addressee_that_is_not_in_the_directory_is_refused() -> None:
    wish = draft(addressee="KODAM-JAYA", attention="KODAM-JAYA.PANGDAM")
    given(*DIRECTORY, by=DECIDER).when(wish, context()).then(errors.UnknownAgency)


def test_the_office_after_up_must_be_one_of_the_addressees() -> None:
    strange = draft(attention="BAWASLU-DKI.KETUA")
    given(*DIRECTORY, by=DECIDER).when(strange, context()).then(errors.ForeignOffice)
    missing = draft(attention="POLDA-METRO-JAYA.KOKI")
    given(*DIRECTORY, by=DECIDER).when(missing, context()).then(errors.UnknownOffice)


def test_a_copy_to_an_unknown_office_is_refused() -> None:
    wish = draft(copies=("BAWASLU-DKI.KOKI",))
    given(*DIRECTORY, by=DECIDER).when(wish, context()).then(errors.UnknownOffice)


def test_an_issued_letter_gets_the_first_number_and_an_answer_is_due() -> None:
    number = LetterIssued(
        region=CITY,
        letter=LETTER,
        number="1/PP.08-SD/3171/2023",
        series="PP.08-SD.3171.2023",
        serial=1,
        signer="p-1",
        answer_due=ANSWER_DUE,
    )
    given(drafted(), by=DECIDER).when(issue(), context()).then(taken(LETTER, 1), number)


def test_numbers_of_a_register_have_no_gaps() -> None:
    past = (drafted(), taken("A", 1), taken("B", 2))
    outcome = given(*past, by=DECIDER).when(issue(), context())
    assert outcome.events[0] == taken(LETTER, 3)


def test_serials_begin_anew_with_the_year_in_jakarta() -> None:
    new_year = datetime(2023, 12, 31, 17, 30, tzinfo=UTC)
    outcome = given(drafted(), taken("A", 7), by=DECIDER).when(issue(), context(now=new_year))
    assert outcome.events[0] == taken(LETTER, 1, 2024)
    assert outcome.events[1].number == "1/PP.08-SD/3171/2024"


def test_a_sub_unit_is_part_of_the_number() -> None:
    wish = issue(classification="PR.05", document="BA", work_unit="3673/4")
    outcome = given(drafted(), by=DECIDER).when(wish, context())
    assert outcome.events[1].number == "1/PR.05-BA/3673/4/2023"


def test_a_letter_is_issued_once() -> None:
    given(drafted(), issued(), by=DECIDER).when(issue(), context()).then(errors.WrongState)


def test_an_unknown_letter_is_not_found() -> None:
    given(by=DECIDER).when(issue(), context()).then(NotFound)


def test_a_dispatched_letter_is_to_be_followed_up_in_time() -> None:
    wish = DispatchLetter(letter=LETTER, carrier="courier")
    sent = LetterDispatched(
        region=CITY, letter=LETTER, carrier="courier", follow_up_due=FOLLOW_UP_DUE
    )
    given(drafted(), issued(), rendered(), by=DECIDER).when(wish, context()).then(sent)


def test_a_letter_without_its_document_cannot_be_dispatched() -> None:
    wish = DispatchLetter(letter=LETTER, carrier="courier")
    given(drafted(), issued(), by=DECIDER).when(wish, context()).then(errors.NotRendered)


def record(sha256: str = "d" * 64) -> RecordDocument:
    fields = rendered().model_dump(exclude={"region"}) | {"sha256": sha256}
    return RecordDocument(**fields)


def test_an_issued_letter_gets_one_document() -> None:
    given(drafted(), issued(), by=DECIDER).when(record(), context()).then(rendered())
    past = (drafted(), issued(), rendered())
    given(*past, by=DECIDER).when(record("e" * 64), context()).then_nothing()


def test_a_draft_gets_no_document() -> None:
    given(drafted(), by=DECIDER).when(record(), context()).then(errors.WrongState)


def test_a_draft_cannot_be_dispatched() -> None:
    wish = DispatchLetter(letter=LETTER, carrier="courier")
    given(drafted(), by=DECIDER).when(wish, context()).then(errors.WrongState)


def test_the_addressee_acknowledges() -> None:
    given(*SENT, by=DECIDER).when(AcknowledgeLetter(letter=LETTER), POLICE).then(acknowledged())


def test_another_agency_cannot_answer() -> None:
    stranger = context("KODAM-JAYA")
    for wish in (
        AcknowledgeLetter(letter=LETTER),
        FollowUpLetter(letter=LETTER),
        RefuseLetter(letter=LETTER, reason="x"),
    ):
        given(*RECEIVED, by=DECIDER).when(wish, stranger).then(errors.NotAddressee)


def test_a_letter_is_acknowledged_only_after_its_dispatch() -> None:
    past = (drafted(), issued())
    given(*past, by=DECIDER).when(AcknowledgeLetter(letter=LETTER), POLICE).then(errors.WrongState)


def assignment(where: str) -> Assignment:
    return Assignment(
        site=where, security_unit="Polres", personnel=11, shifts=3, rings=("inside", "road")
    )


def test_the_addressee_follows_up_with_units_for_the_attached_sites() -> None:
    assignments = (assignment("GUDANG-31.71"),)
    wish = FollowUpLetter(letter=LETTER, assignments=assignments, order_number="Sprin/1")
    done = LetterFollowedUp(
        region=CITY,
        letter=LETTER,
        agency="POLDA-METRO-JAYA",
        assignments=assignments,
        order_number="Sprin/1",
    )
    given(*RECEIVED, by=DECIDER).when(wish, POLICE).then(done)
    given(*RECEIVED, done, by=DECIDER).when(wish, POLICE).then(done)


def test_a_site_that_the_letter_does_not_name_gets_no_unit() -> None:
    wish = FollowUpLetter(letter=LETTER, assignments=(assignment("GOR-CEMPAKA"),))
    given(*RECEIVED, by=DECIDER).when(wish, POLICE).then(errors.NotAttached)


def test_a_letter_is_followed_up_only_once_acknowledged() -> None:
    given(*SENT, by=DECIDER).when(FollowUpLetter(letter=LETTER), POLICE).then(errors.WrongState)


def test_the_addressee_may_refuse_with_a_reason() -> None:
    refused = LetterRefused(
        region=CITY, letter=LETTER, agency="POLDA-METRO-JAYA", reason="Di luar wilayah"
    )
    wish = RefuseLetter(letter=LETTER, reason="Di luar wilayah")
    given(*SENT, by=DECIDER).when(wish, POLICE).then(refused)
    given(*SENT, refused, by=DECIDER).when(wish, POLICE).then(errors.WrongState)


def test_a_request_is_closed_only_after_its_follow_up() -> None:
    wish = CloseLetter(letter=LETTER, note="Selesai")
    followed_up = LetterFollowedUp(
        region=CITY, letter=LETTER, agency="POLDA-METRO-JAYA", assignments=()
    )
    given(*RECEIVED, by=DECIDER).when(wish, context()).then(errors.WrongState)
    closed = LetterClosed(region=CITY, letter=LETTER, note="Selesai")
    given(*RECEIVED, followed_up, by=DECIDER).when(wish, context()).then(closed)


def test_a_letter_that_asks_for_nothing_is_closed_once_acknowledged() -> None:
    past = (drafted(letter_kind="report"), issued(), dispatched(), acknowledged())
    wish = CloseLetter(letter=LETTER, note="Selesai")
    closed = LetterClosed(region=CITY, letter=LETTER, note="Selesai")
    given(*past, by=DECIDER).when(wish, context()).then(closed)


def escalate(step: str, due: datetime, as_of: datetime) -> EscalateLetter:
    return EscalateLetter(
        letter=LETTER, addressee="POLDA-METRO-JAYA", step=step, due=due, as_of=as_of
    )


def escalated(step: str, due: datetime) -> LetterEscalated:
    return LetterEscalated(
        region=CITY, letter=LETTER, step=step, due=due, to_office="POLDA-METRO-JAYA.KAPOLDA"
    )


def test_a_missed_acknowledgement_is_told_to_the_highest_office_once() -> None:
    late = ANSWER_DUE + timedelta(hours=1)
    wish = escalate("acknowledge", ANSWER_DUE, late)
    told = escalated("acknowledge", ANSWER_DUE)
    given(*SENT, by=DECIDER).when(wish, context(now=late)).then(told)
    given(*SENT, told, by=DECIDER).when(wish, context(now=late)).then_nothing()


def test_a_missed_follow_up_is_escalated_too() -> None:
    late = FOLLOW_UP_DUE + timedelta(hours=1)
    wish = escalate("follow-up", FOLLOW_UP_DUE, late)
    given(*RECEIVED, by=DECIDER).when(wish, context(now=late)).then(
        escalated("follow-up", FOLLOW_UP_DUE)
    )


def test_nothing_is_escalated_before_its_deadline() -> None:
    wish = escalate("acknowledge", ANSWER_DUE, ANSWER_DUE)
    given(*SENT, by=DECIDER).when(wish, context(now=ANSWER_DUE)).then(errors.NotDue)
    ahead = escalate("acknowledge", ANSWER_DUE, ANSWER_DUE + timedelta(days=1))
    given(*SENT, by=DECIDER).when(ahead, context(now=ANSWER_DUE)).then(errors.NotDue)


def test_an_answer_that_came_meanwhile_stops_the_escalation() -> None:
    late = ANSWER_DUE + timedelta(hours=1)
    wish = escalate("acknowledge", ANSWER_DUE, late)
    given(*RECEIVED, by=DECIDER).when(wish, context(now=late)).then(errors.WrongState)


def test_the_actor_must_cover_the_letters_region() -> None:
    scenario = given(*SENT, by=DECIDER)
    wish = AcknowledgeLetter(letter=LETTER)
    states = {stream: scenario.state(stream) for stream in wish.streams()}
    assert list(DECIDER.regions(wish, states)) == [CITY]


def test_a_letter_name_leaves_room_for_its_supplements() -> None:
    with pytest.raises(ValidationError):
        draft(letter="A" * 61)
