"""Agilent MassHunter's ``AcqData``: scans of mass spectrometers, and the traces and spectra of detectors beside them.

``MSScan.xsd`` says how the records of ``MSScan.bin`` are laid out; a record tells where in ``MSProfile.bin`` and
``MSPeak.bin`` its scan's points are. Profiles of time-of-flight instruments are over flight times, which
``MSMassCal.bin`` (or ``DefaultMassCal.xml``) turns into masses. Everything is little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Quantity, Signal
from zairyo.measurement.model import Array
from zairyo.readers import _xml
from zairyo.readers._agilent_calibration import Calibration, calibrations_of
from zairyo.readers._agilent_packing import DamagedStream, Lzf, undo_runs
from zairyo.readers._api import ReadError
from zairyo.readers._folder import Folder
from zairyo.readers._separation import MOST_POINTS, Scans, mass_runs, without_zeros

_SIMPLE = {
    "byte": "i1",
    "short": "<i2",
    "int": "<i4",
    "long": "<i8",
    "float": "<f4",
    "double": "<f8",
}
_ISOTOPES = 72  # the first record of MSScan_XSpecific.bin
_POINTER = 0x58  # where a file says at which byte its records begin
_MOST_BLOCKS = 8
_DEEPEST = 10
_PEAK_TYPES = {8: ("<f4", "<f4"), 12: ("<f8", "<f4"), 16: ("<f8", "<f8")}
_PROFILE, _PEAKS = 1, 2
_RUNS_MARK = 0x90
_MOST_TIMES = 1 << 24  # in one profile; instruments have some hundred thousand
_POLARITIES = {0: "positive", 1: "negative"}
_IONISATION = {
    2: "EI",
    4: "CI",
    8: "MALDI",
    16: "APPI",
    32: "APCI",
    64: "ESI",
    128: "nano-ESI",
    512: "MS chip",
    1024: "ICP",
    2048: "ESI (Jet Stream)",
}


def has_scans(folder: Folder) -> bool:
    return folder.has("AcqData/MSScan.bin")


def scan_entries(folder: Folder, technique: str, warnings: list[str], **shared: Any) -> list[Entry]:
    """The run of the mass spectrometer: chromatogram, peaks, profile."""
    records, blocks = _records(folder)
    entries: list[Entry] = []
    if folder.has("AcqData/MSScan_XSpecific.bin"):
        return [_isotopes(folder, records, blocks, shared)]
    times = records["ScanTime"]
    if not np.isfinite(times).all():
        raise ReadError("MSScan.bin has times that are no numbers; it is damaged. Copy the folder again.")
    conditions = {**shared.pop("conditions", {}), **_conditions(records)}
    calibrations = calibrations_of(folder, records)
    groups = _groups(records)
    for kind, name in ((_PEAKS, "AcqData/MSPeak.bin"), (_PROFILE, "AcqData/MSProfile.bin")):
        if not folder.has(name):
            continue
        data = folder.read(name)
        points = list(_points(data, name, kind, records, blocks, calibrations, warnings))
        if not any(len(masses) for masses, _ in points):
            continue
        scans = _scans(records, points, kind == _PROFILE)
        more = mass_runs(technique, scans, groups, conditions=conditions, **shared)
        entries += [e for e in more if e.name not in {known.name for known in entries}]
    if not entries:
        raise ReadError(
            "AcqData has scans, but neither MSPeak.bin nor MSProfile.bin holds their points. Copy it again."
        )
    return entries


def _groups(records: Array) -> dict[str, Array]:
    """The kinds of scans: MS levels and polarities."""
    names = records.dtype.names or ()
    levels = records["MSLevel"] if "MSLevel" in names else np.ones(len(records), int)
    signs = records["IonPolarity"] if "IonPolarity" in names else np.zeros(len(records), int)
    kinds = {}
    several = len(np.unique(signs)) > 1
    for level, sign in sorted(set(zip(levels.tolist(), signs.tolist(), strict=True))):
        polarity = f"_{_POLARITIES.get(sign, 'mixed')}" if several else ""
        kinds[f"ms{max(level, 0)}{polarity}"] = (levels == level) & (signs == sign)
    return kinds


def _conditions(records: Array) -> dict[str, Quantity]:
    names = records.dtype.names or ()
    found: dict[str, Quantity] = {}

    def same(name: str) -> Any:
        values = np.unique(records[name]) if name in names else ()
        return values[0].item() if len(values) == 1 else None  # type: ignore[misc]

    if (polarity := _POLARITIES.get(same("IonPolarity"))) is not None:
        found["ion_polarity"] = Quantity(polarity)
    if (ionisation := _IONISATION.get(same("IonMode"))) is not None:
        found["ionisation"] = Quantity(ionisation)
    if same("MSLevel"):
        found["ms_level"] = Quantity(int(same("MSLevel")), "")
    if same("Fragmentor"):
        found["fragmentor_voltage"] = Quantity(float(same("Fragmentor")), "V")
    if same("CollisionEnergy"):
        found["collision_energy"] = Quantity(float(same("CollisionEnergy")), "eV")
    return found


def _scans(records: Array, points: list[tuple[Array, Array]], is_profile: bool) -> Scans:
    names = records.dtype.names or ()
    columns = (
        [Signal("collision_energy", records["CollisionEnergy"], "eV")] if "CollisionEnergy" in names else []
    )
    is_common = all(masses is points[0][0] for masses, _ in points)
    masses = points[0][0] if is_common else np.concatenate([masses for masses, _ in points])
    abundances = np.concatenate([abundances for _, abundances in points])
    masses.flags.writeable = abundances.flags.writeable = (
        False  # nobody else has them: they need not be copied
    )
    return Scans(
        times=records["ScanTime"],
        counts=np.array([len(masses) for masses, _ in points]),
        masses=masses,
        abundances=abundances,
        numbers=records["ScanID"] if "ScanID" in names else None,
        total=records["TIC"] if "TIC" in names else None,
        base_mass=records["BasePeakMZ"] if "BasePeakMZ" in names else None,
        base_abundance=records["BasePeakValue"] if "BasePeakValue" in names else None,
        columns=columns,
        is_profile=is_profile,
        is_common=is_common,
    )


# --- the index of scans -------------------------------------------------------------------------------------


def _records(folder: Folder) -> tuple[Array, list[Array]]:
    """The scans' records, and their blocks: where profile and peaks of each scan are. Shape (scans,) each."""
    types = _types(folder.read("AcqData/MSScan.xsd", 1 << 20))
    try:
        block = _dtype(types, "SpectrumParamsType")
        head = _dtype(types, "ScanRecordType", without="SpectrumParamValues")
    except KeyError as e:
        raise ReadError(
            f"MSScan.xsd does not say what a {e} is; it is damaged. Copy the folder again."
        ) from None
    lacking = {"ScanTime"} - set(head.names or ()) or {"SpectrumOffset", "ByteCount", "PointCount"} - set(
        block.names or ()
    )
    if lacking:
        raise ReadError(
            f"MSScan.xsd names no {', '.join(sorted(lacking))}; it is a variant that is not known here"
        )
    data = folder.read("AcqData/MSScan.bin")
    if len(data) < _POINTER + 4:
        raise ReadError(f"MSScan.bin has {len(data)} bytes; it is cut off. Copy the folder again.")
    (start,) = struct.unpack_from("<I", data, _POINTER)
    room = len(data) - start
    if start < _POINTER + 4 or room < head.itemsize + block.itemsize:
        raise ReadError(
            f"MSScan.bin has no complete scan after byte {start}; it is cut off. Copy the folder again."
        )
    sizes = [head.itemsize + n * block.itemsize for n in range(1, _MOST_BLOCKS + 1)]
    fitting = [size for size in sizes if room % size == 0]
    if (count := _announced_scans(folder)) and fitting:
        fitting.sort(key=lambda size: abs(room // size - count))
    if not fitting:
        raise ReadError(
            f"the {room} bytes of scans in MSScan.bin are no whole number of records; it is cut off. Copy it again."
        )
    names = [
        *(head.names or ()),
        *(f"block_{i}" for i in range((fitting[0] - head.itemsize) // block.itemsize)),
    ]
    formats = [head[name] for name in head.names or ()] + [block] * (len(names) - len(head.names or ()))
    whole = np.dtype(list(zip(names, formats, strict=True)))
    records = np.frombuffer(data, whole, -1, start)
    return records, [records[name] for name in names if name.startswith("block_")]


@lru_cache(maxsize=4)  # all runs of an instrument have the same
def _types(schema: bytes) -> dict[str, list[tuple[str, str]]]:
    root = _xml.parse_xml(schema, "MSScan.xsd")
    return {
        _xml.attribute(kind, "name"): [
            (_xml.attribute(e, "name"), _xml.attribute(e, "type").rpartition(":")[2])
            for e in _xml.find_all(kind, "sequence/element")
        ]
        for kind in _xml.find_all(root, "complexType")
    }


def _dtype(
    types: dict[str, list[tuple[str, str]]], name: str, without: str = "", depth: int = 0
) -> np.dtype[Any]:
    if depth > _DEEPEST:
        raise ReadError("MSScan.xsd nests its types without end; it is damaged")
    fields = [
        (field, _SIMPLE[kind] if kind in _SIMPLE else _dtype(types, kind, depth=depth + 1))
        for field, kind in types[name]
        if field != without
    ]
    try:
        return np.dtype(fields)
    except (ValueError, TypeError) as e:
        raise ReadError(f"MSScan.xsd does not describe records ({e}); it is damaged") from None


def _announced_scans(folder: Folder) -> int:
    """What MSTS.xml says; 0 where it is missing (OpenLab's folders) or says nothing."""
    if not folder.has("AcqData/MSTS.xml"):
        return 0
    root = _xml.parse_xml(folder.read("AcqData/MSTS.xml", 1 << 22), "MSTS.xml")
    counts = (_xml.text(segment, "NumOfScans") for segment in _xml.find_all(root, "TimeSegment"))
    return sum(int(count) for count in counts if count.isdecimal() and len(count) < 10)


# --- points -------------------------------------------------------------------------------------------------


def _points(
    data: bytes,
    name: str,
    kind: int,
    records: Array,
    blocks: list[Array],
    calibrations: list[Calibration] | None,
    warnings: list[str],
) -> Iterator[tuple[Array, Array]]:
    """Masses and abundances of each scan."""
    short = name.rpartition("/")[2]
    total, sparse = sum(int(b["PointCount"][_is(b, kind)].clip(0).sum()) for b in blocks), False
    if kind == _PROFILE and total > MOST_POINTS:
        sparse = True
        warnings.append(f"{short} has {total} points; zeros between peaks were left out of the profiles.")
    known: dict[tuple[float, float, int, bytes], Array] = {}  # the masses of scans calibrated alike
    grid, times = (0.0, 0.0, 0), np.zeros(0)  # the flight times of the scan before
    lzf = Lzf()
    for i in range(len(records)):
        chosen = next((b[i] for b in blocks if _is(b, kind)[i] and b["PointCount"][i] > 0), None)
        if chosen is None:
            yield np.zeros(0), np.zeros(0, np.uint32 if kind == _PROFILE else float)
            continue
        offset, size, count = (
            int(chosen["SpectrumOffset"]),
            int(chosen["ByteCount"]),
            int(chosen["PointCount"]),
        )
        if offset < 0 or size <= 0 or offset + size > len(data):
            raise ReadError(
                f"{short} should hold scan {i + 1} in bytes {offset} to {offset + size}, but has {len(data)}; it is "
                "cut off. Copy the folder again."
            )
        packed = data[offset : offset + size]
        if calibrations is None and kind == _PROFILE:
            raise ReadError(
                "profiles are over flight times, but neither MSMassCal.bin nor DefaultMassCal.xml is there"
            )
        try:
            if kind == _PROFILE and calibrations is not None:
                first, step, abundances = _profile(packed, count, chosen, lzf)
                key = (first, step, count, calibrations[i].numbers.tobytes())
                if key not in known:
                    known.clear()
                    if grid != (first, step, count):
                        grid, times = (first, step, count), np.arange(count, dtype=float)
                        times *= step
                        times += first
                    known[key] = calibrations[i].masses(times)
                masses = known[key]
            else:
                masses, abundances = _peaks(packed, count)
                masses = masses if calibrations is None else calibrations[i].masses(masses)
        except DamagedStream as e:
            raise ReadError(
                f"scan {i + 1} in {short}, at byte {offset}: {e}; it is damaged. Copy it again."
            ) from None
        yield without_zeros(masses, abundances) if sparse else (masses, abundances)


def _is(block: Array, kind: int) -> Array:
    """Which scans' blocks are profiles, or peaks."""
    if "SpectrumFormatID" in (block.dtype.names or ()):
        is_kind: Array = block["SpectrumFormatID"] == kind
        return is_kind
    points = np.maximum(block["PointCount"], 1)
    width = block["ByteCount"] // points
    peaks = (block["ByteCount"] % points == 0) & np.isin(width, list(_PEAK_TYPES))
    return peaks if kind == _PEAKS else ~peaks  # type: ignore[no-any-return]


def _peaks(packed: bytes, count: int) -> tuple[Array, Array]:
    if len(packed) % count or len(packed) // count not in _PEAK_TYPES:
        raise DamagedStream(f"{count} peaks cannot be in {len(packed)} bytes")
    mass_type, abundance_type = _PEAK_TYPES[len(packed) // count]
    masses = np.frombuffer(packed, mass_type, count).astype(float)
    return masses, np.frombuffer(packed, abundance_type, count, count * np.dtype(mass_type).itemsize)


def _profile(packed: bytes, count: int, block: Any, lzf: Lzf) -> tuple[float, float, Array]:
    """First flight time, step, and intensities; these are packed in one of two ways."""
    if len(packed) < 24:
        raise DamagedStream(f"a profile in {len(packed)} bytes is not complete")
    if count > _MOST_TIMES:
        raise DamagedStream(f"a profile of {count} points cannot be")
    mark = struct.unpack_from("<I", packed, 16)[0]
    if mark == (_RUNS_MARK << 24 | count & 0xFFFFFF):
        head, intensities = packed[:16], undo_runs(packed[20:], count)
    else:
        if count > 200 * len(packed):
            raise DamagedStream(f"{count} points cannot be in {len(packed)} bytes")
        unpacked = lzf.unpack(packed, 16 + 4 * count)
        head, intensities = unpacked[:16].tobytes(), unpacked[16:].view("<u4")
    first, step = struct.unpack("<dd", head)
    if not (np.isfinite([first, step]).all() and step > 0):
        raise DamagedStream(f"flight times begin at {first!r} and have steps of {step!r}")
    highest = float(block["MaxY"]) if "MaxY" in (block.dtype.names or ()) else 0.0
    if highest > 0 and float(intensities.max()) != highest:
        raise DamagedStream(f"its highest intensity is {intensities.max()}, but should be {highest:g}")
    return first, step, intensities


# --- isotopes of an ICP-MS ----------------------------------------------------------------------------------


def _isotopes(folder: Folder, records: Array, blocks: list[Array], shared: dict[str, Any]) -> Entry:
    """Time-resolved counts of chosen isotopes: over (time, mass_to_charge)."""
    from zairyo.measurement import Axis

    data = folder.read("AcqData/MSProfile.bin")
    counts, offsets = blocks[0]["PointCount"], blocks[0]["SpectrumOffset"]
    count = int(counts[0])
    if (counts != count).any() or count <= 0:
        raise ReadError("the scans do not all have the same isotopes (several tune modes), which is not read")
    if offsets.min() < 0 or offsets.max() + 12 * count > len(data):
        raise ReadError(
            f"MSProfile.bin has {len(data)} bytes, fewer than its scans need; it is cut off. Copy it again."
        )
    masses = _isotope_masses(folder, count)
    values = np.stack([np.frombuffer(data, "<f8", count, at + 4 * count) for at in offsets.tolist()])
    order = np.argsort(masses, kind="stable")
    axes = (Axis("time", records["ScanTime"], "min"), Axis("mass_to_charge", masses[order], ""))
    signal = Signal("ion_count_rate", values[:, order], "count/s", ("time", "mass_to_charge"))
    return Entry("spectra", "icp_ms", axes, (signal,), **shared)


def _isotope_masses(folder: Folder, count: int) -> Array:
    if folder.has("MSTS_XAddition.xml"):
        root = _xml.parse_xml(folder.read("MSTS_XAddition.xml", 1 << 24), "MSTS_XAddition.xml")
        texts = [
            _xml.text(e, "ProductIonMZ")
            for e in root.iter()
            if _xml.local(e.tag) == "MSTS_XAddition_IndexedMasses"
        ]
        if len(texts) == count:
            try:
                return np.array([float(text) for text in texts])
            except ValueError:
                raise ReadError("MSTS_XAddition.xml has a mass that is no number; it is damaged") from None
    types = _types(folder.read("AcqData/MSScan_XSpecific.xsd", 1 << 20))
    if "IonRecordType" not in types:
        raise ReadError("MSScan_XSpecific.xsd does not say what an IonRecordType is; it is damaged")
    record = _dtype(types, "IonRecordType")
    data = folder.read("AcqData/MSScan_XSpecific.bin")
    if _ISOTOPES + count * record.itemsize > len(data) or "XValue" not in (record.names or ()):
        raise ReadError(
            "MSScan_XSpecific.bin does not name the masses of all isotopes; it is cut off. Copy it again."
        )
    masses: Array = np.frombuffer(data, record, count, _ISOTOPES)["XValue"].astype(float)
    return masses
