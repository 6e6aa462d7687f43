"""A first description of a text format, drafted from one file: what can be seen is filled in, the rest is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from zairyo.measurement import make_name
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.readers import _draft_words as words
from zairyo.readers._draft_look import MOMENTS, Column, Look, moment_formats
from zairyo.readers.delimited_text import DELIMITERS

#: What is over an axis, rather than a table of columns, if it is the first of these that the file has.
_AXES = (
    "two_theta", "q", "raman_shift", "wavenumber", "wavelength", "photon_energy", "binding_energy", "kinetic_energy",
    "energy", "chemical_shift", "retention_time", "frequency",
)  # fmt: skip
#: Else a table, drawn over the first of these.
_X = ("temperature", "strain", "displacement", "magnetic_field", "time", "index")
#: Asks what the file cannot say: the question, the choices (any answer if there are none), and the default.
Ask = Callable[[str, Sequence[str], str], str]


@dataclass
class _Named:
    column: Column
    place: int
    name: str
    unit: str | None = None
    formats: tuple[str, ...] = ()


@dataclass
class Draft:
    """What a description will say; :meth:`to_yaml` writes it."""

    look: Look
    file: str
    vendor: str
    format: str
    technique: str
    columns: list[_Named] = field(default_factory=list)
    x: str = ""
    default: str = ""
    places: dict[str, str] = field(default_factory=dict)
    started: tuple[str, ...] = ()
    conditions: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return make_name(f"{self.vendor} {self.format}".casefold(), "my_format")

    @property
    def is_scan(self) -> bool:
        return any(n.name == self.x and n.name in _AXES and n.column.monotonic for n in self.columns)

    def to_yaml(self) -> str:
        """The description, with remarks where somebody should look again."""
        look = self.look
        delimiter = next(name for name, mark in DELIMITERS.items() if mark == look.delimiter)
        lines = [
            f"# Drafted by `zairyo formats new` from {_comment(self.file)}. Look it over, and try it on other files.",
            f"name: {self.name}",
            "version: 1",
            f"vendor: {_quote(self.vendor)}",
            f"format: {_quote(self.format)}",
            f"technique: {self.technique}",
            f"endings: {_quote(PurePosixPath(self.file).suffix.lower() or '.txt')}",
            *self._recognise(),
        ]
        if look.encoding not in ("utf-8", "utf-8-sig"):
            lines.append(f"encodings: [{look.encoding.removesuffix('-le').removesuffix('-be')}, utf-8]")
        if look.pattern:
            lines.append(f"header: {_quote(look.pattern)}")
        table = [f"names: {_quote(_line(look.names))}"] if look.names else []
        if (
            not look.names
            and look.header
            and any(c.kind in ("text", "moment", "duration") for c in look.columns)
        ):
            table.append(f"after: {_quote(_line(look.header[-1]))}")
        table += ["units: true"] if look.has_units else []
        table.append(f"delimiter: {delimiter}")
        table.append(f"decimal: {'comma' if look.decimal == ',' else 'point'}")
        table += [f"thousands: {_quote(look.thousands)}"] if look.thousands else []
        lines += [f"table: {{{', '.join(table)}}}", "columns:", *map(self._column, self.columns)]
        lines += [f"axis: {self.x}"] if self.is_scan else [f"x: {self.x}"]
        lines.append(f"default: {self.default}")
        lines += [
            f"{place}: {{key: {_quote(key)}}}" for place, key in self.places.items() if place != "started"
        ]
        if "started" in self.places:
            forms = f", formats: {_quote(self.started[0])}" if self.started else ""
            lines.append(f"started: {{key: {_quote(self.places['started'])}{forms}}}")
        if self.conditions:
            lines.append("conditions:")
            lines += [
                f"  - {{name: {name}, key: {_quote(key)}{f', unit: {_quote(unit)}' if unit else ''}}}"
                for name, key, unit in self.conditions
            ]
        return "\n".join(lines) + "\n"

    def _recognise(self) -> list[str]:
        """Lines by which the format is known: of names, and of what stands first in the file."""
        look = self.look
        known = [_line(look.names)] if look.names else []
        for line in look.header[:2]:
            key = re.search(look.pattern, line) if look.pattern else None
            known.append(f"^{_space(key[0][: key.end('key') - key.start()])}" if key else _line(line))
        if not known:
            return [f"recognise: {{columns: {len(look.columns)}, ending: true, sure: possible}}"]
        quoted = ", ".join(_quote(pattern) for pattern in dict.fromkeys(known))
        within = [f"  within: {len(look.header) + 40}"] if len(look.header) > 40 else []
        return [
            "recognise:",
            f"  lines: [{quoted}]  # each must be in every file of the format",
            *within,
            "  sure: likely",
        ]

    def _column(self, named: _Named) -> str:
        column = named.column
        place = str(named.place) if not column.name else _quote(re.escape(column.name).replace(r"\ ", " "))
        parts = [f"column: {place}", f"name: {named.name}"]
        if named.unit and not column.unit:
            parts.append(f"unit: {_quote(named.unit)}")
        if column.kind != "number":
            parts.append(f"kind: {column.kind}")
        if column.kind == "moment" and named.formats:
            parts.append(f"formats: {_quote(named.formats[0])}")
        remark = "" if named.unit or column.unit or column.kind != "number" else "  # no unit is stated"
        return f"  - {{{', '.join(parts)}}}{remark}"


def draft(look: Look, file: str, ask: Ask) -> Draft:
    """Draft a description of the format of ``file``, asking what the file does not say."""
    written = [(c.name, c.unit) for c in look.columns]
    likely = words.techniques_of(written, list(look.pairs), "\n".join(look.header))
    choices = [*likely[:6], *([] if "unspecified" in likely[:6] else ["unspecified"])]
    technique = ask("What was measured?", [*choices, *sorted(set(TECHNIQUES) - set(choices))], choices[0])
    vendor = ask("Who made the instrument?", (), "")
    form = ask("What is the format called?", (), f"{TECHNIQUES[technique].short} text export")
    made = Draft(look, file, vendor, form, technique)
    _name_columns(made, ask)
    _choose_axes(made, ask)
    _find_places(made, ask)
    return made


def _name_columns(made: Draft, ask: Ask) -> None:
    taken: set[str] = set()
    usual = {s.name: s.unit for s in TECHNIQUES[made.technique].signals}
    bare = not any(c.name for c in made.look.columns)
    for place, column in enumerate(made.look.columns, 1):
        if not column.name and not any(column.values):
            continue
        known = words.signal_of(made.technique, column.name, column.unit, taken) if column.name else None
        if bare and place <= 2 and len(usual) >= 2:
            known = next(name for name in usual if name not in taken)
        shown = ", ".join(column.values[:3])
        named = f"{column.name!r} ({shown})" if column.name else f"{place} ({shown})"
        name = known or make_name(column.name, f"column_{place}")
        if known is None and (bare or not column.name):
            name = make_name(ask(f"What is in column {named}?", (), name), f"column_{place}")
        while name in taken:
            name = f"{name}_{place}"
        taken.add(name)
        unit = None
        if column.kind == "number" and not column.unit:
            unit = (
                ask(f"In which unit is column {named}, {name}?", (), (usual.get(name) or "") if bare else "")
                or None
            )
        formats = column.formats
        if column.kind == "moment":
            formats = (_moment(column.values[0], formats, ask),)
        made.columns.append(_Named(column, place, name, unit, formats))


def _moment(written: str, formats: Sequence[str], ask: Ask) -> str:
    """The form of a date; asked where day and month cannot be told apart."""
    alike = [f for f in formats if f[:8] in ("%d/%m/%Y", "%m/%d/%Y")]
    if len({f[:2] for f in alike}) < 2:
        return formats[0]
    first = ask(f"In {written!r}, what comes first?", ("day", "month"), "day")
    return next(f for f in alike if f.startswith("%d" if first == "day" else "%m"))


def _choose_axes(made: Draft, ask: Ask) -> None:
    numbers = [n.name for n in made.columns if n.column.kind in ("number", "duration")]
    numbers = numbers or [n.name for n in made.columns]
    rising = [n.name for n in made.columns if n.column.monotonic]
    x = next((name for names in (rising, numbers) for name in _AXES if name in names), None)
    x = x or next((name for name in _X if name in numbers), numbers[0])
    made.x = ask("What is drawn to the right?", numbers, x)
    others = [name for name in numbers if name != made.x] or numbers
    told = [s.name for s in TECHNIQUES[made.technique].signals]
    best = sorted(
        others,
        key=lambda name: (name in (*_AXES, *_X, "step", "cycle"), name not in told, others.index(name)),
    )
    made.default = ask("What is drawn upwards?", others, best[0])


def _find_places(made: Draft, ask: Ask) -> None:
    """What the header's keys say: of the measurement itself, and the technique's conditions."""
    usual = conditions(made.technique)
    for key, value in made.look.pairs.items():
        bare = re.sub(r"\s*[\[(].*[\])]\s*$", "", key)
        place = words.place_of(bare)
        if place and place not in made.places:
            made.places[place] = bare
            if place == "started":
                forms = moment_formats([value])
                if not forms:
                    del made.places[place]
                else:
                    made.started = (_moment(value, forms, ask),)
            continue
        match = re.search(r"[\[(](.*)[\])]\s*$", key) or re.search(r"\d\s*([^\d\s.,:/].*)$", value)
        unit = match[1] if match else None
        name = words.condition_of(made.technique, bare, unit)
        if name is None or any(name == n for n, _, _ in made.conditions):
            continue
        if unit is None and usual[name].unit:
            unit = ask(f"In which unit is {key!r} ({value[:40]})?", (), usual[name].unit or "") or None
        elif unit is not None:
            unit = None  # the file states it
        made.conditions.append((name, bare, unit))


def _line(line: str) -> str:
    """A pattern for a line, by its beginning: its words as they are, its numbers any number."""
    return rf"^\s*{_space(line.strip()[:60].rstrip())}"


def _space(text: str) -> str:
    escaped = re.sub(r"\d+", "\0", re.escape(text)).replace("\0", r"\d+")
    return re.sub(r"(?:\\ |\\\t|\s)+", r"\\s+", escaped)


def _quote(text: str) -> str:
    """Text as YAML takes it, whatever is in it."""
    if re.fullmatch(r"[A-Za-z.][\w.%*/-]*", text) and text not in (
        "true",
        "false",
        "null",
        "yes",
        "no",
        "on",
        "off",
    ):
        return text
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _comment(text: str) -> str:
    return "".join(ch if ch.isprintable() else "?" for ch in text)


__all__ = ["MOMENTS", "Ask", "Draft", "draft"]
