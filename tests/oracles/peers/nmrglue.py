"""nmrglue on Bruker's archives, JEOL's, NMRPipe's and JCAMP-DX files."""

import gzip
import tempfile
import zipfile
from pathlib import Path

import nmrglue as ng
import numpy as np


def read(path):
    with tempfile.TemporaryDirectory() as folder:
        if path.endswith(".zip"):
            zipfile.ZipFile(path).extractall(folder)
            return bruker(next(Path(folder).rglob("acqus")).parent)
        if path.endswith(".gz"):
            unpacked = Path(folder, "fid.jdf")
            unpacked.write_bytes(gzip.decompress(Path(path).read_bytes()))
            return {"0/intensity": ng.jeol.read(str(unpacked))[1]}
    if path.endswith(".fid"):
        return {"0/intensity": ng.pipe.read(path)[1]}
    _, values = ng.jcampdx.read(path)
    if isinstance(values, list):
        values = values[0] + 1j * np.asarray(values[1])
    return {"0/intensity": values}


def bruker(experiment):
    parameters, decays = ng.bruker.read(str(experiment))
    _, spectrum = ng.bruker.read_pdata(str(experiment / "pdata" / "1"))
    # The stored integers' common power of two is left out there.
    return {"fid": decays * 2.0 ** parameters["acqus"]["NC"], "spectrum": spectrum}
