"""DigitalMicrograph files made from nothing, as the format's description says, for variants no real file here shows."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_NUMBERS = {"i2": 2, "i4": 3, "u2": 4, "u4": 5, "f4": 6, "f8": 7, "u1": 10, "i1": 9, "i8": 11, "u8": 12}


class Writer:
    """Tags as bytes, of version 3 or 4, numbers in either byte order."""

    def __init__(self, version: int = 3, order: str = "<") -> None:
        self.version, self.order = version, order

    def long(self, *values: int) -> bytes:
        return struct.pack(f">{len(values)}{'Q' if self.version == 4 else 'I'}", *values)

    def data(self, value: Any) -> bytes:
        if isinstance(value, bool):
            return b"%%%%" + self.long(1, 8) + bytes([value])
        if isinstance(value, int):
            return b"%%%%" + self.long(1, 3) + struct.pack(self.order + "i", value)
        if isinstance(value, float):
            return b"%%%%" + self.long(1, 7) + struct.pack(self.order + "d", value)
        if isinstance(value, str):
            return self.data(np.frombuffer(value.encode("utf-16-le"), "<u2"))
        if isinstance(value, tuple):
            fields = [n for v in value for n in (0, 7 if isinstance(v, float) else 3)]
            packed = b"".join(
                struct.pack(self.order + ("d" if isinstance(v, float) else "i"), v) for v in value
            )
            return b"%%%%" + self.long(3 + len(fields), 15, 0, len(value), *fields) + packed
        if value.dtype.kind == "c":
            part = value.dtype.itemsize // 2
            number = _NUMBERS[f"f{part}"]
            flat = np.ascontiguousarray(value).view(f"f{part}").astype(f"{self.order}f{part}")
            return b"%%%%" + self.long(9, 20, 15, 0, 2, 0, number, 0, number, value.size)[:] + flat.tobytes()
        number = _NUMBERS[value.dtype.str[1:]]
        return (
            b"%%%%"
            + self.long(3, 20, number, value.size)
            + value.astype(self.order + value.dtype.str[1:]).tobytes()
        )

    def group(self, tags: dict[str, Any] | list[Any]) -> bytes:
        items = list(tags.items()) if isinstance(tags, dict) else [("", v) for v in tags]
        out = b"\x01\x00" + self.long(len(items))
        for name, value in items:
            is_group = isinstance(value, (dict, list))
            body = self.group(value) if is_group else self.data(value)
            raw = name.encode("cp1252")
            out += bytes([20 if is_group else 21]) + struct.pack(">H", len(raw)) + raw
            out += (self.long(len(body)) if self.version == 4 else b"") + body
        return out

    def file(self, tags: dict[str, Any]) -> bytes:
        body = self.group(tags)
        head = (
            struct.pack(">I", self.version) + self.long(len(body)) + struct.pack(">I", int(self.order == "<"))
        )
        return head + body + bytes(8)


def image(
    data: np.ndarray[Any, Any],
    kind: int,
    dimensions: list[tuple[int, float, float, str]],
    tags: dict[str, Any] | None = None,
    name: str = "picture",
    brightness: tuple[float, float, str] = (0.0, 1.0, ""),
) -> dict[str, Any]:
    """One of ImageList: ``dimensions`` are length, origin, scale and unit, the fastest first."""
    calibrations = [{"Origin": o, "Scale": s, "Units": u} for _, o, s, u in dimensions]
    return {
        "ImageData": {
            "Calibrations": {
                "Brightness": dict(zip(("Origin", "Scale", "Units"), brightness, strict=True)),
                "Dimension": calibrations,
            },
            "Data": data.reshape(-1),
            "DataType": kind,
            "Dimensions": [d[0] for d in dimensions],
            "PixelDepth": data.dtype.itemsize,
        },
        "ImageTags": tags or {},
        "Name": name,
    }


def dm_file(images: list[dict[str, Any]], version: int = 3, order: str = "<", **root: Any) -> bytes:
    tree = {"ApplicationBounds": (0, 0, 10, 10), "ImageList": images, **root}
    tree["DocumentObjectList"] = [{"ImageSource": i, "ImageDisplayType": 1} for i in range(len(images))]
    return Writer(version, order).file(tree)
