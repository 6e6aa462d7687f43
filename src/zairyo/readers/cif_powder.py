"""Powder patterns in CIF (``.cif``, ``.rtv``): measured, calculated and background profiles over 2θ or time of flight.

Source: the powder CIF dictionary of the IUCr (``cif_pd.dic``).
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cif import Block, read_cif
from zairyo.readers._diffraction import Floats, number, text_or_none
from zairyo.readers._diffraction_text import moment
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 256 * 1024**2
_SNIFF = re.compile(
    rb"^\s*_pd_(meas|proc|calc)[_.](2theta|counts|intensity|time_of|point|d_spacing|recip)", re.M | re.I
)
_UNCERTAIN = re.compile(r"([-+]?[\d.]+)\((\d+)\)((?:[eE][-+]?\d+)?)\Z")
#: Positions as they were measured, in the order in which one is taken for the axis: name, unit.
_AXES = {
    "_pd_proc_2theta_corrected": ("two_theta", "deg"),
    "_pd_proc_2theta_scan": ("two_theta", "deg"),
    "_pd_meas_2theta_corrected": ("two_theta", "deg"),
    "_pd_meas_2theta_scan": ("two_theta", "deg"),
    "_pd_meas_angle_2theta": ("two_theta", "deg"),
    "_pd_meas_time_of_flight": ("time_of_flight", "us"),
}
#: Positions as they were calculated, for where the block states no range of the others; energies are in eV.
_DERIVED = {
    "_pd_proc_d_spacing": ("d_spacing", "angstrom"),
    "_pd_proc_recip_len_q": ("q", "1/angstrom"),
    "_pd_proc_energy_incident": ("energy", "eV"),
    "_pd_proc_energy_detection": ("energy", "eV"),
}
#: Profiles: the first that is there is what is plotted.
_SIGNALS = {
    "_pd_meas_counts_total": ("intensity", "counts"),
    "_pd_meas_intensity_total": ("intensity", None),
    "_pd_proc_intensity_total": ("intensity", None),
    "_pd_proc_intensity_net": ("intensity", None),
    "_pd_meas_counts_background": ("background", "counts"),
    "_pd_meas_intensity_background": ("background", None),
    "_pd_calc_intensity_total": ("calculated_intensity", None),
    "_pd_calc_intensity_net": ("calculated_intensity", None),
    "_pd_proc_intensity_bkg_calc": ("background", None),
    "_pd_proc_intensity_bkg_fix": ("background", None),
    "_pd_proc_ls_weight": ("weight", None),
}
#: Where standard uncertainties have a column of their own: what stands behind the profile's name.
_UNCERTAINTIES = ("_su", "_esd")
_PROBES = (
    "_diffrn_radiation_probe",
    "_diffrn_radiation_type",
    "_expt_type_radiation_probe",
    "_easydiffraction_experiment_type_radiation_probe",
)
_RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")


def sniff(src: RawInput) -> float:
    head = src.text_head
    if b"_pd_" not in head or not re.search(rb"^\s*data_", head, re.M | re.I):
        return NO
    return CERTAIN if _SNIFF.search(head) else LIKELY  # a refined structure may stand before its pattern


def read(src: RawInput) -> Measurement:
    blocks = read_cif(decode_legacy(src.read_bytes(_MOST_BYTES)))
    warnings: list[str] = []
    taken: set[str] = set()
    entries = []
    for block in blocks:
        for loop in block.loops:
            entry = _entry(block, loop, taken, warnings)
            entries += [entry] if entry else []
    if not entries:
        raise ReadError(
            "no loop of the file holds a powder pattern; crystal structures alone are no measurement"
        )
    titles = [
        t for b in blocks if (t := b.text("_pd_block_id", "_publ_section_title", "_chemical_name_common"))
    ]
    formulas = {f for b in blocks if (f := b.text("_chemical_formula_sum"))}
    instruments = {
        i for b in blocks if (i := b.text("_diffrn_measurement_device_type", "_pd_instr_location"))
    }
    return Measurement(
        tuple(entries),
        title=" ".join(titles[0].split()) if titles else blocks[0].name,
        sample=" ".join(formulas.pop().split()) if len(formulas) == 1 else "",
        instrument=" ".join(instruments.pop().split()) if len(instruments) == 1 else "",
        original_metadata=tidy_metadata(
            {b.name or f"block {i}": _metadata(b) for i, b in enumerate(blocks, 1)}
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _metadata(block: Block) -> dict[str, object]:
    """Items, and the loops but for profiles and long lists."""
    loops = [loop for loop in block.loops if loop and len(next(iter(loop.values()))) <= 200]
    kept = [loop for loop in loops if not any(name in _SIGNALS for name in loop)]
    return {**block.items, "loops": [dict(loop) for loop in kept]} if kept else dict(block.items)


def _entry(block: Block, loop: dict[str, list[str]], taken: set[str], warnings: list[str]) -> Entry | None:
    profiles = [name for name in _SIGNALS if name in loop]
    if not any(_SIGNALS[name][0] in ("intensity", "calculated_intensity") for name in profiles):
        return None
    columns = {
        name: _numbers(loop[name]) for name in loop if name in _SIGNALS or name in _AXES or name in _DERIVED
    }
    axis_name, unit, positions = _positions(block, columns, len(loop[profiles[0]]))
    if positions is None:
        warnings.append(f"A pattern of block {block.name} states no positions; its points are numbered.")
        positions = np.arange(len(loop[profiles[0]]), dtype=float)
    kept = np.isfinite(positions)
    if not kept.any():
        raise ReadError(f"block {block.name}: the positions of a pattern are no numbers")
    if not kept.all():
        warnings.append(f"Block {block.name}: {int((~kept).sum())} points without a position were left out.")
    signals: list[Signal] = []
    names: set[str] = {axis_name}
    for name in profiles:
        values, errors = columns[name]
        beside = next((name + end for end in _UNCERTAINTIES if name + end in loop), None)
        if beside:
            stated_errors = _numbers(loop[beside])[0]
            errors = np.where(stated_errors >= 0, stated_errors, np.nan)
        signal, stated = _SIGNALS[name]
        while signal in names:
            signal += "_2"
        names.add(signal)
        whole = np.where(np.isnan(errors), 0, errors)[kept] if np.isfinite(errors[kept]).any() else None
        signals.append(Signal(signal, values[kept], stated, (axis_name,), name.removeprefix("_pd_"), whole))
    default = next((s.name for s in signals if np.isfinite(s.values).any()), "")
    if not default:
        return None
    probe = " ".join(filter(None, map(block.text, _PROBES))).casefold()
    neutrons = "neutron" in probe or axis_name == "time_of_flight"
    entry = "pattern" if not taken else f"pattern_{len(taken) + 1}"
    taken.add(entry)
    try:
        return Entry(
            name=entry,
            technique="neutron_diffraction" if neutrons else "xrd",
            axes=(Axis(axis_name, positions[kept], unit),),
            signals=tuple(signals),
            default=default,
            title=block.name,
            conditions=_conditions(block),
            original_metadata={"loop": list(loop)},
            started=moment(block.text("_pd_meas_datetime_initiated").replace("T", " ")),
        )
    except MeasurementError as e:
        raise ReadError(f"block {block.name}: the parts do not fit together: {e}") from None


def _positions(
    block: Block, columns: dict[str, tuple[Floats, Floats]], points: int
) -> tuple[str, str | None, Floats | None]:
    """Name, unit and values of the axis: a column, or the range that the block states."""
    stated = [name for name in (*_AXES, *_DERIVED) if name in columns]
    if stated and stated[0] in _AXES:
        return (*_AXES[stated[0]], columns[stated[0]][0])
    for stem in _RANGES:
        least, most, step = (number(_plain(block.text(f"{stem}_{part}"))) for part in ("min", "max", "inc"))
        if least is not None and most is not None and points > 1:
            values = np.linspace(least, most, points)
            if step is None or abs((most - least) / (points - 1) - step) < 0.01 * abs(step):
                return "two_theta", "deg", values
    return (*_DERIVED[stated[0]], columns[stated[0]][0]) if stated else ("point", "", None)


def _numbers(cells: list[str]) -> tuple[Floats, Floats]:
    """Values and their standard uncertainties: ``123.4(12)`` is 123.4 ± 1.2; NaN where none is stated."""
    try:
        return np.array(list(map(float, cells))), np.full(len(cells), np.nan)
    except ValueError:
        pass
    values, errors = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        match = _UNCERTAIN.match(cell)
        value = number(match[1] + match[3]) if match else number(cell)
        values[i] = np.nan if value is None else value
        if match and value is not None:
            decimals = len(match[1].partition(".")[2])
            errors[i] = float(f"{match[2]}e{-decimals}") * float(f"1{match[3] or 'e0'}")
    return values, errors


def _plain(text: str) -> str:
    return text.partition("(")[0]


def _conditions(block: Block) -> dict[str, Quantity]:
    def value(unit: str, *names: str) -> Quantity | None:
        found = number(_plain(block.text(*names)))
        return None if found is None else Quantity(found, unit)

    wavelength = value(
        "angstrom",
        "_diffrn_radiation_wavelength",
        "_diffrn_radiation_wavelength_value",
        "_diffrn_radiation_wavelength_wavelength",
        "_pd_proc_wavelength",
        "_instr_wavelength",
    )
    for loop in block.loops:
        if wavelength is None and loop.get("_diffrn_radiation_wavelength"):
            found = number(_plain(loop["_diffrn_radiation_wavelength"][0]))
            wavelength = None if found is None else Quantity(found, "angstrom")
    told = {
        "wavelength": wavelength,
        "temperature": value("K", "_diffrn_ambient_temperature", "_cell_measurement_temperature"),
        "pressure": value("kPa", "_diffrn_ambient_pressure"),
        "step_size": value("deg", "_pd_meas_2theta_range_inc", "_pd_proc_2theta_range_inc"),
        "scan_mode": text_or_none(block.text("_pd_meas_scan_method")),
        "detector": text_or_none(block.text("_diffrn_detector", "_diffrn_detector_type")),
        "monochromator": text_or_none(block.text("_diffrn_radiation_monochromator")),
        "xray_source_element": text_or_none(block.text("_diffrn_source_target")),
        "xray_tube_voltage": value("kV", "_diffrn_source_voltage"),
        "xray_tube_current": value("mA", "_diffrn_source_current"),
        "time_per_step": value("s", "_pd_meas_step_count_time"),
        "software": text_or_none(block.text("_computing_structure_refinement")),
    }
    return {name: quantity for name, quantity in told.items() if quantity is not None}


READER = Reader(
    name="cif_powder",
    version="3",
    techniques=("xrd", "neutron_diffraction"),
    vendor="IUCr",
    format="Powder CIF",
    endings=(".cif", ".rtv", ".pdcif"),
    sniff=sniff,
    read=read,
    notes="All patterns of all blocks: measured, processed, calculated, background. Structures alone are refused.",
)
