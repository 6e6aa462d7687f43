"""pandas on workbooks of indenters (with xlrd) and on plain tables of text."""

from pathlib import Path

import numpy as np
import pandas as pd

WORKBOOK = {
    "Displacement Into Surface": "depth",
    "Load On Sample": "force",
    "Time On Sample": "time",
    "Harmonic Contact Stiffness": "contact_stiffness",
    "Hardness": "hardness",
    "Modulus": "modulus",
}
DEBEN = {
    "Point": "time",
    "Elongation": "extension",
    "Force": "force",
    "Position": "position",
    "Code": "event",
}
MULTIVU = {
    "Temperature (K)": ("temperature", "K"),
    "Magnetic Field (Oe)": ("magnetic_field", "Oe"),
    "Moment (emu)": ("magnetic_moment", "emu"),
    "M. Std. Err. (emu)": ("magnetic_moment.uncertainty", "emu"),
    "Averaging Time (sec)": ("averaging_time", "s"),
    "Frequency (Hz)": ("frequency", "Hz"),
    "Peak Amplitude (mm)": ("vibration_amplitude", "mm"),
    "Center Position (mm)": ("centre_position", "mm"),
    "Coil Signal' (mV)": ("coil_signal_real", "mV"),
    "M. Quad. Signal (emu)": ("magnetic_moment_quadrature", "emu"),
}
NEWARE = {
    "DataPoint": ("index", None),
    "Cycle Index": ("cycle", None),
    "Current(A)": ("current", "A"),
    "Voltage(V)": ("voltage", "V"),
    "Capacity(Ah)": ("capacity", "Ah"),
    "Chg. Cap.(Ah)": ("charge_capacity", "Ah"),
    "DChg. Cap.(Ah)": ("discharge_capacity", "Ah"),
    "Energy(Wh)": ("energy", "Wh"),
    "Power(W)": ("power", "W"),
    "dQ/dV(mAh/V)": ("differential_capacity", "mAh/V"),
}


def read(path):
    return READERS[Path(path).parent.name](path)


def indenter(path):
    """Every sheet of a test, in the order of their names."""
    sheets = pd.read_excel(path, sheet_name=None, engine="xlrd")
    found = {}
    for number, name in enumerate(sorted(n for n in sheets if n.startswith("Test "))):
        units, rows = sheets[name].iloc[0], sheets[name].iloc[1:]
        rows = rows[rows["Segment"] != "END"]
        for column, ours in WORKBOOK.items():
            values = pd.to_numeric(rows[column], errors="coerce").to_numpy(float)
            # The greatest double stands for "no value".
            found[f"{number}/{ours}"] = (np.where(values > 1e300, np.nan, values), units[column])
    return found


def deben(path):
    with open(path, encoding="latin-1") as file:
        heading = next(n for n, line in enumerate(file) if line.startswith('"Point"'))
    table = pd.read_csv(path, skiprows=heading, encoding="latin-1")
    if table["Code"].iloc[-1] == 1:  # the end mark; elsewhere, the stage turned
        table = table.iloc[:-1]
    return {f"0/{ours}": table[name].to_numpy() for name, ours in DEBEN.items()}


def multivu(path):
    with open(path, encoding="latin-1") as file:
        heading = next(n for n, line in enumerate(file) if line.startswith("[Data]")) + 1
    table = pd.read_csv(path, skiprows=heading, encoding="latin-1")
    seconds = table["Time Stamp (sec)"].to_numpy()
    found = {f"0/{ours}": (table[name].to_numpy(float), unit) for name, (ours, unit) in MULTIVU.items()}
    return found | {"0/time": (seconds - seconds[0], "s")}


def neware(path):
    table = pd.read_csv(path, encoding="latin-1")
    found = {f"0/{ours}": (table[name].to_numpy(float), unit) for name, (ours, unit) in NEWARE.items()}
    return found | {"0/step_type": table["Step Type"].to_numpy(str)}


def woollam(path):
    names = ["kind", "wavelength", "angle", "psi", "delta", "psi_error", "delta_error"]
    table = pd.read_csv(path, skiprows=3, sep=r"\s+", names=names)
    table = table[table["kind"] == "E"]
    found = {}
    for name in ("psi", "delta"):
        pivot = table.pivot(index="angle", columns="wavelength", values=name)
        found[f"0/{name}"] = (pivot.to_numpy(float), "deg")
    found["0/incidence_angle"] = (pivot.index.to_numpy(float), "deg")
    found["0/wavelength"] = (pivot.columns.to_numpy(float), "angstrom")
    return found


READERS = {
    "mts-nanoindent-xls": indenter,
    "deben-mtr": deben,
    "qd-ppms-dat": multivu,
    "neware-csv": neware,
    "woollam-dat": woollam,
}
