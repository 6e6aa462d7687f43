"""What the header of a testing machine's export says: keys and values of specimen and test, in many languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from zairyo.measurement import Quantity
from zairyo.measurement.text import clean_text
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import cells_of, number, quantity, unit_of

DELIMITERS = ("\t", ";", ",")
SPELLINGS = {
    "秒": "s",
    "分": "min",
    "C": "degC",
    "kgf": "kgf",
    "º C": "degC",
    "ºC": "degC",
    "cycle": "",
    "cycles": "",
    "segment": "",
    "segments": "",
}
#: Keys of the header (whole, in any case) → condition.
_CONDITIONS = (
    (
        r"probendicke|thickness|specimen thickness|厚さ|板厚|dicke|épaisseur( éprouvette)?|espesor|spessore",
        "sample_thickness",
    ),
    (r"probenbreite|width|specimen width|幅|breite|largeur( éprouvette)?|ancho|larghezza", "sample_width"),
    (
        r"(proben)?durchmesser|diameter|specimen diameter|直径|diamètre( éprouvette)?|diámetro|diametro",
        "sample_diameter",
    ),
    (
        r"messlänge.*|anfangsmesslänge|gau?ge length(, .*)?|標点距離|標点間距離|extensometer gau?ge length|l0( - .*)?",
        "gauge_length",
    ),
    (r"(versuchs|proben|einspann)?länge|length|specimen length|長さ|試験片長さ", "sample_length"),
    (
        r"support span|span|stützweite|支点間距離|grip separation|つかみ具間距離|anvil separation|einspannlänge",
        "span",
    ),
    (r"prüfgeschwindigkeit|test speed|speed|crosshead speed|rate 1|試験速度|速度", "test_speed"),
    (r"vorkraft|preload|予荷重|初荷重", "preload"),
    (r"temperatur|temperature|test temperature|温度", "temperature"),
    (
        r"(anfangs)?querschnitt(sfläche)?|area|cross[- ]section(al)?( area)?|断面積"
        r"|section( transversale)?|sección|sezione",
        "cross_section",
    ),
    (r"e-modul|emod|modul", ""),
)
_TEXTS = (
    (r"prüfnorm|test standard|standard|試験規格", "standard"),
    (r"werkstoff|material|材質|材料", "sample_material"),
    (r"probentyp|probenform|shape|specimen shape|試験片形状|形状", "sample_shape"),
    (r"method|test method|method file name|prüfvorschrift|試験条件ファイル名|メソッドファイル名", "method"),
    (r"bemerkung(en)?|comments?|コメント", "comment"),
)
SAMPLE = r"probenkennung.*|probenbezeichnung|proben-?id|specimen (label|name)|sample (name|id)|試料名|試験片名|名称"
OPERATOR = r"prüfer|operator( name)?|tester|試験者|担当者|オペレータ|opérateur|operador|operatore"
_DATE = (
    r"datum(/uhrzeit)?|prüfdatum|date(/clock time|/heure|/time)?|test date|start date|fecha(/hora)?|data(/ora)?"
    r"|試験日|試験日時|日付"
)
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y",
    "%d/%m/%Y",
)
_EXCEL_EPOCH = datetime(1899, 12, 30)
#: Decimals of a day from which its minute is known.
_EXACT_DAYS = 4


def header_of(lines: Sequence[str]) -> dict[str, object]:
    """Keys and values of any writing: ``"key";"value";"unit"``, ``key : value``; other lines as a list of cells."""
    header: dict[str, object] = {}
    loose: list[list[str]] = []
    for line in lines:
        text = clean_text(line.strip())
        if not text.strip('",;\t '):
            continue
        cells = _cells(text)
        while len(cells) > 1 and not cells[-1]:
            cells.pop()
        if len(cells) == 1:
            key, mark, value = cells[0].partition(" : ")
            if not mark:
                key, mark, value = cells[0].partition(":")
            cells = [key.strip(), value.strip()] if mark and value.strip() else cells
        filled = [c for c in cells[1:] if c]
        if cells[0] and 1 <= len(filled) <= 2 and cells[0] not in header:
            header[cells[0].rstrip(": ")] = " ".join(filled)
        elif len(cells) > 3 and len(cells) % 2 == 0 and all(cells[::2]) and number(cells[0]) is None:
            header.update({k: v for k, v in zip(cells[::2], cells[1::2], strict=True) if k not in header})
        else:
            loose.append(cells)
    if loose:
        header["other lines"] = loose
    return header


def _cells(line: str) -> list[str]:
    delimiter = next((d for d in DELIMITERS if d in line), "")
    return cells_of(line, delimiter) if delimiter else [line.strip('" ')]


def value_of(header: dict[str, object], pattern: str) -> str:
    return next(
        (v for k, v in header.items() if isinstance(v, str) and re.fullmatch(pattern, k, re.IGNORECASE)), ""
    )


def conditions_of(header: dict[str, object], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, text in header.items():
        if not isinstance(text, str) or not text:
            continue
        bare, _, stated = key.partition("(") if key.endswith(")") else key.partition("[")
        for pattern, name in _CONDITIONS:
            if not name or name in found or not re.fullmatch(pattern, bare.strip(), re.IGNORECASE):
                continue
            value = quantity(text)
            if value is not None:
                unit = value[1] or stated.rstrip(")] ")
                found[name] = Quantity(value[0], unit_of(unit, warnings, SPELLINGS) or None if unit else None)
        for pattern, name in _TEXTS:
            if name not in found and re.fullmatch(pattern, bare.strip(), re.IGNORECASE):
                found[name] = Quantity(text)
    return found


def started_of(header: dict[str, object], warnings: list[str]) -> datetime | None:
    text = value_of(header, _DATE)
    if (parsed := in_forms(text, _DATES, warnings)) is not None:
        return parsed
    value = quantity(text)
    if not value or value[1] not in ("", "d") or not 20_000 < value[0] < 80_000:
        return None
    # Days, as a worksheet counts them.
    digits = re.search(r"[.,](\d+)", text)
    if digits is None or len(digits[1]) < _EXACT_DAYS:
        warnings.append(
            f"The time of the test is given as {text} days since 1899-12-30, so only its day is known."
        )
        return _EXCEL_EPOCH + timedelta(days=int(value[0]))
    return _EXCEL_EPOCH + timedelta(seconds=round(value[0] * 86400))
