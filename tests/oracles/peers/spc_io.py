"""spc-io on a Galactic file of mass spectra."""

import numpy as np
from spc_io.high_level import SPC


def read(path):
    with open(path, "rb") as file:
        spectra = [(s.xarray, s.yarray) for s in SPC.from_bytes_io(file)]
    return {
        "1/mass_to_charge": np.concatenate([x for x, _ in spectra]),
        "1/abundance": np.concatenate([y for _, y in spectra]),
    }
