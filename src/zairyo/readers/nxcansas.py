"""NXcanSAS: reduced small-angle scattering in HDF5, groups marked with the attribute ``canSAS_class``.

Source: the NeXus application definition NXcanSAS (canSAS 2012 data format): ``SASdata`` holds ``I`` and ``Q`` or
``Qx`` and ``Qy``; attributes name the signal, its axes and which uncertainties belong to which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import MAGIC, attribute, open_hdf5
from zairyo.readers._nexus_tree import Node, read_tree
from zairyo.readers._scattering import measurement, technique_of, unit_of
from zairyo.readers._tokens import amount, unique, word

_MOST_ARRAY = 512 * 1024**2
#: The definition's names → the vocabulary's.
_NAMES = {
    "I": "intensity",
    "Q": "q",
    "Qx": "qx",
    "Qy": "qy",
    "Qz": "qz",
    "Qdev": "q_resolution",
    "dQ": "q_resolution",
    "Qxdev": "qx_resolution",
    "Qydev": "qy_resolution",
    "dQl": "slit_length",
    "dQw": "slit_width",
    "Qmean": "q_mean",
    "ShadowFactor": "shadow_factor",
    "Shadowfactor": "shadow_factor",
    "Temperature": "temperature",
    "Time": "time",
    "Pressure": "pressure",
    "T": "transmission",
    "lambda": "wavelength",
    "Imask": "mask",
    "Mask": "mask",
}


def sniff(src: RawInput) -> float:
    head = src.head
    if not head.startswith(MAGIC):
        return NO
    marked = b"canSAS_class" in head or (b"SASentry" in head and b"SASdata" in head)
    return CERTAIN if marked else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    with open_hdf5(src) as f:
        root = read_tree(f, warnings)
        groups = _of_class(root, "SASentry") or list(root.find("NX_class", "NXentry"))
        entries = [made for group in groups for made in _entries(group, taken, warnings)]
    titles = list(dict.fromkeys(t for t in (g.text("title") for g in groups) if t))
    names = {i.text("name") for g in groups for i in _of_class(g, "SASinstrument")}
    samples = {s.text("name") or s.text("ID") for g in groups for s in _of_class(g, "SASsample")}
    default = next((e.name for e in entries if e.title == _stated_default(root)), "")
    return measurement(
        entries,
        warnings,
        title="; ".join(titles[:3]),
        sample=samples.pop() if len(samples) == 1 else "",
        instrument=names.pop() if len(names) == 1 else "",
        default=default,
        original_metadata=root.attributes,
    )


def _stated_default(root: Node) -> str:
    entry = root.groups.get(str(root.attributes.get("default", "")))
    return entry.text("title") if entry else ""


def _of_class(node: Node, name: str) -> list[Node]:
    """Groups of a canSAS class; early drafts of the definition had it in ``NX_class``."""
    return list(node.find("canSAS_class", name)) or list(node.find("NX_class", name))


def _is_spectrum(node: Node) -> bool:
    return "SAStransmission_spectrum" in (
        node.attributes.get("canSAS_class"),
        node.attributes.get("NX_class"),
    )


def _first(node: Node, cansas: str, nexus: str) -> Node | None:
    found = _of_class(node, cansas) or list(node.find("NX_class", nexus))
    if not found:
        inside = (_first(i, cansas, nexus) for i in node.find("NX_class", "NXinstrument"))
        return next((i for i in inside if i), None)
    return found[0]


def _entries(group: Node, taken: set[str], warnings: list[str]) -> list[Entry]:
    source = _first(group, "SASsource", "NXsource")
    technique = technique_of(source.text("radiation") or source.text("probe") if source else "")
    title = group.text("title")
    conditions = {k: q for k, q in _conditions(group, source, warnings).items() if q is not None}
    metadata = tidy_metadata(group.tree())
    made = []
    sets = _of_class(group, "SASdata") + _of_class(group, "SAStransmission_spectrum")
    for data in sets:
        spectrum = _is_spectrum(data)
        own = data.attributes.get("name") or data.attributes.get("canSAS_name") or data.name
        name = f"transmission {own}" if spectrum else str(own) if len(sets) > 1 or not title else title
        try:
            axes, signals = _data(data, name, warnings)
            made.append(
                Entry(
                    name=unique(name, taken),
                    technique=technique,
                    axes=axes,
                    signals=signals,
                    title=" – ".join(dict.fromkeys(clean_text(t).strip() for t in (title, name) if t)),
                    conditions=conditions,
                    original_metadata=metadata,
                )
            )
        except MeasurementError as e:
            raise ReadError(f"{data.path}: the parts do not fit together: {e}") from None
    return made


# --- one SASdata --------------------------------------------------------------------------------------------


def _data(group: Node, name: str, warnings: list[str]) -> tuple[tuple[Axis, ...], tuple[Signal, ...]]:
    main = str(group.attributes.get("signal") or "I")
    found = {n: d for n, d in group.arrays.items() if d.dtype.kind in "fiub" and _fits(d)}
    if main not in found:
        raise ReadError(f"{group.path} has no data set {main!r}, which it names as its signal")
    values = found[main][()]
    if values.ndim == 0 or values.size == 0:
        raise ReadError(f"{group.path}/{main} holds no values")
    axes, coordinates, used = _axes(group, found, values.shape, name, warnings)
    over = tuple(a.name for a in axes)
    errors = _uncertainty(group, found, main, values.shape)
    used |= {main, *errors}
    uncertainty = found[errors[0]][()] if errors else None
    if uncertainty is not None:
        uncertainty = np.asarray(uncertainty, dtype=np.result_type(uncertainty, np.float32))
    signals = [
        Signal(
            _NAMES.get(main, "intensity"), values, _unit(found[main], name, warnings), over, "", uncertainty
        )
    ]
    taken = {*over, signals[0].name} | {c.name for c in coordinates}
    signals += coordinates
    for key, further in found.items():
        if key in used:
            continue
        dims = _dimensions(further.shape, values.shape, over)
        if dims is None:
            warnings.append(
                f"{name}: {key} has the shape {further.shape}, which fits no axis; it was left out."
            )
            continue
        own = unique(_NAMES.get(key, key), taken)
        unit = None if further.dtype.kind == "b" else _unit(further, f"{name}, {key}", warnings)
        signals.append(Signal(own, further[()], unit, dims, key))
    return axes, tuple(signals)


def _unit(found: Any, what: str, warnings: list[str]) -> str | None:
    # Mantid's first writers say "unit".
    return unit_of(str(attribute(found, "units") or attribute(found, "unit") or ""), what, warnings)


def _fits(held: Any) -> bool:
    if held.size * held.dtype.itemsize > _MOST_ARRAY:
        raise ReadError(
            f"{held.name} has the shape {held.shape}, which is more than the {_MOST_ARRAY // 1024**2} MiB that are read"
        )
    return True


def _uncertainty(group: Node, found: dict[str, Any], main: str, shape: tuple[int, ...]) -> list[str]:
    named = [
        *(attribute(found[main], key) for key in ("uncertainties", "uncertainty")),
        *(group.attributes.get(key) for key in (f"{main}_uncertainties", f"{main}_uncertainty")),
    ]
    return [n for n in (*map(str, named), f"{main}dev") if n in found and found[n].shape == shape][:1]


def _axes(
    group: Node, found: dict[str, Any], shape: tuple[int, ...], name: str, warnings: list[str]
) -> tuple[tuple[Axis, ...], list[Signal], set[str]]:
    """Axes of a shape, coordinates that vary over several of them as signals, and the names that they used."""
    names = ["lambda"] if _is_spectrum(group) else _words(group.attributes.get("I_axes")) or ["Q"]
    plane = len(shape) > 1 and (names.count("Q") > 1 or ("Qx" in found and "Qy" in found))
    taken: set[str] = set()
    axes: list[Axis] = []
    used: set[str] = set()
    for position, length in enumerate(shape[:-2] if plane else shape):
        key = names[position] if position < len(names) else ""
        values = _positions(found.get(key), length)
        if values is None:
            warnings.append(
                f"{name}: no positions are stored along dimension {position + 1}; it is numbered."
            )
            axes.append(Axis(unique("frame", taken), np.arange(length), ""))
        else:
            used.add(key)
            unit = _unit(found[key], f"{name}, {key}", warnings)
            axes.append(Axis(unique(_NAMES.get(key, key), taken), values, unit))
    if not plane:
        return tuple(axes), [], used
    qx_first = names[-2:] == ["Qx", "Qy"]
    inner, beside, components = _plane(found, shape, tuple(a.name for a in axes), qx_first, name, warnings)
    return (*axes, *inner), beside, used | components


def _positions(held: Any, length: int) -> NDArray[Any] | None:
    """Positions along a dimension; the middles, where the edges of bins are stored."""
    if held is None or held.shape not in ((length,), (length + 1,)):
        return None
    values: NDArray[Any] = held[()]
    if not np.all(np.isfinite(values)):
        raise ReadError(f"{held.name} holds values that are no numbers")
    return values if len(values) == length else (values[:-1] + values[1:]) / 2


def _words(stated: Any) -> list[str]:
    if isinstance(stated, list):
        return [str(w) for w in stated]
    return [w.strip() for w in str(stated or "").replace(" ", ",").split(",") if w.strip()]


def _plane(
    found: dict[str, Any],
    shape: tuple[int, ...],
    outer: tuple[str, ...],
    qx_first: bool,
    name: str,
    warnings: list[str],
) -> tuple[tuple[Axis, Axis], list[Signal], set[str]]:
    """The last two dimensions: over qy and qx where they are a grid, else over pixels with qx, qy as signals."""
    parts: dict[str, tuple[NDArray[Any], Any]] = {
        key: (found[key][()], found[key]) for key in ("Qx", "Qy", "Qz") if key in found
    }
    q = found.get("Q")
    used: set[str] = set(parts)
    if q is not None and q.shape[1:] in (shape, shape[-2:]) and q.shape[0] in (2, 3):
        whole = q[()]
        used.add("Q")
        parts = {key: (whole[i], q) for i, key in enumerate(("Qx", "Qy", "Qz")[: q.shape[0]])}
    unit = _unit(next(iter(parts.values()))[1], f"{name}, q", warnings) if parts else None
    if "Qx" in parts and "Qy" in parts:
        qx, qy = parts["Qx"][0], parts["Qy"][0]
        if qx_first and (qx.shape, qy.shape) == (shape[-2:-1], shape[-1:]):  # told so, one position a row
            return (Axis("qx", qx, unit, "qx"), Axis("qy", qy, unit, "qy")), [], used
        along = _grid(qx, qy, shape[-2:])
        if along is not None:
            return (Axis("qy", along[0], unit, "qy"), Axis("qx", along[1], unit, "qx")), [], used
    pixels = (Axis("y", np.arange(shape[-2]), "pixel"), Axis("x", np.arange(shape[-1]), "pixel"))
    dims = {shape: (*outer, "y", "x"), shape[-2:]: ("y", "x")}
    beside = [
        Signal(_NAMES[key], values, unit, dims[values.shape], _NAMES[key])
        for key, (values, _) in parts.items()
        if values.shape in dims
    ]
    if len(beside) < len(parts):
        warnings.append(
            f"{name}: the positions of q fit neither the rows and columns nor the pixels; they are numbered."
        )
    return pixels, beside, used


def _grid(
    qx: NDArray[Any], qy: NDArray[Any], shape: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """(qy of the rows, qx of the columns), if they are that; transposed patterns are left over pixels."""
    if qx.shape == (shape[1],) and qy.shape == (shape[0],):
        rows, columns = qy, qx
    elif qx.shape == qy.shape == shape and np.all(qx == qx[:1]) and np.all(qy == qy[:, :1]):
        rows, columns = qy[:, 0], qx[0]
    else:
        return None
    return (rows, columns) if np.all(np.isfinite(rows)) and np.all(np.isfinite(columns)) else None


def _dimensions(
    shape: tuple[int, ...], whole: tuple[int, ...], over: tuple[str, ...]
) -> tuple[str, ...] | None:
    if shape == whole:
        return over
    if len(shape) == 2 and shape == whole[-2:]:
        return over[-2:]
    for length, name in zip(whole[::-1], over[::-1], strict=True):
        if shape == (length,):
            return (name,)
    return None


# --- what is around the data --------------------------------------------------------------------------------


def _conditions(group: Node, source: Node | None, warnings: list[str]) -> dict[str, Quantity | None]:
    sample = _first(group, "SASsample", "NXsample")
    instruments = _of_class(group, "SASinstrument")
    detectors = [d for i in instruments for d in _of_class(i, "SASdetector")]

    def value(owner: Node | None, *names: str, default: str | None = None) -> Quantity | None:
        for name in names:
            held = owner.values.get(name) if owner else None
            if owner and isinstance(held, (int, float)) and not isinstance(held, bool):
                unit = _unit(owner.arrays[name], name, warnings)
                return amount(held, default if unit is None else unit)
        return None

    def stated(owner: Node | None, *names: str) -> Quantity | None:
        return word(next((t for n in names if owner and (t := owner.text(n))), ""))

    distances = [q for d in detectors if (q := value(d, "SDD", "distance")) is not None]
    wavelengths = [value(owner, "incident_wavelength", "wavelength") for owner in (source, *instruments)]
    return {
        "radiation": stated(source, "radiation", "probe"),
        "wavelength": next((q for q in wavelengths if q), None),
        "wavelength_minimum": value(source, "wavelength_min"),
        "wavelength_maximum": value(source, "wavelength_max"),
        "wavelength_spread": value(source, "incident_wavelength_spread", "wavelength_spread", default=""),
        "sample_detector_distance": distances[-1] if distances else None,
        "detector": word("; ".join(t for t in (d.text("name") for d in detectors) if t)),
        "transmission": value(sample, "transmission", default=""),
        "sample_thickness": value(sample, "thickness"),
        "temperature": value(sample, "temperature"),
        "sample_details": stated(sample, "details"),
        "run": stated(group, "run"),
        "instrument": stated(instruments[0] if instruments else None, "name"),
    }


READER = Reader(
    name="nxcansas",
    version="3",
    techniques=("saxs", "sans", "sas"),
    vendor="canSAS",
    format="NXcanSAS (HDF5)",
    endings=(".h5", ".hdf5", ".hdf", ".nxs", ".nxcansas"),
    sniff=sniff,
    read=read,
    notes="All entries: curves, patterns over qx and qy, series, transmission spectra; uncertainties, resolution and "
    "masks.",
)
