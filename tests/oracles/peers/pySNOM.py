"""pySNOM on neaSNOM's files: every channel, a row a run."""

import numpy as np
from pySNOM.readers import NeaFileLegacyReader

PARTS = {"A": "amplitude", "P": "phase"}


def read(path):
    columns, _ = NeaFileLegacyReader(path).read()
    runs = len(np.unique(columns["Run"]))
    found = {}
    for name, values in columns.items():
        table = np.asarray(values).reshape(runs, -1)
        if name[0] == "O":  # the optical signal at a multiple of the tip's frequency
            found[f"0/optical_{PARTS[name[2]]}_{name[1]}"] = table
        elif name == "M":
            found["0/mirror_position"] = table
    return found
