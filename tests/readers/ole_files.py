"""A small Microsoft compound file ("OLE"), made by hand: streams by path, as spectrometers' programs write them."""

from __future__ import annotations

import itertools
import struct

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def compound_file(streams: dict[str, bytes]) -> bytes:
    """All streams lie in the stream of small sectors (64 bytes), however long they are not: below 4096 bytes each."""
    assert all(len(content) < 4096 for content in streams.values())
    small, small_fat, entries = b"", list[int](), list[list[object]]()
    _directory(streams, "", entries)
    for entry in entries:
        content = streams.get(str(entry[1]))
        if content is None:
            continue
        first, count = len(small) // 64, max(1, -(-len(content) // 64))
        entry[2], entry[3] = (first, len(content)) if content else (_END, 0)
        if content:
            small += content.ljust(64 * count, b"\0")
            small_fat += [*range(first + 1, first + count), _END]
    names = [_entry("Root Entry", 5, child=1 if entries else _FREE, start=0, size=len(small))]
    for name, _, start, size, child, right in entries:
        kind = 1 if child is not None else 2
        names.append(_entry(str(name), kind, child or _FREE, int(start or 0), int(size or 0), right or _FREE))  # type: ignore[call-overload,arg-type]
    directory = b"".join(names)
    sectors = [_pad(small), _pad(directory), _pad(struct.pack(f"<{len(small_fat)}I", *small_fat), b"\xff")]
    starts, fat, at = [], list[int](), 0
    for content in sectors:
        count = len(content) // 512
        starts.append(at)
        fat += [*range(at + 1, at + count), _END] if count else []
        at += count
    fat.append(_FAT)
    body = b"".join(sectors) + _pad(struct.pack(f"<{len(fat)}I", *fat), b"\xff")
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack(
        "<HHHHH6xIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, starts[1], 0, 4096, starts[2], 1, _END
    )
    head += struct.pack("<I", 0) + struct.pack("<I", at) + struct.pack("<108I", *[_FREE] * 108)
    return head.ljust(512, b"\xff") + body


def _directory(streams: dict[str, bytes], folder: str, entries: list[list[object]]) -> None:
    """The names below a folder, each with the next as its right neighbour: [name, path, start, size, child, right]."""
    names = dict.fromkeys(path[len(folder) :].split("/")[0] for path in streams if path.startswith(folder))
    order = sorted(names, key=lambda n: (len(n), n.upper()))
    places = []
    for name in order:
        path = folder + name
        entries.append([name, path, 0, 0, None, None])
        places.append(len(entries))
        if path not in streams:
            entries[places[-1] - 1][4] = len(entries) + 1
            _directory(streams, path + "/", entries)
    for left, right in itertools.pairwise(places):
        entries[left - 1][5] = right


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = _FREE) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    out = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, _FREE, right, child)
    return out.ljust(116, b"\0") + struct.pack("<IQ", start, size)


def _pad(content: bytes, filler: bytes = b"\0") -> bytes:
    return content + filler * (-len(content) % 512)
