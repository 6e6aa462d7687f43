"""Descriptors as they are handed out: each with everything needed to trust and to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from zairyo.descriptors._api import ParameterValue, Region
from zairyo.measurement import Quantity

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES = 40


@dataclass(frozen=True)
class Descriptor:
    """A number derived from a measurement.

    Attributes
    ----------
    name, title, title_ja
        In the vocabulary of descriptors, and for people.
    value
        With unit and, where it is known, one standard deviation.
    entry
        Name of the measurement's entry it is from; empty if from several.
    item
        Which of several: ``peak_3``, ``cycle_12``, ``R1``; empty where there is one.
    method, method_version
        What computed it.
    parameters
        Every parameter of the method as it was used, also those it chose itself: given to the same method again,
        with the same entry, they give this number again.
    region
        Where it is in the default plot, to be drawn over it.
    warnings
        What a reader of the number must know, one sentence each.
    """

    name: str
    value: Quantity
    title: str
    title_ja: str
    method: str
    method_version: str
    entry: str = ""
    item: str = ""
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    region: Region | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "warnings", tuple(self.warnings))

    def __str__(self) -> str:
        return f"{f'{self.item} ' if self.item else ''}{self.title}: {spell(self.value)}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: plain numbers, text and lists."""
        region = self.region
        return {
            "entry": self.entry,
            "item": self.item,
            "name": self.name,
            "value": self.value.value,
            "unit": self.value.unit,
            "uncertainty": self.value.uncertainty,
            "title": self.title,
            "title_ja": self.title_ja,
            "method": self.method,
            "method_version": self.method_version,
            "parameters": {name: _plain(value) for name, value in self.parameters.items()},
            "region": region and {n: getattr(region, n) for n in ("axis", "low", "high", "unit")},
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class Refusal:
    """A method that could not describe an entry, and why."""

    entry: str
    method: str
    message: str


class Descriptors(Sequence[Descriptor]):
    """The descriptors of one measurement, in order.

    ``found["tensile_strength"]`` is the one of that name, ``found["peak_position", "peak_2"]`` that of an item,
    ``found[0]`` the first; :meth:`named` gives all of a name.

    Attributes
    ----------
    refused
        Methods that could not say anything, with their reasons.
    """

    def __init__(self, descriptors: Sequence[Descriptor], refused: Sequence[Refusal] = ()) -> None:
        self._all = tuple(descriptors)
        self.refused = tuple(refused)

    @overload
    def __getitem__(self, key: int | str | tuple[str, str]) -> Descriptor: ...
    @overload
    def __getitem__(self, key: slice) -> Descriptors: ...
    def __getitem__(self, key: int | str | tuple[str, str] | slice) -> Descriptor | Descriptors:
        if isinstance(key, slice):
            return Descriptors(self._all[key], self.refused)
        if isinstance(key, int):
            return self._all[key]
        name, item = (key, None) if isinstance(key, str) else key
        found = [d for d in self._all if d.name == name and item in (None, d.item)]
        if len(found) == 1:
            return found[0]
        if not found:
            names = ", ".join(dict.fromkeys(d.name for d in self._all))
            raise KeyError(f"there is no {name}{f' of {item}' if item else ''}; there are {names}")
        items = ", ".join(f"{d.entry}: {d.item}" if d.item else d.entry for d in found[:5])
        raise KeyError(f"{name} is there {len(found)} times ({items} …); named({name!r}) gives all")

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Descriptor]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descriptors) and (self._all, self.refused) == (other._all, other.refused)

    __hash__ = None  # type: ignore[assignment]

    def named(self, name: str) -> tuple[Descriptor, ...]:
        """All descriptors of a name, in order."""
        return tuple(d for d in self._all if d.name == name)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning once, in order."""
        return tuple(dict.fromkeys(w for d in self._all for w in d.warnings))

    def to_pandas(self, wide: bool = False) -> pd.DataFrame:
        """One row a descriptor, or, if ``wide``, one row an item (peak, cycle …) and one column a name.

        The units of a wide table's columns are in ``frame.attrs["units"]``.
        """
        import pandas as pd

        if not wide:
            columns = ("entry", "item", "name", "value", "uncertainty", "unit", "title", "method")
            rows = [
                (d.entry, d.item, d.name, d.value.value, d.value.uncertainty, d.value.unit, d.title, d.method)
                for d in self._all
            ]
            return pd.DataFrame(rows, columns=list(columns))
        index = list(dict.fromkeys((d.entry, d.item) for d in self._all))
        names = list(dict.fromkeys(d.name for d in self._all))
        cells: dict[tuple[str, str], dict[str, Any]] = {key: {} for key in index}
        for d in self._all:
            cells[d.entry, d.item][d.name] = d.value.value
        frame = pd.DataFrame(
            [[cells[key].get(name) for name in names] for key in index],
            index=pd.MultiIndex.from_tuples(index, names=("entry", "item")) if index else None,
            columns=names,
        )
        frame.attrs["units"] = {d.name: d.value.unit for d in self._all}
        return frame

    def __repr__(self) -> str:
        lines = [f"{len(self)} descriptors" if len(self) != 1 else "1 descriptor"]
        heading = None
        for d in self._all[:_MOST_LINES]:
            here = (d.entry, d.method)
            if here != heading:
                lines.append(f"  [{d.entry}] {d.method} {d.method_version}" if d.entry else f"  {d.method}")
                heading = here
            lines.append(f"    {f'{d.item} ' if d.item else ''}{d.name} {spell(d.value)}")
        if (more := len(self) - _MOST_LINES) > 0:
            lines.append(f"    … and {more} more")
        lines += [f"  warning: {w}" for w in self.warnings[:5]]
        if (more := len(self.warnings) - 5) > 0:
            lines.append(f"  … and {more} more warnings")
        lines += [f"  not given by {r.method}: {r.message}" for r in self.refused]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(d.entry)}</td><td>{escape(d.item)}</td><td>{escape(d.title)}</td>"
            f"<td>{escape(spell(d.value))}</td><td>{escape(d.method)}</td></tr>"
            for d in self._all[:_MOST_LINES]
        )
        more = len(self) - _MOST_LINES
        rest = [f"… and {more} more"] if more > 0 else []
        rest += [f"Warning: {w}" for w in self.warnings]
        rest += [f"Not given by {r.method}: {r.message}" for r in self.refused]
        notes = "".join(f"<div>{escape(line)}</div>" for line in rest)
        head = "".join(f"<th>{h}</th>" for h in ("Entry", "Item", "Descriptor", "Value", "Method"))
        return (
            f'<div><table style="text-align:left"><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>{notes}</div>"
        )


def spell(quantity: Quantity) -> str:
    """``26.4891(12) deg``-like precision in plain words: the value to the digits its uncertainty allows."""
    value, uncertainty = quantity.value, quantity.uncertainty
    unit = f" {quantity.unit}" if quantity.unit else ""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return f"{value}{unit}"
    if uncertainty is None or not 0 < uncertainty < float("inf"):
        return f"{value:.6g}{unit}"
    digits = _place(uncertainty)
    size = abs(value)
    if digits < 0 or size >= 1e7 or (0 < size < 1e-4):
        return f"{value:.5g} ± {uncertainty:.2g}{unit}"
    return f"{value:.{digits}f} ± {uncertainty:.{digits}f}{unit}"


def _place(uncertainty: float) -> int:
    """How many decimals show two digits of the uncertainty."""
    return 1 - int(f"{uncertainty:.1e}".partition("e")[2])


def _plain(value: ParameterValue) -> Any:
    if isinstance(value, Quantity):
        number = value.value.isoformat() if isinstance(value.value, datetime) else value.value
        return {"value": number, "unit": value.unit}
    return dict(value) if isinstance(value, Mapping) else value
