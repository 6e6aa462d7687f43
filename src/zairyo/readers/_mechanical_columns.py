"""What testing machines call their channels, in the languages of their makers, and how the field plots them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from zairyo.measurement import Signal
from zairyo.readers._text_export import rules

_BEFORE = (
    "axial|compression|compressive|crosshead|cross-head|cycle|elapsed|engineering|flexural|flexure|grip|machine|nominal|run"
    r"|running|shear|standard|tensile|test|total|eng[.]?|ch(?:annel)? ?\d+|c_\d+"
)
#: Such a heading is what the machine was asked for, not what it did.
_ASKED = r"(?!.*\b(?:command|cmd|set ?point|sollwert|consigne)\b)"
#: What a test of many cycles keeps of each, behind the heading.
_OF_CYCLE = ("maximum", "minimum", "mean", "amplitude", "range")
#: Name of the vocabulary → the words for it. The first that fits wins; a word may have others behind it.
_WORDS = (
    ("time", "time|(lauf)?zeit|prüfzeit|testzeit|時間|経過時間|temps|tiempo|tempo"),
    ("true_stress", "true stress|wahre spannung|真応力"),
    ("true_strain", "true strain|wahre dehnung|真ひずみ"),
    ("plastic_strain", "plastic strain|plastische dehnung|塑性ひずみ"),
    ("transverse_strain", "(transverse|lateral|width) strain|querdehnung|breitendehnung|幅ひずみ|横ひずみ"),
    ("transverse_extension", "(transverse|lateral|width) (extension|displacement)|breitenänderung|幅方向変位|横変位"),
    ("stress", "stress|spannung|(nenn|druck|zug|biege)spannung|応力|contrainte|tensión|tensione|sollecitazione"),
    ("creep_strain", "creep strain|kriechdehnung|クリープひずみ"),
    ("strain_rate", "strain ?rate|dehn(ungs)?rate|ひずみ速度"),
    ("strain", "strain|(gesamt|nenn|zug|druck|biege)?dehnung|stauchung|ひずみ|公称ひずみ|歪み?|伸び率|déformation"
     "|déform|deformación|deformazione"),
    ("force", "load|force|kraft|standardkraft|prüfkraft|試験力|荷重|charge|fuerza|forza|f"),
    ("position", "position|absolute crosshead travel|crosshead absolute"
     "|(traverse(nweg)?|kolbenweg) abs(olute?|olue)?[.]?"
     "|werkzeugabstand|tool separation|grip to grip separation|位置"),
    ("extension", "extensometer|feindehnung|längenänderung|伸び計?|標線間伸び|elongation|dl|ext[.]?|ave 2"
     "|allongement|alargamiento|allungamento"),
    ("deflection", "deflection|durchbiegung|たわみ|撓み"),
    ("displacement", "displacement|disp[.]?|extension|travel|stroke|separation|crosshead|verformung"
     "|(standard|traversen|kolben)?weg"
     "|deformation|変位|ストローク|クロスヘッド変位|déplacement|course|desplazamiento|carrera|spostamento|corsa"),
    ("energy", "energy|work|arbeit|エネルギー?"),
    ("cycle", "cycles?|zyklus|zyklen|サイクル数?"),
    ("test_speed", "speed|rate|geschwindigkeit|試験速度|速度|motor ?speed"),
    ("temperature", "temperature|temperatur|temp[.]?|温度"),
    ("torque", "torque|drehmoment|トルク"),
    ("angle", "angle|rotation|winkel|角度"),
)  # fmt: skip
#: Whole headings, without their unit → names of the vocabulary.
COLUMNS = rules(
    *(
        (rf"(?:(?:{_BEFORE})[ _])*(?:{words})[: ]{kept}", f"{name}_{kept}")
        for name, words in _WORDS
        for kept in _OF_CYCLE
    ),
    *((rf"{_ASKED}(?:(?:{_BEFORE})[ _])*(?:{words})(?:[ _\d(:].*)?", name) for name, words in _WORDS),
)

#: Along which quantity the field draws, and which it draws, in order of preference.
_X = ("strain", "creep_strain", "extension", "deflection", "displacement", "position", "time")
_Y = ("stress", "force", "torque", "displacement", "extension", "strain")
_KINDS = (
    ("compression", r"compress|druck|圧縮|stauch"),
    ("bending", r"flex|bend|biege|曲げ|deflection|3[- ]?point|4[- ]?point"),
    ("fatigue", r"fatigue|ermüdung|疲労"),
    ("creep", r"creep|kriech|クリープ"),
    ("tensile", r"tens|zug(?!ang)|引張|traction|tension|elongation"),
)


def plot_of(signals: Sequence[Signal], technique: str = "") -> tuple[str, str]:
    """Names of the columns to draw along and to draw: stress over strain, force over displacement, else over time."""
    names = [s.name for s in signals if s.values.dtype.kind in "iuf"]
    if technique == "creep" and "time" in names:
        y = next((n for n in ("creep_strain", "strain", "extension", "displacement") if n in names), "")
        if y:
            return "time", y
    x = next((n for n in _X if n in names), names[0] if names else signals[0].name)
    y = next((n for y in _Y for n in (y, f"{y}_maximum") if n in names and n != x), "")
    if x == "strain" and y == "force" and "stress" not in names and "extension" in names:
        x = "extension"
    return x, y or next((n for n in names if n != x), x)


def kind_of(heading: str) -> str:
    """The vocabulary's name for a heading, whatever of each cycle it keeps; empty if none."""
    name = next((n for p, n in COLUMNS if p.fullmatch(heading)), "")
    kept = next((k for k in _OF_CYCLE if name.endswith(f"_{k}")), "")
    return name.removesuffix(f"_{kept}") if kept else name


_LENGTH, _RATIO = r"[mµun]?m|cm|in|inch", r"percent|%|mm/mm|m/m|in/in|um/m|µm/m"
#: What is called a strain and is a length, and the other way round: extensometers give either.
_BY_UNIT = {
    "strain": (_LENGTH, "extension"),
    "extension": (_RATIO, "strain"),
    "transverse_strain": (_LENGTH, "transverse_extension"),
    "transverse_extension": (_RATIO, "transverse_strain"),
}


def by_unit(signals: Sequence[Signal]) -> list[Signal]:
    """The signals, those named otherwise whose unit says that the heading's word is not meant as it stands."""
    count: dict[str, int] = {}
    found: list[Signal] = []
    for s in signals:
        base = re.sub(r"_\d+\Z", "", s.name)
        if base in _BY_UNIT:
            unit, other = _BY_UNIT[base]
            name = other if s.unit and re.fullmatch(unit, s.unit) else base
            count[name] = count.get(name, 0) + 1
            s = replace(s, name=name if count[name] == 1 else f"{name}_{count[name]}")
        found.append(s)
    return found


def technique_of(words: Iterable[str]) -> str:
    """The kind of test that method names and headings tell; the first word that tells one decides."""
    for word in words:
        for kind, pattern in _KINDS:
            if re.search(pattern, word, re.IGNORECASE):
                return kind
    return "mechanical_test"
