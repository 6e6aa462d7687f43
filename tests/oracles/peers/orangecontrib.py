"""orange-spectroscopy on OMNIC's spectra and maps, PerkinElmer's images and photothermal spectra."""

from pathlib import Path

import numpy as np
from orangecontrib.spectroscopy.io.omnic import OmnicMapReader, SPAReader
from orangecontrib.spectroscopy.io.perkinelmer import PerkinElmerReader
from orangecontrib.spectroscopy.io.ptir import PTIRFileReader

READERS = {
    "omnic-spa": SPAReader,
    "omnic-map": OmnicMapReader,
    "perkinelmer": PerkinElmerReader,
    "photothermal-ptir": PTIRFileReader,
}


def read(path):
    wavenumbers, spectra, table = READERS[Path(path).parent.name](path).read_spectra()
    found = {"wavenumber": (np.asarray(wavenumbers), "1/cm"), "spectra": np.asarray(spectra)}
    if table is None:
        return found | {"spectra": np.asarray(spectra)[0]}
    if path.endswith(".map"):  # two by two, counted as one line there
        return {"map": found.pop("spectra").reshape(2, 2, -1)} | found
    places = np.array(table.metas[:, :2], float)
    found["places/x"], found["places/y"] = places.T
    x, y = np.unique(places[:, 0]), np.unique(places[:, 1])
    if len(x) * len(y) == len(places):
        # A row of a map after the other.
        found["x"], found["y"], found["map"] = x, y, found["spectra"].reshape(len(y), len(x), -1)
    return found
