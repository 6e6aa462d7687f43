"""Which methods there are, and computing with them.

Methods come from the modules of this package and from plug-in packages' entry points in the group
``zairyo.descriptors`` (a module with ``METHODS``, a ``Method``, or an iterable of them). One that is broken is
told by name and does not keep the others from working.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from math import isfinite
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Term
from zairyo.descriptors._results import Descriptor, Descriptors, Refusal
from zairyo.measurement import Entry, Measurement, Quantity

GROUP = "zairyo.descriptors"
_MACHINERY = frozenset({"registry"})


@dataclass
class Registry:
    """The methods by name, and what could not be loaded (where it is from, what is wrong)."""

    methods: dict[str, Method] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def add(self, found: object, where: str) -> None:
        """Add a ``Method`` or an iterable of them; what is wrong with one is a problem, not an error."""
        found = getattr(found, "METHODS", found)
        many = (found,) if isinstance(found, Method) else found
        if not isinstance(many, Iterable):
            return self.problems.append((where, f"gives a {type(found).__name__}, not a Method"))
        for method in many:
            if wrong := self._wrong(method):
                self.problems.append((where, wrong))
            else:
                self.methods[method.name] = method
        return None

    def _wrong(self, method: object) -> str:
        if not isinstance(method, Method):
            return f"gives a {type(method).__name__}, not a Method"
        if method.name in self.methods:
            return f"its method {method.name!r} has the name of another; rename it"
        known = self.vocabulary()
        for term in method.gives:
            if known.get(term.name, term) != term:
                return f"its method {method.name!r} means another thing by {term.name!r}; rename it"
        return ""

    def vocabulary(self) -> dict[str, Term]:
        """Every descriptor's name → what it means: the same whichever method gives it."""
        return {term.name: term for method in self.methods.values() for term in method.gives}

    def for_technique(self, technique: str) -> list[Method]:
        return [m for m in self.methods.values() if technique in m.techniques]


def load() -> Registry:
    """Load every method of this installation."""
    import zairyo.descriptors as room

    registry = Registry()
    for module in sorted(pkgutil.iter_modules(room.__path__), key=lambda m: m.name):
        if module.name.startswith("_") or module.name in _MACHINERY:
            continue
        name = f"zairyo.descriptors.{module.name}"
        try:
            registry.add(importlib.import_module(name), name)
        except Exception as e:
            registry.problems.append((name, f"{type(e).__name__}: {e}"))
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        where = f"plug-in {point.name} ({point.value})"
        try:
            registry.add(point.load(), where)
        except Exception as e:
            registry.problems.append((where, f"{type(e).__name__}: {e}"))
    return registry


@cache
def default_registry() -> Registry:
    """The methods of this installation; loaded once a process."""
    return load()


def compute(
    measurement: Measurement | Entry,
    method: str | None = None,
    *,
    entry: str | None = None,
    registry: Registry | None = None,
    **parameters: Any,
) -> Descriptors:
    """Describe a measurement: named numbers with unit, uncertainty, method and limits.

    Parameters
    ----------
    measurement
        In the standard form; or one entry of it.
    method
        Name of the method; every method for the entries' techniques if None.
    entry
        Name of the only entry to describe; all if None.
    parameters
        Of the method: plain numbers in its units, or with a unit (``"373 K"``, a ``Quantity``). Without a method
        each is given to the methods that know it.

    Returns
    -------
    Descriptors
        At least one. Methods that could not say anything are in its ``refused``.

    Raises
    ------
    CannotDescribe
        Nothing could be computed; the message says why and what to do.
    """
    registry = registry or default_registry()
    whole = Measurement((measurement,)) if isinstance(measurement, Entry) else measurement
    entries = [e for e in whole if entry is None or e.name == entry]
    if not entries:
        raise CannotDescribe(f"there is no entry {entry!r}; there are {', '.join(e.name for e in whole)}")
    methods = _chosen(registry, method, entries, parameters)
    found: list[Descriptor] = []
    refused: list[Refusal] = []
    for one, part in _work(methods, entries):
        name = "" if isinstance(part, tuple) else part.name
        known = {p.name for p in one.parameters}
        given = parameters if method else {k: v for k, v in parameters.items() if k in known}
        try:
            found += _run(one, part, given)
        except CannotDescribe as e:
            refused.append(Refusal(name, one.name, str(e)))
    if not found:
        raise CannotDescribe(_why(refused))
    return Descriptors(found, refused)


def _chosen(
    registry: Registry, name: str | None, entries: list[Entry], parameters: Mapping[str, Any]
) -> list[Method]:
    techniques = list(dict.fromkeys(e.technique for e in entries))
    if name is not None:
        if name not in registry.methods:
            raise CannotDescribe(f"there is no method {name!r}; there are {', '.join(registry.methods)}")
        method = registry.methods[name]
        if not set(techniques) & set(method.techniques):
            raise CannotDescribe(
                f"{name} is for {', '.join(method.techniques)}, not for {', '.join(techniques)}"
            )
        return [method]
    methods = [m for m in registry.methods.values() if set(techniques) & set(m.techniques)]
    if not methods:
        raise CannotDescribe(f"there is no method yet for {', '.join(techniques)}")
    known = {p.name for m in methods for p in m.parameters}
    if unknown := sorted(set(parameters) - known):
        names = ", ".join(m.name for m in methods)
        raise CannotDescribe(f"none of {names} has a parameter {' or '.join(unknown)}")
    return methods


def _work(methods: list[Method], entries: list[Entry]) -> Iterator[tuple[Method, Entry | tuple[Entry, ...]]]:
    """Each entry with its methods, in order; then the methods that take entries together."""
    for entry in entries:
        for method in methods:
            if entry.technique in method.techniques and not method.together:
                yield method, entry
    for method in methods:
        fitting = tuple(e for e in entries if e.technique in method.techniques)
        if method.together and fitting:
            yield method, fitting


def _run(method: Method, part: Entry | tuple[Entry, ...], given: Mapping[str, Any]) -> list[Descriptor]:
    settled = method.settle(given)
    terms = {term.name: term for term in method.gives}
    parameters = {p.name: p for p in method.parameters}
    entry = "" if isinstance(part, tuple) else part.name
    try:
        with np.errstate(all="ignore"):  # what is no number in the end is refused
            found = list(method.compute(part, **settled))
    except (ArithmeticError, np.linalg.LinAlgError) as e:
        raise CannotDescribe(f"{method.name} cannot work with numbers of these sizes ({e})") from None
    made = [
        _descriptor(
            method,
            terms[f.name],
            entry,
            f,
            {n: p.told({**settled, **f.settled}[n]) for n, p in parameters.items()},
        )
        for f in found
    ]
    if not made:
        raise CannotDescribe(f"{method.name} found nothing to describe")
    return made


def _descriptor(
    method: Method, term: Term, entry: str, found: Found, parameters: dict[str, Any]
) -> Descriptor:
    """What a method found as it is handed out; a number that is none is never handed out."""
    if not isfinite(found.value):
        raise CannotDescribe(f"{term.title} comes out as {found.value}; the data do not determine it")
    uncertainty = found.uncertainty
    if uncertainty is not None and not (isfinite(uncertainty) and uncertainty >= 0):
        uncertainty = None
    return Descriptor(
        name=term.name,
        value=Quantity(
            float(found.value),
            found.unit if term.unit is None else term.unit,
            None if uncertainty is None else float(uncertainty),
        ),
        title=term.title,
        title_ja=term.title_ja,
        method=method.name,
        method_version=method.version,
        entry=entry,
        item=found.item,
        parameters=parameters,
        region=found.region,
        warnings=found.warnings,
    )


def _why(refused: list[Refusal]) -> str:
    """The reasons as one message; the same reason of many entries is told once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for r in refused:
        reasons.setdefault((r.method, r.message), []).append(r.entry)
    told = []
    for (method, message), entries in list(reasons.items())[:8]:
        where = f" of {entries[0]}" if entries[0] else ""
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        told.append(message if len(reasons) == 1 else f"{method}{where}{more}: {message}")
    return "; ".join(told)
