"""The development issuer's key and the tokens that it signs: on the local stack only."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.state import State
from shared.cli.app import Failure
from shared.testing.process import LOOPBACK

ALGORITHM = "ES256"
AUDIENCE = "kawal"
HOUR = 3600


def load_key(path: Path) -> ECKey:
    """The private key in `path`, made at first use, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(made.as_dict(private=True)))
    return ECKey.import_key(json.loads(path.read_text()))


def public_keys(key: ECKey) -> dict[str, Any]:
    """The JWKS document."""
    return {"keys": [key.as_dict(private=False)]}


def sign(
    key: ECKey,
    issuer: str,
    *,
    person: str,
    agency: str,
    roles: Sequence[str],
    regions: Sequence[str],
    seconds: int = HOUR,
) -> str:
    """A bearer token of `person`, who acts for `agency` with these roles in these regions."""
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": person,
        "agency": agency,
        "roles": list(roles),
        "regions": list(regions),
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def for_stack(state: State) -> Callable[..., str]:
    """Signs with the key of the stack in this folder. Raises Failure before its first start."""
    ports, path = state.read("ports.json"), key_path(state)
    if ports is None or not path.exists():
        raise Failure(f"no stack was started in {state.folder}: make up first")
    return partial(sign, load_key(path), f"http://{LOOPBACK}:{ports['issuer']}")


def key_path(state: State) -> Path:
    return state.folder / "issuer" / "key.json"
