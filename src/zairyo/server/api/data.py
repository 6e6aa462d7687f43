"""A measurement's numbers and files: arrays for a plot, tables as CSV, raw files and NeXus to download."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Param
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from starlette.background import BackgroundTask

from zairyo.exports.table import csv_lines
from zairyo.measurement import Entry
from zairyo.measurement import Measurement as Form
from zairyo.server import access
from zairyo.server.access import Principal
from zairyo.server.api import export
from zairyo.server.api.deps import PlatformDep, Reader
from zairyo.server.api.measurements import find, is_uid
from zairyo.server.api.problems import Problem, invalid, not_found
from zairyo.server.api.schemas import DataBody, DownloadOrder, MetadataBody
from zairyo.server.arrays import DataError, extract
from zairyo.server.models import Measurement, Translation
from zairyo.server.objects import NoSuchObject
from zairyo.server.platform import Platform

router = APIRouter(tags=["data"])
log = logging.getLogger(__name__)

#: Whatever a browser is handed of an instrument's bytes, it must neither show nor run it.
_INERT = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


@router.get("/measurements/{uid}/entries/{entry}/data")
def get_data(
    platform: PlatformDep,
    principal: Reader,
    uid: str,
    entry: str,
    names: Annotated[
        str, Param(description="Axes and signals, with commas; the first is x", max_length=2000)
    ],
    points: Annotated[
        int, Param(ge=10, le=200_000, description="About how many, of one-dimensional data")
    ] = 4000,
    within: Annotated[str, Param(alias="range", description="`lo,hi` of x; only that part")] = "",
    at: Annotated[str, Param(alias="slice", description="`y:3,x:5`: that pixel's spectrum")] = "",
    mean: Annotated[
        str, Param(description="An axis to average over, for an image of a map", max_length=64)
    ] = "",
) -> DataBody:
    """Arrays to draw. More points than asked for are thinned so that each peak and dip stays."""
    found = _entry(platform, principal, uid, entry)
    try:
        return extract(
            found,
            [n for n in names.split(",") if n],
            points=points,
            within=_interval(within),
            at=_places(at),
            mean=mean,
        )
    except DataError as e:
        raise invalid(e.field, str(e)) from None


@router.get("/measurements/{uid}/metadata")
def get_metadata(platform: PlatformDep, principal: Reader, uid: str) -> MetadataBody:
    """The vendor's metadata, verbatim."""
    measurement = _form(platform, principal, uid)
    return MetadataBody(
        measurement=export.plain(measurement.original_metadata),
        entries={e.name: export.plain(e.original_metadata) for e in measurement.entries},
    )


@router.get("/measurements/{uid}/entries/{entry}.csv", response_class=StreamingResponse)
def get_csv(platform: PlatformDep, principal: Reader, uid: str, entry: str) -> StreamingResponse:
    """One entry as a table with a head line of names and units."""
    found = _entry(platform, principal, uid, entry)
    return StreamingResponse(
        csv_lines(found),
        media_type="text/csv; charset=utf-8",
        headers=_attachment(f"{found.title or found.name}.csv"),
    )


@router.get("/measurements/{uid}/standard", response_class=FileResponse)
def get_standard(platform: PlatformDep, principal: Reader, request: Request, uid: str) -> Response:
    """The measurement in the standard form, a NeXus/HDF5 file."""
    title, sha256 = _standard(platform, principal, uid)
    return _object(platform, request, sha256, f"{title}.nxs", "application/x-hdf5")


@router.get("/measurements/{uid}/raw/{name:path}", response_class=FileResponse)
def get_raw(platform: PlatformDep, principal: Reader, request: Request, uid: str, name: str) -> Response:
    """A raw file, byte for byte as the instrument wrote it; ``Repr-Digest`` is its SHA-256."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        raw = next((r for r in measurement.raw_files if r.name == name), None)
    if raw is None:
        raise not_found("raw file")
    return _object(platform, request, raw.sha256, name.rpartition("/")[2], "application/octet-stream")


@router.get("/measurements/{uid}/raw.zip", response_class=StreamingResponse)
def get_raw_zip(platform: PlatformDep, principal: Reader, uid: str) -> StreamingResponse:
    """All raw files of a measurement, not compressed further."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        parts = [export.raw_part(r, r.name) for r in measurement.raw_files]
    return _zip(platform, parts, f"{measurement.path.rpartition('/')[2]}.zip")


@router.get("/measurements/{uid}/ro-crate.zip", response_class=StreamingResponse)
def get_ro_crate(platform: PlatformDep, principal: Reader, uid: str) -> StreamingResponse:
    """The measurement as an RO-Crate: raw files, standard form, and how they belong together."""
    _, sha256 = _standard(platform, principal, uid)
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        raw = [export.raw_part(r, r.name) for r in measurement.raw_files]
    name = measurement.path.rpartition("/")[2] or uid
    with _in_store():
        standard = export.Part(name, sha256, platform.objects.size(sha256), measurement.received_at)
        said, parts = export.crate(platform.objects, platform.forms.get(sha256), raw, standard)
    return _zip(platform, parts, f"{name}.ro-crate.zip", said)


@router.post("/download", response_class=StreamingResponse)
def download(platform: PlatformDep, principal: Reader, order: DownloadOrder) -> StreamingResponse:
    """Raw files or standard forms of several measurements as one zip."""
    uids = list(dict.fromkeys(order.uids))
    with platform.db.read() as session:
        visible = access.visible(session, principal)
        if not visible or not all(map(is_uid, uids)):
            raise not_found("measurement")
        rows = session.scalars(
            select(Measurement)
            .where(Measurement.uid.in_(uids), visible.of(Measurement.project_id))
            .options(selectinload(Measurement.raw_files))
        )
        chosen = {m.uid: m for m in rows}
        if len(chosen) != len(uids):
            raise not_found("measurement")
        parts = export.parts(session, [chosen[uid] for uid in uids], order.what)
    if not parts:
        raise _not_translated()
    return _zip(platform, parts, f"zairyo-{order.what}.zip")


def _standard(platform: Platform, principal: Principal, uid: str) -> tuple[str, str]:
    """Title and object of the standard form."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        sha256 = session.scalar(
            select(Translation.output_sha256).where(Translation.id == measurement.translation_id)
        )
    if sha256 is None:
        raise _not_translated()
    return measurement.title or measurement.path.rpartition("/")[2], sha256


def _not_translated() -> Problem:
    detail = "This is not in the standard form (yet); its raw files are all there is."
    return Problem(409, "not_translated", detail)


def _form(platform: Platform, principal: Principal, uid: str) -> Form:
    sha256 = _standard(platform, principal, uid)[1]
    with _in_store():
        return platform.forms.get(sha256)


def _entry(platform: Platform, principal: Principal, uid: str, name: str) -> Entry:
    form = _form(platform, principal, uid)
    try:
        return form[name]
    except KeyError:
        raise not_found("entry") from None


@contextmanager
def _in_store() -> Iterator[None]:
    """Within it an object that is not in the store any more becomes an answer that says so."""
    try:
        yield
    except NoSuchObject as e:
        log.error("%s", e)
        detail = (
            "The server's copy of this file is gone. Tell who runs it, so that it is restored from a backup."
        )
        raise Problem(410, "gone", detail) from None


def _object(platform: Platform, request: Request, sha256: str, filename: str, media_type: str) -> Response:
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    # A browser may keep it but asks each time, so that nobody sees it any longer than they may.
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}
    if f'"{sha256}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    held = ExitStack()
    with _in_store():
        path = held.enter_context(platform.objects.path(sha256))
    headers |= {**_attachment(filename), "Repr-Digest": f"sha-256=:{digest}:"}
    return FileResponse(path, media_type=media_type, headers=headers, background=BackgroundTask(held.close))


def _zip(
    platform: Platform,
    parts: list[export.Part],
    filename: str,
    made: Mapping[str, bytes] = MappingProxyType({}),
) -> StreamingResponse:
    with _in_store():
        for part in parts:
            platform.objects.size(part.sha256)
    return StreamingResponse(
        export.zip_stream(platform.objects, parts, made),
        media_type="application/zip",
        headers=_attachment(filename),
    )


def _attachment(filename: str) -> dict[str, str]:
    return {**_INERT, "Content-Disposition": export.content_disposition(filename)}


def _interval(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise invalid("range", f"{text!r} is not an interval; write lo,hi.") from None
    return (low, high) if low <= high else (high, low)


def _places(text: str) -> dict[str, int]:
    try:
        pairs = [part.split(":") for part in text.split(",") if part]
        return {axis: int(index) for axis, index in pairs}
    except ValueError:
        raise invalid("slice", f"{text!r} is not a place; write axis:index,axis:index.") from None
