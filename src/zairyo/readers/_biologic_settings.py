"""What an EC-Lab experiment was told to do: the settings of each technique, as the module ``VMP Set`` keeps them.

Facts: the module begins with the technique's number; the cell's description follows at fixed places; the
technique's own settings are a count of sequences, a count of settings and then a packed row a sequence, at one of
four places. From EC-Lab 11.50 on, fields that say against what a potential is meant take four bytes, not one.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Quantity
from zairyo.measurement.text import clean_text

_ROWS_AT = (0x572, 0x1845, 0x1846, 0x1847)
_MOST_ROWS = 1000

# A layout is text: type and name of each setting. Types: f float, b one byte, w four bytes, h two bytes, v one byte
# that is four from EC-Lab 11.50 on. A name "A (V) vs." belongs to the one before.
_LIMIT = "b {0}type;b {0}comp;b {0}Q;f {0}value;b {0}value_unit;b {0}action;w {0}seq"
_LIMIT_2 = "b {0}type;b {0}comp;h {0}Qprev_pct;b {0}Q;f {0}value;b {0}value_unit;b {0}action;w {0}seq"
_LIMITS = ";".join(_LIMIT.format(f"lim{k}_") for k in (1, 2, 3))
_LIMITS_2 = ";".join(_LIMIT_2.format(f"lim{k}_") for k in (1, 2, 3))
_RECORDS = "b rec_nb;" + ";".join(f"b rec{k}_type;f rec{k}_value;b rec{k}_value_unit" for k in (1, 2, 3))
_EIS_LIMITS = ";".join(
    f"b limit_type{k};b limit_comp{k};f limit_value{k};b limit_unit{k}" for k in range(1, 7)
)
_RANGE = "f E range min (V);f E range max (V)"
_RANGES = "b I Range;b I Range min;b I Range max;b I Range init;b Bandwidth"
_REST = "f tR (h:m:s);f dER/dt (mV/h);f dER (mV);f dtR (s)"
_LOOP = "w goto Ns';w nc cycles"
_CA = (
    "f Ei (V);v Ei (V) vs.;f ti (h:m:s);f Imax;b unit Imax;f Imin;b unit Imin;f dQM;b unit dQM;b record;f dI;"
    f"b unit dI;f dQ;b unit dQ;f dt (s);f dta (s);{_RANGE};{_RANGES};{_LOOP}"
)
_CP = (
    "f Is;b unit Is;v unit Is vs.;f ts (h:m:s);f EM (V);f dQM;b unit dQM;b record;f dEs (mV);f dts (s);"
    f"{_RANGE};b I Range;b Bandwidth;{_LOOP}"
)
_CV = (
    f"f Ei (V);v Ei (V) vs.;f dE/dt;b dE/dt unit;f E1 (V);v E1 (V) vs.;b Step percent;w N;{_RANGE};{_RANGES};"
    "f E2 (V);v E2 (V) vs.;w nc cycles;v Reverse Scan;f Ef (V);v Ef (V) vs."
)
_CVA = (
    "f Ei (V);v Ei (V) vs.;f ti (h:m:s);f dti (s);f dE/dt;b dE/dt unit;f E1 (V);v E1 (V) vs.;f t1 (h:m:s);f dt1 (s);"
    f"b Step percent;w N;{_RANGE};{_RANGES};f E2 (V);v E2 (V) vs.;f t2 (h:m:s);f dt2 (s);w nc cycles;w nr;"
    "v Reverse Scan;f Ef (V);v Ef (V) vs.;f tf (h:m:s);f dtf (s)"
)
_LSV = (
    f"{_REST};f dE/dt;b dE/dt unit;f Ei (V);v Ei (V) vs.;f EL (V);v EL (V) vs.;b record;f dI;b unit dI;f tI (s);"
    f"b Step percent;w N;{_RANGE};{_RANGES}"
)
_GCPL = (
    "b Set I/C;f Is;b unit Is;v unit Is vs.;f N;v I sign;f t1 (h:m:s);b I Range;b Bandwidth;f dE1 (mV);f dt1 (s);"
    f"f EM (V);f tM (h:m:s);f Im;b unit Im;f dI/dt;b dunit dI/dt;{_RANGE};f dq;b unit dq;f dtq (s);f dQM;b unit dQM;"
    "f dxM;{soc}" + f"{_REST};f EL (V);{_LOOP}"
)
_EIS = (
    "b record;{step};f dt (s);f fi;b unit fi;f ff;b unit ff;w Nd;b Points;b spacing;{amplitude};f pw;w Na;b corr;"
    "b lim_nb;"
    + f"{_EIS_LIMITS};{_RANGE};b I Range;b Bandwidth;w nc cycles;{_LOOP.split(';')[0]};w nr cycles;"
    "b inc. cycle"
)
_PEIS = "b Mode;f E (V);v E (V) vs.;f tE (h:m:s);" + _EIS.format(step="f dI;b unit dI", amplitude="f Va (mV)")
_GEIS = "b Mode;f Is;b unit Is;v unit Is vs.;f tIs (h:m:s);" + _EIS.format(
    step="f dE (mV)", amplitude="b Ia/Va;f Ia;b unit Ia;f va pourcent"
)
_MP = (
    f"w Mode;{_REST};f Es (V);w Es (V) vs.;f ts (h:m:s);f dE/dt;b dE/dt unit;f Ei (V);w Ei (V) vs.;f Ef (V);"
    f"w Ef (V) vs.;{_RANGE};{_RANGES};b record;f dIp;b unit dIp;f dQp;b unit dQp;f dtp (s);f dts (s);b Step percent;"
    f"w N;f dQM;b unit dQM;f Imax;b unit Imax;f Imin;b unit Imin;{_LOOP}"
)
_BCD = (
    "b Set I/C 1;f Is1;b unit Is1;f N1;b I1 sign;f t1 (h:m:s);f EM1 (V);b EM1 vs.;f EM2 (V);b EM2 vs.;f dE1 (mV);"
    "f dt1 (s);b Hold NONE/EM1/EM2;f tM (h:m:s);b Set I limit;f Im;b unit Im;f Nl;b I Range;b Bandwidth;"
    f"{_RANGE};{_REST};b Charge/Discharge;b Set I/C 2;f Is2;b unit Is2;f N2;b I2 sign;f t2 (h:m:s);b Return Ei;b use C"
)
_CONTROL = ";".join(f"f ctrl{k}_val;b ctrl{k}_val_unit;b ctrl{k}_val_vs" for k in (1, 2, 3))
_MB = (
    "b ctrl_type;b Apply I/C;{first}" + f"{_CONTROL};f N;b charge/discharge;"
    "{second}w ctrl_seq;w ctrl_repeat;b ctrl_trigger;f ctrl_TO_t;b ctrl_TO_t_unit;w ctrl_Nd;w ctrl_Na;b ctrl_corr;"
    f"b lim_nb;{_LIMITS};{_RECORDS};{_RANGE};b I Range;b I Range min;b I Range max;b I Range init;b auto_rest;"
    "b Bandwidth"
)
_MB_MORE = "b charge/discharge_1;b Apply I/C_1;f N1;f ctrl4_val;b ctrl4_val_unit;"
_MB_1150 = (
    "h ctrl_type;h Apply I/C;h current/potential;f ctrl1_val;b ctrl1_val_unit;w ctrl1_val_vs;f ctrl2_val;"
    "b ctrl2_val_unit;w ctrl2_val_vs;f ctrl3_val;b ctrl3_val_unit;w ctrl3_val_vs;f N;b charge/discharge;"
    "h charge/discharge_1;w Apply I/C_1;f N1;f ctrl4_val;h ctrl4_val_unit;f ctrl5_val;h ctrl5_val_unit;w ctrl_tM;"
    "w ctrl_seq;b ctrl_repeat;w ctrl_trigger;f ctrl_TO_t;b ctrl_TO_t_unit;w ctrl_Nd;b ctrl_Na;w ctrl_corr;w lim_nb;"
    "{limits};"
    + f"{_RECORDS};{_RANGE};b I Range;b I Range min;b I Range max;b I Range init;w auto_rest;b Bandwidth"
)
_OCV = "f tR (h:m:s);f dER/dt (mV/h);{record}f dER (mV);f dtR (s);" + _RANGE


@dataclass(frozen=True)
class Technique:
    """One of EC-Lab's techniques: its short and full name, its key in the vocabulary, layouts of its settings."""

    short: str
    title: str
    key: str
    layouts: tuple[str, ...] = ()


_GCPLS = (_GCPL.replace("{soc}", ""), _GCPL.replace("{soc}", "f delta SoC (%);"))
_CYCLING = "Galvanostatic Cycling with Potential Limitation"
TECHNIQUES = {
    0x04: Technique("GCPL", _CYCLING, "battery_cycling", _GCPLS),
    0x06: Technique("CV", "Cyclic Voltammetry", "cyclic_voltammetry", (_CV,)),
    0x0B: Technique(
        "OCV",
        "Open Circuit Voltage",
        "open_circuit_potential",
        (_OCV.format(record=""), _OCV.format(record="b record;")),
    ),
    0x16: Technique("MP", "Modular Potentio", "electrochemistry", (_MP,)),
    0x18: Technique("CA", "Chronoamperometry / Chronocoulometry", "chronoamperometry", (_CA,)),
    0x19: Technique("CP", "Chronopotentiometry", "chronopotentiometry", (_CP,)),
    0x1C: Technique(
        "WAIT",
        "Wait",
        "electrochemistry",
        (
            "b select;w td (h:m:s);b from;b tech. num.;f date (m/d/y);f date (h:m:s);b record;f dE (mV);f dI;"
            "b unit dI;f dt (s)",
        ),
    ),
    0x1D: Technique("PEIS", "Potentio Electrochemical Impedance Spectroscopy", "eis", (_PEIS,)),
    0x1E: Technique("GEIS", "Galvano Electrochemical Impedance Spectroscopy", "eis", (_GEIS,)),
    0x30: Technique("CV", "Cyclic Voltammetry", "cyclic_voltammetry", (_CV,)),
    0x32: Technique(
        "ZIR",
        "IR compensation (PEIS)",
        "eis",
        (
            f"f E (V);b E (V) vs.;f f;b unit f;f Va (mV);f pw;w Na;{_RANGE};b I Range;b Bandwidth;b comp. level (%);"
            "b use results;b comp. mode",
        ),
    ),
    0x33: Technique("CVA", "Cyclic Voltammetry Advanced", "cyclic_voltammetry", (_CVA,)),
    0x6C: Technique("LSV", "Linear Sweep Voltammetry", "linear_sweep_voltammetry", (_LSV,)),
    0x75: Technique("CstV", "Constant Voltage", "chronoamperometry", (f"{_REST};{_CA}",)),
    0x76: Technique("CstC", "Constant Current", "chronopotentiometry", (f"{_REST};{_CP}",)),
    0x77: Technique("GCPL", _CYCLING, "battery_cycling", _GCPLS),
    0x7F: Technique(
        "MB",
        "Modulo Bat",
        "battery_cycling",
        (
            _MB.format(first="", second=""),
            _MB.format(first="", second=_MB_MORE),
            _MB.format(first="b current/potential;", second=_MB_MORE),
            _MB_1150.format(limits=_LIMITS),
            _MB_1150.format(limits=_LIMITS_2),
        ),
    ),
    0x88: Technique("BCD", "Battery Capacity Determination", "battery_cycling", (_BCD,)),
}

_CURRENTS = ("A", "mA", "µA", "nA", "pA")
_CHARGES = ("A.h", "mA.h", "µA.h", "nA.h", "pA.h")
_AGAINST = ("Eoc", "Ectrl", "Emeas", "Ei", "Ref")
_FREQUENCIES = ("MHz", "kHz", "Hz", "mHz")
#: Where the cell is described: place, type (p: a text after its length) and name.
_CELL = (
    (0x007, "p", "comments"),
    (0x107, "f", "active_material_mass_mg"),
    (0x10B, "f", "at_x"),
    (0x10F, "f", "molecular_weight"),
    (0x113, "f", "atomic_weight"),
    (0x117, "f", "acquisition_start_x"),
    (0x11B, "H", "electrons_transferred"),
    (0x11E, "p", "electrode_material"),
    (0x1C0, "p", "electrolyte"),
    (0x211, "f", "electrode_area_cm2"),
    (0x215, "p", "reference_electrode"),
    (0x24C, "f", "characteristic_mass"),
    (0x25C, "f", "battery_capacity"),
    (0x260, "B", "battery_capacity_unit"),
)


def value_at(data: bytes, at: int, kind: str) -> Any:
    """A number or a text (``p``: a byte says its length) at a place; None where the data end before."""
    if kind == "p":
        length = data[at] if at < len(data) else 0
        text = data[at + 1 : at + 1 + length]
        return clean_text(text.split(b"\x00")[0].decode("cp1252", "replace")).strip()
    if at + struct.calcsize("<" + kind) > len(data):
        return None
    return struct.unpack_from("<" + kind, data, at)[0]


def cell_of(data: bytes) -> dict[str, Any]:
    """The cell's description, by names of ours that carry the unit."""
    found = {name: value_at(data, at, kind) for at, kind, name in _CELL}
    code = found["battery_capacity_unit"]
    found["battery_capacity_unit"] = _CHARGES[code] if code is not None and code < len(_CHARGES) else code
    return {name: value for name, value in found.items() if value not in (None, "")}


def parameters_of(data: bytes, technique: Technique | None, wide: bool) -> dict[str, list[Any]]:
    """The technique's settings: name → a value a sequence. Empty where the layout is not known.

    ``wide`` says that the file is of EC-Lab 11.50 or later.
    """
    for at in _ROWS_AT if technique else ():
        rows, count = value_at(data, at, "H"), value_at(data, at + 2, "H")
        if not rows or not count or rows > _MOST_ROWS:
            continue
        for text in technique.layouts if technique else ():
            names, dtype = _dtype(text, wide)
            if len(names) != count or at + 4 + rows * dtype.itemsize > len(data):
                continue
            table = np.frombuffer(data, dtype, rows, at + 4)
            return {name: _said(name, table[str(k)].tolist()) for k, name in enumerate(names)}
    return {}


def _dtype(text: str, wide: bool) -> tuple[list[str], np.dtype[Any]]:
    kinds = {"f": "<f4", "b": "u1", "w": "<u4", "h": "<u2", "v": "<u4" if wide else "u1"}
    parts = [part.split(" ", 1) for part in text.split(";")]
    return [name for _, name in parts], np.dtype([(str(k), kinds[kind]) for k, (kind, _) in enumerate(parts)])


def _said(name: str, values: list[Any]) -> list[Any]:
    """Codes in words where the words are known; a float that is no number as text."""
    if values and isinstance(values[0], float):
        return [round(v, 9) if math.isfinite(v) else str(v) for v in values]
    words: tuple[str, ...] = ()
    if name.endswith(("(V) vs.", "EM1 vs.", "EM2 vs.")):
        words = _AGAINST
    elif name.startswith("unit ") and not name.endswith("vs."):
        words = (
            _CHARGES if name[5:].lower().startswith("dq") else _FREQUENCIES if name[5:6] == "f" else _CURRENTS
        )
    elif name.startswith("Set I/C"):
        words = ("I", "C / N", "C x N")
    elif name == "dE/dt unit":
        words = ("V/s", "mV/s", "mV/mn")
    return [words[v] if v < len(words) else v for v in values] if words else values


def conditions_of(cell: dict[str, Any], parameters: dict[str, list[Any]]) -> dict[str, Quantity]:
    """Conditions in the vocabulary's names; EC-Lab's defaults for "not filled in" (0 and 0.001) are none."""
    found: dict[str, Quantity] = {}

    def amount(name: str, value: Any, unit: str) -> None:
        if isinstance(value, (int, float)) and np.isfinite(value) and abs(value) > 0.0010001:
            found[name] = Quantity(float(f"{value:.7g}"), unit)

    def first(name: str) -> Any:
        values = parameters.get(name)
        return values[0] if values else None

    amount("active_mass", cell.get("active_material_mass_mg"), "mg")
    amount("electrode_area", cell.get("electrode_area_cm2"), "cm**2")
    unit = str(cell.get("battery_capacity_unit", "")).replace(".", "").replace("µ", "u")
    if unit in ("Ah", "mAh", "uAh"):
        amount("nominal_capacity", cell.get("battery_capacity"), unit)
    for key, name in (
        ("comments", "comment"),
        ("electrode_material", "electrode_material"),
        ("electrolyte", "electrolyte"),
        ("reference_electrode", "reference_electrode"),
    ):
        if cell.get(key) and cell[key] != "(unspecified)":
            found[name] = Quantity(cell[key])
    if first("dE/dt unit") in ("V/s", "mV/s"):
        amount("scan_rate", first("dE/dt"), first("dE/dt unit"))
    if "Reverse Scan" in parameters:
        for key, name in (("E1 (V)", "vertex_voltage_1"), ("E2 (V)", "vertex_voltage_2")):
            if first(f"{key} vs.") == "Ref" and isinstance(first(key), float):
                found[name] = Quantity(float(f"{first(key):.7g}"), "V")
    if "fi" in parameters:
        amount("voltage_amplitude", first("Va (mV)"), "mV")
    return found
