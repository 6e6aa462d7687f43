"""What headings say: names with units, what amounts count, and which role their words tell.

The words are a beginning, not the truth: every guess is shown and can be corrected.
"""

from __future__ import annotations

import re

from zairyo.measurement import units
from zairyo.tables.composition import Basis

_BRACKETED = re.compile(
    r"(?P<name>.*\S)\s*[\[(（［〔]\s*(?P<unit>[^\[\]()（）［］〔〕]{1,30})\s*[\])）］〕]\s*\Z"
)
_STROKE = re.compile(r"(?P<name>.*\S)\s*[/,]\s*(?P<unit>\S{1,30})\s*\Z")
#: Written in round brackets, which may also hold a remark; in square ones anything is taken as a unit.
UNKNOWN_TO_PINT = frozenset(
    ("HV", "HRC", "HRB", "HB", "HK", "JPY", "USD", "EUR", "円", "¥", "$", "CNY", "元")
)
_TEMPERATURE = re.compile(r"t(?:emp.*)?\Z|.*temperature|.*温度", re.I)
#: Units that may follow an underscore. No single letters or words that mean something else there (t_min, n_a).
_AFTER_UNDERSCORE = frozenset(
    ("K", "degC", "mm", "cm", "um", "nm", "GPa", "MPa", "kPa", "Pa", "eV", "meV", "kV", "mV", "mA", "mAh", "mg", "kg",
     "mL", "percent", "pct", "rpm", "ppm", "Hz", "kHz", "MHz", "GHz", "kJ", "kW", "sec", "hours", "wt%", "mol")
)  # fmt: skip
#: As programs write them that know small letters only.
_CASES = {
    "mpa": "MPa",
    "gpa": "GPa",
    "kpa": "kPa",
    "ev": "eV",
    "hz": "Hz",
    "khz": "kHz",
    "ml": "mL",
    "%": "percent",
}
_BASES: tuple[tuple[Basis, re.Pattern[str]], ...] = (
    (
        "mass",
        re.compile(
            r"(?:wt|weight|mass|質量|重量)[\s._-]*(?:%|percent|pct|fraction|分率)|(?:wt|mass)\Z", re.I
        ),
    ),
    ("mole", re.compile(r"(?:at|atomic|mol|molar|mole|原子)[\s._-]*(?:%|percent|pct|fraction|分率)", re.I)),
    ("volume", re.compile(r"(?:vol|volume|体積)[\s._-]*(?:%|percent|pct|fraction|分率)", re.I)),
)


def _words(latin: str, other: str = "") -> re.Pattern[str]:
    """Any of the words, Latin ones not inside a longer one (``lot`` is not in ``slot``)."""
    inside = rf"(?<![a-z])(?:{'|'.join(latin.split())})(?![a-z])"
    return re.compile("|".join((inside, *other.split())), re.I)


#: The first that fits decides. A dot stands for a blank.
_ROLES = (
    (
        "note",
        _words(
            "comments? remarks? notes? date time.?stamp replicates? repeats? trial run", "備考 メモ 日付 日時"
        ),
    ),
    ("cost", _words("costs? prices?", "費用 価格 コスト")),
    ("group", _words("lots? batch labs? laboratory operators? groups?", "ロット バッチ 作業者")),
    (
        "identifier",
        _words(
            "ids? uid uuid no nr index samples? specimens? names? labels? row.?names? row.?(?:id|no|nr|number) "
            "proben?(?:.?(?:nr|nummer|name))? versuch",
            "試料名? サンプル 番号",
        ),
    ),
)
_DESCRIPTOR = _words(
    "xrd dsc tga? dta raman ftir xps sem tem peaks? fwhm onset crystallinity lattice glass.transition cryst[a-z]* "
    "melting liquidus solidus d.?spacing bet grain.size t[gmcx]",
    "ガラス転移 結晶化 融点",
)
#: Of what is set, whose density or diameter is no outcome.
_SET = _words("(?:infill|current|power|laser|beam|nozzle|filament|wire|die|tube|reactor)", "")
_OF_SETTINGS = _words("density diameter")
#: How something was tested, under whatever heading.
_OF_TESTS = _words(
    "(?:tests?|testing|tested|measuring|measurement).?(?:at.?)?(?:temp(?:erature)?|speeds?|rates?|methods?|types?|"
    "frequency|load|time|duration|humidity|direction) types?.of.tests? strain.rates?",
    "試験温度 測定温度 試験速度 試験方法 ひずみ速度",
)
_PROPERTY = _words(
    "yields? strength hardness toughness modulus efficiency conductivity resistivity capacity overpotential "
    "degradation instability stability lifetime life cycles selectivity conversion target property properties "
    "outcome score hv uts elongation coercivity remanence viscosity density diameter",
    "強度 硬さ 硬度 収率 効率 導電率 特性 物性",
)


def role_of(name: str) -> str | None:
    """The role that the words of a heading tell, other than that of an outcome."""
    return next((role for role, words in _ROLES if words.search(name.replace("_", " "))), None)


def outcome_of(name: str) -> str | None:
    """``measured_descriptor`` or ``property``, if the words of a heading tell that it is an outcome."""
    plain = name.replace("_", " ")
    if _OF_TESTS.search(plain):  # PROPERTY: test temperature
        plain = _OF_TESTS.sub(" ", plain.partition(":")[2] or plain)
    if _DESCRIPTOR.search(plain):
        return "measured_descriptor"
    if _SET.search(plain):
        plain = _OF_SETTINGS.sub(" ", plain)
    return "property" if _PROPERTY.search(plain) else None


#: Of a rate or a density after underscores: ``speed_mm_s``, ``density_g_cm3``.
_PER = re.compile(
    r".*_(?P<of>k?g|mg|mm|cm|um|nm|m|mL|ml|L|mol|mA|A|mAh|W|kW|J|kJ|N|C|K|degC)_(?P<per>s2?|sec|min|h|hr|mm[23]?|"
    r"cm[23]?|m[23]?|L|mL|kg|g|mol)\Z"
)
#: Signs of a formula language, as they stand in the headings of tables from papers.
_SIGNS = (
    (re.compile(r"\\(?:mathrm|text|rm)\b"), ""),
    (re.compile(r"\^?\s*\{?\s*\\(?:circ|degree)\b\s*\}?\s*"), "°"),
    (re.compile(r"\\mu\b\s*"), "µ"),
    (re.compile(r"\\(?:AA|r\{A\}|angstrom)\b"), "Å"),
    (re.compile(r"\\Omega\b\s*"), "Ω"),
    (re.compile(r"\\(?:cdot|times)\b\s*"), "*"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"[${}]"), ""),
)


def _without_signs(heading: str) -> str:
    """A heading without the signs of LaTeX: ``size ($\\mu$m)`` → ``size (µm)``."""
    if heading.count("$") < 2:  # one is a currency
        return heading
    for sign, plain in _SIGNS:
        heading = sign.sub(plain, heading)
    return heading


def split_heading(heading: str) -> tuple[str, str | None]:
    """Name and unit of a heading: ``"T [°C]"``, ``"time (h)"``, ``"Temperature / K"``, ``"diameter_mm"``."""
    heading = _without_signs(heading)
    if match := _BRACKETED.fullmatch(heading):
        if match["unit"] == "C" and _TEMPERATURE.match(match["name"]):  # not the coulomb
            return match["name"], "degC"
        unit = units.normalise(match["unit"])
        if basis_of(match["unit"]):
            return match["name"], "percent" if re.search("%|percent|pct", match["unit"]) else ""
        if unit is None and (heading.rstrip()[-1] in "]］〕" or match["unit"] in UNKNOWN_TO_PINT):
            unit = match["unit"]
        if unit is not None:
            return match["name"], unit
    if (match := _STROKE.fullmatch(heading)) and (unit := units.normalise(match["unit"])):
        return match["name"].rstrip(), unit
    if (match := _PER.fullmatch(heading)) and (unit := units.normalise(f"{match['of']}/{match['per']}")):
        return heading, unit
    first, underscore, last = heading.rpartition("_")
    last = {"C": "degC", "c": "degC"}.get(last, last) if _TEMPERATURE.match(first) else _CASES.get(last, last)
    if underscore and last in _AFTER_UNDERSCORE:
        return heading, units.normalise(last)
    return heading, None


def basis_of(text: str) -> Basis | None:
    """What amounts count, by words such as wt.%, at_percent, mol fraction, 質量%."""
    return next((basis for basis, pattern in _BASES if pattern.search(text)), None)
