"""Touchstone: the S-parameters of a network of n ports over frequency, versions 1 and 2.

Facts (IBIS Open Forum, "Touchstone File Format Specification" 2.0 and 2.1): ``!`` begins a comment, ``#`` the line of
options (unit of frequency, parameter, format, reference impedance; defaults GHz S MA R 50). Two ports are written in
the order 11 21 12 22, others row by row. Noise data follow two-port data where the frequency falls.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import head_lines, head_text, read_lines

Array = NDArray[Any]
_HERTZ = {"HZ": 1.0, "KHZ": 1e3, "MHZ": 1e6, "GHZ": 1e9, "THZ": 1e12}
_KINDS = ("S", "Y", "Z", "G", "H")
#: Units of hybrid parameters on the diagonal; those beside it have none.
_HYBRID = {"H": ("ohm", "S"), "G": ("S", "ohm")}
_OPTION = re.compile(r"#\s*(?=.*\b[TGMK]?HZ\b)(?=.*\b(S|Y|Z|G|H|T)\b)(?=.*\b(RI|MA|DB)\b)", re.IGNORECASE)
_BARE = re.compile(r"#(\s*\b([TGMK]?HZ|[SYZGHT]|RI|MA|DB|R(\s*[\d.,eE+]+)+))*\s*\Z", re.IGNORECASE)
_SUFFIX = re.compile(r"\.s(\d{1,3})p\Z")
_ROW = re.compile(r"[-+\d.,eE\s]*\d[-+\d.,eE\s]*")
_MOST_PORTS = 200
_DATES = ("%A, %B %d, %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S")


@dataclass
class _Options:
    hertz: float = 1e9
    kind: str = "S"
    form: str = "MA"
    impedance: float = 50.0


@dataclass
class _Words:
    """Version 2's keywords, and of the option line what stands there for each port."""

    version: str = ""
    ports: int = 0
    order: str = ""
    modes: str = ""
    matrix: str = "FULL"
    impedances: list[float] = field(default_factory=list)
    frequencies: int = 0
    network: int = -1  # line at which the data begin
    noise: int = -1


def _sniff(source: RawInput) -> float:
    if "#" not in head_text(source, 500):
        return POSSIBLE if _SUFFIX.search(source.suffix) and _is_bare(head_lines(source, 500)) else NO
    keywords = (line for line in head_lines(source, 200) if line[:1] == "[")
    if any(line.upper().startswith("[VERSION] 2") for line in keywords) and "#" in head_text(source, 200):
        return CERTAIN
    stripped = map(str.strip, head_lines(source, 500))
    first = next((line for line in stripped if line and line[0] != "!"), "")
    if not _BARE.match(first.split("!")[0].strip()):
        return NO
    if _OPTION.match(first):
        return CERTAIN
    return LIKELY if _SUFFIX.search(source.suffix) else NO


def _is_bare(lines: Sequence[str]) -> bool:
    """Whether it is comments and rows of numbers alone."""
    rows = [text for line in lines if (text := line.split("!", 1)[0].strip())]
    return bool(rows) and all(_ROW.fullmatch(row) for row in rows[:100])


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    warnings: list[str] = []
    options, words, comments = _options(lines)
    stated = any(line.lstrip().startswith("#") for line in lines)
    numbers, starts = _numbers(lines, words, source)
    ports = words.ports or _ports(source, numbers, starts[:-1])
    forward = ports == 1 and not words.version and set(starts) == {5}
    if forward:
        warnings.append(
            "Each frequency has two parameters where one port has one: the second is given as s21, as PicoVNA writes."
        )
    if not 1 <= ports <= _MOST_PORTS:
        raise ReadError(f"{source.name} says it has {ports} ports; at most {_MOST_PORTS} are read.")
    triangle = words.matrix in ("LOWER", "UPPER")
    width = 5 if forward else 1 + (ports * (ports + 1) if triangle else 2 * ports * ports)
    data, noise = _split_noise(numbers, width, ports, words, starts[-1])
    rows, rest = divmod(len(data), width)
    if rest or not rows:
        raise ReadError(
            f"{source.name} holds {len(data)} numbers, which is no multiple of the {width} that {ports} ports have at "
            "each frequency. It is cut off or damaged; copy it again."
        )
    if words.frequencies and words.frequencies != rows:
        raise ReadError(
            f"{source.name} has {rows} frequencies where it says {words.frequencies}; it is cut off."
        )
    table = data.reshape(rows, width)
    if not stated:
        if (table[:, 1::2] < 0).any():
            raise ReadError(
                f"{source.name} has no line of options, and its numbers are not those of the standard's defaults; "
                "write the line, such as # GHz S RI R 50, above them."
            )
        warnings.append(
            "The file has no line of options: the standard's defaults are taken (GHz, S, magnitude and angle, 50 ohm)."
        )
    flat = _complex(table[:, 1::2], table[:, 2::2], options.form)
    matrix = flat[:, :, np.newaxis] if forward else _matrix(flat, ports, words)
    if options.kind != "S" and not words.version:
        matrix = matrix * _denormalised(options, ports)
    if words.modes:
        warnings.append(
            f"The parameters are of mixed modes, {words.modes[:200]}: their numbers count modes, not ports."
        )
    impedance = words.impedances[0] if words.impedances else options.impedance
    if len(set(words.impedances)) > 1:
        warnings.append(
            f"The ports have impedances of their own, {', '.join(f'{r:g}' for r in words.impedances[:20])} ohm; the "
            "reference impedance given is that of the first."
        )
    reference = None if _own_impedances(comments, impedance) else impedance
    if reference is None:
        warnings.append(
            "The comments give port impedances at each frequency, which the parameters are relative to; the option "
            f"line's {impedance:g} ohm was left out."
        )
    entries = [_entry(table[:, 0] * options.hertz, matrix, ports, options, reference)]
    if len(noise):
        entries.append(_noise(noise, options, 1.0 if words.version else options.impedance))
    date = next((c.partition(":")[2] for c in comments if re.match(r"date\s*:", c, re.IGNORECASE)), "")
    first = comments[0] if comments else ""
    if not date and (m := re.search(r"\d{1,2}/\d{1,2}/\d{4}\s+\d{1,2}:\d\d:\d\d(\s+[AP]M)?", first)):
        date = m[0]
    started = in_forms(" ".join(date.split()), _DATES) if date else None
    return Measurement(
        tuple(
            Entry(
                e.name, e.technique, e.axes, e.signals, e.default, "", e.title, e.conditions, started=started
            )
            for e in entries
        ),
        title=source.path.stem,
        instrument=_instrument(comments),
        original_metadata=tidy_metadata(_metadata(lines, comments)),
        warnings=tuple(warnings),
    )


def _metadata(lines: list[str], comments: list[str]) -> dict[str, Any]:
    option = next((line.strip() for line in lines if line.lstrip().startswith("#")), "")
    keywords = [line.strip() for line in lines if "[" in line and line.lstrip().startswith("[")]
    found: dict[str, Any] = {"option line": clean_text(option), "comments": comments, "keywords": keywords}
    return {k: v for k, v in found.items() if v}


def _instrument(comments: list[str]) -> str:
    """Maker and model, where the first comment is ``Agilent Technologies,N5230A,serial,version``."""
    if len(comments) == 2 and comments[1].startswith("Ref Plane:"):
        return "Pico Technology PicoVNA"
    parts = comments[0].split(",") if comments else []
    return " ".join(p.strip() for p in parts[:2]) if len(parts) >= 4 and re.search(r"\d", parts[1]) else ""


# --- the text -----------------------------------------------------------------------------------------------------


def _options(lines: list[str]) -> tuple[_Options, _Words, list[str]]:
    options, words, comments = _Options(), _Words(), list[str]()
    seen = False
    for number, raw in enumerate(lines):
        if not ("!" in raw or "#" in raw or "[" in raw):
            continue  # numbers, as nearly all lines are
        line, mark, comment = raw.partition("!")
        if mark and comment.strip():
            comments.append(clean_text(comment.strip()))
        line = line.strip()
        if line.startswith("#") and not seen:
            seen = True
            _option_line(re.sub(r"\bR(?=[\d.])", "R ", line[1:].upper()).split(), options, words, number)
        elif line.startswith("["):
            _keyword(line, words, lines, number)
    return options, words, comments[:2000]


def _option_line(parts: list[str], options: _Options, words: _Words, number: int) -> None:
    it = iter(parts)
    for part in it:
        if words.impedances and re.match(r"[\d.]", part):  # some programs write one for each port
            words.impedances.append(_float(part, number))
        elif part in _HERTZ:
            options.hertz = _HERTZ[part]
        elif part == "T":
            raise ReadError(
                f"line {number + 1}: T parameters are no part of Touchstone, and programs differ in what they mean by "
                "them; export S parameters."
            )
        elif part in _KINDS:
            options.kind = part
        elif part in ("RI", "MA", "DB"):
            options.form = part
        elif part == "R":
            options.impedance = _float(next(it, ""), number)
            words.impedances = [options.impedance]
        else:
            raise ReadError(
                f"line {number + 1}: {part[:20]!r} is no option of Touchstone (such as # GHz S MA R 50)"
            )


def _float(text: str, number: int) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ReadError(
            f"line {number + 1}: {text[:20]!r} is not a number; the file is damaged there."
        ) from None


def _keyword(line: str, words: _Words, lines: list[str], number: int) -> None:
    name, _, value = line[1:].partition("]")
    key, value = name.strip().lower(), value.strip()
    if key == "version":
        words.version = value
    elif key in ("number of ports", "number of frequencies"):
        if not value.isdigit() or len(value) > 9:
            raise ReadError(f"line {number + 1}: {value[:20]!r} is no count; the file is damaged there.")
        if key == "number of ports":
            words.ports = int(value)
        else:
            words.frequencies = int(value)
    elif key == "two-port data order":
        words.order = value
    elif key == "mixed-mode order":
        words.modes = clean_text(value)
    elif key == "matrix format":
        words.matrix = value.upper()
    elif key == "reference":
        words.impedances = [_float(p, number) for p in value.split()]
        for following in lines[number + 1 : number + 60]:
            parts = following.split("!")[0].split()
            if not parts or not re.match(r"[\d.+-]", parts[0]):
                break
            words.impedances += [_float(p, number) for p in parts]
    elif key == "network data":
        words.network = number
    elif key == "noise data":
        words.noise = number


def _numbers(lines: list[str], words: _Words, source: RawInput) -> tuple[Array, list[int]]:
    """All numbers after the options, and how many each of the first lines and the last has."""
    begin = words.network + 1 if words.network >= 0 else 0
    plain = [
        (n, text)
        for n, line in enumerate(lines[begin:], begin + 1)
        if (text := line.split("!", 1)[0].strip()) and text[0] not in "#["
    ]
    joined = "\n".join(text for _, text in plain)
    if "," in joined:
        joined = joined.replace(",", ".")  # no list has commas here: they are decimal marks
    try:
        if "_" in joined:
            raise ValueError
        try:
            values = np.loadtxt(joined.split("\n"), comments=None, ndmin=2).ravel() if joined else np.empty(0)
        except ValueError:  # several lines for each frequency
            values = np.array(joined.split(), dtype=np.float64)
    except ValueError:
        for n, text in plain:
            for part in text.replace(",", ".").split():
                _float(part if "_" not in part else "_", n - 1)
        raise ReadError(f"{source.name} holds what is not a number; it is damaged.") from None
    if not len(values):
        raise ReadError(f"{source.name} holds no numbers after its options; it is cut off.")
    if not np.isfinite(values).all():
        raise ReadError(f"{source.name} holds a number that is not finite; it is damaged.")
    return values, [len(text.split()) for _, text in (*plain[:400], plain[-1])]


def _ports(source: RawInput, values: Array, counts: list[int]) -> int:
    """From the ending; without one, from how many numbers belong to the first frequency."""
    if m := _SUFFIX.search(source.suffix):
        return int(m[1])
    total = counts[0]
    for count in counts[1:]:
        if count % 2:  # a frequency and pairs: the next begins
            break
        total += count
    ports = round(math.sqrt((total - 1) / 2))
    if 2 * ports * ports + 1 != total:
        raise ReadError(f"{source.name}: {total} numbers a frequency are those of no number of ports.")
    return ports


# --- numbers → networks -------------------------------------------------------------------------------------------


def _split_noise(values: Array, width: int, ports: int, words: _Words, last: int) -> tuple[Array, Array]:
    """Noise data (five numbers on a line, ``last`` on the last) begin where the frequency falls."""
    if ports != 2 or (words.noise < 0 and last != 5):
        return values, values[:0]
    if words.noise >= 0 and words.frequencies:
        at = words.frequencies * width
        return values[:at], values[at : at + (len(values) - at) // 5 * 5]
    frequencies = values[::width]
    falls = np.flatnonzero(np.diff(frequencies) <= 0)
    for fall in falls[:1]:
        at = (int(fall) + 1) * width
        if (len(values) - at) % 5 == 0 and len(values) > at:
            return values[:at], values[at:]
    return values, values[:0]


def _complex(a: Array, b: Array, form: str) -> Array:
    if form == "RI":
        return a + 1j * b
    with np.errstate(over="ignore"):
        size = 10.0 ** (a / 20) if form == "DB" else a
    if not np.isfinite(size).all():
        raise ReadError("A magnitude in dB is beyond what a number can hold; the file is damaged.")
    return np.asarray(size * np.exp(1j * np.deg2rad(b)))


def _matrix(flat: Array, ports: int, words: _Words) -> Array:
    """Shape (frequencies, to port, from port)."""
    if words.matrix in ("LOWER", "UPPER"):
        matrix = np.zeros((len(flat), ports, ports), complex)
        rows, columns = (np.tril_indices if words.matrix == "LOWER" else np.triu_indices)(ports)
        matrix[:, rows, columns] = flat
        matrix[:, columns, rows] = flat
        return matrix
    matrix = flat.reshape(len(flat), ports, ports)
    swapped = ports == 2 and words.order != "12_21"
    return matrix.transpose(0, 2, 1) if swapped else matrix


def _denormalised(options: _Options, ports: int) -> Array | float:
    """Version 1 writes all but S normalised by the reference impedance: in ohm times, in siemens over it."""
    impedance = options.impedance or 1.0
    factors = {"ohm": impedance, "S": 1 / impedance, None: 1.0}
    return np.array([[factors[_unit(options.kind, i, j)] for j in range(ports)] for i in range(ports)])


def _unit(kind: str, to: int, source: int) -> str | None:
    if kind in _HYBRID:
        return _HYBRID[kind][to] if to == source and to < 2 else None
    return {"S": "", "Y": "S", "Z": "ohm"}[kind]


def _own_impedances(comments: list[str], impedance: float) -> bool:
    """Whether a simulator's comments (``Port Impedance`` and a complex number a port) differ from the options."""
    for comment in comments:
        if comment.startswith("Port Impedance"):
            try:
                numbers = [float(word) for word in comment.split()[2:]]
            except ValueError:
                continue
            if any(abs(r - impedance) > 1e-6 * abs(impedance) for r in numbers[::2]) or any(numbers[1::2]):
                return True
    return False


def _entry(frequency: Array, matrix: Array, ports: int, options: _Options, impedance: float | None) -> Entry:
    letter, mark = options.kind.lower(), "_" if ports > 9 else ""
    signals: list[Signal] = []
    for j in range(matrix.shape[2]):
        for i in range(matrix.shape[1]):
            values = np.ascontiguousarray(matrix[:, i, j])
            name, label = f"{letter}{i + 1}{mark}{j + 1}", f"{options.kind}{i + 1}{mark and ','}{j + 1}"
            unit = _unit(options.kind, i, j)
            signals.append(Signal(name, values, "" if unit is None else unit, ("frequency",), label))
            if options.kind == "S":
                with np.errstate(divide="ignore"):
                    size = 20 * np.log10(np.abs(values))
                size[~np.isfinite(size)] = np.nan
                signals.append(Signal(f"{name}_magnitude", size, "dB", ("frequency",), f"|{label}|"))
    wanted = "s21_magnitude" if ports == 2 and options.kind == "S" else ""
    default = wanted or (signals[1] if options.kind == "S" else signals[0]).name
    if not np.isfinite(next(s for s in signals if s.name == default).values).any():
        default = signals[0].name
    conditions = {
        "ports": Quantity(ports, ""),
        **({} if impedance is None else {"reference_impedance": Quantity(impedance, "ohm")}),
        "frequency_start": Quantity(float(frequency[0]), "Hz"),
        "frequency_end": Quantity(float(frequency[-1]), "Hz"),
    }
    axis = Axis("frequency", frequency, "Hz")
    return Entry("network", "network_analysis", (axis,), tuple(signals), default, conditions=conditions)


def _noise(values: Array, options: _Options, impedance: float) -> Entry:
    """Noise parameters; the resistance is normalised by ``impedance`` in version 1, in ohm in version 2."""
    table = values.reshape(-1, 5)
    reflection = table[:, 2] * np.exp(1j * np.deg2rad(table[:, 3]))
    over = ("frequency",)
    signals = (
        Signal("noise_figure_minimum", table[:, 1].copy(), "dB", over),
        Signal("noise_reflection", reflection, "", over),
        Signal("noise_resistance", table[:, 4] * impedance, "ohm", over),
    )
    axis = Axis("frequency", table[:, 0] * options.hertz, "Hz")
    return Entry("noise", "network_analysis", (axis,), signals, title="Noise parameters")


READER = Reader(
    name="touchstone",
    version="4",
    techniques=("network_analysis",),
    vendor="",
    format="Touchstone",
    endings=(*(f".s{n}p" for n in range(1, 10)), ".snp", ".ts"),
    sniff=_sniff,
    read=_read,
    notes="Versions 1 and 2, RI, MA and DB, S, Y, Z, G and H, noise data, decimal commas. Mixed-mode data are read"
    " as they stand.",
)
