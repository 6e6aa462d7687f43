"""Bruker's EPR: BES3T of Xepr (``.DSC`` with ``.DTA``), and ESP's and WinEPR's (``.par`` with ``.spc``).

Facts of BES3T: ``.DSC`` is text of three parts, each a name and a value a line: ``#DESC`` says what ``.DTA`` holds
(``BSEQ`` byte order, ``IKKF`` real or complex and ``IRFMT`` the kind of number of each signal, ``XPTS`` points from
``XMIN`` over ``XWID``), ``#SPL`` the settings in SI units but for dates, ``#DSL`` those of each device as in Xepr. A
direction of ``IGD`` has its positions in ``.XGF``, ``.YGF`` or ``.ZGF``. Points follow each other along x, then y, then
z; signals and their parts alternate.

Facts of the others: ``.par`` is a name of up to four letters and a value a line; ``.spc`` holds big-endian int32, or
little-endian float32 where ``.par`` begins with ``DOS  Format``. The field goes from ``GST`` over ``GSI`` gauss (else
around ``HCF`` over ``HSW``); with ``SSX`` and ``SSY`` there are ``SSY`` rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, units
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.measurement.text import clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._text_export import quantity
from zairyo.readers._tokens import number, unique, word

Floats = NDArray[Any]
#: Descriptor → its numbers; a set has both, and perhaps positions.
_PAIRS = {".dsc": ".dta", ".par": ".spc"}
_POSITIONS = {"X": ".xgf", "Y": ".ygf", "Z": ".zgf"}
_MOST_TEXT, _MOST_DATA = 4 * 1024**2, 1024**3
_FORMATS = {"D": "f8", "F": "f4", "I": "i4", "S": "i2", "C": "i1"}
_DSC = re.compile(rb"\s*#DESC\s+\d")
_PAR = re.compile(rb"(?:DOS\s+Format|ASCII\s+Format|JSS\s|ANZ\s|JON\s)[^\0]*\b(?:GST|HCF|SSX|XXLB|JEX)\s")
_DEVICE = re.compile(r"\.DVC\s+([^\s,]+)")
#: What a direction is called → the vocabulary, by its unit's dimension.
_AXES = {"gauss": "magnetic_field", "T": "magnetic_field", "s": "time", "Hz": "frequency", "W": "microwave_power",
         "deg": "angle", "K": "temperature"}  # fmt: skip
_SPELLINGS = {
    "G": "gauss",
    "Gauss": "gauss",
    "'": "",
    "deg": "deg",
    "°": "deg",
    "sec": "s",
    "mikroW": "uW",
    "µs": "us",
}
#: Condition → where BES3T says it (part and name), and the unit it is in there.
_BES3T: tuple[tuple[str, str, str | None], ...] = (
    ("microwave_frequency", "MWFQ", "Hz"),
    ("microwave_power", "MWPW", "W"),
    ("modulation_amplitude", "B0MA", "T"),
    ("modulation_frequency", "B0MF", "Hz"),
    ("conversion_time", "SPTP", "s"),
    ("time_constant", "RCTC", "s"),
    ("harmonic", "RCHM", ""),
    ("repetitions", "AVGS", ""),
    ("temperature", "STMP", "K"),
)
#: Condition → the device's setting, which has its unit behind it.
_DEVICES = (
    ("q_value", "mwBridge", "QValue", ""),
    ("temperature", "tempCtrl", "Temperature", "K"),
    ("microwave_attenuation", "mwBridge", "PowerAtten", "dB"),
    ("repetitions", "recorder", "NbScansDone", ""),
)
_WINEPR: tuple[tuple[str, str, str | None], ...] = (
    ("microwave_frequency", "MF", "GHz"),
    ("microwave_power", "MP", "mW"),
    ("modulation_amplitude", "RMA", "gauss"),
    ("conversion_time", "RCT", "ms"),
    ("time_constant", "RTC", "ms"),
    ("receiver_gain", "RRG", ""),
    ("repetitions", "JSD", ""),
    ("temperature", "TE", "K"),
)
_XEPR_DATES = ("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S")  # always the month first
_DAYS = ("%d-%b-%Y", "%d.%b.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d")
_WINEPR_DATES = tuple(f"{day} {time}" for day in _DAYS for time in ("%H:%M:%S", "%H:%M"))


def sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Each ``.DSC`` or ``.par`` with the numbers of the same name, and their positions."""
    known = {name.casefold(): name for name in names}
    for small, name in known.items():
        stem, dot, ending = small.rpartition(".")
        numbers = known.get(stem + _PAIRS.get(dot + ending, ".-"))
        if numbers:
            positions = (known.get(stem + e) for e in _POSITIONS.values()) if ending == "dsc" else ()
            yield name, numbers, *(found for found in positions if found)


def sniff(src: RawInput) -> float:
    if not src.is_folder:
        return CERTAIN if _is_settings(src.head) else NO
    found = next(iter(sets(src.members)), ())
    if not found or set(found) != set(src.members):
        return NO
    return CERTAIN if _is_settings(RawInput(src.member_path(found[0])).head) else NO


def _is_settings(head: bytes) -> bool:
    return any(mark.match(head.replace(b"\r", b"\n")) for mark in (_DSC, _PAR))


def read(src: RawInput) -> Measurement:
    if not src.is_folder:
        raise ReadError(
            f"{src.name} holds the settings of an EPR spectrum, whose numbers are in a file of the same name that ends "
            "in .DTA or .spc. It is not beside it; copy both."
        )
    found = next(iter(sets(src.members)), None)
    if found is None:
        raise ReadError(f"{src.path.name} is no pair of .DSC and .DTA, or of .par and .spc.")
    text = decode_legacy(src.member(found[0], _MOST_TEXT)).replace("\r\n", "\n").replace("\r", "\n")
    data = src.member(found[1], _MOST_DATA)
    warnings: list[str] = []
    if _DSC.match(text.encode()[:100]):
        positions = {name.rpartition(".")[2].casefold(): src.member(name, _MOST_DATA) for name in found[2:]}
        return _xepr(found[0], text, data, positions, warnings)
    return _winepr(found[0], text, data, warnings)


# --- BES3T --------------------------------------------------------------------------------------------------------


def _xepr(name: str, text: str, data: bytes, positions: dict[str, bytes], warnings: list[str]) -> Measurement:
    told, devices = _parts(text)
    order = {"BIG": ">", "LIT": "<"}.get(told.get("BSEQ", "BIG"))
    kinds, formats = told.get("IKKF", "REAL").split(","), told.get("IRFMT", "D").split(",")
    if (
        order is None
        or len(kinds) != len(formats)
        or not {*formats} <= _FORMATS.keys()
        or not {*kinds}
        <= {
            "REAL",
            "CPLX",
        }
    ):
        raise ReadError(
            f"{name}: numbers of the kind {clean_text(' '.join((*kinds, *formats)))[:60]!r} are not read."
        )
    sizes = {d: _count(told, d, name) for d in "XYZ" if d == "X" or told.get(f"{d}TYP", "NODATA") != "NODATA"}
    shape = tuple(sizes[d] for d in reversed(sizes))
    fields = [
        (f"{k}_{part}", order + _FORMATS[form])
        for k, (kind, form) in enumerate(zip(kinds, formats, strict=True))
        for part in (("re", "im") if kind == "CPLX" else ("re",))
    ]
    values = _array(data, np.dtype(fields), math.prod(shape), name).reshape(shape)
    taken: set[str] = set()
    axes = []
    for direction in reversed(sizes):
        where = _places(told, direction, sizes[direction], order, positions, name)
        axes.append(
            _axis(
                _bare(told.get(f"{direction}NAM")), _bare(told.get(f"{direction}UNI")), where, taken, warnings
            )
        )
    over = tuple(axis.name for axis in axes)
    titles = [_bare(t) for t in told.get("IRNAM", "").split(",")]
    stated = [_bare(t) for t in told.get("IRUNI", "").split(",")]
    signals = []
    for k, kind in enumerate(kinds):
        title = titles[k] if k < len(titles) else ""
        unit = _unit(stated[k], warnings) if k < len(stated) and stated[k] else None
        called = "intensity" if not k else make_name(title, f"signal_{k + 1}")
        for part in ("re", "im") if kind == "CPLX" else ("re",):
            own = unique(called if part == "re" else f"{called}_imaginary", taken)
            label = f"{title} (imaginary)" if part == "im" else title
            array = np.ascontiguousarray(values[f"{k}_{part}"], dtype=np.float64)
            signals.append(Signal(own, array, unit, over, clean_text(label)))
    conditions = _conditions(told, _BES3T, "EXPT")
    for condition, device, setting, unit in _DEVICES:
        value = quantity(devices.get(device, {}).get(setting, ""))
        if (
            value
            and condition not in conditions
            and math.isfinite(value[0])
            and value[1].strip() in ("", unit)
        ):
            conditions[condition] = _in_usual_unit(condition, value[0], unit)
    date = f"{told.get('DATE', '')} {told.get('TIME', '')}".strip()
    return _measurement(
        name, axes, signals, conditions, warnings,
        title=_bare(told.get("TITL")) or name.rpartition(".")[0],
        sample=_bare(told.get("SAMP")),
        operator=_bare(told.get("OPER")),
        comment=_bare(told.get("CMNT")),
        started=in_forms(date, _XEPR_DATES) if date else None,
        metadata={**told, **devices},
    )  # fmt: skip


def _parts(text: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What the descriptor and the standard parameters say; and the settings of each device."""
    told: dict[str, str] = {}
    devices: dict[str, dict[str, str]] = {}
    into = told
    for line in text.replace("\\\n", "").split("\n"):
        if line.startswith("#DSL"):
            into = devices.setdefault("device", {})
        elif match := _DEVICE.match(line):
            into = devices.setdefault(clean_text(match[1]), {})
        elif line[:1] not in ("*", "#", "") and (words := line.split(None, 1)):
            into.setdefault(clean_text(words[0]), clean_text(words[1]).strip() if len(words) > 1 else "")
    return told, devices


def _count(told: dict[str, str], direction: str, name: str) -> int:
    value = number(told.get(f"{direction}PTS"))
    if value is None or not 1 <= value < 2**31 or value % 1:
        raise ReadError(
            f"{name} does not say how many points there are ({direction}PTS); it is cut off or damaged."
        )
    return int(value)


def _places(
    told: dict[str, str], direction: str, size: int, order: str, positions: dict[str, bytes], name: str
) -> Floats:
    """Positions along a direction: from a file of their own, or in equal steps."""
    if told.get(f"{direction}TYP") == "IGD":
        kind = _FORMATS.get(told.get(f"{direction}FMT", "D"))
        held = positions.get(_POSITIONS[direction][1:])
        if kind is None or held is None:
            raise ReadError(
                f"{name}: the positions along {direction.lower()} are in a file {_POSITIONS[direction].upper()}, which "
                "is not beside it; copy it, too."
            )
        return _array(held, np.dtype(order + kind), size, name).astype(np.float64)
    return _steps(number(told.get(f"{direction}MIN")), number(told.get(f"{direction}WID")), size, name)


def _steps(first: float | None, width: float | None, size: int, name: str) -> Floats:
    if first is None or width is None or not (math.isfinite(first) and math.isfinite(width)):
        raise ReadError(f"{name} does not say from where to where it was measured; it is cut off or damaged.")
    return first + width * np.linspace(0.0, 1.0, size)


def _array(data: bytes, kind: np.dtype[Any], count: int, name: str) -> Floats:
    if len(data) < count * kind.itemsize:
        raise ReadError(
            f"{name} announces {count} points, and {len(data) // kind.itemsize} are there; the file of numbers is cut "
            "off. Copy it again."
        )
    if len(data) > count * kind.itemsize:
        raise ReadError(
            f"{name} announces {count} points of {kind.itemsize} bytes, and {len(data)} bytes are there; the files do "
            "not belong together."
        )
    return np.frombuffer(data, kind, count)


# --- ESP, WinEPR --------------------------------------------------------------------------------------------------


def _winepr(name: str, text: str, data: bytes, warnings: list[str]) -> Measurement:
    told = {
        w[0]: clean_text(w[1]).strip() if len(w) > 1 else ""
        for line in text.split("\n")
        if (w := line.split(None, 1))
    }
    kind = np.dtype("<f4" if "DOS" in told else ">i4")
    columns, rows = (int(n) if (n := number(told.get(k))) and n > 0 else 1 for k in ("SSX", "SSY"))
    if rows > 1:
        shape: tuple[int, ...] = (rows, columns)
    else:
        points = next(
            (int(n) for k in ("SSX", "ANZ", "RES", "XPLS") if (n := number(told.get(k))) and n > 1), 0
        )
        shape = (points or len(data) // kind.itemsize,)
    values = _array(data, kind, math.prod(shape), name).astype(np.float64).reshape(shape)
    taken: set[str] = set()
    axes = []
    if rows > 1:
        where = _steps(number(told.get("XYLB")), number(told.get("XYWI")), rows, name)
        axes.append(_axis("y", told.get("XYUN", ""), where, taken, warnings))
    start, width = next(
        ((a, b) for x, y in (("XXLB", "XXWI"), ("GST", "GSI"))
         if (a := number(told.get(x))) is not None and (b := number(told.get(y)))),
        (None, None),
    )  # fmt: skip
    middle, sweep = number(told.get("HCF")), number(told.get("HSW"))
    if start is None and middle is not None and sweep:
        start, width = middle - sweep / 2, sweep
    is_time = "time" in told.get("JEX", "").casefold()
    unit = told.get("XXUN") or told.get("JUN") or ("s" if is_time else "G")
    axes.append(_axis("x", unit, _steps(start, width, shape[-1], name), taken, warnings))
    signal = Signal("intensity", values, None, tuple(axis.name for axis in axes), "Intensity")
    date = f"{told.get('JDA', '')} {told.get('JTM', '')}".strip()
    return _measurement(
        name, axes, [signal], _conditions(told, _WINEPR, "JEX"), warnings,
        title=name.rpartition(".")[0],
        sample="",
        operator=told.get("JON", ""),
        comment=told.get("JCO", ""),
        started=in_forms(date, _WINEPR_DATES, warnings) if date else None,
        metadata=told,
    )  # fmt: skip


# --- of both ------------------------------------------------------------------------------------------------------


def _bare(text: str | None) -> str:
    return clean_text((text or "").strip().strip("'")).strip()


def _unit(stated: str, warnings: list[str]) -> str | None:
    text = _SPELLINGS.get(stated, stated)
    known = units.normalise(text) if text else None
    if text and known is None:
        warnings.append(f"The unit {clean_text(stated)[:40]!r} is not known; it was kept as it is.")
    return known or text or None


def _axis(title: str, stated: str, places: Floats, taken: set[str], warnings: list[str]) -> Axis:
    unit = _unit(stated, warnings)
    known = next((name for of, name in _AXES.items() if unit and units.same_dimension(unit, of)), "")
    called = known or make_name(title, "position")
    return Axis(unique(called, taken), places, unit, "" if title in ("", "x", "y") else title)


def _conditions(
    told: dict[str, str], table: tuple[tuple[str, str, str | None], ...], mode: str
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for condition, key, unit in table:
        value = number(told.get(key))
        if value is None or not math.isfinite(value) or not value:
            continue  # 0: the program was not told
        found[condition] = _in_usual_unit(condition, value, unit)
    experiment = word(told.get(mode))
    return found | ({"measurement_type": experiment} if experiment else {})


def _in_usual_unit(condition: str, value: float, unit: str | None) -> Quantity:
    """A condition in the vocabulary's unit: a microwave power in mW, wherever it was said in W."""
    usual = unit if unit == "K" else vocabulary("epr")[condition].unit
    if usual and unit and usual != unit:
        value = float(f"{units.convert(value, unit, usual):.9g}")
    return Quantity(int(value) if condition in ("repetitions", "harmonic") else value, usual)


def _measurement(
    name: str,
    axes: list[Axis],
    signals: list[Signal],
    conditions: dict[str, Quantity],
    warnings: list[str],
    *,
    title: str,
    sample: str,
    operator: str,
    comment: str,
    started: Any,
    metadata: dict[str, Any],
) -> Measurement:
    if comment:
        conditions["comment"] = Quantity(comment)
    conditions = {
        k: q for k, q in conditions.items() if k not in {axis.name for axis in axes}
    }  # it was varied
    try:
        entry = Entry(
            "spectrum",
            "epr",
            tuple(axes),
            tuple(signals),
            signals[0].name,
            title=title,
            conditions=conditions,
            started=started,
            original_metadata=tidy_metadata(metadata),
        )
    except MeasurementError as e:
        raise ReadError(f"{name}: the parts do not fit together: {e}") from None
    return Measurement(
        (entry,), title=title, sample=sample, operator=operator, instrument="Bruker EPR",
        warnings=tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


READER = Reader(
    name="bruker_epr",
    version="1",
    techniques=("epr",),
    vendor="Bruker",
    format="EPR (BES3T, ESP, WinEPR)",
    endings=(".dsc", ".dta", ".par", ".spc"),
    sniff=sniff,
    read=read,
    sets=sets,
    notes="Spectra and maps over field, time, power …, real and complex, with the spectrometer's settings. The numbers "
    "are as recorded: not divided by scans or gain.",
)
