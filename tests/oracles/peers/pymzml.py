"""pymzml on the spectra of mzML."""

import numpy as np
import pymzml


def read(path):
    spectra = [(s.ID, s.scan_time[0], s.mz, s.i) for s in pymzml.run.Reader(path) if hasattr(s, "mz")]
    numbers, times, masses, heights = zip(*spectra, strict=True)
    return {
        "0/scan": np.array(numbers),
        "0/time": (np.array(times), "min"),
        "1/scan": np.repeat(numbers, [len(m) for m in masses]),
        "1/mass_to_charge": np.concatenate(masses),
        "1/abundance": np.concatenate(heights),
    }
