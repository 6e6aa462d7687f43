"""Nanonis spectroscopy and its like, ``.dat``: a header of tab-separated lines, ``[DATA]``, a table.

Bias spectroscopy (STS), Z spectroscopy, frequency sweeps, spectra, history. Facts: SPECS Zurich, "Nanonis file
formats".
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity, Signal, clean_text, make_name, table, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError

_MARK = b"\n[DATA]"
_MOST_BYTES = 512 * 1024**2
#: A column is ``Current (A)``, with words in brackets before or after: ``[AVG]``, ``[bwd]``, ``[filt]``, ``[00001]``.
_MARK_OF = re.compile(r"\s*\[([^\]]*)\]\s*")
_UNIT_OF = re.compile(r"\s*\(([^()]*)\)\s*$")
_MARKS = {"bwd": "backward", "filt": "filtered", "avg": "average"}
#: A sweep's experiment → technique. What is not here is told apart by its channels.
_TECHNIQUES = {"bias spectroscopy": "sts", "z spectroscopy": "afm_force"}


def sniff(src: RawInput) -> float:
    if not src.head.startswith(b"Experiment\t"):
        return NO
    head = src.head.replace(b"\r\n", b"\n")
    return CERTAIN if _MARK in head or b"NanonisMain>" in head else LIKELY


def read(src: RawInput) -> Measurement:
    data = src.read_bytes(_MOST_BYTES).replace(b"\r\n", b"\n")
    at = data.find(_MARK)
    if at < 0:
        raise ReadError("there is no '[DATA]' line, so no data; the file is cut off or nothing was measured")
    header = _header(_spm.decode(data[:at]))
    titles, _, body = data[at + len(_MARK) :].lstrip(b"\n").partition(b"\n")
    warnings: list[str] = []
    names = [n for n in _spm.decode(titles).split("\t") if n.strip()]
    values = _numbers(body, len(names), data.count(b"\n", 0, at) + 3)
    columns = _columns(names, values, warnings)
    experiment = header.get("Experiment", "").strip()
    technique = _TECHNIQUES.get(experiment.casefold(), "spm")
    entry = _spm.made(
        "the table", table, "spectrum", technique, columns,
        x=columns[0].name, default=_default(columns, header), title=experiment,
        conditions=_conditions(header),
        started=_spm.moment(_spm.fill(header, "Start time", "Saved Date", "Date"), "%d.%m.%Y %H:%M:%S"),
    )  # fmt: skip
    return _spm.measurement(
        [entry],
        warnings,
        title=src.name,
        instrument="Nanonis",
        operator=header.get("User", "").strip(),
        original_metadata=tidy_metadata(header),
    )


def _header(text: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in text.split("\n"):
        key, tab, value = line.partition("\t")
        if tab:
            header[key] = value.rstrip("\t")
    return header


def _numbers(body: bytes, width: int, first_line: int) -> NDArray[np.float64]:
    """The table, shape (columns, rows)."""
    if not width:
        raise ReadError(f"line {first_line - 1} names no column; the file is damaged")
    try:
        values = _spm.floats(body.split())
    except ValueError:
        values = np.empty(0)
    rows = body.strip(b"\n").count(b"\n") + 1 if body.strip() else 0
    if values.size and values.size == rows * width:
        return np.ascontiguousarray(values.reshape(rows, width).T)
    kept = []
    for i, line in enumerate(body.rstrip(b"\n").split(b"\n") if body.strip() else []):
        cells = line.rstrip(b"\t ").split(b"\t")
        if len(cells) != width:
            raise ReadError(
                f"line {first_line + i} has {len(cells)} values for {width} columns; the file is cut off or damaged"
            )
        kept.append([_cell(c) for c in cells])
    if not kept:
        raise ReadError(
            "there is no row of numbers below '[DATA]'; the file is cut off or nothing was measured"
        )
    return np.array(kept).T.copy()


def _cell(cell: bytes) -> float:
    """A number; a gap where there is none."""
    try:
        return float(cell.replace(b",", b"."))
    except ValueError:
        return float("nan")


def _columns(names: list[str], values: NDArray[np.float64], warnings: list[str]) -> tuple[Signal, ...]:
    columns = []
    for title, column in zip(names, values, strict=True):
        marks = _MARK_OF.findall(title)
        plain = _MARK_OF.sub(" ", title).strip()
        unit = match[1] if (match := _UNIT_OF.search(plain)) else ""
        plain = _UNIT_OF.sub("", plain)
        name = _spm.channel_name(plain)
        name = "_".join([name, *(_MARKS.get(m.casefold(), make_name(m)) for m in marks)])
        unit_known = _spm.known_unit(unit, f"column {title}", warnings)
        columns.append(Signal(name, column, unit_known, long_name=clean_text(title.strip())))
    # The set bias and the measured one are two columns.
    if columns[0].long_name.startswith("Bias calc"):
        columns[1:] = [replace(c, name=c.name.replace("bias", "bias_measured", 1)) if c.name.startswith("bias") else c
                       for c in columns[1:]]  # fmt: skip
    return _spm.unique(columns)


def _default(columns: tuple[Signal, ...], header: dict[str, str]) -> str:
    """dI/dV if the lock-in ran over the bias, else the current; over the height the force's measure."""
    wanted = (
        ["frequency_shift", "amplitude", "current"]
        if columns[0].name == "z"
        else ["current", "frequency_shift"]
    )
    if _spm.fill(header, "Lock-in>Lock-in status").upper() == "ON":
        wanted.insert(0, "lock_in_1_x")
    return _spm.first_of(columns[1:] or columns, [name + end for name in wanted for end in ("_average", "")])


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    def value(unit: str, *keys: str) -> Quantity | None:
        return _spm.with_unit(_spm.number(_spm.fill(header, *keys)), unit)

    modulated = header.get("Lock-in>Modulated signal", "")
    volts = "V" if modulated.endswith("(V)") else "m" if modulated.endswith("(m)") else None
    amplitude = value(volts, "Lock-in>Amplitude") if volts else None
    lock_in = header.get("Lock-in>Lock-in status", "").strip().upper() == "ON"
    return _spm.told(
        position_x=value("m", "X (m)"),
        position_y=value("m", "Y (m)"),
        position_z=value("m", "Z (m)"),
        z_offset=value("m", "Z offset (m)"),
        settling_time=value("s", "Settling time (s)", "Bias Spectroscopy>Settling time (s)"),
        integration_time=value("s", "Integration time (s)", "Bias Spectroscopy>Integration time (s)"),
        bias_voltage=value("V", "Bias>Bias (V)"),
        repetitions=_spm.number(header.get("Bias Spectroscopy>Number of sweeps")),
        modulation_frequency=value("Hz", "Lock-in>Frequency (Hz)") if lock_in else None,
        modulation_amplitude=amplitude if lock_in else None,
        setpoint=_spm.quantity(_setpoint(header)),
        imaging_mode=header.get("Z-Controller>Controller name"),
        software_version=header.get("NanonisMain>SW Version"),
    )


def _setpoint(header: dict[str, str]) -> str:
    return f"{header.get('Z-Controller>Setpoint', '')} {header.get('Z-Controller>Setpoint unit', '')}"


READER = Reader(
    name="nanonis_dat",
    version="2",
    techniques=("sts", "afm_force", "spm"),
    vendor="SPECS Nanonis",
    format="spectroscopy (DAT)",
    endings=(".dat",),
    sniff=sniff,
    read=read,
    notes="Bias and Z spectroscopy, frequency sweeps and other tables: every column, backward and filtered ones too.",
)
