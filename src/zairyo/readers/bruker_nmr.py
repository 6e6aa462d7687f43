"""Bruker NMR (XWIN-NMR, TopSpin): a numbered folder with ``acqus``, ``fid`` or ``ser``, ``pdata``; or a zip of such.

Facts: parameters are JCAMP-DX labels; ``fid`` and ``ser`` are int32 (or float64, DTYPA 2) times 2**NC, each row of
``ser`` filled up to 1024 bytes; processed data are int32 (or float64, DTYPP 2) times 2**NC_proc, in submatrices of
XDIM points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, clean_text, make_name, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_nmr_filter import group_delay
from zairyo.readers._folder import Folder, roots
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._nmr import Conditions, Dimension, check_size, from_blocks, nmr_entry, nucleus_of
from zairyo.readers._separation import unique

_LARGEST_TEXT = 8 << 20
_MOST_EXPERIMENTS = 500
_ROW = 1024  # bytes that each row of a ser is filled up to a multiple of
_PROCESSED = ((1, "1r", "1i"), (2, "2rr", "2ii"), (3, "3rrr", "3iii"))
_TEXTS = ("pulseprogram", "audita.txt", "vdlist", "vclist", "vplist", "difflist", "fq1list", "nuslist")
#: Lists that an experiment goes through, an entry for each increment → what it sets, what a number without a unit is
#: in (s, T/m for G/cm), and the command of the pulse program that goes on to the next entry.
_LISTS = {
    "vdlist": ("delay", 1.0, r"\bivd\b"),
    "vplist": ("pulse_duration", 1e-6, r"\bivp\b"),
    "vclist": ("loop_count", 1.0, r"\bivc\b"),
    "difflist": ("gradient", 1e-2, r"\bigrad\s+diff"),
}
_SECONDS = {"": None, "n": 1e-9, "u": 1e-6, "m": 1e-3, "s": 1.0}
_COMPLEX = (1, 3, 4)  # AQ_mod: quadrature at once or in turn, digital quadrature; 0 and 2 are real points

Parameters = dict[str, Any]


@dataclass(frozen=True)
class _Experiment:
    """One experiment's folder and its parameters, the direct dimension's first."""

    folder: Folder
    name: str
    acquired: list[Parameters]

    def parameter(self, name: str, default: Any = None) -> Any:
        return self.acquired[0].get(name, default) if self.acquired else default


def sniff(src: RawInput) -> float:
    if src.is_folder:
        names = {m.lower() for m in src.members if m.count("/") == 0}
        data = {"fid", "ser"} & names or any(re.match(r"pdata/\d+/[1-4][ri]+\Z", m) for m in src.members)
        return CERTAIN if "acqus" in names and data else NO
    return (
        CERTAIN if src.members and any(_holds_data(Folder(src, root)) for root in roots(src, "acqus")) else NO
    )


def _holds_data(folder: Folder) -> bool:
    return folder.has("fid") or folder.has("ser") or bool(_processed(folder))


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    metadata: dict[str, Any] = {}
    places = [root for root in roots(src, "acqus") if _holds_data(Folder(src, root))][:_MOST_EXPERIMENTS]
    if src.is_folder:
        places = [root for root in places if root == ""]
    experiments = []
    for root in places:
        folder = Folder(src, root)
        name = PurePosixPath(root).name or src.path.name
        experiment = _Experiment(folder, name, _acquired(folder))
        experiments.append(experiment)
        prefix = make_name(f"{name}_", "experiment") + "_" if len(places) > 1 else ""
        found, told = _entries(experiment, prefix, taken, warnings)
        entries += found
        metadata[name] = told
    if not entries:
        raise ReadError(
            f"{src.path.name} has no fid, ser or processed data of TopSpin in it; it may be cut off. Copy it again."
        )
    first = experiments[0]
    title = entries[0].title
    return Measurement(
        entries=tuple(entries),
        title=title.splitlines()[0] if title else first.name,
        operator=_plain(first.parameter("OWNER", "")),
        instrument=f"Bruker {_plain(first.parameter('INSTRUM', ''))}".strip(),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _plain(value: Any) -> str:
    return clean_text(str(value)).strip("<> ")


# --- parameters ---------------------------------------------------------------------------------------------


def _parameters(folder: Folder, names: tuple[str, ...]) -> list[Parameters]:
    found = []
    for name in names:
        if not folder.has(name):
            break
        found.append(parse_parameters(decode_legacy(folder.read(name, _LARGEST_TEXT))))
    return found


def _acquired(folder: Folder) -> list[Parameters]:
    """The acquired dimensions' parameters. A folder that held another experiment before keeps its ``acqu2s``."""
    found = _parameters(folder, ("acqus", "acqu2s", "acqu3s", "acqu4s"))
    mode = found[0].get("PARMODE") if found else None
    if folder.has("ser"):
        return found[: mode + 1] if isinstance(mode, int) and 1 <= mode <= 3 else found
    return found if any(folder.has(f"pdata/{n}/2rr") for n in range(1, 10)) else found[:1]


_LABEL = re.compile(r"^##\$?([^=\n]*)=[ \t]*", re.MULTILINE)


def parse_parameters(text: str) -> Parameters:
    """``##$NS= 8`` and ``##$D= (0..31)`` with its values on the next lines; comments after ``$$`` are left out."""
    found: Parameters = {}
    labels = list(_LABEL.finditer(text))
    for i, label in enumerate(labels):
        body = text[label.end() : labels[i + 1].start() if i + 1 < len(labels) else len(text)]
        body = re.sub(r"^\$\$.*$", "", body, flags=re.MULTILINE).strip()
        if label[1].strip() and label[1].strip() != "END":
            found[clean_text(label[1].strip())] = _value(body)
    return found


def _value(text: str) -> Any:
    if array := re.match(r"\(\d+\.\.\d+\)\s*", text):
        body = text[array.end() :]
        parts = re.findall(r"<[^>]*>|\S+", body)
        return [_value(part) for part in parts]
    if text.startswith("<"):
        return clean_text(text.strip("<>"))
    plain = text.partition("$$")[0].strip()
    for kind in (int, float):
        try:
            number = kind(plain)
        except (ValueError, OverflowError):
            continue
        return number if abs(number) < 2**63 else clean_text(plain)
    return clean_text(plain)


def _integer(parameters: Parameters, name: str, default: int = 0) -> int:
    value = parameters.get(name, default)
    return int(value) if isinstance(value, (int, float)) and abs(value) < 2**31 else default


def _number(parameters: Parameters, name: str, default: float = 0.0) -> float:
    value = parameters.get(name, default)
    return float(value) if isinstance(value, (int, float)) else default


def _element(parameters: Parameters, name: str, index: int) -> Any:
    values = parameters.get(name)
    return values[index] if isinstance(values, list) and len(values) > index else None


# --- entries ------------------------------------------------------------------------------------------------


def _entries(
    experiment: _Experiment, prefix: str, taken: set[str], warnings: list[str]
) -> tuple[list[Entry], dict[str, Any]]:
    """What a person looks at first comes first: processed data, by their number, then what was acquired."""
    folder = experiment.folder
    names = ("acqus", "acqu2s", "acqu3s", "acqu4s")
    told: dict[str, Any] = dict(zip(names, experiment.acquired, strict=False))
    told |= {name: decode_legacy(folder.read(name, _LARGEST_TEXT)) for name in _TEXTS if folder.has(name)}
    shared: dict[str, Any] = {"conditions": _conditions(experiment), "started": _started(experiment)}
    title = ""
    entries: list[Entry] = []
    for number, processed in _processed(folder).items():
        text = _title(processed)
        title = title or text
        entry, parameters = _spectrum(
            experiment, processed, number, {**shared, "title": text or experiment.name}, warnings
        )
        name = unique(taken, f"{prefix}spectrum" if not entries else f"{prefix}spectrum_{number}")
        entries.append(_named(entry, name))
        told[f"pdata/{number}"] = parameters
    for name in ("fid", "ser"):
        if folder.has(name):
            decay = _decay(
                experiment, name, {**shared, "title": f"{title or experiment.name}: {name}"}, warnings
            )
            entries.append(_named(decay, unique(taken, f"{prefix}fid")))
    return entries, told


def _named(entry: Entry, name: str) -> Entry:
    return replace(entry, name=name)


def _processed(folder: Folder) -> dict[int, Folder]:
    """Numbers of the processings that hold data → their folders."""
    found = {}
    for name in folder.names:
        match = re.fullmatch(r"pdata/(\d{1,6})/(1r|2rr|3rrr)", name)
        if match and folder.has(f"pdata/{match[1]}/procs"):
            found[int(match[1])] = folder.below(f"pdata/{match[1]}")
    return dict(sorted(found.items()))


def _title(processed: Folder) -> str:
    if not processed.has("title"):
        return ""
    lines = (line.strip() for line in decode_legacy(processed.read("title", _LARGEST_TEXT)).splitlines())
    return clean_text("\n".join(line for line in lines if line))[:500]


def _started(experiment: _Experiment) -> datetime | None:
    stamp = experiment.parameter("DATE_START") or experiment.parameter("DATE")
    if isinstance(stamp, (int, float)) and 0 < stamp < 1e11:
        return datetime.fromtimestamp(stamp, UTC)
    return None


def _conditions(experiment: _Experiment) -> Conditions:
    found = Conditions()
    if not experiment.acquired:
        return found
    p = experiment.acquired[0]
    found.text("nucleus", p.get("NUC1") or p.get("NUCLEUS"))
    found.number("observe_frequency", p.get("SFO1"), "MHz")
    found.text("solvent", p.get("SOLVENT"))
    found.text("pulse_sequence", p.get("PULPROG"))
    found.number("temperature", p.get("TE"), "K")
    found.number("repetitions", p.get("NS"), "")
    found.number("dummy_scans", p.get("DS"), "", positive=False)
    found.number("receiver_gain", p.get("RG"), "")
    found.number("spectral_width", p.get("SW_h"), "Hz")
    found.number("relaxation_delay", _element(p, "D", 1), "s")
    found.number("pulse_width", _element(p, "P", 1), "us")
    found.number("spinning_rate", p.get("MASR"), "Hz")
    found.text("probe", p.get("PROBHD"))
    found.text("software", p.get("TITLE", "").partition(",")[2] if isinstance(p.get("TITLE"), str) else None)
    points, width = _number(p, "TD"), _number(p, "SW_h")
    if points > 0 and width > 0:
        found.number("acquisition_time", points / 2 / width, "s")
    if (
        delay := group_delay(_number(p, "GRPDLY", -1), _integer(p, "DSPFVS"), _number(p, "DECIM"))
    ) is not None:
        found.number("digital_filter_delay", delay, "")
    if len(experiment.acquired) > 1:
        second = experiment.acquired[1]
        found.text("indirect_nucleus", second.get("NUC1") or second.get("NUCLEUS"))
        found.number("indirect_frequency", second.get("SFO1"), "MHz")
        found.number("indirect_spectral_width", second.get("SW_h"), "Hz")
    if "nucleus" in found:
        found.text("nucleus", nucleus_of(str(found["nucleus"].value)))
    return found


def _decay(experiment: _Experiment, name: str, shared: dict[str, Any], warnings: list[str]) -> Entry:
    """The free induction decays, complex, as the digitiser gave them (times 2**NC); shape (increments, points)."""
    p = experiment.acquired[0] if experiment.acquired else {}
    data = experiment.folder.read(name)
    order = ">" if _integer(p, "BYTORDA", 1) == 1 else "<"
    kind = np.dtype(f"{order}f8" if _integer(p, "DTYPA") == 2 else f"{order}i4")
    points = _integer(p, "TD")
    if points < 2:
        raise ReadError(
            f"acqus gives no number of points (TD is {p.get('TD')!r}); it is damaged. Copy the folder again."
        )
    rows = [_integer(other, "TD", 1) for other in experiment.acquired[1:]] if name == "ser" else []
    is_sparse = experiment.folder.has("nuslist") and _integer(p, "FnTYPE") == 2
    values = _rows(data, kind, points, rows, name, warnings, is_sparse)
    is_complex = _integer(p, "AQ_mod", 3) in _COMPLEX
    scale = 2.0 ** max(-64, min(64, _integer(p, "NC")))
    numbers = values[..., 0 : points // 2 * 2].astype(float) * scale
    width = _number(p, "SW_h") or 1.0
    decay = numbers[..., ::2] + 1j * numbers[..., 1::2] if is_complex else numbers
    step = 1 / width if is_complex else 1 / (2 * width)
    first = [] if is_sparse else [_counted(experiment, n, decay.ndim) for n in decay.shape[:-1]]
    dimensions = first or [Dimension(n, "increment") for n in decay.shape[:-1]]
    return nmr_entry("fid", [*dimensions, Dimension(decay.shape[-1], "time", 0.0, step)], decay, **shared)


def _counted(experiment: _Experiment, points: int, rank: int) -> Dimension:
    """Increments: of the one list that the pulse program goes through, or only counted.

    What else they stand for (evolution times, phases) is the pulse program's secret.
    """
    folder, found = experiment.folder, []
    if rank == 2 and folder.has("pulseprogram"):
        lines = decode_legacy(folder.read("pulseprogram", _LARGEST_TEXT)).splitlines()
        program = "\n".join(line.partition(";")[0] for line in lines)
        for name, (kind, bare, taken) in _LISTS.items():
            if folder.has(name) and re.search(taken, program):
                values = _list_of(decode_legacy(folder.read(name, _LARGEST_TEXT)), bare)
                found.append(Dimension(points, kind, listed=values[:points]))
    if len(found) != 1 or found[0].listed is None or len(found[0].listed) < points:
        return Dimension(points, "increment")
    return found[0]


def _list_of(text: str, bare: float) -> Array:
    """The entries of a list, as far as they are numbers: ``0.5s``, ``100m``, ``20u``, ``4``; shape (entries,)."""
    values = []
    for line in text.split():
        match = re.fullmatch(r"([\d.]+(?:[eE][-+]?\d+)?)([num]?s?)", line)
        if match is None or match[1].count(".") > 1 or match[1] == ".":
            break
        values.append(float(match[1]) * (_SECONDS[match[2][:1]] or bare))
    return np.array(values) if np.isfinite(values).all() else np.zeros(0)


def _rows(
    data: bytes,
    kind: np.dtype[Any],
    points: int,
    rows: list[int],
    name: str,
    warnings: list[str],
    is_sparse: bool = False,
) -> Array:
    """Shape (points,) of a fid; (increments, points) of a ser, whose rows are filled up to 1024 bytes."""
    there = len(data) // kind.itemsize
    if not rows:
        check_size([points], there, name)
        return np.frombuffer(data, kind, points)
    count = int(np.prod([max(n, 1) for n in rows], dtype=object))
    filled = -(-points * kind.itemsize // _ROW) * _ROW // kind.itemsize
    stride = points if there == count * points else filled
    complete = there // stride
    if complete < 1 or count > 10**7:
        check_size([count, stride], there, name)
    if complete < count:
        # An experiment that was stopped is cut at a whole increment; anything else is a copy that broke off.
        if there % stride or len(data) % kind.itemsize:
            check_size([count, stride], there, name)
        warnings.append(
            f"{complete} of {count} increments were sampled, those that nuslist (in the metadata) tells; they are kept."
            if is_sparse
            else f"The experiment was stopped: {complete} of {count} increments were acquired; they are kept."
        )
        rows = [complete]
    shape = [max(n, 1) for n in reversed(rows)]
    check_size([*shape, stride], there, name)
    flat = np.frombuffer(data, kind, int(np.prod(shape)) * stride)
    return flat.reshape(*shape, stride)[..., :points]


def _spectrum(
    experiment: _Experiment, folder: Folder, number: int, shared: dict[str, Any], warnings: list[str]
) -> tuple[Entry, dict[str, Any]]:
    """One processing's spectrum (times 2**NC_proc), the real part and, where it is whole, the imaginary."""
    rank, real, imaginary = next(r for r in reversed(_PROCESSED) if folder.has(r[1]))
    names = ("procs", "proc2s", "proc3s")[:rank]
    parameters = _parameters(folder, names)
    if len(parameters) < rank:
        raise ReadError(
            f"pdata/{number} has {real}, but not {names[len(parameters)]}; copy the folder again."
        )
    shape = [_integer(p, "SI") for p in reversed(parameters)]
    values = _values(folder, real, parameters, shape)
    other = None
    if rank == 1 and folder.has(imaginary):
        other = _values(folder, imaginary, parameters, shape)
    dimensions = [
        _dimension(p, n, rank, k) for k, (p, n) in enumerate(zip(reversed(parameters), shape, strict=True))
    ]
    if dimensions[0].kind == "increment":
        rows = _integer(experiment.acquired[1], "TD") if rank == 2 and len(experiment.acquired) > 1 else 0
        if 0 < rows < shape[0] and not values[rows:].any():  # filled up to a power of two
            values = values[:rows]
        dimensions[0] = _counted(experiment, len(values), rank)
    conditions = Conditions(shared["conditions"])
    conditions.number("line_broadening", parameters[0].get("LB"), "Hz")
    told = dict(zip(names, parameters, strict=True))
    return nmr_entry("spectrum", dimensions, values, other, **{**shared, "conditions": conditions}), told


def _dimension(parameters: Parameters, points: int, rank: int, index: int) -> Dimension:
    direct = index == rank - 1
    frequency, width = _number(parameters, "SF"), _number(parameters, "SW_p")
    if _integer(parameters, "FT_mod", 6) == 0 and not direct:
        return Dimension(points, "increment")
    if _integer(parameters, "FT_mod", 6) == 0 and width > 0:
        return Dimension(points, "time", 0.0, 1 / width)
    if frequency <= 0 or width <= 0 or points < 1:
        raise ReadError(
            f"a dimension's parameters (SF {parameters.get('SF')!r}, SW_p {parameters.get('SW_p')!r}) give no chemical "
            "shift; they are damaged. Copy the folder again."
        )
    return Dimension(points, "shift", _number(parameters, "OFFSET"), -width / frequency / points)


def _values(folder: Folder, name: str, parameters: list[Parameters], shape: list[int]) -> Array:
    data = folder.read(name)
    p = parameters[0]
    order = ">" if _integer(p, "BYTORDP") == 1 else "<"
    kind = np.dtype(f"{order}f8" if _integer(p, "DTYPP") == 2 else f"{order}i4")
    check_size(shape, len(data) // kind.itemsize, name)
    flat = np.frombuffer(data, kind, int(np.prod(shape)))
    block = [_integer(q, "XDIM") for q in reversed(parameters)]
    if any(b <= 0 or b > n or n % b for b, n in zip(block, shape, strict=True)):
        block = shape
    scale = 2.0 ** max(-64, min(64, _integer(p, "NC_proc")))
    return from_blocks(flat, shape, block) * scale


READER = Reader(
    name="bruker_nmr",
    version="3",
    techniques=("nmr",),
    vendor="Bruker",
    format="TopSpin experiment",
    endings=(".zip",),
    sniff=sniff,
    read=read,
    folders=("/acqus",),
    notes="Folders of XWIN-NMR and TopSpin, and zip archives of one or several: fid and ser, processed spectra of one "
    "to three dimensions with their submatrices; delays, pulses, loops or gradients that a pulse program takes from a "
    "list. The digital filter's delay is told, not removed. Not read: imaginary "
    "parts of several dimensions, peak lists, integrals.",
)
