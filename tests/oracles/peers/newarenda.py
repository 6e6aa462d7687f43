"""NewareNDA on Neware's test files and archives."""

import NewareNDA

COLUMNS = {
    "Index": ("index", None),
    "Cycle": ("cycle_charge_first", None),
    "Step": ("step", None),
    "Step_Index": ("step_index", None),
    "Time": ("step_time", "s"),
    "Voltage": ("voltage", "V"),
    "Current(mA)": ("current", "mA"),
    "Charge_Capacity(mAh)": ("charge_capacity", "mAh"),
    "Discharge_Capacity(mAh)": ("discharge_capacity", "mAh"),
    "Charge_Energy(mWh)": ("charge_energy", "mWh"),
    "Discharge_Energy(mWh)": ("discharge_energy", "mWh"),
}


def read(path):
    table = NewareNDA.read(path)
    return {f"0/{ours}": (table[name].to_numpy(), unit) for name, (ours, unit) in COLUMNS.items()}
