"""The receiver that agencies copy: it believes what was signed, if fresh, and fails on nothing."""

from types import SimpleNamespace

import pytest

from deploy.local import hook
from services.exchange.webhooks import signing

NOW = 1_700_000_000
SECRET = b"s" * 32
BODY = b'{"id":"1"}'


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "time", SimpleNamespace(time=lambda: NOW))


def signed(at: int = NOW, *secrets: bytes) -> dict[str, str]:
    return signing.headers("id-1", at, BODY, secrets or (SECRET,))


@pytest.mark.parametrize("at", [NOW, NOW - 300, NOW + 300])
def test_what_was_signed_within_minutes_is_genuine(at: int) -> None:
    assert hook.genuine(signed(at), BODY, signing.shown(SECRET))


def test_one_of_several_signatures_suffices() -> None:
    assert hook.genuine(signed(NOW, b"n" * 32, SECRET), BODY, signing.shown(SECRET))


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_what_is_older_or_of_the_future_is_not(at: int) -> None:
    assert not hook.genuine(signed(at), BODY, signing.shown(SECRET))


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "id-2"},
        {"webhook-id": "\udcff"},
        {"webhook-timestamp": str(NOW - 1)},
        {"webhook-timestamp": "²"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é \udcff"},
    ],
)
def test_nothing_else_is_genuine_and_nothing_an_error(changed: dict[str, str]) -> None:
    assert not hook.genuine(signed() | changed, BODY, signing.shown(SECRET))
    assert not hook.genuine(signed(), BODY + b" ", signing.shown(SECRET))
