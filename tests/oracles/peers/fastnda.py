"""fastnda on Neware's test files and archives."""

import fastnda

COLUMNS = {
    "index": ("index", None),
    "voltage_V": ("voltage", "V"),
    "current_mA": ("current", "mA"),
    "total_time_s": ("time", "s"),
    "step_time_s": ("step_time", "s"),
    "step_count": ("step", None),
    "step_index": ("step_index", None),
}


def read(path):
    table = fastnda.read(path)
    found = {f"0/{ours}": (table[name].to_numpy(), unit) for name, (ours, unit) in COLUMNS.items()}
    # The cycler's own count in archives; in test files, counted by charges.
    found["0/cycle" if path.endswith(".ndax") else "0/cycle_charge_first"] = table["cycle_count"].to_numpy()
    return found
