"""Writes workbooks of the least that a workbook must have, for tests of readers of workbooks."""

from __future__ import annotations

import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def letters(column: int) -> str:
    return chr(65 + column) if column < 26 else letters(column // 26 - 1) + chr(65 + column % 26)


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """A workbook of the least that a workbook must have; texts are in the cells, or shared if named so."""
    shared: list[str] = []
    with zipfile.ZipFile(path, "w") as z:
        kinds, names, links = "", "", ""
        for n, (name, rows) in enumerate(sheets.items(), 1):
            body = ""
            for r, row in enumerate(rows, 1):
                cells = ""
                for c, value in enumerate(row):
                    at = f"{letters(c)}{r}"
                    if isinstance(value, str) and value:
                        shared.append(value)
                        cells += f'<c r="{at}" t="s"><v>{len(shared) - 1}</v></c>'
                    elif value != "":
                        cells += f'<c r="{at}"><v>{value!r}</v></c>'
                body += f'<row r="{r}">{cells}</row>'
            z.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>',
            )
            kinds += f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPE}.worksheet+xml"/>'
            names += f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
            links += f'<Relationship Id="rId{n}" Type="{LINK}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        z.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>{kinds}</Types>',
        )
        rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        z.writestr(
            "_rels/.rels",
            f'{rels}<Relationship Id="rId1" Type="{LINK}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        links += f'<Relationship Id="rId99" Type="{LINK}/sharedStrings" Target="sharedStrings.xml"/>'
        z.writestr("xl/_rels/workbook.xml.rels", f"{rels}{links}</Relationships>")
        z.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets>{names}</sheets></workbook>',
        )
        items = "".join(f"<si><t>{s}</t></si>" for s in shared)
        z.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{items}</sst>')
    return path
