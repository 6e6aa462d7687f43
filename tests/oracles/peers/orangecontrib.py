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
    spectra, found = np.asarray(spectra), {"wavenumber": (np.asarray(wavenumbers), "1/cm")}
    if table is None:
        return found | {"spectra": spectra[0]}
    if path.endswith(".map"):  # two by two, counted as one line there
        return found | {"spectra": spectra.reshape(2, 2, -1)}
    places = np.array(table.metas[:, :2], float)
    x, y = np.unique(places[:, 0]), np.unique(places[:, 1])
    if len(x) * len(y) != len(places):
        return found | {"spectra": spectra, "x": places[:, 0], "y": places[:, 1]}
    # A row of a map after the other.
    return found | {"spectra": spectra.reshape(len(y), len(x), -1), "x": x, "y": y}
