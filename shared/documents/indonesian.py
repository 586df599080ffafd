"""Dates and numbers as official letters in Indonesian write them."""

from datetime import date, datetime, timezone

from shared.contracts.base import WIB_OFFSET, day

WIB = timezone(WIB_OFFSET)

MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
UNITS = (
    "nol",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan",
    "sembilan",
    "sepuluh",
    "sebelas",
)


def date_of(on: date) -> str:
    """30 Oktober 2023."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def day_of(on: date) -> str:
    """Senin, 30 Oktober 2023."""
    return f"{DAYS[on.weekday()]}, {date_of(on)}"


def moment(at: datetime) -> str:
    """10 Februari 2024 pukul 05.00 WIB."""
    return f"{date_of(day(at))} pukul {clock(at)}"


def clock(at: datetime) -> str:
    """05.00 WIB."""
    return f"{at.astimezone(WIB):%H.%M} WIB"


def count(number: int) -> str:
    """2 (dua)."""
    return f"{number} ({words(number)})"


def words(number: int) -> str:
    """A number below a thousand in words."""
    if not 0 <= number < 1000:
        raise ValueError(f"{number} is not below a thousand")
    if number < len(UNITS):
        return UNITS[number]
    if number < 20:
        return f"{UNITS[number - 10]} belas"
    if number < 100:
        return _joined(f"{UNITS[number // 10]} puluh", number % 10)
    head = "seratus" if number < 200 else f"{UNITS[number // 100]} ratus"
    return _joined(head, number % 100)


def _joined(head: str, rest: int) -> str:
    return f"{head} {words(rest)}" if rest else head


def grouped(number: int) -> str:
    """1.234.567."""
    return f"{number:,}".replace(",", ".")
