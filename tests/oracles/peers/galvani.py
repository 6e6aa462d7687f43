"""galvani on EC-Lab's binary files."""

import numpy as np
from galvani.BioLogic import MPRfile

COLUMNS = {
    "time/s": ("time", "s"),
    "Ewe/V": ("voltage", "V"),
    "<I>/mA": ("current", "mA"),
    "I/mA": ("current", "mA"),
    "control/V": ("control_voltage", "V"),
    "control/mA": ("control_current", "mA"),
    "dq/mA.h": ("charge_increment", "mAh"),
    "dQ/C": ("step_charge", "C"),
    "(Q-Qo)/C": ("charge_passed", "C"),
    "(Q-Qo)/mA.h": ("charge_passed", "mAh"),
    "Q charge/discharge/mA.h": ("half_cycle_capacity", "mAh"),
    "half cycle": ("half_cycle", None),
    "cycle number": ("cycle", None),
    "Ns": ("step_index", None),
    "I Range": ("current_range_code", None),
    "|Energy|/W.h": ("energy", "Wh"),
    "P/W": ("power", "W"),
    "freq/Hz": ("frequency", "Hz"),
    "|Z|/Ohm": ("z_modulus", "ohm"),
    "Phase(Z)/deg": ("z_phase", "deg"),
    "Ece/V": ("counter_voltage", "V"),
    "<Ece>/V": ("counter_voltage_average", "V"),
    "|Ece|/V": ("counter_voltage_amplitude", "V"),
    "Phase(Zce)/deg": ("z_phase_counter", "deg"),
    "|Zce|/Ohm": ("z_modulus_counter", "ohm"),
    "Re(Zce)/Ohm": ("z_real_counter", "ohm"),
    "Phase(Zwe-ce)/deg": ("z_phase_cell", "deg"),
    "|Zwe-ce|/Ohm": ("z_modulus_cell", "ohm"),
    "Re(Zwe-ce)/Ohm": ("z_real_cell", "ohm"),
    "z cycle": ("z_cycle", None),
    "Energy charge/W.h": ("charge_energy", "Wh"),
    "Energy discharge/W.h": ("discharge_energy", "Wh"),
    "Capacitance charge/µF": ("charge_capacitance", "uF"),
    "Capacitance discharge/µF": ("discharge_capacitance", "uF"),
}
#: EC-Lab stores the imaginary part with its sign turned.
NEGATIVE = {"-Im(Zce)/Ohm": "z_imaginary_counter", "-Im(Zwe-ce)/Ohm": "z_imaginary_cell"}
FLAGS = {
    "mode": "control_mode",
    "ox/red": "oxidation",
    "error": "error",
    "control changes": "control_change",
    "Ns changes": "step_change",
    "counter inc.": "counter_increment",
}


def read(path):
    file = MPRfile(path)
    found = {}
    for name in file.data.dtype.names:
        if name in COLUMNS:
            ours, unit = COLUMNS[name]
            found[f"0/{ours}"] = (file.data[name], unit)
        elif name in NEGATIVE:
            found[f"0/{NEGATIVE[name]}"] = (-file.data[name], "ohm")
        elif name == "flags":
            for flag, ours in FLAGS.items():
                if file.flags_dict.get(flag):
                    found[f"0/{ours}"] = np.asarray(file.get_flag(flag))
        elif name != "control/V/mA":  # volts or milliamperes by the mode: yadg tells them apart
            found[name] = file.data[name]
    return found
