"""Measurements in the forms that others take: NIMS's RDE, MaiML (JIS K 0200), RO-Crate.

Each is a pure function of a :class:`Parcel`: it gives the files, and nothing is written until :func:`write_folder`
or :func:`write_zip` is asked to.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from zairyo.exports._parcel import Content, ExportError, Files, Parcel, sha256_of, write_folder, write_zip

__all__ = [
    "FORMS",
    "Content",
    "ExportError",
    "Files",
    "Parcel",
    "export",
    "sha256_of",
    "write_folder",
    "write_zip",
]

#: Form → the module whose ``files`` makes it.
FORMS: dict[str, str] = {
    "rde": "zairyo.exports.rde",
    "maiml": "zairyo.exports.maiml",
    "ro-crate": "zairyo.exports.ro_crate",
}


def export(parcel: Parcel, form: str) -> Files:
    """The files of a measurement in one of :data:`FORMS`.

    Raises
    ------
    ExportError
        A raw file given is not what the measurement was read from, or a library that the form needs is missing.
    """
    make = cast("Callable[[Parcel], Files]", import_module(FORMS[form]).files)
    return make(parcel)
