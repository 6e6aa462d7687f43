"""geddes on Bruker's, Rigaku's and PANalytical's files."""

import geddes
import numpy as np


def read(path):
    pattern = geddes.read(path)
    return {"0/two_theta": (np.asarray(pattern.x), "deg"), "0/intensity": np.asarray(pattern.y)}
