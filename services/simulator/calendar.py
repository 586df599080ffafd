"""When things happen: the days of the 2024 election, in western Indonesian time (UTC+7)."""

from datetime import datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")


def at(year: int, month: int, day: int, hour: int = 8, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=WIB)


PREPARATION = at(2023, 9, 1)
COORDINATION_MEETING = at(2023, 10, 30)
LETTER_ACKNOWLEDGED = at(2023, 11, 2)
LETTER_FOLLOWED_UP = at(2023, 11, 6)
DELIVERY = at(2023, 12, 7, 15, 30)
DELIVERY_RECEIVED = at(2023, 12, 8, 9)
SORTING = at(2023, 12, 20)
SITES_SETTLED = at(2024, 1, 8)
SUPPLEMENT_ANSWERED = at(2024, 1, 11)
PACKING = at(2024, 1, 20)
RELEASE_FROM = at(2024, 2, 10, 5)
RELEASE_UNTIL = at(2024, 2, 14, 7)
BEFORE_RELEASE = at(2024, 2, 9, 20)
TO_PPK = at(2024, 2, 10, 9)
TO_PPS = at(2024, 2, 12, 9)
DESTRUCTION = at(2024, 2, 13, 6)
TO_KPPS = at(2024, 2, 13, 10)
DEADLINE = at(2024, 2, 13, 21)
AFTER_DEADLINE = at(2024, 2, 13, 21, 1)
LATE_TO_KPPS = at(2024, 2, 14, 5, 30)
POLLS_CLOSED = at(2024, 2, 14, 15)
RETURN_FROM = at(2024, 2, 14, 16)
RETURN_UNTIL = at(2024, 3, 1, 18)
BEFORE_RETURN = at(2024, 2, 14, 15, 30)
BACK_TO_PPS = at(2024, 2, 14, 20)
BACK_TO_PPK = at(2024, 2, 15, 10)
BACK_TO_KPU = at(2024, 2, 20, 10)
END = at(2024, 2, 21)

RETURN = {4: BACK_TO_PPS, 5: BACK_TO_PPK, 6: BACK_TO_KPU}
