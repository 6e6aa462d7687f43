"""access_parser on Arbin's databases."""

import logging

import numpy as np
from access_parser import AccessParser

logging.disable(logging.CRITICAL)
NORMAL = {
    "Data_Point": ("index", None),
    "Cycle_Index": ("cycle", None),
    "Step_Index": ("step_index", None),
    "Test_Time": ("time", "s"),
    "Step_Time": ("step_time", "s"),
    "Voltage": ("voltage", "V"),
    "Current": ("current", "A"),
    "Charge_Capacity": ("charge_capacity", "Ah"),
    "Discharge_Capacity": ("discharge_capacity", "Ah"),
    "Charge_Energy": ("charge_energy", "Wh"),
    "Discharge_Energy": ("discharge_energy", "Wh"),
    "Internal_Resistance": ("internal_resistance", "ohm"),
    "dV/dt": ("voltage_rate", "V/s"),
    "AC_Impedance": ("ac_resistance", "ohm"),
    "ACI_Phase_Angle": ("z_phase", "deg"),
}
STATISTIC = {
    "Data_Point": ("index", None),
    "Vmax_On_Cycle": ("voltage_maximum", "V"),
    "Charge_Time": ("charge_time", "s"),
    "Discharge_Time": ("discharge_time", "s"),
}


def read(path):
    database = AccessParser(path)
    found = {}
    for number, table, columns in (
        (0, "Channel_Normal_Table", NORMAL),
        (1, "Channel_Statistic_Table", STATISTIC),
    ):
        rows = database.parse_table(table)
        # A database keeps no order of its rows; the test's order is that of its data points.
        order = np.argsort(rows["Data_Point"], kind="stable")
        for name, (ours, unit) in columns.items():
            found[f"{number}/{ours}"] = (np.asarray(rows[name])[order], unit)
    return found
