"""rainbow-api on Agilent's folders and OpenLab archives: chromatograms, spectra of diode arrays, masses."""

from pathlib import Path

import numpy as np
import rainbow


def read(path):
    name = Path(path).name
    if name in ("cyan.D", "gold.D"):
        return masses(rainbow.read(path, hrms=True, centroid=name == "gold.D"))
    found = {}
    for file in rainbow.read(path).datafiles:
        unit = file.metadata.get("unit")
        if file.detector == "MS":
            found["ms/time"] = (np.asarray(file.xlabels), "min")
        elif len(file.ylabels) > 1:
            found[f"{file.name}/time"] = (np.asarray(file.xlabels), "min")
            found[f"{file.name}/wavelength"] = (np.asarray(file.ylabels, float), "nm")
            found[f"{file.name}"] = (file.data, unit)
        else:
            found[f"{file.name}/time"] = (np.asarray(file.xlabels), "min")
            found[f"{file.name}"] = (file.data[:, 0], unit)
    return found


def masses(folder):
    """Scans one after another; as a table of scans and masses where all are at the same masses."""
    found = {}
    for file in folder.datafiles:
        scans = [file.scan(number) for number in range(len(file.xlabels))]
        same = all(np.array_equal(m, scans[0][0]) for m, _ in scans)
        found[f"{file.name}/time"] = (np.asarray(file.xlabels), "min")
        found[f"{file.name}/masses"] = scans[0][0] if same else np.concatenate([m for m, _ in scans])
        found[file.name] = np.array([a for _, a in scans]) if same else np.concatenate([a for _, a in scans])
    return found
