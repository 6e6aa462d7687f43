"""Which name of the vocabulary a column or a header's key means, in English, German or Japanese.

The vocabulary's own titles in both languages do most of it; :data:`WORDS` adds what files really write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES, Condition, Named, conditions

#: Name in the vocabulary → what files call it, as :func:`plain` leaves it.
WORDS: Mapping[str, tuple[str, ...]] = {
    "two_theta": ("2theta", "2θ", "2th", "twotheta", "角度", "回折角", "angle", "pos2th"),
    "intensity": ("int", "counts", "cps", "強度", "intensität", "intensitaet", "yobs", "cts", "detector"),
    "time": ("t", "zeit", "時間", "経過時間", "elapsedtime", "testtime", "totaltime", "runtime", "timestamp"),
    "temperature": (
        "temp",
        "t",
        "ts",
        "温度",
        "試料温度",
        "sampletemperature",
        "temperatur",
        "probentemperatur",
        "tsample",
    ),
    "reference_temperature": ("tr", "基準温度", "referencetemp"),
    "heat_flow": (
        "dsc",
        "hf",
        "heatflow",
        "熱流",
        "熱流束",
        "wärmestrom",
        "waerme",
        "wärme",
        "dscsignal",
        "heatflowrate",
    ),
    "mass": ("weight", "tg", "重量", "質量", "masse", "gewicht", "tgsignal"),
    "voltage": (
        "ewe",
        "potential",
        "電圧",
        "電位",
        "spannung",
        "u",
        "v",
        "volt",
        "volts",
        "cellvoltage",
        "セル電圧",
    ),
    "current": ("電流", "strom", "i", "amp", "amps", "ampere"),
    "capacity": ("容量", "kapazität", "q", "cap"),
    "charge_capacity": ("充電容量", "chgcap", "chargecap"),
    "discharge_capacity": ("放電容量", "dchgcap", "dischargecap"),
    "cycle": ("cyc", "cycleno", "cyclenumber", "サイクル", "サイクル数", "zyklus", "cycleindex"),
    "step": ("stepno", "ステップ", "schritt", "stepindex"),
    "force": ("load", "荷重", "試験力", "kraft", "standardforce", "standardkraft", "f"),
    "displacement": ("stroke", "変位", "ストローク", "extension", "crosshead", "weg", "position", "travel"),
    "strain": ("ひずみ", "歪", "歪み", "dehnung", "elongation", "tensilestrain"),
    "stress": ("応力", "spannung", "tensilestress"),
    "wavelength": ("波長", "wellenlänge", "wellenlaenge", "lambda", "λ", "wl", "wave"),
    "wavenumber": ("波数", "wellenzahl", "wavenumbers", "cm1"),
    "absorbance": ("abs", "吸光度", "extinktion"),
    "transmittance": ("%t", "透過率", "trans", "transmission"),
    "reflectance": ("%r", "反射率", "refl", "reflection"),
    "raman_shift": ("ラマンシフト", "shift", "ramanshift"),
    "binding_energy": ("結合エネルギー", "be", "bindungsenergie"),
    "kinetic_energy": ("運動エネルギー", "ke"),
    "magnetic_field": ("field", "磁場", "磁界", "h", "b"),
    "magnetic_moment": ("moment", "磁気モーメント", "m", "磁化"),
    "frequency": ("freq", "周波数", "f"),
    "z_real": ("zre", "z'", "re(z)", "zreal"),
    "z_imaginary": ("zim", "z''", "im(z)", "zimag"),
    "index": ("no", "nr", "番号", "number", "point"),
    "sample_mass": ("samplemass", "試料質量", "試料重量", "sampleweight", "einwaage", "massofsample"),
    "heating_rate": ("昇温速度", "heizrate", "rate", "ramprate"),
    "xray_tube_voltage": ("管電圧", "tubevoltage", "kv"),
    "xray_tube_current": ("管電流", "tubecurrent", "ma"),
    "step_size": ("ステップ幅", "stepwidth", "schrittweite", "サンプリング幅"),
    "scan_rate": ("走査速度", "scanspeed", "sweeprate", "スキャン速度"),
    "exposure_time": ("露光時間", "integrationtime", "integrationszeit", "積算時間"),
    "repetitions": ("積算回数", "accumulations", "averages", "scans"),
    "comment": ("コメント", "kommentar", "remark", "remarks", "備考", "memo", "notes"),
}
#: What in a header is not a condition but of the measurement itself.
PLACES: Mapping[str, tuple[str, ...]] = {
    "sample": ("sample", "samplename", "試料名", "サンプル名", "probe", "probenname", "sampleid", "試料", "specimen"),
    "operator": ("operator", "測定者", "bediener", "user", "username", "オペレーター", "オペレータ", "analyst"),
    "instrument": ("instrument", "装置", "装置名", "gerät", "geraet", "instrumentname", "model", "機種", "device"),
    "title": ("title", "タイトル", "測定名", "titel", "testname", "name", "experiment"),
    "started": (
        "date", "start", "starttime", "datetime", "測定日", "測定日時", "日時", "開始日時", "datum", "measured",
        "startdate", "acquired", "dateandtime", "開始時刻", "teststart", "created",
    ),
}  # fmt: skip
#: Techniques of one family have the same columns; which one it is, these say most.
MARKS: Mapping[str, str] = {
    "heat_flow": "dsc",
    "specific_heat_flow": "dsc",
    "mass": "tga",
    "relative_mass": "tga",
    "length_change": "dilatometry",
    "raman_shift": "raman",
    "wavenumber": "ir",
    "wavelength": "uv_vis",
    "two_theta": "xrd",
    "binding_energy": "xps",
    "cycle": "battery_cycling",
    "z_real": "eis",
    "magnetic_moment": "magnetometry",
    "force": "tensile",
}
_NOISE = re.compile(r"[\s_.:/\-#*]+")


def plain(text: str) -> str:
    """A name without case, width, blanks and punctuation: ``"Temp. "`` and ``"ｔｅｍｐ"`` are ``"temp"``."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


@cache
def _names() -> dict[str, frozenset[str]]:
    """Every name of the vocabulary with all that it may be called."""
    said: dict[str, set[str]] = {}
    for technique in TECHNIQUES.values():
        named: tuple[Named | Condition, ...] = (*technique.signals, *conditions(technique.key).values())
        for item in named:
            said.setdefault(item.name, set()).update(map(plain, (item.name, item.title, item.title_ja)))
    for name, words in WORDS.items():
        said.setdefault(name, set()).update(words)
    return {name: frozenset(words) for name, words in said.items()}


def _fits(name: str, usual: str | None, written: str, unit: str | None) -> bool:
    """Whether a column so written and in such a unit may be ``name``, usually in ``usual``."""
    if plain(written) not in _names().get(name, frozenset()):
        return False
    return not unit or not usual or _same_kind(unit, usual)


def _same_kind(unit: str, usual: str) -> bool:
    one, other = units.to_si(1.0, unit), units.to_si(1.0, usual)
    return one is None or other is None or one[1] == other[1]


def signal_of(technique: str, written: str, unit: str | None, taken: Iterable[str] = ()) -> str | None:
    """The technique's signal or axis that a column is, by its name and unit; None if none is."""
    for signal in TECHNIQUES[technique].signals:
        if signal.name not in taken and _fits(signal.name, signal.unit, written, unit):
            return signal.name
    return None


def condition_of(technique: str, key: str, unit: str | None) -> str | None:
    """The technique's condition that a header's key is; None if none is."""
    for condition in conditions(technique).values():
        if _fits(condition.name, condition.unit, key, unit):
            return condition.name
    return None


def place_of(key: str) -> str | None:
    """``sample``, ``operator``, ``instrument``, ``title`` or ``started`` if a header's key says that."""
    said = plain(key)
    return next((place for place, words in PLACES.items() if said in words), None)


def techniques_of(columns: Sequence[tuple[str, str | None]], header: Sequence[str], text: str) -> list[str]:
    """Techniques that may have these columns (name, unit), the likeliest first; empty if nothing speaks for any.

    A name that few techniques have says more than one that many have; the technique's own name in the file's
    ``text`` says most.
    """
    owners: dict[str, int] = {}
    for technique in TECHNIQUES.values():
        for signal in technique.signals:
            owners[signal.name] = owners.get(signal.name, 0) + 1
    scores = {}
    for key, technique in TECHNIQUES.items():
        found = {signal_of(key, name, unit) for name, unit in columns} - {None}
        score = sum(0.3 + 3 / owners[str(name)] for name in found)
        score += sum(MARKS.get(str(name)) == key for name in found)
        own = {c.name for c in technique.conditions}
        score += sum(0.5 for name in header if (condition_of(key, name, None) or "") in own)
        words = (technique.short, technique.title, technique.title_ja)
        if any(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text) for word in words):
            score += 2
        if found:
            scores[key] = score
    return sorted(scores, key=lambda key: -scores[key])
