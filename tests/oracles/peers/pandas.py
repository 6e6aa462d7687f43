"""pandas (with xlrd) on the workbooks of indenters: every sheet of a test, in the order of their names."""

import numpy as np
import pandas as pd

COLUMNS = {
    "Displacement Into Surface": "depth",
    "Load On Sample": "force",
    "Time On Sample": "time",
    "Harmonic Contact Stiffness": "contact_stiffness",
    "Hardness": "hardness",
    "Modulus": "modulus",
}


def read(path):
    sheets = pd.read_excel(path, sheet_name=None, engine="xlrd")
    found = {}
    for number, name in enumerate(sorted(n for n in sheets if n.startswith("Test "))):
        units, rows = sheets[name].iloc[0], sheets[name].iloc[1:]
        rows = rows[rows["Segment"] != "END"]
        for column, ours in COLUMNS.items():
            values = pd.to_numeric(rows[column], errors="coerce").to_numpy(float)
            # The greatest double stands for "no value".
            found[f"{number}/{ours}"] = (np.where(values > 1e300, np.nan, values), units[column])
    return found
