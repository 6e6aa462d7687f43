"""Scienta SES and PEAK text export: regions of one to three dimensions, each with its settings.

``[Region 1]`` gives the axes, ``[Info 1]`` the settings, ``[Data 1]`` a row an energy: the energy, then the
intensity at each position of the second dimension; ``[Data 1:2]`` is the second position of the third.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement
from zairyo.readers import _scienta
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._photoemission import Floats, measurement
from zairyo.readers._tokens import number

_MOST_BYTES = 1024**3
_MOST_POINTS = 200_000_000
_DATA = re.compile(r"^\[Data (\d+)(?::(\d+))?\][ \t]*\r?$", re.M)
_OF_REGION = re.compile(r"(.+?) (\d+)(?::\d+)?\Z")
_UNHEADED = re.compile(r"(?<=[\r\n])[-+.\d]+\t[-+.\d]+(?:[\t\r\n])")
_HEADING = re.compile(r"^\[", re.M)


def sniff(src: RawInput) -> float:
    head = src.head[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return CERTAIN if head.startswith(b"[Info]") and b"Number of Regions=" in head else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    header, blocks = _split(text)
    found = _scienta.sections(header)
    regions = sorted({int(m[2]) for s in found if (m := _OF_REGION.match(s)) and m[1] in ("Region", "Info")})
    announced = number(found.get("Info", {}).get("Number of Regions"))
    if announced is not None and announced != len(regions):
        if len(regions) < announced:
            raise ReadError(
                f"{announced:g} regions are announced and {len(regions)} are there; the file is cut off. Copy it again."
            )
        warnings.append(f"{announced:g} regions are announced and {len(regions)} are there.")
    taken: set[str] = set()
    entries = [_entry(r, found, blocks, taken, warnings) for r in regions]
    infos = [found.get(f"Info {r}", {}) for r in regions]
    return measurement(
        [e for e in entries if e is not None],
        warnings,
        original_metadata=found.get("Info", {}),
        **_scienta.about(infos),
    )


def _split(text: str) -> tuple[str, dict[int, dict[int, str]]]:
    """Everything but the numbers, and the numbers' text by region and position of the third dimension."""
    kept, blocks, end = [], dict[int, dict[int, str]](), 0
    for heading in _DATA.finditer(text):
        kept.append(text[end : heading.start()])
        following = _HEADING.search(text, heading.end())
        end = following.start() if following else len(text)
        blocks.setdefault(int(heading[1]), {})[int(heading[2] or 1)] = text[heading.end() : end]
    # The beam line CASSIOPEE writes the numbers without a heading, behind the run mode of the only region.
    if not blocks and (numbers := _UNHEADED.search(text)):
        return text[: numbers.start()], {1: {1: text[numbers.start() :]}}
    return "".join([*kept, text[end:]]), blocks


def _entry(
    region: int,
    found: dict[str, dict[str, Any]],
    blocks: dict[int, dict[int, str]],
    taken: set[str],
    warnings: list[str],
) -> Entry | None:
    described, info = found.get(f"Region {region}", {}), found.get(f"Info {region}", {})
    name = described.get("Region Name") or info.get("Region Name") or f"Region {region}"
    if region not in blocks:
        raise ReadError(f"region {region} ({name}) has no numbers; the file is cut off. Copy it again.")
    axes = _axes(described, name, warnings)
    values, energies = _values(blocks[region], axes, name, warnings)
    if not len(values):
        warnings.append(f"Region {name} holds no numbers; it was left out.")
        return None
    if energies is not None:
        axes[0] = Axis(axes[0].name, energies, axes[0].unit, axes[0].long_name)
    settings = {s: lines for s, lines in found.items() if s.endswith(f" {region}") and lines}
    shown = {s: {k: v for k, v in lines.items() if not k.endswith(" scale")} for s, lines in settings.items()}
    kept = [i for i, a in enumerate(axes) if i == 0 or len(a.values) > 1]
    values = values.reshape([len(axes[i].values) for i in kept])
    order = [axes[i] for i in reversed(kept)]
    dates = [found[s].get("Date", "") for s in found if s.startswith("Info ")]
    return _scienta.entry(
        name, order, np.ascontiguousarray(values.T), None, info, shown, taken, warnings, dates
    )


def _axes(described: dict[str, Any], name: str, warnings: list[str]) -> list[Axis]:
    """The region's dimensions in the file's order: the energy first."""
    axes, taken, points = [], set[str](), 1
    for dimension in (1, 2, 3):
        title = described.get(f"Dimension {dimension} name")
        if title is None:
            break
        scale = str(described.get(f"Dimension {dimension} scale", "")).split()
        size = number(described.get(f"Dimension {dimension} size"))
        values = [number(t) for t in scale]
        if size is not None and size != len(values):
            raise ReadError(
                f"region {name}: dimension {dimension} should have {size:g} positions, and its scale has "
                f"{len(values)}; the file is cut off or damaged. Copy it again."
            )
        if not values or None in values:
            raise ReadError(f"region {name}: the scale of dimension {dimension} is not all numbers")
        points *= len(values)
        axes.append(_scienta.axis(title, np.array(values, float), taken, warnings))
    if not axes or points > _MOST_POINTS:
        raise ReadError(f"region {name} does not say over what it was measured ({points} points)")
    return axes


def _values(
    blocks: dict[int, str], axes: list[Axis], name: str, warnings: list[str]
) -> tuple[NDArray[Any], Floats | None]:
    """Numbers of shape (energies, second, third), and the rows' energies, which have more digits than the scale."""
    rows = len(axes[0].values)
    columns = len(axes[1].values) if len(axes) > 1 else 1
    layers = len(axes[2].values) if len(axes) > 2 else 1
    if sorted(blocks) != list(range(1, layers + 1)):
        raise ReadError(
            f"region {name}: {layers} blocks of numbers are announced and {len(blocks)} are there; the file is cut off"
        )
    values = np.empty((rows, columns, layers))
    energies = None
    for layer in range(layers):
        numbers = _numbers(blocks[layer + 1], rows * (columns + 1), f"region {name}", warnings)
        numbers = numbers.reshape(rows, columns + 1)
        values[:, :, layer] = numbers[:, 1:]
        if layer == 0 and np.all(np.isfinite(numbers[:, 0])):
            energies = numbers[:, 0].copy()
            step = np.abs(np.diff(axes[0].values)).mean() if rows > 1 else 1.0
            if np.abs(energies - axes[0].values).max() > step / 2:
                warnings.append(
                    f"Region {name}: its rows state other energies than its scale; theirs are used."
                )
    return values, energies


def _numbers(text: str, count: int, where: str, warnings: list[str]) -> Floats:
    tokens = text.split()
    if len(tokens) != count:
        raise ReadError(
            f"{where}: {count} numbers should follow, but there are {len(tokens)}; the file is cut off or damaged. "
            "Copy it again."
        )
    try:
        return np.array(list(map(float, tokens)))
    except ValueError:
        values = [number(t) for t in tokens]
    odd = [t for t, v in zip(tokens, values, strict=True) if v is None]
    if len(odd) * 10 > count:
        raise ReadError(f"{where}: {len(odd)} of {count} values are not numbers, e.g. {odd[0][:40]!r}")
    if odd:
        shown = f"{odd[0][:40]!r}" + (f" and {len(odd) - 1} more" if len(odd) > 1 else "")
        warnings.append(f"{where}: {shown} are not numbers; they are left empty.")
    return np.array([np.nan if v is None else v for v in values])


READER = Reader(
    name="scienta_txt",
    version="1",
    techniques=("xps", "ups", "arpes"),
    vendor="Scienta Omicron",
    format="SES / PEAK text",
    endings=(".txt",),
    sniff=sniff,
    read=read,
    notes="All regions, of one to three dimensions. The export does not say whether its intensities are counts.",
)
