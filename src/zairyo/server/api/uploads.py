"""Uploads by tus 1.0: https://tus.io/protocols/resumable-upload"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from zairyo.server.access import Principal
from zairyo.server.api.deps import Uploader, get_uploader
from zairyo.server.api.problems import Problem
from zairyo.server.db import Database
from zairyo.server.intake import SMALL_BYTES, Intake, Refused, Sender, State, find_sender, tus
from zairyo.server.models import now
from zairyo.server.platform import Platform

router = APIRouter(tags=["uploads"])

#: A body of which nothing comes for so long is ended; what came of it is kept.
IDLE_SECONDS = 60.0
_TUS = {"Tus-Resumable": tus.VERSION}


class Receipt(BaseModel):
    """That a file is on the server's disk and in its catalogue."""

    upload: str
    name: str
    sha256: str
    """Of the bytes the server has on disk."""
    size: int
    measurement: str
    """Uid of the measurement it belongs to."""
    duplicate: bool
    """The same file was received before."""
    received_at: datetime


@router.options("/uploads", include_in_schema=False)
@router.options("/uploads/{uid}", include_in_schema=False)
async def get_upload_options(request: Request) -> Response:
    """What this server's tus can do."""
    most = _intake(request).max_file_bytes
    return Response(status_code=204, headers=_abilities(most))


@router.post("/uploads", status_code=201)
async def create_upload(request: Request, principal: Uploader) -> Response:
    """Begin an upload (creation), with the first or all bytes of its file in the body (creation-with-upload)."""
    intake = _intake(request)
    headers = request.headers
    try:
        tus.check_version(headers)
        length = tus.upload_length(headers, intake.max_file_bytes)
        meta = tus.parse_metadata(headers.get("upload-metadata", ""))
        file = tus.announced(meta, length)
        checksum = tus.checksum(headers)
        coming = tus.content_length(headers)
        chunked = "transfer-encoding" in headers
        if coming or chunked:
            tus.check_body_type(headers)
        sender = await _sender(request.app.state.platform, principal, file)
        whole = (coming or 0) == length and not chunked
        if whole and length <= SMALL_BYTES and (checksum is None or checksum.hex() == file.sha256):
            receipt = await intake.receive(sender, file, _body(request))
            return _answer(201, request, receipt["upload"], offset=length, receipt=receipt)
        state = await run_in_threadpool(intake.create, sender, file, meta)
        if state.receipt is None and (coming or chunked):
            state = await _first_bytes(request, principal, state, coming, checksum)
        return _state_answer(201, request, state)
    except Refused as e:
        raise _problem(e) from None


class Direct:
    """Answers as :func:`create_upload` does, without what the frame does before and after an endpoint.

    That takes longer than a small file's own work, of which an instrument sends hundreds a second. It stands
    before the other routes, for this one method of this one path; errors are answered where all others are.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        request = Request(scope, receive, send)
        principal = await get_uploader(request, request.app.state.platform)
        answer = await create_upload(request, principal)
        await answer(scope, receive, send)


async def _first_bytes(
    request: Request, principal: Principal, state: State, coming: int | None, checksum: bytes | None
) -> State:
    try:
        return await _intake(request).append(state.uid, principal, 0, _body(request), coming, checksum)
    except Refused as e:
        # The sender does not know the upload's address yet, so it cannot go on with it.
        if e.status != 507:
            await run_in_threadpool(_discard, _intake(request), state.uid, principal)
        raise


@router.head("/uploads/{uid}", include_in_schema=False)
async def get_upload_offset(uid: str, request: Request, principal: Uploader) -> Response:
    """How many bytes of the upload are durable, where the sender goes on."""
    try:
        tus.check_version(request.headers)
        return _state_answer(200, request, await _intake(request).state(uid, principal))
    except Refused as e:
        raise _problem(e) from None


@router.patch("/uploads/{uid}", status_code=204)
async def append_to_upload(uid: str, request: Request, principal: Uploader) -> Response:
    """Send the bytes from Upload-Offset on; the answer confirms what is durable."""
    headers = request.headers
    try:
        tus.check_version(headers)
        tus.check_body_type(headers)
        offset = tus.number(headers, "Upload-Offset")
        checksum, coming = tus.checksum(headers), tus.content_length(headers)
        state = await _intake(request).append(uid, principal, offset, _body(request), coming, checksum)
        return _state_answer(204, request, state)
    except Refused as e:
        raise _problem(e) from None
    except ClientDisconnect:
        return Response(status_code=499)  # nobody is there to read it; what came is kept


@router.delete("/uploads/{uid}", status_code=204)
async def end_upload(uid: str, request: Request, principal: Uploader) -> Response:
    """Forget an upload that is not complete, or the receipt of one that is; a received file stays."""
    try:
        tus.check_version(request.headers)
        await run_in_threadpool(_intake(request).discard, uid, principal)
    except Refused as e:
        raise _problem(e) from None
    return Response(status_code=204, headers=_TUS)


@router.get("/uploads/{uid}/receipt", response_model=Receipt)
async def get_receipt(uid: str, request: Request, principal: Uploader) -> Response:
    """The receipt, for a sender that lost the answer to its last bytes."""
    try:
        state = await _intake(request).state(uid, principal)
    except Refused as e:
        raise _problem(e) from None
    if state.receipt is None:
        detail = f"The upload is not complete: {state.offset} of {state.size} bytes are here. Send the rest."
        raise Problem(409, "conflict", detail)
    return JSONResponse(state.receipt, headers={"Cache-Control": "no-store"})


def _intake(request: Request) -> Intake:
    intake: Intake = request.app.state.platform.intake
    return intake


async def _sender(platform: Platform, principal: Principal, file: tus.Announced) -> Sender:
    """Who sends where. Of an agent it depends on its instrument alone."""
    sender = platform.senders.get(principal.instrument_id) if principal.instrument_id is not None else None
    if sender is None:
        asked = time.monotonic()
        sender = await run_in_threadpool(_find_sender, platform.db, principal, file)
        if principal.instrument_id is not None:
            platform.senders.keep(principal.instrument_id, sender, asked)
    return sender


def _find_sender(db: Database, principal: Principal, file: tus.Announced) -> Sender:
    with db.read() as session:
        return find_sender(session, principal, file)


def _discard(intake: Intake, uid: str, principal: Principal) -> None:
    try:
        intake.discard(uid, principal)
    except Refused:
        return  # a wrong hash has dropped it already


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body's parts; raises ``ClientDisconnect`` or :class:`Refused` when no more come."""
    parts = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(
                408, "timeout", f"Nothing came for {IDLE_SECONDS:.0f} s. Ask for the offset and go on."
            ) from None
        if part:
            yield part


def _abilities(most: int) -> dict[str, str]:
    return {
        **_TUS,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(most),
        "Tus-Checksum-Algorithm": tus.ALGORITHM,
    }


def _state_answer(status: int, request: Request, state: State) -> Response:
    return _answer(
        status, request, state.uid, state.offset, state.receipt, size=state.size, expires_at=state.expires_at
    )


def _answer(
    status: int,
    request: Request,
    uid: str,
    offset: int,
    receipt: Mapping[str, Any] | None,
    *,
    size: int | None = None,
    expires_at: datetime | None = None,
) -> Response:
    headers = {**_TUS, "Upload-Offset": str(offset), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"{request.scope['path'].rstrip('/')}/{uid}"
    if size is not None and status == 200:
        headers["Upload-Length"] = str(size)
    if receipt is not None:
        headers["Zairyo-Receipt"] = json_header(receipt)
    elif expires_at is not None and expires_at > now():
        headers["Upload-Expires"] = tus.http_date(expires_at)
    return Response(status_code=status, headers=headers)


def json_header(value: Mapping[str, Any]) -> str:
    """JSON in ASCII, as a header can carry it."""
    return json.dumps(value, separators=(",", ":"))


def _problem(refused: Refused) -> Problem:
    headers = dict(_TUS)
    if refused.offset is not None:
        headers["Upload-Offset"] = str(refused.offset)
    if refused.status == 412:
        headers["Tus-Version"] = tus.VERSION
    if refused.status == 503:
        headers["Retry-After"] = "2"
    return Problem(refused.status, refused.code, refused.detail, field=refused.field, headers=headers)
