"""What rdetoolkit does with a folder of files: a tile (folder) a file, in its MultiDataTile mode.

Run in a folder whose ``data/`` is laid out as rdetoolkit wants it. Each file is parsed and written as a CSV
with a metadata file and a main image, which is what NIMS's own structuring programs do at the least.
"""

import json
import sys

import pandas as pd
import rdetoolkit
from rdetoolkit.models.config import Config, MultiDataTileSettings, SystemSettings


def structure(paths: object) -> None:
    for source in paths.rawfiles:
        frame = pd.read_csv(source, skiprows=1)
        frame.to_csv(paths.struct / f"{source.stem}.csv", index=False)
        constant = {"points": {"value": len(frame)}, "start": {"value": float(frame.iloc[0, 0])}}
        meta = {"constant": constant, "variable": []}
        (paths.meta / "metadata.json").write_text(json.dumps(meta))


config = Config(
    system=SystemSettings(
        extended_mode="MultiDataTile", save_raw=True, save_nonshared_raw=False, magic_variable=False
    ),
    multidata_tile=MultiDataTileSettings(ignore_errors=False),
)
said = json.loads(rdetoolkit.workflows.run(custom_dataset_function=structure, config=config))
failed = [s for s in said["statuses"] if s["status"] != "success"]
print(len(said["statuses"]), "tiles", len(failed), "failed")
sys.exit(bool(failed))
