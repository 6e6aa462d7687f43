"""Raw objects laid out as the instrument had them, for a reader."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from zairyo.server.intake.names import portable, portable_path
from zairyo.server.objects import Objects
from zairyo.server.translation.leases import Companion, Work


def lay_out(work: Work, objects: Objects, folder: Path, companions: Sequence[Companion] = ()) -> Path:
    """Put the raw files under ``folder`` by their own names; returns the main one, or the folder of a folder format.

    They are links to the objects where that is possible: whoever reads them must not write.

    Raises
    ------
    OSError
        An object cannot be read or there is no room.
    """
    root = folder / portable(work.folder) if work.folder else folder
    for file in (*work.files, *(c.file for c in companions)):
        place = root / portable_path(file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        with objects.path(file.sha256) as path:
            try:
                os.link(path, place)
            except FileExistsError:
                raise  # two names that are one here
            except OSError:
                shutil.copyfile(path, place)  # another file system, or one without links
    if work.folder:
        return root
    return root / portable_path(work.files[0].name)
