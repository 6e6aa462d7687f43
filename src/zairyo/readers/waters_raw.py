"""Waters MassLynx ``.raw`` folder: functions of mass spectrometers and diode arrays, and analogue traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._folder import Folder, roots
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._separation import (
    Scans,
    mass_run,
    moment,
    optics,
    text_condition,
    trace,
    unique,
    unit_of,
)
from zairyo.readers._waters_functions import (
    DIODE_ARRAY,
    Calibration,
    Function,
    fixed_masses,
    function_types,
    read_function,
    stated_ions,
)

_LARGEST_TEXT = 16 << 20
_FUNCTION = re.compile(r"_func(\d{3})\.dat\Z", re.IGNORECASE)
_ANALOGUE = re.compile(r"_chro(\d{3})\.dat\Z", re.IGNORECASE)
_ANALOGUE_HEAD, _ANALOGUE_INFO, _INFO_START = 0x80, 0x55, 0x84
_IONISATION = re.compile(r"\b(ESI|ES|APCI|AP|EI|CI|MALDI)([+-])")
_OF_FUNCTION = re.compile(r"(?:Instrument|Function) Parameters - Function (\d+)", re.IGNORECASE)
_CONTINUUM = re.compile(r"Data ?Format\s+Continuum", re.IGNORECASE)
_NAMES = {"ES": "ESI", "AP": "APCI"}


def _folder(src: RawInput) -> Folder | None:
    """The run's folder: one with functions or analogue traces beside a head."""
    if src.is_folder:
        return Folder(src)
    found = roots(src, "_header.txt", "_functns.inf") if src.members else []
    return Folder(src, found[0]) if len(found) == 1 else None


def sniff(src: RawInput) -> float:
    folder = _folder(src)
    if folder is None:
        return NO
    names = [n for n in folder.names if "/" not in n]
    data = any(_FUNCTION.match(n) for n in names) or any(_ANALOGUE.match(n) for n in names)
    return (
        CERTAIN if data and any(n.lower().startswith(("_header", "_func", "_chroms")) for n in names) else NO
    )


def read(src: RawInput) -> Measurement:
    folder = _folder(src)
    if folder is None:
        raise ReadError(f"{src.path.name} is not one MassLynx folder")
    header = _header(folder)
    external = _external(folder)
    warnings: list[str] = []
    taken: set[str] = set()
    started = moment(f"{header.get('Acquired Date', '')} {header.get('Acquired Time', '')}")
    shared: dict[str, Any] = {"conditions": _conditions(header), "started": started}
    entries = _functions(folder, header, external, taken, warnings, shared)
    entries += _analogue(folder, taken, warnings, shared)
    if not entries:
        raise ReadError(
            f"{src.path.name} holds no function and no trace with a point in it; nothing was acquired"
        )
    title = PurePosixPath(folder.root or src.path.name).name
    sample = header.get("Sample Description", "") or header.get("Acquired Name", "")
    return Measurement(
        entries=tuple(entries),
        title=sample or title,
        sample=sample,
        operator=header.get("User Name", ""),
        instrument=f"Waters {header.get('Instrument', '')}".strip(),
        original_metadata=tidy_metadata(
            {"_HEADER.TXT": header, "_extern.inf": external, "files": list(folder.names)}
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _header(folder: Folder) -> dict[str, str]:
    if not folder.has("_HEADER.TXT"):
        return {}
    text = decode_legacy(folder.read("_HEADER.TXT", _LARGEST_TEXT))
    found = {}
    for line in text.splitlines():
        key, colon, value = line.removeprefix("$$").partition(":")
        if colon and line.startswith("$$"):
            found[clean_text(key.strip())] = clean_text(value).strip()
    return found


def _external(folder: Folder) -> str:
    if not folder.has("_extern.inf"):
        return ""
    text = decode_legacy(folder.read("_extern.inf", _LARGEST_TEXT))
    return clean_text(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text)).strip()


def _by_function(external: str) -> Iterator[tuple[int, str]]:
    """The lines of the method with the number of the function they are of; 0 before any."""
    number = 0
    for line in map(str.strip, external.splitlines()):
        if heading := _OF_FUNCTION.match(line):
            number = int(heading[1])
        else:
            yield number, line


def _polarities(external: str) -> dict[int, tuple[str, str]]:
    """Ionisation and polarity by the functions' number, from 1; 0 is for what is said before any function."""
    found: dict[int, tuple[str, str]] = {}
    for number, line in _by_function(external):
        if line.startswith("Polarity") and (match := _IONISATION.search(line)):
            found[number] = (_NAMES.get(match[1], match[1]), "positive" if match[2] == "+" else "negative")
    return found


def _profiles(external: str) -> set[int]:
    """Numbers of the functions whose points go along peaks; of the others each point is a peak."""
    return {number for number, line in _by_function(external) if _CONTINUUM.match(line)}


def _ions(polarities: dict[int, tuple[str, str]], inf: bytes, number: int) -> tuple[str, str] | None:
    """A function's ionisation and polarity: as the method says of it, as its record says, as is said of all."""
    of_all = set(polarities.values())
    return (
        polarities.get(number) or stated_ions(inf, number - 1) or (of_all.pop() if len(of_all) == 1 else None)
    )


def _calibration(header: dict[str, str], number: int) -> Calibration | None:
    """``$$ Cal Function 1: 0.1,1.0,0.0,T0``: coefficients and the kind of polynomial; None where it has none."""
    *parts, kind = header.get(f"Cal Function {number}", "").split(",")
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        text = header[f"Cal Function {number}"]
        if not any(part.strip() for part in parts):
            return None
        raise ReadError(
            f"'Cal Function {number}' in _HEADER.TXT is no list of numbers: {text[:40]!r}"
        ) from None
    if not (numbers and np.isfinite(numbers).all() and any(numbers)):
        return None
    if kind.strip() not in ("T0", "T1"):
        raise ReadError(
            f"'Cal Function {number}' in _HEADER.TXT is of kind {kind.strip()[:20]!r}, which is not known; "
            "T0 and T1 are read. The masses would be wrong without it."
        )
    return Calibration(numbers, kind.strip() == "T1")


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    text_condition(found, "method", re.split(r"[\\/]", header.get("Inlet Method", ""))[-1])
    text_condition(found, "vial", header.get("Bottle Number", ""))
    return found


# --- functions ----------------------------------------------------------------------------------------------


def _functions(
    folder: Folder,
    header: dict[str, str],
    external: str,
    taken: set[str],
    warnings: list[str],
    shared: dict[str, Any],
) -> list[Entry]:
    names = {int(m[1]): n for n in folder.files(".dat") if (m := _FUNCTION.match(n))}
    inf = folder.read("_FUNCTNS.INF", _LARGEST_TEXT) if folder.has("_FUNCTNS.INF") else b""
    types = function_types(inf)
    polarities, profiles = _polarities(external), _profiles(external)
    entries: list[Entry] = []
    for number, name in names.items():
        stem = name[:-4]
        if not folder.has(f"{stem}.IDX"):
            raise ReadError(
                f"{stem}.IDX is missing, which says where {name} has its scans. Copy the whole folder."
            )
        code, kind = types[number - 1] if 0 < number <= len(types) else (-1, "")
        is_optical = code == DIODE_ARRAY or (code < 0 and number > len(polarities))
        calibration = None if is_optical else _calibration(header, number)
        masses, products = fixed_masses(inf, number - 1)
        function = read_function(folder.read(f"{stem}.IDX"), folder.read(name), masses, calibration, stem)
        if function is None:
            warnings.append(f"{name} has no points; nothing was acquired.")
            continue
        if folder.has(f"{stem}.CDT"):
            warnings.append(
                f"{stem}.CDT has this function by drift time, which is not read; its spectra are."
            )
        prefix = f"function_{number}_" if len(names) > 1 else ""
        if is_optical:
            entries.append(_optical(function, unique(taken, f"{prefix}spectra"), number, shared))
            continue
        conditions = dict(shared["conditions"])
        ions = _ions(polarities, inf, number)
        if ions:
            conditions["ionisation"], conditions["ion_polarity"] = (Quantity(part) for part in ions)
        text_condition(conditions, "acquisition_mode", kind)
        if kind == "MRM" and len(masses) == 1 and products[0] > 0:
            conditions["precursor_mass_to_charge"] = Quantity(float(masses[0]), "")
            conditions["product_mass_to_charge"] = Quantity(float(products[0]), "")
        scans = Scans(
            function.times,
            function.counts,
            function.positions,
            function.values,
            is_profile=number in profiles,
        )
        technique = "gc_ms" if ions and ions[0] in ("EI", "CI") else "lc_ms"
        title = f"Function {number}" + (f", {kind}" if kind else "")
        entries += mass_run(
            technique, scans, prefix=prefix, title=title, **{**shared, "conditions": conditions}
        )
    return entries


def _optical(function: Function, name: str, number: int, shared: dict[str, Any]) -> Entry:
    points = int(function.counts[0])
    rows = function.positions.reshape(-1, points) if (function.counts == points).all() and points else None
    if rows is None or (rows != rows[0]).any():
        raise ReadError(
            f"the spectra of function {number} are not all over the same wavelengths, which is not read"
        )
    axes = (Axis("time", function.times, "min"), Axis("wavelength", rows[0], "nm"))
    # MassLynx shows a diode array's numbers in microabsorbance units, but the files do not state it.
    signal = Signal("absorbance", function.values.reshape(rows.shape), None, ("time", "wavelength"))
    return Entry(name, "lc", axes, (signal,), title=f"Function {number}, diode array", **shared)


# --- analogue traces ----------------------------------------------------------------------------------------


def _analogue(folder: Folder, taken: set[str], warnings: list[str], shared: dict[str, Any]) -> list[Entry]:
    infos = _analogue_infos(folder)
    entries: list[Entry] = []
    for name in folder.files(".dat"):
        match = _ANALOGUE.match(name)
        if match is None:
            continue
        data = folder.read(name)
        if len(data) < _ANALOGUE_HEAD or (len(data) - _ANALOGUE_HEAD) % 8:
            raise ReadError(
                f"{name} ends within a point, at byte {len(data)}; it is cut off. Copy the folder again."
            )
        points = np.frombuffer(data, "<f4", -1, _ANALOGUE_HEAD).reshape(-1, 2)
        if not len(points):
            continue
        if not np.isfinite(points[:, 0]).all():
            raise ReadError(f"{name} has times that are no numbers; it is damaged. Copy the folder again.")
        number = int(match[1])
        title, stated = infos[number - 1] if 0 < number <= len(infos) else (f"Trace {number}", "")
        unit = unit_of(stated, warnings)
        conditions = {**shared["conditions"], **optics(title)}
        if nm := re.search(r"(\d+(?:\.\d+)?)\s*nm@", title):
            conditions["detection_wavelength"] = Quantity(float(nm[1]), "nm")
        entries.append(
            trace(
                unique(taken, make_name(title, f"trace_{number}")),
                "lc",
                points[:, 0].astype(float),
                points[:, 1],
                unit=unit,
                signal="absorbance" if "nm@" in title else "",
                title=title,
                **{**shared, "conditions": conditions},
            )
        )
    return entries


def _analogue_infos(folder: Folder) -> list[tuple[str, str]]:
    """Name and unit of each trace: ``_CHROMS.INF`` has 85 bytes for each, commas between the parts."""
    if not folder.has("_CHROMS.INF"):
        return []
    data = folder.read("_CHROMS.INF", _LARGEST_TEXT)
    found = []
    for at in range(_INFO_START, len(data), _ANALOGUE_INFO):
        text = decode_legacy(data[at : at + _ANALOGUE_INFO])
        text = re.sub(r"[\x00-\x1f\x7f]|\$CC\$|\(\d*\)", "", text).strip()
        parts = [clean_text(part.strip()) for part in text.split(",")]
        found.append((parts[0], parts[5] if len(parts) == 6 else ""))
    return found


READER = Reader(
    name="waters_raw",
    version="1",
    techniques=("lc_ms", "gc_ms", "lc"),
    vendor="Waters",
    format="MassLynx .raw",
    endings=(".raw", ".zip"),
    sniff=sniff,
    read=read,
    folders=(".raw",),
    notes="Functions of quadrupoles (scans, SIR, MRM), of time-of-flight instruments and of diode arrays in points of "
    "2, 4, 6 and 8 bytes, and analogue traces, of a folder or a zip of one. Not read: compressed data, drift times.",
)
