"""What CasaXPS keeps in the comments of VAMAS blocks: fitted peaks, and the calibration of the energies.

``Calib M = 281.17 A = 284.8 BE ADD`` says that what was measured at 281.17 eV is 284.8 eV; several such lines add up.
The block's own energies stay as they were measured. The positions of the components are kinetic energies of the
calibrated scale, except for those of a line that says ``Comps``: they were moved with the spectrum.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable

import numpy as np

from zairyo.measurement import Entry, Quantity, Signal, table
from zairyo.readers._vamas_blocks import Block

_COMPONENT = re.compile(r"CASA comp \(\*([^*]*)\*\) \(\*([^*]*)\*\) (.*)")
_NUMBER = r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)"
_CALIBRATION = re.compile(rf"Calib M = {_NUMBER} A = {_NUMBER}((?: Regions| Comps)*)(?: BE)?(?: ADD)? *")


@dataclasses.dataclass(frozen=True)
class _Calibration:
    """What is added to a block's binding energies, and how much of it the components' positions have already."""

    shift: float
    of_components: float


def _calibration(block: Block) -> _Calibration | None:
    """None if a line is not understood."""
    lines = [line for line in block.fields["comment"] if line.startswith("Calib M ")]
    found = [match for line in lines if (match := _CALIBRATION.fullmatch(line)) is not None]
    if len(found) < len(lines):
        return None
    shifts = [(float(match[2]) - float(match[1]), "Comps" in match[3]) for match in found]
    return _Calibration(sum(s for s, _ in shifts), sum(s for s, is_raw in shifts if not is_raw))


def calibrated(group: list[Block], measured: Entry, warnings: list[str]) -> tuple[Entry, float]:
    """The entry with CasaXPS' calibration on its binding energies, and what was added to them in eV."""
    found = [_calibration(block) for block in group]
    first = found[0]
    if all(calibration == _Calibration(0.0, 0.0) for calibration in found):
        return measured, 0.0
    is_shared = first is not None and all(c is not None and abs(c.shift - first.shift) < 1e-6 for c in found)
    if first is None or not is_shared or all(axis.name != "binding_energy" for axis in measured.axes):
        reason = (
            "not understood"
            if None in found
            else "not the same in every block"
            if not is_shared
            else "of binding energies, which the block does not have"
        )
        warnings.append(
            f"The energies of {measured.name} are as measured: CasaXPS' calibration is {reason}, and was left out."
        )
        return measured, 0.0
    axes = tuple(
        dataclasses.replace(axis, values=np.asarray(axis.values) + first.shift)
        if axis.name == "binding_energy"
        else axis
        for axis in measured.axes
    )
    conditions = dict(measured.conditions)
    told = f"CasaXPS' calibration ({first.shift:+.4f} eV)"
    if "energy_reference" in conditions:
        conditions["energy_reference"] = Quantity(f"{conditions['energy_reference'].value}, plus {told}")
    warnings.append(
        f"{told} is in the binding energies of {measured.name}; its kinetic energies are as measured."
    )
    return dataclasses.replace(measured, axes=axes, conditions=conditions), first.shift


def fitted_components(
    group: Iterable[Block], measured: Entry, shift: float, warnings: list[str]
) -> list[Callable[[str], Entry]]:
    """The peaks that CasaXPS fitted, as tables to be named; it keeps them in the blocks' comments.

    Their kinetic energies are on the scale of the measured ones, their binding energies have the ``shift`` that
    the spectrum's have.
    """
    tables: list[Callable[[str], Entry]] = []
    for block in group:
        lines = [line for line in block.fields["comment"] if line.startswith("CASA comp ")]
        found = [component for line in lines if (component := _component(line)) is not None]
        if len(found) < len(lines):
            warnings.append(f"CasaXPS' components of block {block.number} could not all be understood.")
        if found:
            tables.append(_component_table(found, block, measured, shift))
    return tables


def _component(line: str) -> tuple[str, str, tuple[float, ...]] | None:
    """Name, line shape, and (position, full width, area, sensitivity factor) of one ``CASA comp`` line."""
    match = _COMPONENT.match(line)
    if match is None:
        return None
    words = match[3].split()
    after = dict(
        zip(reversed(words), [None, *reversed(words)], strict=False)
    )  # the first of each word counts
    try:
        width = after.get("MFWHM") or after["FWHM"]
        texts = (after["Position"], width, after["Area"], after.get("RSF") or "nan")
        return match[1], match[2], tuple(float(text or "") for text in texts)
    except (KeyError, ValueError):
        return None


def _component_table(
    found: list[tuple[str, str, tuple[float, ...]]], block: Block, measured: Entry, shift: float
) -> Callable[[str], Entry]:
    numbers = np.array([row for _, _, row in found])
    own = _calibration(block)
    positions = numbers[:, 0] + (own.of_components if own else 0.0)
    given = (
        "kinetic_energy" if "kinetic_energy" in {s.name for s in measured.signals} else measured.axes[-1].name
    )
    columns = [
        Signal("component", np.array([name for name, _, _ in found])),
        Signal("line_shape", np.array([shape for _, shape, _ in found])),
        Signal(given, positions, "eV"),
        Signal("full_width_at_half_maximum", numbers[:, 1], "eV"),
        Signal("area", numbers[:, 2]),
        Signal("sensitivity_factor", numbers[:, 3], ""),
    ]
    excitation = block.number_of("analysis_source_characteristic_energy")
    x = measured.axes[-1].name
    if x != given and excitation is not None:
        columns.insert(2, Signal(x, excitation - positions + shift, "eV"))

    def named(name: str) -> Entry:
        return table(
            name,
            measured.technique,
            columns,
            x=x,
            default="area",
            title=f"{measured.title}: components fitted by CasaXPS",
            started=measured.started,
        )

    return named
