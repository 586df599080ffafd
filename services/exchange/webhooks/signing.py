"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body, one for each secret."""

import secrets as randomness
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from hmac import digest

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> bytes:
    return randomness.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The form in which a secret is given to the endpoint's owner."""
    return PREFIX + b64encode(secret).decode()


def headers(id: str, at: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """`at` is the present time in seconds; the newest secret signs first."""
    content = f"{id}.{at}.".encode() + body
    signatures = (b64encode(digest(secret, content, sha256)).decode() for secret in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
