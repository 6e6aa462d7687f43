"""Phenom's Element Identification project (``.elid`` from version 3.8 on), unpacked: images and their analyses.

``EID2``, the version, and then images one after the other: a TIFF, a label, analyses (spot, region, line, map,
imported spectrum, difference of two). Counts are written as numbers of 7 bits a byte, the lowest first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError

MAGIC = b"EID2"
NEWEST = 4
MSA, SPOT, LINE, MAP, DIFFERENCE, REGION, CONSTRUCTED = range(1, 8)
KINDS = {
    MSA: "MSA",
    SPOT: "Spot",
    LINE: "Line",
    MAP: "Map",
    DIFFERENCE: "Difference",
    REGION: "Region",
    CONSTRUCTED: "Constructed",
}
_SETTINGS = (
    *("high_tension", "detector_elevation", "detector_azimuth", "live_time", "real_time"),
    *("slow_peaking_time", "fast_peaking_time", "detector_resolution"),
)
_LATER_SETTINGS = (
    *("optical_working_distance", "working_distance", "detector_surface_area"),
    *("detector_distance", "sample_tilt_angle"),
)
_DETECTORS = ("", "FastSDD C2", "FastSDD C5", "FastSDD WLS")
_CORRECTIONS = ("unknown", "linearized", "raw")
_DRIFT = ("unknown", "on", "off")
_MOST_COUNTS = 256 * 1024**2
_BLOCK = 8 * 1024**2
_ELEMENTS = (
    "n H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb "
    "Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf "
    "Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
_SYMBOLS = tuple(_ELEMENTS.split())


@dataclass
class Analysis:
    """One analysis.

    Attributes
    ----------
    kind
        ``SPOT`` …
    counts
        Shape (channels,), (points, channels) for a line, (rows, columns, channels) for a map.
    offset, dispersion
        Of the energy axis, eV.
    settings
        The detector's settings and what the user chose, by Phenom's names; SI units, angles in rad.
    place
        Spot: x, y; line: begin and end; map and region: left, top, right, bottom. As parts of the field of view,
        from the image's middle.
    live_times
        Of each point of a line or map, s; None if they are all alike.
    """

    kind: int
    counts: NDArray[Any]
    offset: float
    dispersion: float
    settings: dict[str, Any]
    place: tuple[float, ...] = ()
    live_times: NDArray[np.float64] | None = None


@dataclass
class Picture:
    """An image of the project with its analyses; ``tiff`` is empty if there is none."""

    tiff: bytes
    label: str
    analyses: list[Analysis] = field(default_factory=list)


def read_project(data: bytes, name: str) -> tuple[int, list[Picture], list[Analysis]]:
    """The project's version, its images with their analyses, and the analyses that belong to no image.

    Raises
    ------
    ReadError
        If it is no such project, of a version that is not known, or is cut off.
    """
    if data[:4] != MAGIC or len(data) < 8:
        raise ReadError(f"{name} is not a Phenom project: it does not begin with 'EID2'")
    file = _Project(data, name)
    if not 0 <= file.version <= NEWEST:
        raise ReadError(
            f"{name} is of version {file.version}; versions 0 … {NEWEST} are known. Export it as an older one."
        )
    pictures = []
    for _ in range(file.count(12)):
        picture = Picture(file.block(), file.text())
        picture.analyses = file.analyses()
        pictures.append(picture)
    rest: list[Analysis] = []
    if file.version >= 1:
        rest = file.analyses() + file.analyses()
    return file.version, pictures, rest


class _Project:
    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.at = data, name, 8
        (self.version,) = struct.unpack_from("<i", data, 4)

    def take(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        self._check(size)
        self.at += size
        return struct.unpack_from("<" + layout, self.data, self.at - size)

    def _check(self, size: int) -> None:
        if size > len(self.data) - self.at:
            raise ReadError(
                f"{self.name} is cut off or damaged: {size} bytes are needed at byte {self.at} of what it unpacks to, "
                f"{len(self.data)} bytes. Copy it again."
            )

    def double(self) -> float:
        return float(self.take("d")[0])

    def byte(self) -> int:
        return int(self.take("B")[0])

    def count(self, smallest: int) -> int:
        """How many things follow, each of at least ``smallest`` bytes."""
        (count,) = self.take("I")
        self._check(count * smallest)
        return int(count)

    def block(self) -> bytes:
        size = self.count(1)
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        return clean_text(self.block().decode("utf-8", "replace"))

    def named(self, names: tuple[str, ...]) -> str:
        number = self.byte()
        return names[number] if number < len(names) else f"unknown ({number})"

    def elements(self) -> list[str]:
        return [symbol(z) for z in self.block()]

    def counts(self, number: int) -> NDArray[Any]:
        """``number`` counts; no more memory than they need."""
        self._check(number)
        if number > _MOST_COUNTS:
            raise ReadError(
                f"{self.name} has a map of {number} counts; the most that is read is {_MOST_COUNTS}"
            )
        values = np.empty(number, np.uint32)
        done = 0
        while done < number:
            values_here, size = _unpack(self.data, self.at, min(_BLOCK, number - done))
            if not size:
                raise ReadError(f"{self.name} is cut off after {done} of {number} counts of an analysis")
            values[done : done + len(values_here)] = values_here
            done += len(values_here)
            self.at += size
        return values

    def detector(self) -> dict[str, Any]:
        """The X-ray detector's settings; what an old version does not say is left out."""
        found: dict[str, Any] = dict(zip(_SETTINGS, self.take("8d"), strict=True))
        found["instrument_id"] = self.text()
        if self.version == 0:  # in degrees then, and the times were not yet written
            found["detector_elevation"] = float(np.radians(found["detector_elevation"]))
            del found["slow_peaking_time"], found["fast_peaking_time"]
        else:
            found |= zip(_LATER_SETTINGS, self.take("5d"), strict=True)
        if self.version >= 3:
            found["c_correction"] = self.double()
            found["detector_type"] = self.named(_DETECTORS)
            found["spectrum_correction"] = self.named(_CORRECTIONS)
        return found

    def analyses(self) -> list[Analysis]:
        return [self._analysis() for _ in range(self.count(100))]

    def _analysis(self) -> Analysis:
        kind = self.byte()
        if kind not in KINDS:
            raise ReadError(f"{self.name} has an analysis of an unknown kind ({kind}) at byte {self.at - 1}")
        self.block()  # a cutout of the image
        offset, dispersion = self.take("dd")
        counts = self.counts(self.count(1))
        made = Analysis(kind, counts, offset, dispersion, self.detector())
        made.settings |= self._choices()
        if kind == SPOT:
            made.place = self.take("dd")
        elif kind == REGION:
            made.place = self.take("4d")
        elif kind == DIFFERENCE:
            made.settings["difference_of"] = list(self.take("II"))
        elif kind == CONSTRUCTED:
            made.settings["description"] = self.text()
            made.settings["sources"] = [list(self.take("Id")) for _ in range(self.count(12))]
        elif kind in (LINE, MAP):
            self._spectra(made)
        return made

    def _choices(self) -> dict[str, Any]:
        found: dict[str, Any] = {"included_elements": self.elements(), "excluded_elements": self.elements()}
        found["background_fit_bins"] = [self.take("i")[0] for _ in range(self.count(4))]
        found["selected_oxides"] = [_oxide(*self.take("3B")) for _ in range(self.count(3))]
        found["auto_id"] = bool(self.byte())
        (found["order_nr"],) = self.take("i")
        families = [self.take("2B") for _ in range(self.count(2))]
        found["family_overrides"] = [
            f"{symbol(z)} {' KLMNOP'[f : f + 1].strip()}".strip() for z, f in families
        ]
        if self.version >= 2:
            found["drift_correction"] = self.named(_DRIFT)
        if self.version >= 4:
            found["ignored_elements"] = self.elements()
        return found

    def _spectra(self, made: Analysis) -> None:
        """The spectra of a line or map, behind their sum."""
        made.place = self.take("4d")
        if made.kind == MAP:
            made.settings["colour_intensities"] = [self.double() for _ in range(self.count(8))]
            width, height, channels = self.take("3I")
            shape: tuple[int, ...] = (height, width, channels)
        else:
            shape = self.take("2I")
        if min(shape) < 1:
            raise ReadError(f"{self.name} has an analysis of {shape} counts")
        made.offset, made.dispersion = self.take("dd")
        here = self.detector()
        made.settings |= {k: v for k, v in here.items() if k not in ("live_time", "real_time")}
        each_real, each_live = self.byte(), self.byte()
        made.counts = self.counts(int(np.prod(shape, dtype=object))).reshape(shape)
        places = shape[:-1]
        self._times(places if each_real else ())
        live = self._times(places if each_live else ())
        if each_live and np.ptp(live):
            made.live_times = live
        if made.kind == LINE:
            made.settings["high_accuracy_quantification"] = bool(self.byte())

    def _times(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        number = int(np.prod(shape, dtype=object))
        self._check(8 * number)
        self.at += 8 * number
        return np.frombuffer(self.data, "<f8", number, self.at - 8 * number).reshape(shape)


def symbol(number: int) -> str:
    """An element by its atomic number."""
    return _SYMBOLS[number] if 0 < number < len(_SYMBOLS) else f"Z={number}"


def _oxide(element: int, atoms: int, oxygens: int) -> str:
    return symbol(element) + (str(atoms) if atoms > 1 else "") + "O" + (str(oxygens) if oxygens > 1 else "")


def _unpack(data: bytes, at: int, number: int) -> tuple[NDArray[np.uint32], int]:
    """Up to ``number`` counts of 7 bits a byte, and how many bytes they took; none if there is not one whole."""
    buffer = np.frombuffer(data, np.uint8, min(len(data) - at, number * 5), at)
    short = buffer[:number]
    if len(short) == number and (short.max(initial=0) < 128):
        return short.astype(np.uint32), number
    ends = np.flatnonzero(buffer < 128)[:number]
    if not len(ends):
        return np.empty(0, np.uint32), 0
    starts = np.concatenate(([0], ends[:-1] + 1))
    values = (buffer[starts] & 127).astype(np.uint32)
    longer = np.flatnonzero(ends > starts)
    for digit in range(1, 5):
        longer = longer[ends[longer] - starts[longer] >= digit]
        if not len(longer):
            break
        values[longer] |= (buffer[starts[longer] + digit] & 127).astype(np.uint32) << np.uint32(7 * digit)
    return values, int(ends[-1]) + 1
