"""The columns of EC-Lab and BT-Lab: the numbers by which binary files name them, and their names in the vocabulary.

Facts: a data module lists a number for each column. Some numbers are flags, which share one byte of a record
(at the place of the first of them); the others say a type and a quantity. The vendor's manual of the programs' OLE
interface names the numbers up to 543 (without types); numbers above 255 came with later versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
#: Number, type and heading, as seen in files.
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
504 f4 Rac/Ohm;505 f4 Rdc/Ohm;509 u1 Acir/Dcir Control;878 f8 Energy ce/W.h;880 f8 Energy we/W.h
883 f8 Energy ce charge/W.h;884 f8 Energy ce discharge/W.h
"""
#: The same of the manual only, whose types are those of their kin: where they do not fill a record, others are tried.
_TOLD = """
10 f4 Aux/V;12 f4 log(|<I>/A|);14 f4 x;18 f4 Analog IN 3/V;22 f4 log(|I/A|);25 f8 DQ/mA.h;28 f4 control/°C
29 f4 Temperature/°C;30 f4 rotation rate/rpm;40 f8 Q charge/mA.h;41 f8 Q discharge/mA.h;42 f8 Q charge/mA.h/g
43 f8 Q discharge/mA.h/g;44 f8 Q anodic/C;45 f8 Q cathodic/C;46 f8 Q anodic/C/cm2;47 f8 Q cathodic/C/cm2
50 f4 E0/V;51 f4 Ian min/mA;52 f4 Ian max/mA;53 f4 Ica min/mA;54 f4 Ica max/mA;55 f4 Ean end/V;56 f4 Eca end/V
57 f4 Ece min/V;58 f4 Ece max/V;66 f4 I forward/mA;67 f4 I reverse/mA;68 f4 I delta/µA;71 f4 control/°C
72 f4 Temperature/°C;73 f4 rotation rate/rpm;79 f4 E step/V;80 f4 Rp/Ohm;81 f4 Ecorr/V;82 f4 Icorr/mA
83 f4 I/A/cm2;84 f4 Q/C/cm2;85 f4 Aux;97 f4 |Ice|/A;102 f4 Cce-2/µF-2;103 f4 Estack/V;104 f4 Istack/A
117 f4 E21/V;118 f4 E32/V;119 f4 Re(Y)/Ohm-1;120 f4 Im(Y)/Ohm-1;121 f4 |Y|/Ohm-1;122 f4 Phase(Y)/deg
132 f4 dI/dt/mA/s;160 f4 dt/dE/s/V;164 f4 |Istack|/A;170 f4 sin ampl/V;171 f4 Conductivity/S.cm-1;175 f8 Efficiency/%
421 f4 Phase2/deg;427 f4 <Istack>/mA;436 f4 Ece dc/V;437 f8 cycle time/s;439 f8 charge time/s;440 f8 discharge time/s
442 f8 d(Q-Qo)/dE/mA.h/V;443 f8 Capacity/mA.h;444 f4 control disk/V;445 f4 control disk/mA;446 f4 Edisk/V
448 f4 Idisk/mA;449 f8 dQdisk/C;450 f8 (Q-Qo)disk/C;451 f8 cycle number;452 f4 control ring/V;453 f4 Ering/V
454 f4 Iring/mA;455 f8 (Q-Qo)ring/C;456 f4 Pdisk/W;457 f4 Pring/W;458 f4 Edisk-Ece/V;459 f4 Ering-Ece/V
460 f8 <time>/s;461 f4 <EweX>/V;465 u2 I Range disk;466 u2 I Range ring;470 f4 It/mA;472 f4 Vcorr/mm/yr
498 f4 |Ece h2|/V;499 f4 |Ece h3|/V;500 f4 |Ece h4|/V;501 f4 |Ece h5|/V;502 f4 |Ece h6|/V;503 f4 |Ece h7|/V
506 f4 TCU control/°C;507 f4 TCU measured/°C;511 f4 Re(C)/nF;512 f4 Im(C)/nF;513 f4 |C|/nF;514 f4 Phase(C)/deg
515 f4 Re(M);516 f4 Im(M);517 f4 |M|;518 f4 Phase(M)/deg;519 f4 Re(Permittivity);520 f4 Im(Permittivity)
521 f4 |Permittivity|;522 f4 Phase(Permittivity)/deg;523 f4 Re(Conductivity)/mS/cm;524 f4 Im(Conductivity)/mS/cm
525 f4 |Conductivity|/mS/cm;526 f4 Phase(Conductivity)/deg;527 f4 Re(Resistivity)/Ohm.cm;528 f4 Im(Resistivity)/Ohm.cm
529 f4 |Resistivity|/Ohm.cm;530 f4 Phase(Resistivity)/deg;531 f4 Tan(Delta);532 f4 Loss Angle(Delta)/deg
533 f4 TCU base/°C;534 f4 TCU cell/°C;535 f4 TCU sample/°C;536 f4 Ewe initial/V;537 f4 Ewe final/V
538 f4 I initial/mA;539 f4 I final/mA;540 f4 P min/W;541 f4 P max/W;542 f4 T min/°C;543 f4 T max/°C
"""
#: The thirty cells of a stack: first number and heading.
_STACK = (
    (211, "E{}/V"), (241, "|E{}|/V"), (271, "Phase(Z{})/deg"), (301, "|Z{}|/Ohm"), (331, "Re(Z{})/Ohm"),
    (361, "-Im(Z{})/Ohm"), (391, "<E{}>/V"),
)  # fmt: skip
#: What some programs mean by numbers that others use otherwise; the record's length tells which.
_OTHERWISE = (
    "498 f8 Q charge/mA.h;499 f8 Q discharge/mA.h;500 f8 step time/s;501 f8 Efficiency/%;502 f8 Capacity/mA.h"
)
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
#: What is another quantity when divided by the mass.
_PER_MASS = frozenset({"charge_capacity", "discharge_capacity", "capacity", "energy", "half_cycle_capacity"})
_LABELS = {
    "mode": "Control mode (1 current, 2 voltage, 3 open circuit)",
    "ox/red": "Oxidation",
    "I Range": "Current range, EC-Lab's code",
    "Ns": "Sequence Ns",
}
_NO_UNIT = frozenset({"ox/red", "Acir/Dcir Control"})
#: Units that have a stroke themselves: the rightmost is theirs, not the one that divides quantity and unit.
_RATIO = re.compile(
    r"(?P<of>.+)/(?P<unit>(?:[mµn]?A\.h|[mµ]?W\.h|[mµnp]?A|[mµ]?S|[mµ]?C|mm|s|W|F)/(?:m?g|kg|m?V|s|h|[cm]?m[2²]?|yr))\Z"
)
_LOGARITHM = re.compile(r"log\(\|(?P<of>[^|/]+)/(?P<unit>[^|/]+)\|\)\Z")
_AGAINST = re.compile(r"(?P<unit>.*\S)\s+vs\.?\s.+\Z")
_COMPLEX = re.compile(
    r"(?P<minus>-?)(?P<part>Re|Im|Phase)\((?P<of>[A-Z][a-z]{0,11}?)(?P<who>we-ce|ce|stack|\d*)\)"
    r"|\|(?P<of_2>[ZYC])(?P<who_2>we-ce|ce|stack|\d*)\|"
)
_PARTS = {"Re": "real", "Im": "imaginary", "Phase": "phase", None: "modulus"}
_WHO = {"": "", "ce": "_counter", "we-ce": "_cell", "stack": "_stack"}


@dataclass(frozen=True)
class Kind:
    """A numbered column: its type in a record, its heading in text exports, and whether files have shown the type."""

    dtype: np.dtype[Any]
    heading: str
    seen: bool = True


def _parsed(text: str, seen: bool) -> dict[int, Kind]:
    items = (item.split(" ", 2) for item in text.strip().replace("\n", ";").split(";"))
    return {int(number): Kind(np.dtype("<" + dtype), heading, seen) for number, dtype, heading in items}


@cache
def _kinds() -> dict[int, Kind]:
    cells = {
        first + k: Kind(np.dtype("<f4"), heading.format(k + 1), False)
        for first, heading in _STACK
        for k in range(30)
    }
    return cells | _parsed(_TOLD, False) | _parsed(_TYPES, True)


@cache
def _otherwise() -> dict[int, Kind]:
    return _parsed(_OTHERWISE, True)


def kind_of(number: int, *, otherwise: bool = False) -> Kind | None:
    """What a column's number says, or None for one not known.

    A number may be the low byte of a later one. ``otherwise`` asks for what some programs mean by a number that others
    use for something else.
    """
    kinds = _kinds()
    found = (_otherwise().get(number) if otherwise else None) or kinds.get(number)
    return found or (kinds.get(number + 256) if 0 < number < 256 else None)


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
    text = re.sub(r"/V (min|max)\Z", r" \1/V", text)
    if re.fullmatch(r"<[^<>]+/[^<>]+>", text):  # EC-Lab 11.50 writes <Ewe/V>
        text = "<{}>/{}".format(*text[1:-1].split("/", 1))
    quantity, stroke, unit = text.rpartition("/")
    if not stroke or text in _NO_UNIT:
        quantity, unit = text, ""
    if ratio := _RATIO.fullmatch(text):
        quantity, unit = ratio["of"], ratio["unit"].replace(".", "")
    elif logarithm := _LOGARITHM.fullmatch(text):
        return Heading(f"log_{make_name(logarithm['of'])}", "", text)
    elif against := _AGAINST.fullmatch(unit):  # what a potential is against is told by the label
        return replace(heading_of(f"{quantity}/{against['unit']}"), label=text)
    if text in ("control/V", "control/mA"):
        quantity = text
    quantity = quantity.strip()
    if match := _COMPLEX.fullmatch(quantity):
        of = match["of"] or match["of_2"]
        who = match["who"] if match["of"] else match["who_2"]
        name = f"{make_name(of)}_{_PARTS[match['part']]}{_WHO.get(who, f'_{who}')}"
        return Heading(name, unit or None, quantity.lstrip("-"), bool(match["minus"]))
    if averaged := re.fullmatch(r"<(.+)>", quantity):
        plain = heading_of(f"{averaged[1]}/{unit}" if unit else averaged[1])
        return replace(plain, name=f"{plain.name}_average", label=quantity)
    name = _NAMES.get(quantity) or make_name(quantity, "column")
    if ratio and name in _PER_MASS and unit.endswith("g"):
        name = f"specific_{name}"
    elif ratio and name == "current" and "m" in unit.partition("/")[2]:
        name = "current_density"
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
