"""nanonispy on Nanonis images and spectra."""

import re

import numpy as np

np.float, np.int = float, int  # nanonispy was written for a NumPy that had these names
import nanonispy  # noqa: E402

IMAGES = {"Z": ("height", "m"), "Current": ("current", "A")}
SPECTRA = [
    (r"Bias calc", "bias"),
    (r"Current", "current"),
    (r"Temperature 1", "temperature_1"),
    (r"Bias", "bias_measured"),
    (r"LI Demod (\d) ([XY])", r"lock_in_\1_\2"),
]


def read(path):
    if path.endswith(".dat"):
        return dict(column(name, values) for name, values in nanonispy.read.Spec(path).signals.items())
    found = {}
    for name, ways in nanonispy.read.Scan(path).signals.items():
        ours, unit = IMAGES[name]
        found[f"0/{ours}"] = (ways["forward"], unit)
        # As it was recorded there: from right to left.
        found[f"0/{ours}_retrace"] = (ways["backward"][:, ::-1], unit)
    return found


def column(name, values):
    words, unit, filtered = re.fullmatch(r"(.*?) \((.*)\)( \[filt\])?", name).groups()
    ours = next(re.sub(old, new, words) for old, new in SPECTRA if re.fullmatch(old, words)).lower()
    return f"0/{ours}{'_filtered' if filtered else ''}", (values, unit)
