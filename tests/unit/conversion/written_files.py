"""Workbooks and Parquet files, as small as they can be, for the tests of `convert`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_RELATED = '<Relationships xmlns="' + _PACKAGE + '">{}</Relationships>'
_DATE_STYLE = 1


def workbook(
    sheets: Mapping[str, Sequence[Sequence[object]]], *, merged: str = "", hidden: Sequence[str] = ()
) -> bytes:
    """A workbook; a cell that is a dict is written by its attributes (`t`, `s`) and its `v`."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}"/>')
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"'
            + (' state="hidden"/>' if name in hidden else "/>")
            for number, name in enumerate(sheets, 1)
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>'
        )
        relations = "".join(
            f'<Relationship Id="r{number}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        archive.writestr("xl/_rels/workbook.xml.rels", _RELATED.format(relations))
        begin = f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", _RELATED.format(begin))
        styles = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>')
        for number, rows in enumerate(sheets.values(), 1):
            data = "".join(
                f'<row r="{row}">{"".join(_cell(value, row, column) for column, value in enumerate(cells))}</row>'
                for row, cells in enumerate(rows, 1)
            )
            joined = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{data}</sheetData>{joined}</worksheet>',
            )
    return written.getvalue()


def a_date(serial: float) -> dict[str, object]:
    """A cell that is shown as a date."""
    return {"s": _DATE_STYLE, "v": serial}


def parquet(query: str, folder: Path) -> bytes:
    """A Parquet file of the rows of a query."""
    import duckdb

    path = folder / "written.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def _cell(value: object, row: int, column: int) -> str:
    place = f'r="{chr(65 + column)}{row}"'
    if value is None:
        return ""
    if isinstance(value, dict):
        attributes = "".join(f' {key}="{each}"' for key, each in value.items() if key != "v")
        return f"<c {place}{attributes}><v>{value['v']}</v></c>"
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c {place}><v>{value}</v></c>"
    return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'
