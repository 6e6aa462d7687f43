"""nanodent on Hysitron's text of an indent."""

import nanodent

COLUMNS = {
    "time_s": ("time", "s"),
    "disp_nm": ("depth", "nm"),
    "force_uN": ("force", "uN"),
    "load_cell_nm": ("load_cell_displacement", "nm"),
    "piezo_disp_nm": ("piezo_displacement", "nm"),
    "disp_V": ("displacement_voltage", "V"),
    "force_V": ("force_voltage", "V"),
    "piezo_low_V": ("piezo_voltage", "V"),
}


def read(path):
    columns = nanodent.load_experiment(path).test.columns
    return {f"0/{COLUMNS[name][0]}": (values, COLUMNS[name][1]) for name, values in columns.items()}
