"""A measurement's numbers and files: arrays for a plot, tables as CSV, raw files and NeXus to download."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Param
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from zairyo.measurement import Entry
from zairyo.server import access
from zairyo.server.access import Principal
from zairyo.server.api import export
from zairyo.server.api.deps import PlatformDep, Reader
from zairyo.server.api.measurements import find
from zairyo.server.api.problems import Problem, invalid, not_found
from zairyo.server.api.schemas import DataBody, DownloadOrder, MetadataBody
from zairyo.server.arrays import Cache, DataError, extract
from zairyo.server.models import Measurement
from zairyo.server.platform import Platform

router = APIRouter(tags=["data"])

#: Whatever a browser is handed of an instrument's bytes, it must neither show nor run it.
_INERT = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
_cache = Cache()


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
    measurement = _cache.get(platform.objects, _standard(platform, principal, uid)[1])
    return MetadataBody(
        measurement=export.plain(measurement.original_metadata),
        entries={e.name: export.plain(e.original_metadata) for e in measurement.entries},
    )


@router.get("/measurements/{uid}/entries/{entry}.csv", response_class=StreamingResponse)
def get_csv(platform: PlatformDep, principal: Reader, uid: str, entry: str) -> StreamingResponse:
    """One entry as a table with a head line of names and units."""
    found = _entry(platform, principal, uid, entry)
    return StreamingResponse(
        export.csv_lines(found),
        media_type="text/csv; charset=utf-8",
        headers=_attachment(f"{found.title or found.name}.csv"),
    )


@router.get("/measurements/{uid}/standard", response_class=FileResponse)
def get_standard(platform: PlatformDep, principal: Reader, uid: str) -> FileResponse:
    """The measurement in the standard form, a NeXus/HDF5 file."""
    title, sha256 = _standard(platform, principal, uid)
    return _object(platform, sha256, f"{title}.nxs", "application/x-hdf5")


@router.get("/measurements/{uid}/raw/{name:path}", response_class=FileResponse)
def get_raw(platform: PlatformDep, principal: Reader, uid: str, name: str) -> FileResponse:
    """A raw file, byte for byte as the instrument wrote it; ``Repr-Digest`` is its SHA-256."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        raw = next((r for r in measurement.raw_files if r.name == name), None)
    if raw is None:
        raise not_found("raw file")
    return _object(platform, raw.sha256, name.rpartition("/")[2], "application/octet-stream")


@router.get("/measurements/{uid}/raw.zip", response_class=StreamingResponse)
def get_raw_zip(platform: PlatformDep, principal: Reader, uid: str) -> StreamingResponse:
    """All raw files of a measurement, not compressed further."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        parts = [
            export.Part(r.name, r.sha256, r.size, r.modified_at or r.received_at)
            for r in measurement.raw_files
        ]
    return _zip(platform, parts, f"{measurement.path.rpartition('/')[2]}.zip")


@router.post("/download", response_class=StreamingResponse)
def download(platform: PlatformDep, principal: Reader, order: DownloadOrder) -> StreamingResponse:
    """Raw files or standard forms of several measurements as one zip."""
    with platform.db.read() as session:
        visible = access.visible(session, principal)
        chosen = (
            session.scalars(
                select(Measurement)
                .where(Measurement.uid.in_(order.uids), visible.of(Measurement.project_id))
                .options(selectinload(Measurement.raw_files), selectinload(Measurement.translation))
            ).all()
            if visible
            else []
        )
        if len(chosen) != len(set(order.uids)):
            raise not_found("measurement")
        parts = export.parts(session, chosen, order.what)
    return _zip(platform, parts, f"zairyo-{order.what}.zip")


def _standard(platform: Platform, principal: Principal, uid: str) -> tuple[str, str]:
    """Title and object of the standard form."""
    with platform.db.read() as session:
        measurement, _ = find(session, principal, uid)
        translation = measurement.translation
        if translation is None or translation.output_sha256 is None:
            raise Problem(
                409,
                "not_translated",
                "This measurement is not in the standard form; its raw files are all there is.",
            )
        return measurement.title or measurement.path.rpartition("/")[2], translation.output_sha256


def _entry(platform: Platform, principal: Principal, uid: str, name: str) -> Entry:
    measurement = _cache.get(platform.objects, _standard(platform, principal, uid)[1])
    try:
        return measurement[name]
    except KeyError:
        raise not_found("entry") from None


def _object(platform: Platform, sha256: str, filename: str, media_type: str) -> FileResponse:
    with platform.objects.path(sha256) as path:
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        return FileResponse(
            path,
            media_type=media_type,
            headers={
                **_attachment(filename), "ETag": f'"{sha256}"', "Repr-Digest": f"sha-256=:{digest}:",
                "Cache-Control": "private, max-age=31536000, immutable",
            },
        )  # fmt: skip


def _zip(platform: Platform, parts: list[export.Part], filename: str) -> StreamingResponse:
    return StreamingResponse(
        export.zip_stream(platform.objects, parts),
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
