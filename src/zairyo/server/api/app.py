"""The application: routers, errors, headers, and the services that live as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

import zairyo
from zairyo.server.api import (
    accounts,
    agent,
    auth,
    data,
    events,
    instruments,
    measurements,
    problems,
    projects,
    static,
    uploads,
)
from zairyo.server.api.middleware import BodyLimit, SecurityHeaders
from zairyo.server.platform import open_platform
from zairyo.server.settings import Settings

PREFIX = "/api/v1"
#: Each has a ``router``.
ROUTERS = (auth, accounts, projects, instruments, agent, uploads, events, measurements, data)


class Health(BaseModel):
    """That the server answers."""

    status: str = "ok"
    name: str = "zairyo"
    version: str = zairyo.__version__


def create_app(settings: Settings, *, services: bool = True) -> FastAPI:
    """The application with its platform opened (``app.state.platform``).

    Parameters
    ----------
    services
        False leaves the threads of intake, translation and events off: for tests of what needs none.

    Raises
    ------
    zairyo.server.db.DatabaseError
        If the database cannot be used.
    """
    platform = open_platform(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if services:
            await run_in_threadpool(platform.start)
        yield
        await run_in_threadpool(platform.stop)

    app = FastAPI(
        title="Zairyo",
        version=zairyo.__version__,
        description="A materials laboratory's data, from the instrument to the next experiment.",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    app.state.platform = platform
    problems.install(app)
    direct: Any = uploads.Direct()  # Starlette takes an ASGI application here too, which its types do not say
    app.add_route(f"{PREFIX}/uploads", direct, methods=["POST"], include_in_schema=False)
    app.include_router(_api(), prefix=PREFIX, responses=problems.RESPONSES)
    app.add_middleware(BodyLimit, unlimited=f"{PREFIX}/uploads")
    app.add_middleware(SecurityHeaders, secure=settings.secure)
    static.install(app)
    return app


def _api() -> APIRouter:
    api = APIRouter()

    @api.get("/health", tags=["server"])
    async def get_health() -> Health:
        """Whether the server is up, and its version; needs no sign-in."""
        return Health()

    for module in ROUTERS:
        api.include_router(module.router)
    return api


def _operation_id(route: APIRoute) -> str:
    """Names of the generated client's functions are those of the endpoints'."""
    return route.name
