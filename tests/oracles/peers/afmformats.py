"""afmformats on force curves and force maps."""

from pathlib import Path

import afmformats
import numpy as np

#: For files without a spring constant: with these, a deflection in volts or amperes counts as that many nanonewtons.
NONE = {"spring constant": 1, "sensitivity": 1e-9}
#: Its heights count towards the sample there.
TURNED = ("afm-ibw", "afm-workshop")
COLUMNS = {
    "force": ("force", "N"),
    "height (measured)": ("height_measured", "m"),
    "height (piezo)": ("height", "m"),
}


def read(path):
    kind, name = Path(path).parent.name, Path(path).name
    bare = kind == "afm-workshop" or "calibration" in name
    curves = afmformats.load_data(path, meta_override=NONE if bare else None)
    numbers = np.asarray(curves[0]["segment"], int)
    names = ["approach", "retract"] if numbers.max() < 2 else ["approach", "pause", "retract"]
    found = {"0/segment": np.array(names)[numbers]}
    for column, (ours, unit) in COLUMNS.items():
        if column not in curves[0].columns:
            continue
        values = together(curves, column)
        if kind in TURNED and column != "force":
            values = -values
        if len(curves) == 16:  # a map of four by four, line by line
            values = values.reshape(4, 4, -1)
        elif len(curves) == 1:
            values = values[0]
        if column == "force" and bare and "2020" not in name:
            found["0/deflection"] = (values / 1e-9, "V")
        else:
            found[f"0/{ours}"] = (values, unit)
    return found


def together(curves, column):
    """A row a curve; each of its segments is filled up with NaN to the longest there is."""
    segments = []
    for number in np.unique(curves[0]["segment"]):
        parts = [np.asarray(curve[column])[np.asarray(curve["segment"]) == number] for curve in curves]
        whole = np.full((len(curves), max(len(part) for part in parts)), np.nan)
        for row, part in zip(whole, parts, strict=True):
            row[: len(part)] = part
        segments.append(whole)
    return np.concatenate(segments, axis=1)
