"""Structures the text files of the (imaginary) Kaede KX-1 diffractometer."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from rdetoolkit.errors import catch_exception_with_message
from rdetoolkit.exceptions import StructuredError
from rdetoolkit.models.rde2types import RdeInputDirPaths, RdeOutputResourcePath
from rdetoolkit.rde2util import Meta


def read(path: Path) -> tuple[dict[str, str], pd.DataFrame]:
    head, mark, body = path.read_text(encoding="cp932").partition("[data]\n")
    if not mark:
        raise StructuredError(f"{path.name} has no [data]: the measurement was not finished")
    pairs = (line.split(":", 1) for line in head.splitlines() if ":" in line)
    header = {key.strip(): value.strip() for key, value in pairs}
    rows = [[float(cell) for cell in line.split()] for line in body.splitlines()]
    return header, pd.DataFrame(rows, columns=["2θ (deg)", "Intensity (counts)"])


@catch_exception_with_message(error_message="the KX-1 file cannot be structured")
def dataset(srcpaths: RdeInputDirPaths, resource_paths: RdeOutputResourcePath) -> None:
    path = resource_paths.rawfiles[0]
    header, data = read(path)
    data.to_csv(resource_paths.struct / f"{path.stem}.csv", index=False)

    meta = Meta(srcpaths.tasksupport / "metadata-def.json")
    meta.assign_vals(header)
    meta.writefile(str(resource_paths.meta / "metadata.json"))

    figure, axes = plt.subplots()
    data.plot(x="2θ (deg)", y="Intensity (counts)", ax=axes, title=path.stem)
    figure.savefig(resource_paths.main_image / f"{path.stem}.png")
    plt.close(figure)
