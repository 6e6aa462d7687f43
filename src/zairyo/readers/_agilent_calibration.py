"""MassHunter's calibration of a time-of-flight instrument: ``MSMassCal.bin`` for each scan, or a default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.measurement.model import Array
from zairyo.readers import _xml
from zairyo.readers._agilent_packing import DamagedStream
from zairyo.readers._api import ReadError
from zairyo.readers._folder import Folder

_HEAVIEST = 1e7
_AT_ONCE = 8192  # flight times: what the processor keeps near
_CALIBRATIONS = 72  # the first record of MSMassCal.bin: a count, then ten numbers
_CALIBRATION = np.dtype([("count", "<i4"), ("numbers", "<f8", 10)])


@dataclass(frozen=True)
class Calibration:
    """Flight time → m/z for one scan: ten numbers, and which powers its polynomial has (as bits)."""

    numbers: Array
    powers: int

    def masses(self, times: Array) -> Array:
        """m/z at flight times, shape (n,); :class:`DamagedStream` where they cannot be masses."""
        slope, offset, left, right, *coefficients = self.numbers.tolist()
        orders = [k for k in range(self.powers.bit_length()) if self.powers >> k & 1][:6]
        polynomial = [0.0] * (orders[-1] + 1 if orders else 0)
        for order, coefficient in zip(orders, coefficients, strict=False):
            polynomial[order] = coefficient
        masses = np.empty(len(times))
        with np.errstate(all="ignore"):
            for start in range(0, len(times), _AT_ONCE):
                some = np.asarray(times[start : start + _AT_ONCE], float)
                part = masses[start : start + _AT_ONCE]
                np.subtract(some, offset, out=part)
                part *= slope
                part *= part
                if polynomial:
                    within = some.clip(left, right)
                    correction = np.full(len(some), polynomial[-1])
                    for coefficient in polynomial[-2::-1]:
                        correction *= within
                        correction += coefficient
                    part -= correction
                if not (np.abs(part) < _HEAVIEST).all():
                    raise DamagedStream("its flight times are calibrated to masses that cannot be")
        return masses


def calibrations_of(folder: Folder, records: Array) -> list[Calibration] | None:
    """Each scan's; None if the folder has none, as quadrupoles' masses need none."""
    names = records.dtype.names or ()
    ids = records["CalibrationID"].tolist() if "CalibrationID" in names else [1] * len(records)
    defaults: dict[int, Calibration] = {}
    if folder.has("AcqData/DefaultMassCal.xml"):
        defaults = _default_calibrations(folder.read("AcqData/DefaultMassCal.xml", 1 << 24))
    if not folder.has("AcqData/MSMassCal.bin"):
        if not defaults:
            return None
        first = next(iter(defaults.values()))
        return [defaults.get(i, first) for i in ids]
    data = folder.read("AcqData/MSMassCal.bin")
    places = _CALIBRATIONS + _CALIBRATION.itemsize * np.arange(len(records))
    if (
        "MassCalOffset" in names
        and (records["MassCalOffset"] + _CALIBRATION.itemsize <= len(data)).all()
        and (records["MassCalOffset"] >= _CALIBRATIONS).all()
    ):  # a part of a run may have been cut out, with offsets that are the whole run's
        places = records["MassCalOffset"]
    if len(places) and places.max() + _CALIBRATION.itemsize > len(data):
        raise ReadError(
            f"MSMassCal.bin has {len(data)} bytes, too few for {len(records)} scans; it is cut off. Copy it again."
        )
    numbers = [np.frombuffer(data, _CALIBRATION, 1, at)[0]["numbers"] for at in places.tolist()]
    if not np.isfinite(numbers).all():
        raise ReadError("MSMassCal.bin has numbers that are none; it is damaged. Copy the folder again.")
    powers = {i: c.powers for i, c in defaults.items()}
    return [Calibration(n, powers.get(i, 0)) for n, i in zip(numbers, ids, strict=True)]


def _default_calibrations(data: bytes) -> dict[int, Calibration]:
    found: dict[int, Calibration] = {}
    root = _xml.parse_xml(data, "DefaultMassCal.xml")
    for calibration in _xml.find_all(root, "DefaultCalibrations/DefaultCalibration"):
        numbers, powers = np.zeros(10), 0
        try:
            for step in _xml.find_all(calibration, "Step"):
                values = [float(_xml.text(v)) for v in _xml.find_all(step, "Values/Value")]
                if _xml.text(step, "CalibrationFormula") == "Traditional":
                    numbers[:2] = values[:2]
                elif _xml.text(step, "CalibrationFormula") == "Polynomial":
                    numbers[2 : 2 + len(values[:8])] = values[:8]
                    powers = int(_xml.text(step, "ValueUseFlags") or 0)
            if not 0 <= powers < 1 << 16 or not np.isfinite(numbers).all():
                raise ValueError("numbers beyond what a calibration can have")
            found[int(_xml.attribute(calibration, "DefaultCalibrationID"))] = Calibration(numbers, powers)
        except ValueError as e:
            raise ReadError(
                f"DefaultMassCal.xml has a calibration that is none ({e}); it is damaged"
            ) from None
    return found
