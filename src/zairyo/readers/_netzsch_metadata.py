"""What the first stream of a NETZSCH file says about a run: instrument, sample, gases, programme, calibration.

Facts: the run's description is mixed with that of the calibrations it refers to; only the run's own table 2afa
has a date (083e), and the time zone follows it. A second table of type 2afd begins the correction's part.
Programme steps are tables of type 2b0c whose category is
7530 plus their number; each is followed by the state of every gas controller (2b11) with its flow (2b0a).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

from zairyo.measurement.model import Quantity
from zairyo.readers._netzsch_tables import Table

_PROLOGUE, _STEP, _FIRST_STEP = 0x2AFD, 0x2B0C, 0x7530
_RUN, _DATE, _TIME_ZONE = 0x2AFA, 0x083E, 0x2BD2
_DEVICE, _DEVICE_STATE, _DEVICE_RANGE, _GAS = 0x2B07, 0x2B11, 0x2B0A, 0x2B81
SAMPLE, _SAMPLE_CRUCIBLE, _REFERENCE_CRUCIBLE, _REFERENCE = 0x2AFB, 0x2B08, 0x2B0B, 0x2AFC
_CHANNEL_CONFIG = 0x2B06
_BODY = 1  # a step that is carried out; 0 is the start, 2 the emergency limit

#: Group → name → (what finds the table: its type, field). Texts and numbers as the file has them.
_FIELDS: dict[str, dict[str, tuple[int, int]]] = {
    "instrument": {
        "serial": (0x2AFD, 0x1059),
        "model": (0x2B17, 0x0432),
        "type": (0x2B17, 0x083F),
        "carrier": (0x2B01, 0x0840),
        "furnace": (0x2B02, 0x0840),
        "sample_thermocouple": (0x2B03, 0x0840),
        "furnace_thermocouple": (0x2B04, 0x0840),
        "software": (0x2AFD, 0x106D),
        "licensed_to": (0x2AFD, 0x106C),
    },
    "measurement": {
        "laboratory": (_RUN, 0x0834),
        "operator": (_RUN, 0x0835),
        "project": (_RUN, 0x083C),
        "comment": (_RUN, 0x083D),
        "date": (_RUN, _DATE),
        "kind": (0x2AF8, 0x103A),
        "correction_file": (0x2AF8, 0x0843),
    },
    "sample": {
        "identity": (SAMPLE, 0x0898),
        "name": (SAMPLE, 0x0840),
        "material": (SAMPLE, 0x0962),
        "mass_mg": (SAMPLE, 0x0C9E),
        "length_mm": (SAMPLE, 0x0C9F),
        "diameter_mm": (0x2BCF, 0x111B),
        "cross_section_mm2": (0x2BCF, 0x111D),
        "crucible": (_SAMPLE_CRUCIBLE, 0x0840),
        "crucible_mass_mg": (_SAMPLE_CRUCIBLE, 0x0C9E),
    },
    "reference": {
        "name": (_REFERENCE, 0x0840),
        "mass_mg": (_REFERENCE, 0x0C9E),
        "crucible": (_REFERENCE_CRUCIBLE, 0x0840),
        "crucible_mass_mg": (_REFERENCE_CRUCIBLE, 0x0C9E),
    },
    "furnace_control": {"xp": (0x2B36, 0x0FE7), "tn": (0x2B36, 0x0FE8), "tv": (0x2B36, 0x0FE9)},
    "sample_control": {"xp": (0x2B37, 0x0FE7), "tn": (0x2B37, 0x0FE8), "tv": (0x2B37, 0x0FE9)},
}
KINDS = {1: "correction", 2: "sample", 3: "sample with correction"}
_STEP_FIELDS = {
    "type": 0x083F,
    "temperature_degC": 0x0E17,
    "heating_rate_K_min": 0x0E13,
    "points_per_min": 0x0E14,
    "time_min": 0x0E15,
}
#: Device number of a gas controller → its role.
_GAS_ROLES = {30: "purge_1", 31: "purge_2", 32: "protective"}
_FORCE_DEVICE, _FORCE, _FLOW, _FULL_SCALE = 58, 0x10FA, 0x1047, 0x1048
_TEMPERATURE_POINT = {
    "name": 0x0443,
    "actual_degC": 0x0444,
    "measured_degC": 0x0445,
    "weight": 0x0446,
    "corrected_degC": 0x0447,
}
_SENSITIVITY_POINT = {
    "name": 0x0443,
    "temperature_degC": 0x0454,
    "enthalpy_J_g": 0x0455,
    "peak_area_uV_s_mg": 0x0456,
    "measured_uV_mW": 0x0445,
    "weight": 0x0446,
    "fitted_uV_mW": 0x0447,
}
_CALIBRATION_SOURCES = {"temperature": 0x2422, "sensitivity": 0x23F0, "expansion_standard": 0x2454}
_SOURCE_FIELDS = {
    "record": 0x07D4,
    "name": 0x0462,
    "source": 0x0463,
    "gas": 0x0431,
    "date": 0x083E,
    "heating_rate_K_min": 0x0435,
    "comment": 0x083D,
    "temperature_min_degC": 0x0464,
    "temperature_max_degC": 0x0465,
}
_CONSTANTS = {"P0": 0x044F, "P1": 0x0450, "P2": 0x0451, "P3": 0x0452, "P4": 0x0453, "P5": 0x04C3}


def _value(table: Table, key: int) -> Any:
    """A text or a finite number; None for what is absent, empty or not understood."""
    value = table.values.get(key)
    if isinstance(value, int):
        return value
    return (table.text(key) or None) if isinstance(value, str) else table.number(key)


def _pick(table: Table, fields: dict[str, int]) -> dict[str, Any]:
    found = {name: _value(table, key) for name, key in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _first(tables: Iterable[Table], type_: int, key: int) -> Any:
    for table in tables:
        if table.type == type_ and (value := _value(table, key)) is not None:
            return value
    return None


def _array(tables: Iterable[Table], type_: int, key: int) -> bytes:
    """Bytes of the first such array; none if there is none."""
    return next((t.arrays[key].tobytes() for t in tables if t.type == type_ and key in t.arrays), b"")


class Description:
    """The first stream of a file, asked for what it says of the run."""

    def __init__(self, tables: list[Table]) -> None:
        prologues = [at for at, table in enumerate(tables) if table.type == _PROLOGUE]
        self._own = tables[: prologues[1]] if len(prologues) > 1 else tables
        self._own = [t for t in self._own if t.type != _RUN or _DATE in t.values]
        self._fields = {
            group: {
                name: value
                for name, (type_, key) in fields.items()
                if (value := _first(self._own, type_, key)) is not None
            }
            for group, fields in _FIELDS.items()
        }

    def get(self, group: str, name: str) -> Any:
        return self._fields[group].get(name)

    def text(self, group: str, name: str) -> str:
        value = self.get(group, name)
        return value if isinstance(value, str) else ""

    @property
    def started(self) -> datetime | None:
        """When the run began, with the zone of the instrument's computer."""
        date = self.get("measurement", "date")
        if not date:
            return None
        zone: timezone = UTC
        run = next((at for at, t in enumerate(self._own) if t.type == _RUN), 0)
        table = next((t for t in self._own[run:] if t.type == _TIME_ZONE), None)
        bias = table.number(0x1134) if table else None
        if table and bias is not None:
            summer = table.number(0x1137) if table.number(0x1138) == 2 else 0
            offset = timedelta(minutes=-(bias + (summer or 0)))
            zone = timezone(offset) if abs(offset) < timedelta(hours=24) else UTC
        try:
            return datetime.fromtimestamp(date, zone)
        except (ValueError, OSError, OverflowError):
            return None

    @property
    def sample_names(self) -> list[str]:
        """The sample's name and, where the file holds a correction too, that run's."""
        return [t.text(0x0840) or t.text(0x0898) for t in self._own if t.type == SAMPLE]

    def channel_names(self) -> list[tuple[str, int]]:
        """Name and class of each additional channel, in the order of their numbers."""
        found: dict[int, tuple[str, int]] = {}
        for table in self._own:
            if table.type == 0x2BA9:
                found.setdefault(
                    table.category - _FIRST_STEP, (table.text(0x10C3), int(table.number(0x10C9) or 0))
                )
        return [found.get(at, ("", 0)) for at in range(min(64, max(found, default=-1) + 1))]

    def channel_ranges(self) -> dict[int, float]:
        """Measuring range of each channel, by the channel's category, in the channel's unit."""
        found: dict[int, float] = {}
        for table in self._own:
            if table.type == _CHANNEL_CONFIG and (reach := table.number(0x0BBC)):
                found.setdefault(table.category, reach)
        return found

    def programme(self) -> list[dict[str, Any]]:
        """The steps in the order of their numbers (they are stored in the order of editing)."""
        steps: dict[int, dict[str, Any]] = {}
        current: dict[str, Any] = {}
        for table, after in zip(self._own, [*self._own[1:], Table(0, 0)], strict=True):
            if table.type == _STEP and table.category >= _FIRST_STEP:
                current = steps.setdefault(table.category - _FIRST_STEP, {})
                if not current:
                    current |= _pick(table, _STEP_FIELDS)
            elif table.type == _DEVICE_STATE and after.type == _DEVICE_RANGE:
                device = int(table.number(0x083F) or 0)
                flow, force = after.number(_FLOW), after.number(_FORCE)
                if device in _GAS_ROLES and flow is not None:
                    current.setdefault(f"{_GAS_ROLES[device]}_flow_ml_min", flow)
                elif device == _FORCE_DEVICE and force is not None:
                    current.setdefault("force_N", force)
        return [steps[number] for number in sorted(steps)]

    def gases(self) -> dict[str, dict[str, Any]]:
        """Gas, formula and full scale of each controller, by its role."""
        found: dict[str, dict[str, Any]] = {}
        current: dict[str, Any] = {}
        for table in self._own:
            if table.type == _DEVICE:
                role = _GAS_ROLES.get(int(table.number(0x083F) or 0))
                current = found.setdefault(role, {}) if role else {}
                current |= {key: v for key, v in {"gas": table.text(0x0840)}.items() if v}
            elif table.type == _DEVICE_STATE:
                current = {}
            elif table.type == _DEVICE_RANGE and (scale := table.number(_FULL_SCALE)):
                current.setdefault("full_scale_ml_min", scale)
            elif table.type == _GAS and (formula := table.text(0x0C88)):
                current.setdefault("formula", formula)
        return found

    def calibration(self) -> dict[str, Any]:
        """The calibrations the data are based on; Proteus has applied the temperature's already."""
        tables, found = self._own, dict[str, Any]()
        for name, type_ in _CALIBRATION_SOURCES.items():
            if source := next((t for t in tables if t.type == type_ and t.text(0x07D4)), None):
                found[name] = _pick(source, _SOURCE_FIELDS)
        constants = next((c for t in tables if t.category == 0x01F5 and (c := _pick(t, _CONSTANTS))), None)
        if constants:
            found.setdefault("sensitivity", {})["constants"] = constants
        points = {"temperature": _TEMPERATURE_POINT, "sensitivity": _SENSITIVITY_POINT}
        marks = {"temperature": (0x0444, 0x0447), "sensitivity": (0x0454,)}
        for name, fields in points.items():
            rows: dict[int, dict[str, Any]] = {}
            for table in tables:
                other = 0x0454 if name == "temperature" else 0x0444
                if all(m in table.values for m in marks[name]) and other not in table.values:
                    rows.setdefault(table.category, _pick(table, fields))
            if rows:
                found.setdefault(name, {})["points"] = [rows[key] for key in sorted(rows)]
        coefficients = _array(tables, 0x2427, 0x04BE)
        if len(coefficients) in (8, 12, 16):
            found.setdefault("temperature", {})["coefficients"] = np.frombuffer(coefficients, "<f4").tolist()
        curve = _array(tables, 0x2459, 0x04C0)  # two sizes, then pairs of temperature (°C) and dL/L0
        if len(curve) > 12:
            pairs = np.frombuffer(curve, "<f4", (len(curve) - 4) // 8 * 2, 4).reshape(-1, 2)
            found.setdefault("expansion_standard", {})["curve_degC_relative"] = pairs.tolist()
        return found

    def metadata(self) -> dict[str, Any]:
        """Everything named above, and all tables with their numbers as the file has them."""
        named: dict[str, Any] = {group: fields for group, fields in self._fields.items() if fields}
        named |= {"programme": self.programme(), "gases": self.gases(), "calibration": self.calibration()}
        named["channels"] = {f"{category:04x}": {"range": r} for category, r in self.channel_ranges().items()}
        named["tables"] = [
            {"category": f"{t.category:04x}", "type": f"{t.type:04x}"}
            | {
                f"{k:04x}": v
                for k, v in t.values.items()
                if v is not None and not isinstance(v, bytes) and v != ""
            }
            for t in self._own
            if t.values
        ]
        return named

    def conditions(self) -> dict[str, Quantity]:
        """The vocabulary's conditions that the file states for its (sample) run."""
        texts = {
            "crucible": self.text("sample", "crucible"),
            "sample_carrier": self.text("instrument", "carrier"),
            "furnace": self.text("instrument", "furnace"),
            "correction_file": self.text("measurement", "correction_file"),
            "comment": self.text("measurement", "comment"),
            "instrument_serial": self.text("instrument", "serial"),
            "software_version": self.text("instrument", "software"),
        }
        numbers = (
            ("sample_mass", "sample", "mass_mg", "mg"),
            ("crucible_mass", "sample", "crucible_mass_mg", "mg"),
            ("reference_mass", "reference", "mass_mg", "mg"),
            ("sample_length", "sample", "length_mm", "mm"),
        )
        found = {"software": Quantity("NETZSCH Proteus")}
        found |= {name: Quantity(text) for name, text in texts.items() if text}
        for name, group, key, unit in numbers:
            value = self.get(group, key)
            if isinstance(value, float) and value > 0:
                found[name] = Quantity(value, unit)
        if "sample_length" in found and isinstance(diameter := self.get("sample", "diameter_mm"), float):
            found["sample_diameter"] = Quantity(
                diameter, "mm"
            )  # without a sample it is left from another run
        return found | self._programme_conditions()

    def _programme_conditions(self) -> dict[str, Quantity]:
        steps = self.programme()
        body = [step for step in steps if step.get("type") == _BODY]
        found: dict[str, Quantity] = {}
        if not body:
            return found
        first = steps[0].get("temperature_degC")
        if isinstance(first, float):
            found["temperature_start"] = Quantity(first, "degC")
        ends = [end for step in body if isinstance(end := step.get("temperature_degC"), float)]
        if ends:  # the farthest from the start: many programmes end by cooling down again
            origin = first if isinstance(first, float) else 0.0
            found["temperature_end"] = Quantity(max(ends, key=lambda end: abs(end - origin)), "degC")
        rates = {step.get("heating_rate_K_min", 0.0) for step in body} - {0.0}
        if len(rates) == 1:
            found["heating_rate"] = Quantity(rates.pop(), "K/min")
        purges = ["purge_gas", "purge_gas_2"]
        for role, gas in sorted(self.gases().items()):
            flows = {step.get(f"{role}_flow_ml_min") for step in body}
            if not any(flows):
                continue
            name = "protective_gas" if role == "protective" else purges.pop(0)
            if gas.get("formula") or gas.get("gas"):
                found[name] = Quantity(gas.get("formula") or gas["gas"])
            if len(flows) == 1 and isinstance(flow := flows.pop(), float):
                found[f"{name}_flow"] = Quantity(flow, "ml/min")
        forces = {force for step in body if (force := step.get("force_N")) is not None}
        if len(forces) == 1:
            found["force"] = Quantity(forces.pop(), "N")
        return found
