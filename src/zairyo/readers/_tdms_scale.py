"""TDMS: the scales by which raw numbers become physical ones (``NI_Scale[n]_…`` among a channel's properties)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._tdms_values import RAW_SCALE

Array = NDArray[Any]
_RAW_INPUT = 0xFFFF_FFFF
_MOST_SCALES = 64
_MOST_TERMS = 100_000


class UnknownScale(Exception):
    """A scale that is not read, or whose properties are not complete: its name."""


def scaled(raw: Mapping[int, Array], properties: Mapping[str, Any]) -> tuple[Array, str]:
    """The channel's numbers, and what was left undone (a sentence, or nothing).

    ``raw`` are the values by the scaler they come from; without DAQmx, under :data:`RAW_SCALE` only. Where a scale
    is not read, the raw numbers are given.
    """
    plain = raw.get(RAW_SCALE, next(iter(raw.values())))
    count = _count(properties)
    if not count or properties.get("NI_Scaling_Status", "unscaled") == "scaled":
        return plain, ""
    if plain.dtype.kind not in "iufb":
        return plain, ""
    try:
        return _Scales(raw, properties).compute(min(count, _MOST_SCALES) - 1, 0), ""
    except UnknownScale as e:
        return plain, f"its scale {e} is not read, the numbers are the converter's"


def _count(properties: Mapping[str, Any]) -> int:
    stated = properties.get("NI_Number_Of_Scales")
    if isinstance(stated, int):
        return stated
    found = [re.match(r"NI_Scale\[(\d{1,3})\]_Scale_Type", key) for key in properties]
    return max((int(m[1]) + 1 for m in found if m), default=0)


class _Scales:
    def __init__(self, raw: Mapping[int, Array], properties: Mapping[str, Any]) -> None:
        self.raw, self.properties = raw, properties

    def number(self, key: str) -> float:
        value = self.properties.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UnknownScale(f"without {key}")
        return float(value)

    def numbers(self, prefix: str, default: int = 0) -> list[float]:
        size = self.properties.get(f"{prefix}_Size", default)
        if not isinstance(size, int) or not 0 <= size <= _MOST_TERMS:
            raise UnknownScale(f"without {prefix}_Size")
        return [self.number(f"{prefix}[{i}]") for i in range(size)]

    def source(self, key: str, depth: int) -> Array:
        source = self.properties.get(key, _RAW_INPUT)
        if source == _RAW_INPUT:
            return self.raw.get(RAW_SCALE, next(iter(self.raw.values())))
        if not isinstance(source, int):
            raise UnknownScale(f"without {key}")
        return self.compute(source, depth + 1)

    def compute(self, n: int, depth: int) -> Array:
        """The values that scale ``n`` gives; its inputs first."""
        scale = f"NI_Scale[{n}]"
        kind = self.properties.get(f"{scale}_Scale_Type")
        if depth > _MOST_SCALES:
            raise UnknownScale("(its scales refer to each other)")
        if kind is None:  # a DAQmx scaler, which has no properties
            if n in self.raw:
                return self.raw[n]
            raise UnknownScale(f"number {n}, which is nowhere")
        if kind == "Linear":
            slope = self.number(f"{scale}_Linear_Slope")
            return self.source(f"{scale}_Linear_Input_Source", depth) * slope + self.number(
                f"{scale}_Linear_Y_Intercept"
            )
        if kind == "Polynomial":
            terms = self.numbers(f"{scale}_Polynomial_Coefficients", 4)
            values = self.source(f"{scale}_Polynomial_Input_Source", depth).astype(np.float64)
            result = np.zeros(len(values))
            for term in reversed(terms):
                result *= values
                result += term
            return result
        if kind == "Table":
            before = np.array(self.numbers(f"{scale}_Table_Pre_Scaled_Values"))
            after = np.array(self.numbers(f"{scale}_Table_Scaled_Values"))
            if not len(before) or len(before) != len(after) or np.any(np.diff(before) <= 0):
                raise UnknownScale("Table, whose values are not in order,")
            return np.asarray(np.interp(self.source(f"{scale}_Table_Input_Source", depth), before, after))
        if kind in ("Add", "Subtract"):
            left = self.source(f"{scale}_{kind}_Left_Operand_Input_Source", depth)
            right = self.source(f"{scale}_{kind}_Right_Operand_Input_Source", depth)
            # NI's own readers subtract the left operand from the right one.
            return left + right if kind == "Add" else right - left
        if kind == "AdvancedAPI":
            return self.source(f"{scale}_AdvancedAPI_Input_Source", depth)
        raise UnknownScale(str(kind)[:40])
