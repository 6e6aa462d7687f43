"""Parts of pages that are made from the code when the documentation is built, so that they cannot be out of date.

``<!-- generated NAME -->`` in a page is replaced by the Markdown of the function ``NAME`` in :data:`PARTS`.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

_MARK = re.compile(r"<!-- generated (?P<name>[a-z_]+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' hook."""
    return _MARK.sub(lambda match: "\n".join(PARTS[match["name"]]()), markdown)


# --- Markdown --------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', '&#124;') for cell in row)} |"


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def from_rst(text: str) -> str:
    """A docstring's reStructuredText as Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    return " ".join(text.replace("``", "`").split())


def attributes(docstring: str) -> dict[str, str]:
    """What a NumPy-style docstring says under Attributes."""
    _, _, section = inspect.cleandoc(docstring).partition("Attributes\n----------\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
            found |= dict.fromkeys(names, "")
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}"
    return {name: from_rst(text) for name, text in found.items()}


def summary(docstring: str) -> str:
    """The first paragraph of a docstring."""
    return from_rst(inspect.cleandoc(docstring).split("\n\n")[0])


# --- vocabulary ------------------------------------------------------------------------------------------------


def techniques() -> Iterator[str]:
    """Every family with its techniques, conditions and signals; of what several techniques share, once."""
    from zairyo.measurement.techniques import COMMON, TECHNIQUES

    families: dict[str, list[Any]] = {}
    for technique in TECHNIQUES.values():
        families.setdefault(technique.family, []).append(technique)
    for family, members in families.items():
        links = ", ".join(f"[{t.short}](#{t.key})" for t in members)
        yield f"- [{_family_title(family)}](#{family}): {links}"
    yield "\n## Any technique { #common }\n"
    yield from _conditions([(c, "") for c in COMMON])
    for family, members in families.items():
        yield f"\n## {_family_title(family)} {'{'} #{family} {'}'}\n"
        module = importlib.import_module(f"zairyo.measurement.techniques.{family}")
        for paragraph in inspect.cleandoc(module.__doc__ or "").split("\n\n"):
            yield from_rst(paragraph) + "\n"
        for technique in members:
            yield f"### {technique.title} {'{'} #{technique.key} {'}'}\n"
            yield " · ".join(filter(None, _about(technique))) + "\n"
        if conditions := _merged(members, "conditions"):
            yield f"### Conditions of {_family_title(family).lower()} {'{'} #{family}-conditions {'}'}\n"
            yield "Beside those of [any technique](#common).\n"
            yield from _conditions(conditions)
        if signals := _merged(members, "signals"):
            yield f"\n### Signals, axes and columns of {_family_title(family).lower()} {'{'} #{family}-signals {'}'}\n"
            yield from table(
                ("name", "usual unit", "title", "表題", "only in"),
                ((code(s.name), _unit(s.unit), s.title, s.title_ja, only) for s, only in signals),
            )


def _family_title(family: str) -> str:
    return family.replace("_", " ").capitalize()


def _about(technique: Any) -> Iterator[str]:
    """What is said of a technique under its heading."""
    from zairyo.measurement.definitions import definitions

    yield code(technique.key)
    yield technique.title_ja
    yield f"term {technique.term}" if technique.term else ""
    for what, names in (
        ("strictly monotonic", technique.monotonic),
        ("drawn from high to low", technique.reversed_axes),
    ):
        yield f"{what}: {', '.join(map(code, names))}" if names else ""
    if found := definitions(technique.key):
        names = ", ".join(f"[{d.name}](definitions.md#{d.name.lower()})" for d in found)
        yield f"fills {names}"


def _merged(members: Sequence[Any], part: str) -> list[tuple[Any, str]]:
    """What the techniques of a family declare, each once, with the techniques it is of if not of all."""
    whose: dict[Any, list[str]] = {}
    for technique in members:
        for declared in getattr(technique, part):
            whose.setdefault(declared, []).append(technique.short)
    return [(d, "" if len(of) == len(members) else ", ".join(of)) for d, of in whose.items()]


def _conditions(conditions: Iterable[tuple[Any, str]]) -> Iterator[str]:
    yield from table(
        ("name", "usual unit", "title", "表題", "NeXus path below the entry", "only in"),
        (
            (
                f"**{code(c.name)}**" if c.main else code(c.name),
                _unit(c.unit),
                c.title,
                c.title_ja,
                code(c.nexus),
                only,
            )
            for c, only in conditions
        ),
    )


def _unit(unit: str | None) -> str:
    return "text" if unit is None else code(unit) if unit else "number"


# --- definitions -----------------------------------------------------------------------------------------------


def application_definitions() -> Iterator[str]:
    """Every application definition, and where its fields come from."""
    from zairyo.measurement.definitions import DEFINITIONS, There

    shown: dict[str, dict[str, Any]] = {}
    for definition in DEFINITIONS:
        fields = {f.path: f for f in definition.fields}
        known = shown.setdefault(definition.name, {})
        if not known:
            yield f"\n## {definition.name} {'{'} #{definition.name.lower()} {'}'}\n"
        keys = ", ".join(f"[`{key}`](vocabulary.md#{key})" for key in definition.techniques)
        yield f"\nFor {keys}{', where it is other' if known else ''}:\n"
        yield from table(
            ("field", "comes from", ""),
            (
                (
                    code(path),
                    _THERE[path] if isinstance(f.source, There) else _source(f.source),
                    _need(f),
                )
                for path, f in fields.items()
                if known.get(path) != f
            ),
        )
        shown[definition.name] = known or fields


_THERE = {
    "title": "the entry's title, else the measurement's, else its name",
    "start_time": "when the entry was started",
    "sample/name": "the sample",
    "user/name": "the operator",
}


def _need(wanted: Any) -> str:
    if wanted.optional:
        return "not required"
    return f"required where there is `{wanted.beside}`" if wanted.beside else ""


def _source(source: Any) -> str:
    """A field's source in words."""
    from zairyo.measurement import definitions as d

    match source:
        case d.Of(condition):
            return f"condition {code(condition)}"
        case d.Word(of, words):
            return (
                f"{' or '.join(map(code, of))}, if it says one of: {', '.join(dict.fromkeys(words.values()))}"
            )
        case d.True_(value, given):
            return f"always “{value}”" + (f", with {code(given)}" if given else "")
        case d.Array(names, kinds, _):
            what = " or ".join(map(code, names)) or "the default signal"
            return f"{what}, if of whole numbers" if "f" not in kinds else what
        case d.Uncertainty():
            return "the default signal's uncertainty"
        case d.Unmasked():
            return "`mask`, or one that masks nothing"
        case d.Count(axis):
            return f"the length of {code(axis)}"
        case d.Group():
            return "always there"
    return "*no file says it*"


# --- readers ---------------------------------------------------------------------------------------------------


def formats() -> Iterator[str]:
    """Every reader, under the family of the technique it gives first."""
    from zairyo.measurement.techniques import TECHNIQUES
    from zairyo.readers.registry import load

    readers = sorted(load().readers.values(), key=lambda r: (r.vendor.casefold(), r.format.casefold()))
    families = list(dict.fromkeys(t.family for t in TECHNIQUES.values()))
    first = {r.name: TECHNIQUES[r.techniques[0]].family for r in readers}
    tested = _tested()
    links = (f"[{_family_title(f).lower()}](#{f})" for f in families if f in first.values())
    yield f"{len(readers)} readers: {', '.join(links)}.\n"
    for family in families:
        own = [r for r in readers if first[r.name] == family]
        if not own:
            continue
        yield f"\n## {_family_title(family)} {'{'} #{family} {'}'}\n"
        yield from table(
            ("vendor", "format", "endings", "techniques", "what is read, and what is not", "tested on", "reader"),
            (
                (
                    r.vendor, r.format, " ".join(map(code, r.endings)),
                    ", ".join(f"[{TECHNIQUES[t].short}](vocabulary.md#{t})" for t in r.techniques),
                    r.notes, tested.get(r.name, "files made after its specification"),
                    f"<span id={r.name}>{code(r.name)}</span> {r.version}",
                )
                for r in own
            ),
        )  # fmt: skip
        also = [r for r in readers if r not in own and family in {TECHNIQUES[t].family for t in r.techniques}]
        if also:
            yield (
                "\nAlso: "
                + ", ".join(f"[{r.vendor} {r.format}](#{r.name})".replace("[ ", "[") for r in also)
                + ".\n"
            )


def _tested() -> dict[str, str]:
    """On how many real files each reader was tested, and what wrote them; tools/tested.py notes it."""
    lines = (Path(__file__).parents[1] / "tested.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found = {}
    for line in lines:
        name, files, programs = line.split("\t")
        count = f"{files} real file{'s' if files != '1' else ''}"
        found[name] = f"{count}: {programs}" if programs else count
    return found


def description_keys() -> Iterator[str]:
    """The keys of a YAML description."""
    from zairyo.readers import delimited_description as d
    from zairyo.readers._api import Reader

    yield from _keys(
        d.Description, attributes(d.Description.__doc__ or "") | attributes(Reader.__doc__ or "")
    )
    titles = {
        d.Recognise: "recognise", d.Table: "table", d.Column: "columns[]", d.ConditionFrom: "conditions[]",
        d.Text: "title, sample, operator, instrument", d.Moment: "started",
    }  # fmt: skip
    for cls, title in titles.items():
        anchor = re.match(r"\w+", title)
        yield f"\n### `{title}` {'{'} #{anchor[0] if anchor else title} {'}'}\n"
        yield summary(cls.__doc__ or "") + "\n"
        yield from _keys(cls, attributes(cls.__doc__ or ""))


#: What the code leaves to the name, by class and key.
_MORE = {
    ("Description", "technique"): "A key of the [vocabulary](vocabulary.md).",
    ("Description", "recognise"): "[How to know the format](#recognise).",
    (
        "Description",
        "encodings",
    ): "Python's names, tried in this order; marks at a file's beginning come first.",
    ("Description", "table"): "[Where the numbers are](#table).",
    ("Description", "columns"): "[What the columns are](#columns).",
    ("Description", "conditions"): "[Where the conditions are](#conditions).",
    **{
        ("Description", name): "[Where it is](#title)."
        for name in ("title", "sample", "operator", "instrument")
    },
    ("Description", "started"): "[Where it is](#started).",
    ("Recognise", "within"): "How many lines count as the beginning.",
    ("ConditionFrom", "name"): "Its name in the vocabulary.",
    ("ConditionFrom", "unit"): "Of a number that stands alone.",
    **{(c, "key"): "A key of the header; this or `line`." for c in ("ConditionFrom", "Text", "Moment")},
    **{
        (c, "line"): "A pattern with the group `value`; this or `key`."
        for c in ("ConditionFrom", "Text", "Moment")
    },
    ("Moment", "formats"): "As Python's `strptime` has them, e.g. `%Y-%m-%d %H:%M:%S`; ISO 8601 if none.",
    ("Moment", "drop"): "What is taken out of the text first.",
    ("Moment", "time"): "The header key of the time of day where it stands apart.",
    ("Settings", "host"): "Address to listen at; `0.0.0.0` for other machines.",
    ("Settings", "port"): "Port to listen at.",
    ("Settings", "max_file_bytes"): "The largest file that is taken, bytes.",
    ("Settings", "log_level"): "`critical`, `error`, `warning`, `info` or `debug`.",
}


def _keys(cls: Any, about: dict[str, str]) -> Iterator[str]:
    hints = typing.get_type_hints(cls)
    yield from table(
        ("key", "value", "default", "meaning"),
        (
            (code(f.name), _kind(hints[f.name]), _default(f), _meaning(cls, f.name, about))
            for f in fields(cls)
        ),
    )


def _meaning(cls: type, name: str, about: dict[str, str]) -> str:
    return _MORE.get((cls.__name__, name)) or about.get(name, "")


def _kind(hint: Any) -> str:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        return "mapping"
    if hint is re.Pattern or origin is re.Pattern:
        return "pattern"
    if origin is tuple:
        return "list of mappings" if is_dataclass(inner[0]) else f"{_kind(inner[0])}, or list of them"
    if origin is typing.Literal:
        return " ".join(code(str(word)) for word in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(kind) for kind in inner if kind is not type(None))
    if origin is not None and "Mapping" in str(origin):
        return f"mapping of keys to {_kind(inner[1])}"
    return {str: "text", int: "whole number", bool: "true or false", float: "number"}.get(hint, str(hint))


def _default(f: Field[Any]) -> str:
    if f.default is MISSING:
        return "required" if f.default_factory is MISSING else ""
    if isinstance(f.default, bool):
        return str(f.default).lower()
    if f.default in (None, "", ()) or is_dataclass(f.default):
        return ""
    if isinstance(f.default, tuple):
        return ", ".join(code(str(part)) for part in f.default)
    return code(str(f.default))


# --- descriptors -----------------------------------------------------------------------------------------------


def descriptor_methods() -> Iterator[str]:
    """Every method with what it gives and its parameters."""
    from zairyo.descriptors.registry import load
    from zairyo.measurement.techniques import TECHNIQUES

    for method in load().methods.values():
        yield f"\n### {method.title} {'{'} #{method.name} {'}'}\n"
        of = ", ".join(f"[{TECHNIQUES[t].short}](vocabulary.md#{t})" for t in method.techniques)
        yield f"{code(method.name)} {method.version} · {method.title_ja} · for {of} · after {method.source}\n"
        yield from_rst_paragraphs(method.compute.__doc__ or "") + "\n"
        units = {None: "the measurement's", "": "number"}
        yield from table(
            ("descriptor", "unit", "title", "表題"),
            (
                (code(t.name), units.get(t.unit, code(t.unit or "")), t.title, t.title_ja)
                for t in method.gives
            ),
        )
        yield ""
        yield from table(
            ("parameter", "default", "unit or choices", "meaning", "表題"),
            (
                (
                    code(p.name),
                    "required" if p.required else "" if p.default is None else code(str(p.default).lower()),
                    " ".join(map(code, p.choices)) or code(p.unit or ""),
                    p.title,
                    p.title_ja,
                )
                for p in method.parameters
            ),
        )


def from_rst_paragraphs(text: str) -> str:
    """A docstring's paragraphs as Markdown."""
    return "\n\n".join(from_rst(part) for part in inspect.cleandoc(text).split("\n\n"))


# --- server ----------------------------------------------------------------------------------------------------


def settings() -> Iterator[str]:
    """The server's settings: variable, flag, default, meaning."""
    from zairyo.cli.serve import serve
    from zairyo.server import settings as module

    about = _documented_fields(module.Settings)
    flags = {p.name: p.opts[0] for p in serve.params}
    shown = {"data": "the user's data folder, e.g. `~/.local/share/zairyo`", "workers": "number of cores"}
    rows = []
    for f in fields(module.Settings):
        default = shown.get(f.name) or code(str(f.default) if f.default != "" else "")
        flag, meaning = code(flags.get(f.name, "")), _meaning(module.Settings, f.name, about)
        rows.append((code(f"ZAIRYO_{f.name.upper()}"), flag, default, meaning))
    yield from table(("variable", "flag of `serve`", "default", "meaning"), rows)


def _documented_fields(cls: type) -> dict[str, str]:
    """The texts under a class's fields."""
    import ast
    import textwrap

    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = from_rst(str(text.value.value))
    return found


def limits() -> Iterator[str]:
    """What one translation may use."""
    from zairyo.readers.limits import Limits

    about = attributes(Limits.__doc__ or "")
    sizes = {"memory", "input_bytes", "output_bytes"}
    yield from table(
        ("limit", "value", "of"),
        (
            (
                code(f.name), f"{f.default / 1024**3:g} GiB" if f.name in sizes else f"{f.default:g}",
                about[f.name],
            )
            for f in fields(Limits)
        ),
    )  # fmt: skip


def rules() -> Iterator[str]:
    """The rules of an instrument's files."""
    from zairyo.agent.rules import Rules

    about = attributes(Rules.__doc__ or "")
    yield from table(
        ("rule", "default", "meaning"),
        ((code(f.name), _json(f.default), about[f.name]) for f in fields(Rules)),
    )


def _json(value: Any) -> str:
    import json

    return code(json.dumps(value))


def endpoints() -> Iterator[str]:
    """Every endpoint of the api."""
    from fastapi.routing import APIRoute

    from zairyo.server.api.app import PREFIX, ROUTERS

    for module in ROUTERS:
        name = module.__name__.rpartition(".")[2]
        yield f"\n### {name}\n"
        yield f"{summary(module.__doc__ or '')}\n"
        rows = []
        for route in module.router.routes:
            if isinstance(route, APIRoute) and route.methods != {"OPTIONS"}:
                method = " ".join(sorted(route.methods))
                rows.append((f"`{method} {PREFIX}{route.path}`", _scopes(route), summary(route.description)))
        yield from table(("endpoint", "needs", "does"), rows)


def _scopes(route: Any) -> str:
    """The scopes an endpoint asks for, one of which is enough."""
    waiting, found = [route.dependant], set()
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        found |= set(getattr(dependant.call, "scopes", ()))
        if getattr(dependant.call, "__name__", "") == "get_signed_in":
            return "a signed-in person"
    if len(found) > 3:
        return "any token"
    return " or ".join(sorted(map(code, found))) or "nothing"


# --- command line ----------------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """The help of every command."""
    import click

    from zairyo.cli import cli

    def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
        with click.Context(
            command, info_name=" ".join(path), terminal_width=96, max_content_width=96
        ) as context:
            context.help_option_names = ["-h", "--help"]
            yield f"\n{'#' * min(len(path) + 1, 4)} {' '.join(path)}\n"
            yield f"```text\n{command.get_help(context)}\n```\n"
            if isinstance(command, click.Group):
                for name in command.list_commands(context):
                    inner = command.get_command(context, name)
                    if inner is not None:
                        yield from walk(inner, (*path, name))

    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        if command is not None:
            yield from walk(command, ("zairyo", name))


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    part.__name__: part
    for part in (
        techniques,
        application_definitions,
        formats,
        descriptor_methods,
        description_keys,
        settings,
        limits,
        rules,
        endpoints,
        commands,
    )
}
