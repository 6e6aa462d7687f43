"""yadg's extractors: EC-Lab, PicoLog, DryCal, EZChrom, Fusion, Quadstar, touchstone, Agilent channels."""

import logging
import re
from pathlib import Path

import numpy as np
from yadg.extractors import extract

logging.disable(logging.CRITICAL)
EXTRACTORS = {
    "biologic-mpr": "eclab.mpr",
    "biologic-mpt": "eclab.mpt",
    "picolog": "picolog.tc08",
    "drycal": "drycal.csv",
    "ezchrom-asc": "ezchrom.asc",
    "ezchrom-dat": "ezchrom.dat",
    "inficon-fusion": "fusion.json",
    "quadstar-sac": "quadstar.sac",
    "touchstone": "touchstone.snp",
    "agilent-ch": "agilent.ch",
}
#: Written with decimal commas.
GERMAN = ("cp.issue_149.mpt", "cv.issue_149.mpt")
COLUMNS = {
    "mode": "control_mode",
    "ox or red": "oxidation",
    "error": "error",
    "control changes": "control_change",
    "Ns changes": "step_change",
    "counter inc.": "counter_increment",
    "time": "time",
    "Ewe": "voltage",
    "<Ewe>": "voltage",
    "Ecell": "voltage",
    "I": "current",
    "<I>": "current",
    "Ece": "counter_voltage",
    "control_V": "control_voltage",
    "control_I": "control_current",
    "dq": "charge_increment",
    "dQ": "step_charge",
    "(Q-Qo)": "charge_passed",
    "Q charge or discharge": "half_cycle_capacity",
    "half cycle": "half_cycle",
    "cycle number": "cycle",
    "Ns": "step_index",
    "P": "power",
    "Pwe": "power",
    "R": "resistance",
    "Rwe": "resistance",
    "Rcmp": "compensation_resistance",
    "x": "intercalation",
    "step time": "step_time",
    "Q discharge": "discharge_capacity",
    "Q charge": "charge_capacity",
    "Capacity": "capacity",
    "Efficiency": "coulombic_efficiency",
    "Energy charge": "charge_energy",
    "Energy discharge": "discharge_energy",
    "Energy we charge": "charge_energy",
    "Energy we discharge": "discharge_energy",
    "Capacitance charge": "charge_capacitance",
    "Capacitance discharge": "discharge_capacitance",
}
UNITS = {
    "mA·h": "mAh",
    "W·h": "Wh",
    "µF": "uF",
    "Ω": "ohm",
    "%": "percent",
    "degree": "deg",
    "amu": "u",
    "cps": "count/s",
}


def read(path):
    path = Path(path)
    kind = path.parent.name
    locale = "de_DE" if path.name in GERMAN else "en_US"
    encoding = {"picolog": "utf-8", "inficon-fusion": "utf-8"}.get(kind, "windows-1252")
    tree = extract(EXTRACTORS[kind], str(path), timezone="UTC", encoding=encoding, locale=locale)
    return READERS.get(kind, columns)(tree)


def given(node, name):
    """Values and unit as yadg says."""
    unit = node[name].attrs.get("units")
    return node[name].values, UNITS.get(unit, unit)


def wanted(node):
    # The current's range is a text there ("100 µA") and EC-Lab's number for it here.
    return [name for name in node.variables if name not in ("uts", "I Range") and "uncertainty" not in name]


def columns(tree):
    return {f"0/{COLUMNS.get(name, name)}": given(tree, name) for name in wanted(tree)}


def traces(tree):
    """Chromatograms: a node a detector, with one run in it."""
    found = {}
    for number, node in enumerate(n for n in tree.subtree if "signal" in n.variables):
        signal, unit = given(node, "signal")
        # A unit may hold a factor ("25 µV"): yadg leaves it out, of the unit and of the values.
        found[f"{number}/detector_signal"] = (signal[0], None if unit == "µV" else unit)
        found[f"{number}/time"] = given(node, "elution_time")
    return found


def refraction(tree):
    return {
        name.replace("detector_signal", "refractive_index"): given for name, given in traces(tree).items()
    }


def channels(tree):
    """Loggers: without the NaN at times when only other channels were read."""
    found = {}
    for name in wanted(tree):
        values, unit = given(tree, name)
        found[f"*/{re.sub(r'[^a-z0-9]', '_', name.lower())}"] = (values[np.isfinite(values)], unit)
    return found


def flows(tree):
    ours = {"DryCal": "flow", "DryCal Avg": "flow_average", "Temp": "temperature", "Pressure": "pressure"}
    return {f"0/{ours[name]}": tree[name].values for name in wanted(tree)}


def masses(tree):
    found = {}
    for number, node in enumerate(n for n in tree.subtree if "y" in n.variables):
        values, unit = given(node, "y")
        found[f"{number}/{'ion_current' if unit == 'A' else 'ion_count_rate'}"] = (values, unit)
        found[f"{number}/mass_to_charge"] = node["mass_to_charge"].values
    return found


def network(tree):
    parts = {name: tree[name].values for name in wanted(tree)}
    if "S11_real" in parts:
        values = parts["S11_real"] + 1j * parts["S11_imag"]
    else:
        values = parts["S11_magnitude"] * np.exp(1j * np.deg2rad(parts["S11_phase_angle"]))
    return {"0/s11": values[0], "0/frequency": given(tree, "frequency")}


READERS = {
    "picolog": channels,
    "drycal": flows,
    "ezchrom-asc": traces,
    "ezchrom-dat": traces,
    "inficon-fusion": traces,
    "agilent-ch": refraction,
    "quadstar-sac": masses,
    "touchstone": network,
}
