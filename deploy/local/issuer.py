"""A development OIDC issuer: its discovery document and its public key.

It hands out no token over the network: `kawal token` signs with the key in the state folder, which
only the folder's owner can read.

`python -m deploy.local.issuer --state .kawal --port 8400`
"""

import argparse
from pathlib import Path
from typing import Any

import uvicorn
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.local.state import State
from deploy.local.tokens import ALGORITHM, key_path, load_key, public_keys
from shared.testing.process import LOOPBACK


def create_app(issuer: str, key: ECKey, mark: str) -> Starlette:
    documents: dict[str, dict[str, Any]] = {
        "/.well-known/openid-configuration": {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/jwks.json",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": ["sub", "agency", "roles", "regions"],
        },
        "/jwks.json": public_keys(key),
        "/health/live": {"status": "ok"},
        "/health/ready": {"status": "ok"},
        # By this another stack sees that these ports are a stack's, and takes the next ones.
        "/stack": {"kawal": mark},
    }

    async def document(request: Request) -> JSONResponse:
        return JSONResponse(documents[request.url.path])

    return Starlette(routes=[Route(path, document) for path in documents])


def main() -> None:
    parser = argparse.ArgumentParser(description="Kawal's development issuer")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    state = State.at(arguments.state)
    issuer = f"http://{LOOPBACK}:{arguments.port}"
    app = create_app(issuer, load_key(key_path(state)), state.mark)
    uvicorn.run(app, host=LOOPBACK, port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
