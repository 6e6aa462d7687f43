"""Errors as RFC 9457 problems: ``code`` for programs, ``detail`` a sentence that tells a person what to do."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from zairyo.server.admin import Refused
from zairyo.server.db import DatabaseError, disk_is_full
from zairyo.server.objects import DiskFull
from zairyo.server.passwords import PasswordError, TooManyAtOnce

log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemBody(BaseModel):
    """The body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    """Stable, for programs: ``not_found``, ``invalid``, ``unknown_unit`` …"""
    detail: str
    """For the person: what happened and what to do."""
    field: str | None = None
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """Raised anywhere below an endpoint, becomes the answer.

    Parameters
    ----------
    status
        HTTP status.
    code
        Stable slug.
    detail
        A sentence that says what to do.
    field
        The field of the request it is about.
    errors
        ``(field, message)`` pairs where several fields are wrong.
    headers
        Of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field = status, code, detail, field
        self.errors, self.headers = errors, headers

    def response(self) -> JSONResponse:
        """The answer."""
        body = ProblemBody(
            title=_title(self.status),
            status=self.status,
            code=self.code,
            detail=self.detail,
            field=self.field,
            errors=[FieldProblem(field=f, message=m) for f, m in self.errors] or None,
        )
        return JSONResponse(
            body.model_dump(exclude_none=True),
            self.status,
            headers=dict(self.headers or {}),
            media_type="application/problem+json",
        )


def not_found(what: str = "it") -> Problem:
    """What is not there and what may not be seen are answered alike."""
    return Problem(404, "not_found", f"There is no such {what}, or you may not see it.")


def forbidden(detail: str) -> Problem:
    """For what may be seen but not done."""
    return Problem(403, "forbidden", detail)


def invalid(field: str, detail: str) -> Problem:
    """A field that cannot be taken as it is."""
    return Problem(422, "invalid", detail, field=field, errors=[(field, detail)])


def rate_limited(seconds: float) -> Problem:
    """For too many tries; says when the next may come."""
    wait = max(1, math.ceil(seconds))
    return Problem(
        429,
        "rate_limited",
        f"Too many tries. Wait {wait} s and try again.",
        headers={"Retry-After": str(wait)},
    )


def conflict(field: str, detail: str) -> Problem:
    """A name that is taken."""
    return Problem(409, "conflict", detail, field=field)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Checksum Mismatch" if status == 460 else "Error"  # 460 is tus's own


#: Answers of the frame itself (no such path, wrong method), by status.
_CODES = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}

#: For the OpenAPI description of every endpoint.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ProblemBody, "description": "Problem", "content": {"application/problem+json": {}}}
}


def install(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""

    @app.exception_handler(Problem)
    def problem(_request: Request, e: Problem) -> JSONResponse:
        return e.response()

    @app.exception_handler(HTTPException)
    def http(request: Request, e: HTTPException) -> JSONResponse:
        code = _CODES.get(e.status_code, "invalid")
        detail = f"There is nothing at {request.url.path}." if e.status_code == 404 else str(e.detail)
        return Problem(e.status_code, code, detail, headers=e.headers).response()

    @app.exception_handler(RequestValidationError)
    def validation(_request: Request, e: RequestValidationError) -> JSONResponse:
        errors = [(_field(error["loc"]), str(error["msg"])) for error in e.errors()]
        field, message = errors[0]
        detail = f"{field}: {message}" if field else message
        return Problem(422, "invalid", detail, field=field or None, errors=errors).response()

    @app.exception_handler(Refused)
    def refused(_request: Request, e: Refused) -> JSONResponse:
        detail = f"{str(e)[0].upper()}{str(e)[1:]}."
        return (conflict if e.code == "conflict" else invalid)(e.field, detail).response()

    @app.exception_handler(PasswordError)
    def password(_request: Request, e: PasswordError) -> JSONResponse:
        return invalid("password", f"{str(e)[0].upper()}{str(e)[1:]}.").response()

    @app.exception_handler(TooManyAtOnce)
    def too_many(_request: Request, _e: TooManyAtOnce) -> JSONResponse:
        return rate_limited(5).response()

    @app.exception_handler(IntegrityError)
    def integrity(_request: Request, e: IntegrityError) -> JSONResponse:
        log.warning("two changes at once: %s", e.orig)
        return Problem(
            409, "conflict", "Somebody else changed the same at this moment; try again."
        ).response()

    @app.exception_handler(DataError)
    def data(_request: Request, e: DataError) -> JSONResponse:
        log.warning("a value that the database refuses: %s", e.orig)
        return Problem(
            422, "invalid", "A value cannot be kept as it is, e.g. one with a NUL character."
        ).response()

    @app.exception_handler(OperationalError)
    @app.exception_handler(DatabaseError)
    def database(request: Request, e: OperationalError | DatabaseError) -> JSONResponse:
        if isinstance(e, OperationalError) and disk_is_full(e):
            return disk_full(request, e)
        log.error("%s %s: the database does not answer: %s", request.method, request.url.path, e)
        detail = "The server's database does not answer at this moment. Nothing was changed; try again."
        return Problem(503, "busy", detail, headers={"Retry-After": "5"}).response()

    @app.exception_handler(DiskFull)
    def disk_full(_request: Request, _e: Exception) -> JSONResponse:
        detail = "The server's disk is full. Nothing was lost; ask who runs it to make room, then try again."
        return Problem(507, "disk_full", detail).response()

    @app.exception_handler(Exception)
    def unforeseen(request: Request, e: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=e)
        return Problem(
            500, "internal", "The server made a mistake. It is in its log; try again, or tell who runs it."
        ).response()


def _field(location: Sequence[Any]) -> str:
    """``('body', 'scopes', 0)`` → ``scopes.0``."""
    return ".".join(str(part) for part in location[1:])
