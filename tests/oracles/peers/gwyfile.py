"""gwyfile on Gwyddion's files."""

import gwyfile
import numpy as np


def read(path):
    field = gwyfile.load(path)["/0/data"]
    return {"data": np.asarray(field.data)}
