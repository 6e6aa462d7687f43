"""Zairyo (材料): a materials laboratory's data, from the instrument to the next experiment.

    import zairyo

    m = zairyo.read("scan.xrdml")  # a Measurement: numbers, units, conditions, the vendor's own metadata
    m.plot()
    zairyo.describe(m)  # Descriptors: peaks, enthalpies, capacities ... with unit, uncertainty and method
    zairyo.write(m, "scan.nxs")

Everything loads where it is used, so that ``import zairyo`` costs nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zairyo.client import connect
    from zairyo.descriptors import CannotDescribe, Descriptors
    from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
    from zairyo.readers._api import ReadError

__version__ = "0.1.0"

_LAZY = {
    "Axis": "zairyo.measurement",
    "CannotDescribe": "zairyo.descriptors",
    "Entry": "zairyo.measurement",
    "Measurement": "zairyo.measurement",
    "Quantity": "zairyo.measurement",
    "ReadError": "zairyo.readers._api",
    "Signal": "zairyo.measurement",
    "connect": "zairyo.client",
}

__all__ = [
    "Axis",
    "CannotDescribe",
    "Entry",
    "Measurement",
    "Quantity",
    "ReadError",
    "Signal",
    "connect",
    "describe",
    "read",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'zairyo' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def read(path: str | os.PathLike[str], reader: str | None = None) -> Measurement:
    """Read an instrument's file, a folder that is one measurement, or a standard-form file.

    Parameters
    ----------
    path
        The file or folder, as the instrument wrote it.
    reader
        Name of the reader (``zairyo formats`` lists them); found by content if None.

    Raises
    ------
    ReadError
        No reader recognises it, or it is damaged; the message says what to do.
    OSError
        It cannot be opened.

    Notes
    -----
    The file is read in this process, where nothing limits its time or memory. For files you do not trust there is
    ``zairyo translate``, or :class:`zairyo.readers.sandbox.Sandbox`.
    """
    from zairyo.readers import registry

    if reader is None and registry.is_standard_form(path):
        from zairyo.measurement import nexus

        return nexus.read(path)
    return registry.read(path, reader)


def describe(
    measurement: Measurement | Entry,
    method: str | None = None,
    *,
    entry: str | None = None,
    **parameters: Any,
) -> Descriptors:
    """Named numbers from a measurement: peaks, enthalpies, capacities …, each with unit, uncertainty and method.

    Parameters
    ----------
    measurement
        In the standard form, or one entry of it.
    method
        Name of the method; every one for the entries' techniques if None.
    entry
        Name of the only entry to describe; all if None.
    parameters
        Of the method: numbers in its units, or with a unit (``low="373 K"``).

    Raises
    ------
    CannotDescribe
        The data do not give any number; the message says why and what to do.
    """
    from zairyo.descriptors import compute

    return compute(measurement, method, entry=entry, **parameters)


def write(measurement: Measurement, path: str | os.PathLike[str]) -> None:
    """Write a measurement as one NeXus/HDF5 file, which any HDF5 viewer plots.

    Raises
    ------
    OSError
        The file cannot be written; nothing half-written is left.
    """
    from zairyo.measurement import nexus

    nexus.write(measurement, path)
