"""rosettasciio on electron microscopy and on optical spectra: each data set by its number, its axes beside it."""

import importlib
import logging
import tempfile
import zipfile
from pathlib import Path

import numpy as np

logging.disable(logging.CRITICAL)
FORMATS = {
    "blockfile": "blockfile",
    "bruker-bcf": "bruker",
    "bruker-spx": "bruker",
    "digitalsurf": "digitalsurf",
    "emsa-msa": "msa",
    "fei-tia": "tia",
    "gatan-dm": "digitalmicrograph",
    "hamamatsu-img": "hamamatsu",
    "horiba-jy-xml": "jobinyvon",
    "jeol-eds": "jeol",
    "phenom-elid": "phenom",
    "protochips-csv": "protochips",
    "renishaw-wdf": "renishaw",
    "sem-tiff": "tiff",
    "trivista": "trivista",
    "velox-emd": "emd",
}
#: Turned there so that the spectral axis rises; the files have it the other way round.
FALLING = {"hamamatsu-img": ("Wavelength",), "horiba-jy-xml": ("Wavelength", "Raman_Shift")}
FALLING["renishaw-wdf"] = FALLING["horiba-jy-xml"]
UNITS = {"µm": "um", "µs": "us", "1 / µm": "1/um", "px": "pixel", "pix": "pixel", "": None, "points": None}


def read(path):
    path = Path(path)
    kind = path.parent.name
    reader = importlib.import_module(f"rsciio.{FORMATS[kind]}").file_reader
    if path.suffix != ".zip":
        return named(kind, reader(str(path)))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        members = [archive.extract(name, folder) for name in sorted(archive.namelist())]
        return named(kind, [data for member in members for data in reader(member)])


def named(kind, datasets):
    found = {}
    for number, dataset in enumerate(datasets):
        values = np.asarray(dataset["data"])
        if values.dtype.names:  # colours as fields
            values = np.stack([values[name] for name in values.dtype.names], axis=-1)
        for dimension, axis in enumerate(dataset["axes"]):
            name = str(axis["name"]).strip().replace(" ", "_")
            positions, unit = along(axis)
            if kind == "renishaw-wdf" and number:  # of the white-light image: the edges of the pixels
                positions = positions + float(axis["scale"]) / 2
            if name in FALLING.get(kind, ()):
                values, positions = np.flip(values, dimension), np.flip(positions)
            if name:
                found[f"{number}/{name}"] = (positions, unit)
        # Colours come first, a surface in millimetres before them.
        if kind == "digitalsurf" and not dataset["axes"][0]["name"]:
            if len(values) == 4:
                found["surface"], values = (values[0], "mm"), values[1:]
            values = np.moveaxis(values, 0, -1)
        found[f"{number}"] = values
    return found


def along(axis):
    unit = axis.get("units")
    unit = UNITS.get(unit, unit) if isinstance(unit, str) else None
    if "axis" in axis:
        return np.asarray(axis["axis"]), unit
    scale, offset = axis.get("scale"), axis.get("offset")
    if scale is None or offset is None:
        return np.arange(axis["size"]), None
    return float(offset) + float(scale) * np.arange(int(axis["size"])), unit
