"""Bruker maps made from nothing: the container, plain or packed, and pixels in every form."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

CHUNK = 4096
USABLE = CHUNK - 32

HEAD = """<?xml version="1.0" encoding="WINDOWS-1252" standalone="yes"?><TRTSpectrumDatabase><RTHeader/>
<ClassInstance Type="TRTSpectrumDatabase" Name="made"><Header><Date>2.11.2020</Date><Time>9:8:7</Time></Header>
<ClassInstance Type="TRTSEMData"><HV>{voltage}</HV><WD>8,5</WD><Mag>1000</Mag><DX>0,5</DX><DY>0,25</DY></ClassInstance>
{more}<LineCounter>1,1</LineCounter><ChCount>4096</ChCount>{spectra}</ClassInstance></TRTSpectrumDatabase>"""
SPECTRUM = """<SpectrumData{number}><ClassInstance Type="TRTSpectrum"><TRTHeaderedClass/>
<ClassInstance Type="TRTSpectrumHeader"><ChannelCount>{channels}</ChannelCount><CalibAbs>-0,5</CalibAbs>
<CalibLin>1E-2</CalibLin></ClassInstance></ClassInstance></SpectrumData{number}>"""


def head(channels: int = 2048, maps: int = 1, voltage: str = "20", more: str = "") -> bytes:
    spectra = "".join(SPECTRUM.format(number=i, channels=channels) for i in range(maps))
    return HEAD.format(voltage=voltage, more=more, spectra=spectra).encode("cp1252")


def pixel(x: int, form: int, content: bytes, pulses: int = 0, extra: bytes = b"") -> bytes:
    """A pixel; ``content`` of instructions (form 2) is followed by what is told of ``extra``, single pulses."""
    if form > 1:
        content += struct.pack("<I", len(extra))
    return struct.pack("<IHHIHHHI", x, 0, 0, 0xC0000, form, 0, pulses, len(content)) + content + extra


def pulses_16(x: int, channels: Sequence[int]) -> bytes:
    return pixel(x, 0, struct.pack(f"<{len(channels)}H", *channels), len(channels))


def pulses_12(x: int, channels: Sequence[int]) -> bytes:
    bits = "".join(f"{c:012b}" for c in channels)
    bits += "0" * (-len(bits) % 16)
    words = [int(bits[i : i + 16], 2) for i in range(0, len(bits), 16)]
    return pixel(x, 1, struct.pack(f"<{len(words)}H", *words), len(channels))


def instruction(width: int, offset: int, values: Sequence[int]) -> bytes:
    """``values`` of ``width`` half bytes each, over a common offset."""
    if width == 1:
        halves = [*values, *([0] * (len(values) % 2))]
        packed = bytes(a | b << 4 for a, b in zip(halves[::2], halves[1::2], strict=True))
    else:
        packed = b"".join(v.to_bytes(width // 2, "little") for v in values)
    return bytes([width, len(values)]) + offset.to_bytes(width, "little") + packed


def hypermap(columns: int, lines: Sequence[Sequence[bytes]]) -> bytes:
    """``lines`` of pixels as the file of a map."""
    out = struct.pack("<IIII", len(lines), columns, 4096, 1).ljust(0x1A0, b"\0")
    return out + b"".join(struct.pack("<I", len(line)) + b"".join(line) for line in lines)


def packed(data: bytes, block: int = 1000) -> bytes:
    """A file as blocks of zlib."""
    blocks = [zlib.compress(data[i : i + block]) for i in range(0, len(data), block)]
    out = (b"AACS" + struct.pack("<III", block, 0, len(blocks))).ljust(0x80, b"\0")
    return out + b"".join(struct.pack("<IIII", len(b), block, 0, 0) + b for b in blocks)


def container(files: dict[str, bytes], is_fragmented: bool = False) -> bytes:
    """Files in ``EDSDatabase`` of a container; fragmented: their chunks in reverse order."""
    chunks: list[bytes] = [bytes(CHUNK)]  # the first holds the container's numbers

    def put(data: bytes, following: int = 0xFFFFFFFF) -> int:
        chunks.append(struct.pack("<I", following).ljust(32, b"\0") + data.ljust(USABLE, b"\0"))
        return len(chunks) - 1

    def put_table(data: bytes) -> int:
        if not data:
            return -1
        parts = [data[i : i + USABLE] for i in range(0, len(data), USABLE)]
        following = 0xFFFFFFFF
        for part in reversed(parts):
            following = put(part, following)
        return following

    items = [struct.pack("<iQ24xIi176x?3x256s32x", 0, 0, 0, -1, True, b"EDSDatabase")]
    for name, data in files.items():
        parts = [data[i : i + USABLE] for i in range(0, len(data), USABLE)]
        order = list(reversed(range(len(parts)))) if is_fragmented else list(range(len(parts)))
        places = {i: put(parts[i]) for i in order}
        table = put_table(struct.pack(f"<{len(parts)}I", *(places[i] for i in range(len(parts)))))
        items.append(struct.pack("<iQ24xIi176x?3x256s32x", table, len(data), 0, 0, False, name.encode()))
    tree = put_table(b"".join(items))
    numbers = b"AASFSSGN".ljust(12, b"\0") + struct.pack("<fI", 2.6, CHUNK)
    chunks[0] = (numbers.ljust(40, b"\0") + struct.pack("<III", tree, len(items), len(chunks))).ljust(
        CHUNK, b"\0"
    )
    return b"AAMVHFSS".ljust(0x118, b"\0") + b"".join(chunks)


def bcf(lines: Sequence[Sequence[bytes]], columns: int, channels: int = 2048, **more: str) -> bytes:
    """A whole file of one map."""
    return container(
        {"HeaderData": head(channels, **more), "SpectrumData0": hypermap(columns, lines)}  # type: ignore[arg-type]
    )
