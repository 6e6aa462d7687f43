"""Gatan DigitalMicrograph ``.dm3`` and ``.dm4``: images, stacks, diffraction, EELS, EDS and CL spectra and their maps.

The file is a tree of tags (``_gatan_tags``); its group ``ImageList`` has an image each (``_gatan_images``). Facts about
the format: the descriptions of it by users (C. Boothroyd's, G. Jefferis' for ImageJ), and files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from zairyo.measurement import Measurement, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._gatan_tags import Stored, TagFile
from zairyo.readers._mapped import map_bytes


def sniff(src: RawInput) -> float:
    head = src.head
    if len(head) < 24 or head[:3] != b"\0\0\0" or head[3] not in (3, 4):
        return NO
    at = 8 if head[3] == 3 else 12
    (order,) = struct.unpack_from(">I", head, at)
    is_group = head[at + 4] <= 1 and head[at + 5] <= 1  # sorted, open
    kind = head[at + 6 + at - 4]  # of the first tag, behind the count of tags
    if order > 1 or not is_group or kind not in (20, 21):
        return NO
    return (
        CERTAIN
        if b"ApplicationBounds" in head or b"DocumentObjectList" in head or b"ImageList" in head
        else LIKELY
    )


def read(src: RawInput) -> Measurement:
    from zairyo.readers._gatan_images import entries_of

    file = TagFile(map_bytes(src), src.name)
    tree = file.tree if isinstance(file.tree, dict) else {}
    images = tree.get("ImageList")
    if not isinstance(images, list):
        raise ReadError(
            f"{src.name} has no list of images; it is damaged, or is no image file (a script, a layout)"
        )
    warnings: list[str] = []
    entries = entries_of(file, images, _thumbnails(tree, len(images)), warnings)
    spectra = (e for e in entries if e.technique in ("eels", "eds", "cathodoluminescence"))
    first = next(spectra, entries[0])
    return Measurement(
        entries=tuple(entries),
        title=first.title,
        sample=_session(images, "Specimen"),
        instrument=_session(images, "Microscope"),
        operator=_session(images, "Operator"),
        default=first.name,
        original_metadata=tidy_metadata(file.plain(_without_data(tree))),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _thumbnails(tree: dict[str, Any], count: int) -> set[int]:
    """Indices of the images that are small pictures of others; none if there is nothing else."""
    listed = tree.get("Thumbnails")
    told = [t.get("ImageIndex") for t in listed if isinstance(t, dict)] if isinstance(listed, list) else []
    found = {i for i in told if isinstance(i, int) and 0 <= i < count}
    return found if len(found) < count else set()


def _session(images: list[Any], name: str) -> str:
    """What the session's information says first of ``name`` (Specimen, Operator, Microscope)."""
    for tags in _image_tags(images):
        for group, key in (("Session Info", name), ("Microscope Info", name), ("Microscope Info", "Name")):
            value = tags.get(group, {}).get(key) if isinstance(tags.get(group), dict) else None
            if isinstance(value, str) and value.strip() and (key != "Name" or name == "Microscope"):
                return value.strip()
    return ""


def _image_tags(images: list[Any]) -> Iterator[dict[str, Any]]:
    for image in images:
        tags = image.get("ImageTags") if isinstance(image, dict) else None
        if isinstance(tags, dict):
            yield tags


def _without_data(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree without the images' own numbers, which are the signals."""
    images = []
    for image in tree["ImageList"]:
        data = image.get("ImageData") if isinstance(image, dict) else None
        if isinstance(data, dict) and isinstance(data.get("Data"), Stored):
            image = image | {"ImageData": {k: v for k, v in data.items() if k != "Data"}}
        images.append(image)
    return tree | {"ImageList": images}


READER = Reader(
    name="gatan_dm",
    version="1",
    techniques=(
        "tem",
        "stem",
        "sem",
        "electron_diffraction",
        "stem_4d",
        "eels",
        "eds",
        "cathodoluminescence",
        "unspecified",
    ),
    vendor="Gatan",
    format="DigitalMicrograph DM3/DM4",
    endings=(".dm3", ".dm4"),
    sniff=sniff,
    read=read,
    notes="All images of a file with their calibrations: images, stacks, diffraction patterns, 4D-STEM, EELS, EDS and "
    "CL spectra, line scans and spectrum images, real, complex (packed too) and coloured. Values are as the detector "
    "gave them; a calibration of the intensity is told as a condition. Annotations are kept in the metadata.",
)
