"""igor2 on Igor's waves, alone and in packed experiments."""

import re

import numpy as np
from igor2 import binarywave, packed


def read(path):
    if path.endswith(".ibw"):
        wave = binarywave.load(path)["wave"]
        return {"wave": np.asarray(wave["wData"]), "x": scaled(wave, 0)}
    waves = {}
    _, tree = packed.load(path)
    collect(tree["root"], waves)
    # A name that stands in several folders is several waves: which is which only its folder says.
    return {f"*/{name}": values[0] for name, values in waves.items() if len(values) == 1}


def collect(folder, waves):
    for name, item in folder.items():
        if isinstance(item, dict):
            collect(item, waves)
        elif hasattr(item, "wave"):
            values = np.asarray(item.wave["wave"]["wData"])
            if values.dtype.kind in "iufc" and values.size > 1:
                key = re.sub(r"\W", "_", name.decode("latin-1")).lower()
                waves.setdefault(key, []).append(values)


def scaled(wave, dimension):
    header = wave["wave_header"]
    step, start = np.ravel(header["sfA"])[dimension], np.ravel(header["sfB"])[dimension]
    return start + step * np.arange(wave["wData"].shape[dimension])
