"""gamry-parser on Gamry Framework's files."""

import gamry_parser
import numpy as np
import pandas as pd

COLUMNS = {
    "T": ("time", "s"),
    "Vf": ("voltage", "V"),
    "Im": ("current", "A"),
    "Vm": ("measured_voltage", "V"),
    "Vu": ("uncompensated_voltage", "V"),
    "Sig": ("control_signal", "V"),
    "Ach": ("auxiliary_voltage", "V"),
    "IERange": ("current_range_code", None),
    "Temp": ("temperature", "degC"),
    "Current": ("current", "A"),
}


def read(path):
    file = gamry_parser.GamryParser(filename=path)
    file.load()
    # The curve at open circuit comes first; the parser keeps it apart.
    number = 1 if file.ocv_exists else 0
    # One table of all curves, each with its number: a cyclic voltammogram is cut into cycles.
    table = pd.concat(file.curves)
    found = {
        f"{number}/{ours}": (table[name].to_numpy(float), unit)
        for name, (ours, unit) in COLUMNS.items()
        if name in table
    }
    if "Over" in table:
        found[f"{number}/overload"] = table["Over"].to_numpy(str)
    if len(file.curves) > 1:
        found[f"{number}/cycle"] = np.repeat(np.arange(len(file.curves)) + 1, [len(c) for c in file.curves])
    return found
