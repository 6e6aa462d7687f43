"""A ChemStation channel → entries of the standard form."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, make_name, tidy_metadata
from zairyo.readers._agilent_channel import Channel
from zairyo.readers._separation import (
    Scans,
    mass_run,
    moment,
    optics,
    quantity_of,
    text_condition,
    trace,
    unique,
    unit_of,
)

_LIQUID = re.compile(r"\bLC\b|^\s*(DAD|VWD|MWD|FLD|RID|ELS)|mAU|nRIU", re.IGNORECASE)
_GAS = re.compile(
    r"\bGC\b|^\s*(FID|TCD|ECD|NPD|FPD|µ?TCD)\d?|(Front|Back|Aux) (Signal|Detector)|^pA$", re.IGNORECASE
)
_DEVICE = re.compile(r"\s*([A-Z]{2,4})\s?(\d?)")


def technique_of(channel: Channel) -> str:
    """Gas or liquid chromatography, with or without masses, as the file's texts tell."""
    told = [channel.text(name) for name in ("inlet", "file_type", "description", "unit")]
    kind = next(
        (key for text in told for key, pattern in (("lc", _LIQUID), ("gc", _GAS)) if pattern.search(text)), ""
    )
    if channel.masses is not None:
        return f"{kind}_ms" if kind else "mass_spectrometry"
    return kind or "chromatography"


def channel_entries(
    channel: Channel,
    name: str,
    taken: set[str],
    warnings: list[str],
    *,
    description: str = "",
    unit: str = "",
) -> list[Entry]:
    """The entries of one data file.

    Parameters
    ----------
    name
        Of the file without its ending: the entry's name.
    description, unit
        From a manifest; from the file's own head if empty.
    """
    warnings += [w for w in channel.warnings if w not in warnings]
    description = description or channel.text("description")
    technique = technique_of(channel)
    shared: dict[str, Any] = {
        "title": description or name,
        "conditions": _conditions(channel, description),
        "original_metadata": tidy_metadata(channel.header),
        "started": moment(channel.text("date")),
    }
    if channel.masses is not None and channel.counts is not None:
        scans = Scans(channel.times, channel.counts, channel.masses, channel.values, total=channel.totals)
        prefix = "" if "chromatogram" not in taken else f"{make_name(name)}_"
        entries = mass_run(technique, scans, prefix=prefix, **shared)
        taken.update(entry.name for entry in entries)
        return entries
    stated = unit or channel.text("unit")
    shown = unit_of(stated, warnings)
    signal = quantity_of(shown, stated, description)
    if channel.wavelengths is not None:
        name = unique(taken, make_name(f"{name}_spectra" if "spectr" not in name.lower() else name))
        axes = (Axis("time", channel.times, "min"), Axis("wavelength", channel.wavelengths, "nm"))
        values = Signal(signal, channel.values, shown, ("time", "wavelength"))
        return [Entry(name, technique, axes, (values,), **shared)]
    name = unique(taken, make_name(name, "trace"))
    return [trace(name, technique, channel.times, channel.values, unit=shown, signal=signal, **shared)]


def _conditions(channel: Channel, description: str) -> dict[str, Quantity]:
    found = optics(description)
    device = _DEVICE.match(description) if channel.masses is None else None
    text_condition(
        found, "detector", device[0] if device else description if channel.masses is None else "MSD"
    )
    text_condition(found, "method", re.split(r"[\\/]", channel.text("method"))[-1])
    text_condition(found, "inlet", channel.text("inlet"))
    text_condition(found, "software_version", channel.text("software"))
    for name, condition in (("vial", "vial"), ("injection", "injection")):
        if name in channel.header:
            value = channel.header[name]
            found[condition] = Quantity(str(value)) if condition == "vial" else Quantity(value, "")
    if channel.masses is not None and (ranged := re.search(r"Range\s*=\s*([\d.]+-[\d.]+)", description)):
        found["mass_range"] = Quantity(ranged[1])
    if channel.masses is None and len(channel.times) > 1:
        step = float(np.median(np.diff(channel.times))) * 60
        if step > 0:
            found["sampling_rate"] = Quantity(round(1 / step, 4), "Hz")
    return found
