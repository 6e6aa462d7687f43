"""renishawWiRE on WiRE's files."""

import numpy as np
from renishawWiRE import WDFReader


def read(path):
    file = WDFReader(path)
    x = "0/wavelength" if str(file.xlist_unit) == "nm" else "0/raman_shift"
    return {"0/intensity": np.asarray(file.spectra), x: (np.asarray(file.xdata), str(file.xlist_unit))}
