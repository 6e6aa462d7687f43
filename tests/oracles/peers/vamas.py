"""vamas on regular scans: the ordinates by their places."""

import numpy as np
from vamas import Vamas


def read(path):
    found = {}
    for number, block in enumerate(Vamas(path).blocks):
        for place, ordinate in enumerate(block.corresponding_variables):
            found[f"{number}/{place}"] = np.asarray(ordinate.y_values)
        positions = block.x_start + block.x_step * np.arange(len(ordinate.y_values))
        found[f"{number}/x"] = (positions, "eV")
    return found
