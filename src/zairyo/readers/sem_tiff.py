"""Images of electron and light microscopes in TIFF, with what the vendor wrote in its tags or in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Signal, clean_text, tidy_metadata
from zairyo.readers import _sem_beside as sides
from zairyo.readers import _sem_told as vendors
from zairyo.readers._api import CERTAIN, LIKELY, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._microscope_values import even_axis, free_name, length_scale
from zairyo.readers._sem_told import Told
from zairyo.readers._tiff_image import opened, pixels
from zairyo.readers._xml import parse_xml, tree

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FEI, _FEI_XML, _ZEISS, _TESCAN = (34680, 34682), 34683, 34118, 50431
_DESCRIPTION, _MAKE, _MODEL, _SOFTWARE, _DATE = 270, 271, 272, 305, 306
_ENDINGS = (".tif", ".tiff")
#: DigitalMicrograph's own tags: the unit of a pixel, its height and its width.
_DM_UNIT, _DM_HEIGHT, _DM_WIDTH = 65003, 65010, 65009
#: Units in which programs say the size of a pixel: the factor to m or 1/m.
_SIZES = {
    "m": (1.0, "m"), "mm": (1e-3, "m"), "um": (1e-6, "m"), "micron": (1e-6, "m"), "microns": (1e-6, "m"),
    "micrometer": (1e-6, "m"), "nm": (1e-9, "m"), "nanometer": (1e-9, "m"), "pm": (1e-12, "m"), "cm": (1e-2, "m"),
    "inch": (0.0254, "m"), "1/nm": (1e9, "1/m"), "1/um": (1e6, "1/m"), "1/m": (1.0, "1/m"),
}  # fmt: skip
#: Tags that hold numbers about the pixels or are the pixels; the others are kept with the metadata.
_NOT_TOLD = {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 34665}
_MOST_PAGES = 1000
_INCH, _CENTIMETRE = 2, 3


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Each TIFF with the text beside it: Hitachi's and JEOL's ``x.txt``, TESCAN's ``x.hdr`` or ``x-tif.hdr``."""
    lower = {name.casefold(): name for name in names}
    for name in names:
        stem, _, ending = name.rpartition(".")
        if f".{ending.casefold()}" in _ENDINGS:
            for side in (f"{stem}.txt", f"{stem}.hdr", f"{stem}-{ending}.hdr"):
                if side.casefold() in lower:
                    yield (name, lower[side.casefold()])
                    break


def _is_tiff(name: str) -> bool:
    return PurePosixPath(name).suffix.casefold() in _ENDINGS


def _sniff(src: RawInput) -> float:
    if src.is_folder:
        if not any(set(found) == set(src.members) for found in _sets(src.members)):
            return NO
        texts = [RawInput(src.member_path(m)).head for m in src.members if not _is_tiff(m)]
        return LIKELY if all(sides.beside(text) is not None for text in texts) else NO
    if src.members:
        return POSSIBLE if all(_is_tiff(m) for m in src.members) else NO
    if src.head[:4] not in _MAGIC:
        return NO
    try:
        with opened(src) as file:
            codes = {tag.code for tag in file.pages[0].tags}
            make = str(getattr(file.pages[0].tags.get(_MAKE), "value", ""))
    except ReadError:
        return POSSIBLE  # what is wrong with it is told when it is read
    return CERTAIN if codes & {*_FEI, _FEI_XML, _ZEISS, _TESCAN} or make == "JEOL Ltd." else POSSIBLE


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    parts: list[tuple[Told, list[Entry]]] = []
    taken: set[str] = set()
    if src.is_folder:
        found = next(iter(_sets(src.members)), None)
        if found is None:
            raise ReadError(f"{src.path.name} holds no TIFF with its description beside it")
        beside = sides.beside(RawInput(src.member_path(found[1])).read_bytes(16 * 1024**2))
        if beside is None:
            warnings.append(f"{found[1]} is no description that is known; it was not read.")
        parts.append(_read_file(RawInput(src.member_path(found[0])), "", beside, taken, warnings))
    elif src.members:
        parts += [_read_file(src, m, None, taken, warnings) for m in src.members if _is_tiff(m)]
    else:
        parts.append(_read_file(src, "", None, taken, warnings))
    told = next((t for t, _ in parts if t.vendor), parts[0][0])
    return Measurement(
        entries=tuple(e for _, entries in parts for e in entries),
        title=told.title or PurePosixPath(src.name).stem,
        sample=told.sample,
        instrument=f"{told.vendor} {told.instrument}".strip() if told.instrument else "",
        operator=told.operator,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _read_file(
    src: RawInput, member: str, beside: Told | None, taken: set[str], warnings: list[str]
) -> tuple[Told, list[Entry]]:
    stem = PurePosixPath(member or src.name).stem
    with opened(src, member) as file:
        pages = [p for p in file.pages[:_MOST_PAGES] if not p.is_reduced] or [file.pages[0]]
        told = [beside or _told(p, stem, warnings) for p in pages]
        alike = {(p.shape, p.dtype) for p in pages}
        if len(pages) > 1 and len(alike) == 1 and not any(t.vendor for t in told[1:]):
            values = np.stack([pixels(p, f"image {i + 1} of {stem}") for i, p in enumerate(pages)])
            return told[0], [_entry(values, told[0], pages[0], stem, taken, frames=True)]
        entries = []
        for i, (page, of_page) in enumerate(zip(pages, told, strict=True)):
            title = stem if len(pages) == 1 else f"{stem} {i + 1}"
            entries.append(_entry(pixels(page, title), of_page, page, title, taken))
    return told[0], entries


def _entry(
    values: NDArray[Any], told: Told, page: Any, title: str, taken: set[str], frames: bool = False
) -> Entry:
    height, width = values.shape[int(frames) : int(frames) + 2]
    names = ("y", "x") if told.unit == "m" else ("k_y", "k_x")
    if told.pixel is None:
        axes = [Axis(n, np.arange(s), "pixel") for n, s in zip(names, (height, width), strict=True)]
    else:
        factor, unit = length_scale(told.pixel) if told.unit == "m" else (1e-9, "1/nm")
        axes = [
            even_axis(n, 0.0, p * factor, s, unit)
            for n, p, s in zip(names, told.pixel, (height, width), strict=True)
        ]
    if frames:
        axes.insert(0, Axis("frame", np.arange(len(values))))
    if values.ndim > len(axes):
        colours = ("red", "green", "blue", "alpha")
        known = values.shape[-1] in (3, 4)
        axes.append(
            Axis("colour", np.array(colours[: values.shape[-1]]))
            if known
            else Axis("channel", np.arange(values.shape[-1]))
        )
    metadata = {"Tags": _tags(page)} | ({told.vendor: told.metadata} if told.metadata else {})
    return Entry(
        name=free_name(title, taken),
        technique=told.technique,
        axes=tuple(axes),
        signals=(Signal("intensity", values, None, tuple(a.name for a in axes)),),
        title=told.title or title,
        conditions=told.conditions,
        original_metadata=tidy_metadata(metadata),
        started=told.started,
    )


def _tags(page: Any) -> dict[str, Any]:
    """The TIFF's own tags that tell something to people, by their names."""
    vendor = {*_FEI, _FEI_XML, _ZEISS, _TESCAN}
    found = {}
    for tag in page.tags:
        if tag.code in _NOT_TOLD or tag.code in vendor or tag.valuebytecount > 100_000:
            continue
        value = tag.value
        if isinstance(value, bytes):
            continue
        found[tag.name] = (
            str(value) if isinstance(value, str) or not isinstance(value, (int, float, tuple)) else value
        )
    return found


def _raw(page: Any, code: int) -> bytes:
    """A tag's bytes as they are: what tifffile makes of vendors' texts is not verbatim."""
    tag = page.tags.get(code)
    if tag is None:
        return b""
    page.parent.filehandle.seek(tag.valueoffset)
    data: bytes = page.parent.filehandle.read(min(tag.valuebytecount, 16 * 1024**2))
    return data.rstrip(b"\0")


def _told(page: Any, name: str, warnings: list[str]) -> Told:
    """What the vendor wrote into a page's tags."""
    for code in _FEI:
        if data := _raw(page, code):
            return vendors.fei(decode_legacy(data))
    if data := _raw(page, _FEI_XML):
        return vendors.fei_image(_parsed(data, name, warnings))
    if data := _raw(page, _ZEISS):
        return vendors.zeiss(decode_legacy(data), page.imagewidth)
    if data := _raw(page, _TESCAN):
        at = data.find(b"[MAIN]")
        return sides.tescan(decode_legacy(data[at:])) if at >= 0 else Told("TESCAN", {})
    make, model = (clean_text(_raw(page, c).decode("latin-1")).strip() for c in (_MAKE, _MODEL))
    if make == "JEOL Ltd.":
        text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", _raw(page, _DESCRIPTION))
        return sides.jeol_tem(_parsed(text, name, warnings), _dot(page))
    told = Told("", {}, "unspecified", instrument=model)
    told.started = vendors.moment(
        _raw(page, _DATE).decode("latin-1"), "%Y:%m:%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"
    )
    if (sized := _sized_by_program(page)) is not None:
        told.pixel, told.unit = sized
    if model.startswith("AxioCam"):
        told.vendor, told.technique = "Zeiss", "optical_microscopy"
    return told


def _sized_by_program(page: Any) -> tuple[tuple[float, float], str] | None:
    """A pixel's height and width and their unit (m or 1/m), as ImageJ or DigitalMicrograph saved them."""
    description = _raw(page, _DESCRIPTION).decode("latin-1")
    if description.startswith("ImageJ="):
        stated = re.search(r"^unit=(.*)$", description, re.MULTILINE)
        unit = re.sub(r"\\u00B5", "u", stated[1].strip(), flags=re.IGNORECASE) if stated else ""
        x, y = page.resolution
        size = (1 / y, 1 / x) if x > 0 and y > 0 else None
    else:
        tags = [page.tags.get(code) for code in (_DM_UNIT, _DM_HEIGHT, _DM_WIDTH)]
        if None in tags:
            return None
        unit = decode_legacy(_raw(page, _DM_UNIT))
        numbers = [tag.value for tag in tags[1:]]
        size = tuple(numbers) if all(isinstance(v, float) and 0 < v < 1e30 for v in numbers) else None
    factor, of = _SIZES.get(unit.strip().replace("µ", "u").replace("μ", "u"), (0.0, ""))
    return ((size[0] * factor, size[1] * factor), of) if size and factor else None


def _parsed(data: bytes, name: str, warnings: list[str]) -> dict[str, Any]:
    try:
        found = tree(parse_xml(data, f"the description of {name}"))
    except ReadError as e:
        warnings.append(f"{e} The image was read without it.")
        return {}
    return found if isinstance(found, dict) else {}


def _dot(page: Any) -> tuple[float, float] | None:
    """The size of a pixel where it is shown, m, by the TIFF's resolution."""
    metres = {_INCH: 0.0254, _CENTIMETRE: 0.01}.get(int(page.resolutionunit))
    x, y = page.resolution
    return (metres / y, metres / x) if metres and x > 0 and y > 0 else None


READER = Reader(
    name="sem_tiff",
    version="2",
    techniques=("sem", "fib", "tem", "stem", "electron_diffraction", "optical_microscopy", "unspecified"),
    vendor="FEI, Zeiss, TESCAN, JEOL, Hitachi",
    format="microscope TIFF",
    endings=_ENDINGS,
    sniff=_sniff,
    read=_read,
    sets=_sets,
    notes="Images with pixel size, beam, detector and stage from the tags of FEI/Thermo Fisher, Zeiss, TESCAN and JEOL "
    "(TEM), or from the text beside the TIFF (Hitachi, JEOL SEM, TESCAN). Any other TIFF is read in pixels, "
    "or by the scale that ImageJ or DigitalMicrograph saved with it. JPEG and other packings that need a codec are not "
    "unpacked.",
)
