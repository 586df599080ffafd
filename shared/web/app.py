"""The application that every service starts from."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response

from shared.settings import Settings
from shared.telemetry.http import TelemetryMiddleware
from shared.web import openapi, problems
from shared.web.auth import Authenticator, authenticator
from shared.web.direct import DirectRoutes, Endpoint
from shared.web.edge import EdgeMiddleware
from shared.web.health import Check, health_router

VERSION = "1"


def create_app(
    service: str,
    settings: Settings,
    *,
    title: str,
    description: str = "",
    checks: Mapping[str, Check] | None = None,
    identity: Authenticator | None = None,
) -> FastAPI:
    """An app with problems, identity, telemetry, health, metrics and documents, nothing else.

    Add routers with `openapi.include(app, router)`. `checks` decide readiness and may grow later.
    """
    direct: dict[str, Endpoint] = {}
    app = FastAPI(
        title=title,
        version=VERSION,
        description=description,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours names spans better
        middleware=[
            Middleware(TelemetryMiddleware, service=service),
            Middleware(
                EdgeMiddleware,
                max_body_bytes=settings.max_body_bytes,
                uploads={"/commands": settings.max_upload_bytes},
            ),
            Middleware(DirectRoutes, posts=direct),
        ],
    )
    app.state.authenticator = identity or authenticator(settings)
    app.state.direct = direct
    problems.install(app)
    app.include_router(health_router(checks if checks is not None else {}))
    _documents(app)
    return app


def _documents(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    def schema() -> Any:
        return openapi.document(app)

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(openapi.page(openapi.document(app)))
