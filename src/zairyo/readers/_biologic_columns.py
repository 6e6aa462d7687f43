"""The columns of EC-Lab and BT-Lab: the numbers by which binary files name them, and their names in the vocabulary.

Facts: a data module lists a number for each column. Some numbers are flags, which share one byte of a record
(at the place of the first of them); the others say a type and a quantity. Numbers above 255 came with later
versions; files that keep numbers in a byte hold their low byte only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import make_name
from zairyo.readers._electrochemistry import Columns

Array = NDArray[Any]

#: Number → heading in text exports, and the bits of the shared byte.
FLAGS = {
    1: ("mode", 0x03),
    2: ("ox/red", 0x04),
    3: ("error", 0x08),
    21: ("control changes", 0x10),
    31: ("Ns changes", 0x20),
    65: ("counter inc.", 0x80),
}
#: Number, type and heading.
_TYPES = """
4 f8 time/s;5 f4 control/V/mA;6 f4 Ewe/V;7 f8 dq/mA.h;8 f4 I/mA;9 f4 Ece/V;11 f8 <I>/mA;13 f8 (Q-Qo)/mA.h
16 f4 Analog IN 1/V;17 f4 Analog IN 2/V;19 f4 control/V;20 f4 control/mA;23 f8 dQ/mA.h;24 f8 cycle number
26 f4 Rapp/Ohm;27 f4 Ewe-Ece/V;32 f4 freq/Hz;33 f4 |Ewe|/V;34 f4 |I|/A;35 f4 Phase(Z)/deg;36 f4 |Z|/Ohm
37 f4 Re(Z)/Ohm;38 f4 -Im(Z)/Ohm;39 u2 I Range;69 f4 R/Ohm;70 f4 P/W;74 f8 |Energy|/W.h;75 f4 Analog OUT/V
76 f4 <I>/mA;77 f4 <Ewe>/V;78 f4 Cs-2/µF-2;96 f4 |Ece|/V;98 f4 Phase(Zce)/deg;99 f4 |Zce|/Ohm;100 f4 Re(Zce)/Ohm
101 f4 -Im(Zce)/Ohm;123 f8 Energy charge/W.h;124 f8 Energy discharge/W.h;125 f8 Capacitance charge/µF
126 f8 Capacitance discharge/µF;131 u2 Ns;163 f4 |Estack|/V;168 f4 Rcmp/Ohm;169 f4 Cs/µF;172 f4 Cp/µF
173 f4 Cp-2/µF-2;174 f4 <Ewe>/V;271 f4 Phase(Z1)/deg;272 f4 Phase(Z2)/deg;301 f4 |Z1|/Ohm;302 f4 |Z2|/Ohm
331 f4 Re(Z1)/Ohm;332 f4 Re(Z2)/Ohm;361 f4 -Im(Z1)/Ohm;362 f4 -Im(Z2)/Ohm;391 f4 <E1>/V;392 f4 <E2>/V
422 f4 Phase(Zstack)/deg;423 f4 |Zstack|/Ohm;424 f4 Re(Zstack)/Ohm;425 f4 -Im(Zstack)/Ohm;426 f4 <Estack>/V
430 f4 Phase(Zwe-ce)/deg;431 f4 |Zwe-ce|/Ohm;432 f4 Re(Zwe-ce)/Ohm;433 f4 -Im(Zwe-ce)/Ohm;434 f4 (Q-Qo)/C
435 f4 dQ/C;438 f8 step time/s;441 f4 <Ece>/V;462 f4 Temperature/°C;467 f8 Q charge/discharge/mA.h
468 u4 half cycle;469 u4 z cycle;471 f4 <Ece>/V;473 f4 THD Ewe/%;474 f4 THD I/%;475 f4 THD Ece/%
476 f4 NSD Ewe/%;477 f4 NSD I/%;478 f4 NSD Ece/%;479 f4 NSR Ewe/%;480 f4 NSR I/%;481 f4 NSR Ece/%
486 f4 |Ewe h2|/V;487 f4 |Ewe h3|/V;488 f4 |Ewe h4|/V;489 f4 |Ewe h5|/V;490 f4 |Ewe h6|/V;491 f4 |Ewe h7|/V
492 f4 |I h2|/A;493 f4 |I h3|/A;494 f4 |I h4|/A;495 f4 |I h5|/A;496 f4 |I h6|/A;497 f4 |I h7|/A
498 f8 Q charge/mA.h;499 f8 Q discharge/mA.h;500 f8 step time/s;501 f8 Efficiency/%;502 f8 Capacity/mA.h
504 f4 Rac/Ohm;505 f4 Rdc/Ohm;509 u1 Acir/Dcir Control;878 f8 Energy ce/W.h;880 f8 Energy we/W.h
883 f8 Energy ce charge/W.h;884 f8 Energy ce discharge/W.h
"""
#: Quantity as EC-Lab heads it → the vocabulary's name. What is not here or below keeps its own words.
_NAMES = {
    "time": "time", "step time": "step_time", "Ewe": "voltage", "Ecell": "voltage", "Ece": "counter_voltage",
    "Ewe-Ece": "cell_voltage", "I": "current", "control/V": "control_voltage", "control/mA": "control_current",
    "mode": "control_mode", "Ns": "step_index", "Ns changes": "step_change", "cycle number": "cycle",
    "counter inc.": "counter_increment", "control changes": "control_change", "ox/red": "oxidation",
    "half cycle": "half_cycle", "z cycle": "z_cycle", "I Range": "current_range_code", "x": "intercalation",
    "dq": "charge_increment", "dQ": "step_charge", "(Q-Qo)": "charge_passed", "Q-Qo": "charge_passed",
    "Q charge": "charge_capacity", "Q discharge": "discharge_capacity", "Capacity": "capacity",
    "Q charge/discharge": "half_cycle_capacity", "Efficiency": "coulombic_efficiency",
    "|Energy|": "energy", "Energy": "energy", "Energy we": "energy", "Energy charge": "charge_energy",
    "Energy we charge": "charge_energy", "Energy discharge": "discharge_energy",
    "Energy we discharge": "discharge_energy", "P": "power", "Pwe": "power", "R": "resistance",
    "Rwe": "resistance", "Rcmp": "compensation_resistance", "Rac": "ac_resistance", "Rdc": "internal_resistance",
    "Capacitance charge": "charge_capacitance", "Capacitance discharge": "discharge_capacitance",
    "Temperature": "temperature", "freq": "frequency", "|Ewe|": "voltage_amplitude", "|I|": "current_amplitude",
    "|Ece|": "counter_voltage_amplitude", "|Estack|": "stack_voltage_amplitude",
}  # fmt: skip
#: What counts, and has no unit.
_COUNTS = frozenset({"cycle", "half_cycle", "z_cycle", "step_index", "current_range_code", "intercalation"})
_LABELS = {
    "mode": "Control mode (1 current, 2 voltage, 3 open circuit)",
    "ox/red": "Oxidation",
    "I Range": "Current range, EC-Lab's code",
    "Ns": "Sequence Ns",
}
_NO_UNIT = frozenset({"ox/red", "Acir/Dcir Control"})
_COMPLEX = re.compile(
    r"(?P<minus>-?)(?P<part>Re|Im|Phase)\((?P<of>[A-Z][a-z]{0,11}?)(?P<who>we-ce|ce|stack|\d*)\)"
    r"|\|(?P<of_2>[ZYC])(?P<who_2>we-ce|ce|stack|\d*)\|"
)
_PARTS = {"Re": "real", "Im": "imaginary", "Phase": "phase", None: "modulus"}
_WHO = {"": "", "ce": "_counter", "we-ce": "_cell", "stack": "_stack"}


@dataclass(frozen=True)
class Kind:
    """A numbered column: its type in a record and its heading in text exports."""

    dtype: np.dtype[Any]
    heading: str


@cache
def _kinds() -> dict[int, Kind]:
    found = {}
    for item in _TYPES.strip().replace("\n", ";").split(";"):
        number, dtype, heading = item.split(" ", 2)
        found[int(number)] = Kind(np.dtype("<" + dtype), heading)
    return found


def kind_of(number: int) -> Kind | None:
    """What a column's number says, or None for one not known. A number may be the low byte of a later one."""
    kinds = _kinds()
    return kinds.get(number) or (kinds.get(number + 256) if 0 < number < 256 else None)


@dataclass(frozen=True)
class Heading:
    """A heading in the vocabulary: name, unit as written, label, and whether the file stores the negative."""

    name: str
    unit: str | None
    label: str
    negative: bool = False


@cache
def heading_of(text: str) -> Heading:
    """``"-Im(Z)/Ohm"`` → ``z_imaginary`` in Ohm, stored negative."""
    text = text.strip()
    if re.fullmatch(r"<[^<>]+/[^<>]+>", text):  # EC-Lab 11.50 writes <Ewe/V>
        text = "<{}>/{}".format(*text[1:-1].split("/", 1))
    quantity, stroke, unit = text.rpartition("/")
    if not stroke or text in _NO_UNIT:
        quantity, unit = text, ""
    if text in ("control/V", "control/mA"):
        quantity = text
    quantity = quantity.strip()
    if match := _COMPLEX.fullmatch(quantity):
        of = match["of"] or match["of_2"]
        who = match["who"] if match["of"] else match["who_2"]
        name = f"{make_name(of)}_{_PARTS[match['part']]}{_WHO.get(who, f'_{who}')}"
        return Heading(name, unit or None, quantity.lstrip("-"), bool(match["minus"]))
    averaged = re.fullmatch(r"<(.+)>", quantity)
    name = _NAMES.get(quantity) or make_name(quantity, "column")
    if averaged:
        plain = _NAMES.get(averaged[1])
        name = f"{plain}_average" if plain else make_name(averaged[1]) + "_average"
    return Heading(name, unit or None, quantity)


_WHOLE = _COUNTS - {"intercalation"}
_FLAG_HEADINGS = frozenset(name for name, _ in FLAGS.values() if name != "mode")


def _whole(name: str, heading: str, values: Array) -> Array:
    """Flags as truth values and counts as whole numbers, whatever type a file gives them."""
    is_flag, is_count = heading in _FLAG_HEADINGS, name in _WHOLE or heading == "mode"
    if not (is_flag or is_count) or values.dtype.kind != "f":
        return values
    if np.isfinite(values).all() and (np.abs(values) < 2**31).all():
        if is_flag and ((values == 0) | (values == 1)).all():
            return values.astype(bool)
        if is_count and (values == np.rint(values)).all():
            return values.astype(np.int32)
    return values


def add_column(columns: Columns, heading: str, values: Array, mode: Array | None) -> None:
    """Add one of EC-Lab's columns under the vocabulary's name.

    ``control/V/mA`` holds volts or milliamperes, as the control mode of each record says (1 galvanostatic,
    2 potentiostatic): it becomes two columns with NaN where the other is controlled.
    """
    if heading == "control/V/mA":
        if mode is None:
            columns.add("control", values, None, heading)
            return
        columns.add("control_voltage", np.where(mode == 2, values, np.nan), "V", "control")
        columns.add("control_current", np.where(mode == 1, values, np.nan), "mA", "control")
        return
    if heading in ("control/V", "control/mA") and heading_of(heading).name in columns:
        return  # text exports of BT-Lab repeat what control/V/mA says, with zeros for the other
    known = heading_of(heading)
    values = _whole(known.name, heading, values)
    values = -values if known.negative else values
    unit = "" if known.name in _COUNTS else columns.unit(known.unit, heading)
    columns.add(known.name, values, unit, _LABELS.get(heading, known.label))
