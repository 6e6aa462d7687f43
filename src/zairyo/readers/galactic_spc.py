"""Galactic (Thermo GRAMS) SPC: spectra of any kind, one or many in a file, with axes of their own or in common."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name, table, tidy_metadata
from zairyo.measurement.techniques import conditions
from zairyo.readers._api import LIKELY, NO, RawInput, Reader
from zairyo.readers._optical_bytes import Fields
from zairyo.readers._spc_file import NEW, NEW_BIG, OLD, Spc, Spectrum, read_spc
from zairyo.readers._spc_kinds import AXES, SIGNALS

_DOUBLE_INTERFEROGRAM = 255
#: What stands in the brackets of an axis' own label → SPC's number for it.
_LABEL_UNITS = {
    **dict.fromkeys(("cm-1", "cm^-1", "1/cm", "cm⁻¹", "cm-¹"), 1),
    **dict.fromkeys(("um", "µm", "microns", "micrometers"), 2),
    **dict.fromkeys(("nm", "nanometers"), 3),
    **dict.fromkeys(("s", "sec", "seconds"), 4),
    **dict.fromkeys(("min", "minutes"), 5),
    **dict.fromkeys(("m/z", "amu"), 9),
    "ppm": 10,
    "ev": 14,
    **dict.fromkeys(("°c", "degc"), 20),
    "k": 21,
}
_IN_BRACKETS = re.compile(r".*[(\[/]\s*([^()\[\]]+?)\s*[)\]]?\Z")
_TECHNIQUES = {
    1: "chromatography",
    2: "chromatography",
    3: "chromatography",
    4: "ir",
    5: "ir",
    7: "uv_vis",
    8: "xrd",
    9: "mass_spectrometry",
    10: "nmr",
    11: "raman",
    12: "fluorescence",
    13: "optical_spectroscopy",
    14: "chromatography",
}
_BY_AXIS = {
    "raman_shift": "raman",
    "wavenumber": "ir",
    "mass_to_charge": "mass_spectrometry",
    "chemical_shift": "nmr",
    "wavelength": "optical_spectroscopy",
    "photon_energy": "optical_spectroscopy",
    "interferogram": "ir",
}
_RATIOS = frozenset({"absorbance", "transmittance", "reflectance"})
_INFRARED = _RATIOS | {"interferogram", "kubelka_munk", "log_inverse_reflectance", "single_beam"}
_MOST_ENTRIES = 100
_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)")


def sniff(src: RawInput) -> float:
    """The format has no magic number: version, and numbers as only SPC has them where SPC has them."""
    head = src.head
    if len(head) < 256 or head[1] not in (NEW, NEW_BIG, OLD) or head.startswith(b"PK"):
        return NO
    if head[1] == OLD:
        points, first, last = struct.unpack_from("<fff", head, 4)
        kinds, exponent, date = head[16:18], struct.unpack_from("<h", head, 2)[0], head[20:24]
        fits = points == int(points) if np.isfinite(points) else False
        is_date = date[0] <= 12 and date[1] <= 31 and date[2] < 24 and date[3] < 60
    else:
        if len(head) < 512:
            return NO
        order = ">" if head[1] == NEW_BIG else "<"
        exponent, points, first, last, count = struct.unpack_from(order + "biddi", head, 3)
        kinds, packed = head[28:30], struct.unpack_from(order + "I", head, 32)[0]
        fits = 0 <= count < 10**8 and head[2] <= 20 and head[30] <= 30
        is_date = (packed >> 16 & 0xF) <= 12 and (packed >> 6 & 0x1F) < 24 and (packed & 0x3F) < 60
    is_axis = np.isfinite([first, last]).all() and 0 < points < 2**31 and (first != last or points == 1)
    is_number = exponent in (-128, 128) or -64 <= exponent <= 64
    knows = (kinds[0] <= 30 or kinds[0] == _DOUBLE_INTERFEROGRAM) and (
        kinds[1] <= 26 or 128 <= kinds[1] < 132
    )
    return LIKELY if fits and is_date and is_axis and is_number and knows else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    warnings: list[str] = []
    with np.errstate(all="ignore"):  # a damaged file's numbers may overflow; they stay what they are
        spc = read_spc(fields, warnings)
        entries = _entries(spc, warnings)
    source = spc.header.get("source", "")
    instrument = source if any(c.isalpha() for c in source) else _logged(spc, "instrument")
    return Measurement(
        entries=tuple(entries),
        title=spc.header["comment"].splitlines()[0].strip() if spc.header["comment"] else "",
        sample=_logged(spc, "sample"),
        instrument=instrument,
        operator=_logged(spc, "operator"),
        original_metadata=tidy_metadata({"header": spc.header, "labels": spc.labels, "log": spc.log}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- what x, y and z are ------------------------------------------------------------------------------------


def _axis_name(spc: Spc, kind: int, label: int, warnings: list[str]) -> tuple[str, str | None, str]:
    """Name, unit and label of x (label 0) or z (label 2)."""
    said = spc.labels[label] if spc.labels else ""
    if label == 0 and kind == _DOUBLE_INTERFEROGRAM:
        return "point", "", said
    in_brackets = _IN_BRACKETS.match(said)
    if kind == 0 and in_brackets:
        kind = _LABEL_UNITS.get(in_brackets[1].casefold(), 0)
    if kind in AXES:
        name, unit = AXES[kind]
        if label == 2 and name == "wavelength":  # along z it is a place, or what excited
            is_emission = spc.header["experiment"] == 12
            name = "excitation_wavelength" if is_emission else "distance" if kind == 2 else name
        is_raman = spc.header["experiment"] == 11 or "raman" in said.casefold()
        if label == 0 and name == "wavenumber" and is_raman:
            name = "raman_shift"
        if label == 0 and name == "angle" and spc.header["experiment"] == 8:
            name = "two_theta"
        return name, unit, said
    if kind:
        warnings.append(f"SPC's kind {kind} of an axis is not known; it has no unit.")
    return (make_name(said, "x") if said else "x" if label == 0 else "series"), None, said


def _signal_name(spc: Spc, technique: str) -> tuple[str, str | None, str]:
    kind = spc.header["y_type"]
    name, unit, title = SIGNALS.get(kind, ("intensity", None, "Intensity"))
    said = spc.labels[1] if spc.labels else ""
    if kind == 0 and technique == "mass_spectrometry":
        name = "abundance"
    if kind in (0, 11, 128, 129) and said:
        unit = "percent" if "%" in said else unit
        words = said.casefold()
        for word, meant in (
            ("transmit", "transmittance"),
            ("reflect", "reflectance"),
            ("absorb", "absorbance"),
        ):
            if word in words:
                name, unit = meant, "percent" if "%" in said else "" if meant == "absorbance" else None
    return name, unit, said or title


def _technique(spc: Spc, x: str) -> str:
    stated = _TECHNIQUES.get(spc.header["experiment"])
    if x == "raman_shift":
        return "raman"
    if stated:
        return stated
    y = SIGNALS.get(spc.header["y_type"], ("", None, ""))[0]
    if x == "wavelength" and y in _RATIOS:
        return "uv_vis" if spc.header["x_type"] == 3 else "ir"
    if x == "wavenumber" and y not in _INFRARED:
        return "optical_spectroscopy"
    return _BY_AXIS.get(y) or _BY_AXIS.get(x, "unspecified")


# --- entries ------------------------------------------------------------------------------------------------


def _entries(spc: Spc, warnings: list[str]) -> list[Entry]:
    header = spc.header
    x_name, x_unit, x_label = _axis_name(spc, header["x_type"], 0, warnings)
    technique = _technique(spc, x_name)
    y_name, y_unit, y_label = _signal_name(spc, technique)
    shared: dict[str, Any] = {
        "technique": technique,
        "conditions": _conditions(spc, x_unit, technique),
        "started": spc.started,
    }

    def axis(values: NDArray[Any]) -> Axis:
        return Axis(x_name, values, x_unit, x_label)

    def signal(values: NDArray[Any], axes: tuple[str, ...]) -> Signal:
        return Signal(y_name, values, y_unit, axes, y_label)

    spectra = spc.spectra
    x = spc.x if spc.x is not None else _common(spectra)
    if len(spectra) == 1 and x is not None:
        return [Entry("spectrum", axes=(axis(x),), signals=(signal(spectra[0].y, (x_name,)),), **shared)]
    if x is not None:
        places = _places(spc, x_name, warnings)
        values = np.stack([s.y for s in spectra]).reshape(*(len(p.values) for p in places), len(x))
        names = (*(p.name for p in places), x_name)
        return [Entry("series", axes=(*places, axis(x)), signals=(signal(values, names),), **shared)]
    if technique == "mass_spectrometry" or len(spectra) > _MOST_ENTRIES:
        return _scans(spc, signal, (x_name, x_unit, x_label), shared, warnings)
    return [
        Entry(
            f"spectrum_{i}",
            axes=(axis(s.x),),
            signals=(signal(s.y, (x_name,)),),
            title=f"Spectrum {i}",
            **shared,
        )
        for i, s in enumerate(spectra, 1)
        if s.x is not None
    ]


def _common(spectra: list[Spectrum]) -> NDArray[Any] | None:
    """The x values that all spectra have, None if they differ."""
    first = spectra[0].x
    return first if first is not None and all(np.array_equal(first, s.x) for s in spectra[1:]) else None  # type: ignore[arg-type]


def _places(spc: Spc, x_name: str, warnings: list[str]) -> tuple[Axis, ...]:
    """The axes before x: z, and w before it where the file has planes."""
    count, planes = len(spc.spectra), spc.header.get("w_planes", 0)
    if not (planes > 1 and count % planes == 0):
        planes = 1
    z = np.array([s.z for s in spc.spectra[: count // planes]])
    name, unit, label = _axis_name(spc, spc.header["z_type"], 2, warnings)
    axes = [_place(name, z, unit, label, {x_name})]
    if planes > 1:
        w = np.array([s.w for s in spc.spectra[:: count // planes]])
        name, unit = AXES.get(spc.header["w_type"], ("plane", None))
        axes.insert(0, _place(name, w, unit, "", {x_name, axes[0].name}))
    return tuple(axes)


def _place(name: str, values: NDArray[Any], unit: str | None, label: str, taken: set[str]) -> Axis:
    """An axis of what varies between spectra; their number where the file does not tell."""
    if len(np.unique(values)) < len(values) or not np.isfinite(values).all():
        name, values, unit, label = "spectrum", np.arange(len(values)), "", ""
    return Axis(f"{name}_of_spectrum" if name in taken else name, values, unit, label)


def _scans(
    spc: Spc,
    signal: Any,
    x: tuple[str, str | None, str],
    shared: dict[str, Any],
    warnings: list[str],
) -> list[Entry]:
    """Spectra with no x in common: the sum of each along z, and all points with the number of their spectrum."""
    spectra = [s for s in spc.spectra if s.x is not None]
    z_name, z_unit, z_label = _axis_name(spc, spc.header["z_type"], 2, warnings)
    place = _place(z_name, np.array([s.z for s in spectra]), z_unit, z_label, {x[0]})
    y = signal(np.concatenate([s.y for s in spectra]), ())
    is_mass = shared["technique"] == "mass_spectrometry"
    totals = np.array([s.y.sum(dtype=float) for s in spectra])
    total = Signal(
        "total_ion_current" if is_mass else f"total_{y.name}",
        totals,
        y.unit,
        (place.name,),
        "Sum of each spectrum",
    )
    columns = [
        Signal("scan", np.repeat(np.arange(1, len(spectra) + 1), [len(s.y) for s in spectra]), ""),
        Signal(x[0], np.concatenate([s.x for s in spectra if s.x is not None]), x[1], (), x[2]),
        y,
    ]
    return [
        Entry("chromatogram" if is_mass else "totals", axes=(place,), signals=(total,), **shared),
        table("peaks" if is_mass else "spectra", columns=columns, x=x[0], default=y.name, **shared),
    ]


#: Names in the log, most of them LabSpec's → condition, unit (None for text).
_LOGGED = (
    ("laser_wavelength", ("laser (nm)", "excit_line"), "nm"),
    ("exposure_time", ("acq. time (s)", "time"), "s"),
    ("repetitions", ("accumulations", "accum"), ""),
    ("grating", ("grating",), None),
    ("objective", ("objectiv", "objective"), None),
    ("detector", ("detector",), None),
    ("aperture", ("hole",), None),
    ("optical_filter", ("nd filter", "filtr"), None),
)


def _logged(spc: Spc, *names: str) -> str:
    found = (v for k, v in spc.log.items() if k.casefold() in names and isinstance(v, str) and v)
    return next(found, "")


def _conditions(spc: Spc, x_unit: str | None, technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    resolution = _NUMBER.match(spc.header.get("resolution", ""))
    if resolution and float(resolution[1]) > 0 and x_unit in ("1/cm", "nm"):
        found["resolution" if x_unit == "1/cm" else "spectral_bandwidth"] = Quantity(
            float(resolution[1]), x_unit
        )
    if spc.header.get("scans", 0) > 0:
        found["repetitions"] = Quantity(spc.header["scans"], "")
    if spc.header["comment"]:
        found["comment"] = Quantity(spc.header["comment"])
    for name, keys, unit in _LOGGED:
        text = _logged(spc, *keys)
        if unit is None and text:
            found[name] = Quantity(text)
        elif unit is not None and _NUMBER.fullmatch(text) and float(text) > 0:
            found[name] = Quantity(float(text), unit)
    known = conditions(technique)
    return {name: quantity for name, quantity in found.items() if name in known}


READER = Reader(
    name="galactic_spc",
    version="2",
    techniques=tuple(sorted({*_TECHNIQUES.values(), "unspecified"})),
    vendor="Galactic / Thermo",
    format="SPC (GRAMS)",
    endings=(".spc", ".cgm"),
    sniff=sniff,
    read=read,
    notes="New (either byte order) and old format, one spectrum or many, even, common or own x values, 16- and 32-bit "
    "fractions and floats, spectra along one or two further axes, the log's text. The log's binary part is not read.",
    surest=LIKELY,
)
