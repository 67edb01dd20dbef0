"""Spreadsheets as programs save them (.xlsx, .xlsm, .xlsb, .xls, .ods), read by calamine: one sheet, with a header.

A cell becomes the text that a CSV file of the sheet would have: a whole number without `.0`, a date as ISO 8601 has it,
a formula as the value that the program saved with it. A merged cell stands for each cell that it covers.
"""

from __future__ import annotations

import datetime
import difflib
import html
import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from tunedrop.dataset.show import cleaned, shown

MOST_BYTES: Final = 512 * 1024 * 1024
"""Of a workbook's unpacked parts: the reader holds a sheet in memory, and a few kilobytes may unpack to anything."""
_LARGEST_WHOLE: Final = 2**53
_SAVE_AS: Final = "save the sheet as CSV UTF-8, and convert that"


def workbook_rows(stream: BinaryIO, sheet: str | None, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row stands (`row 3`, as the program counts them), and the row; blank rows are left out.

    Raises ConversionError where the file is no workbook, or it is not clear which sheet is meant.
    """
    import python_calamine

    _require_bounded(stream)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(stream)
        chosen = _chosen(workbook, sheet)
        found = workbook.get_sheet_by_name(chosen)
        cells = found.to_python(skip_empty_area=False)
        merged = found.merged_cell_ranges or []
    except python_calamine.PasswordError:
        raise ConversionError("the workbook has a password; save it without one") from None
    except ConversionError:
        raise
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise ConversionError(f"the workbook cannot be read: {cleaned(str(error))[:200]}; {_SAVE_AS}") from None
    except BaseException as error:  # the reader's own panic on a broken file is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise ConversionError(f"the workbook is broken; {_SAVE_AS}") from None
    _require_values(stream, chosen)
    notes.read_as.append(f"the sheet {shown(chosen)} of a workbook")
    _spread(cells, merged, notes)
    yield from _rows(cells, notes)


def _require_bounded(stream: BinaryIO) -> None:
    """Refuse a packed workbook whose parts are too large, or not as large as they say."""
    stream.seek(0)
    if stream.read(2) == b"PK":
        try:
            with zipfile.ZipFile(stream) as archive:
                size = sum(part.file_size for part in archive.infolist())
                if size > MOST_BYTES:
                    raise ConversionError(f"the workbook unpacks to {size:,} bytes, at most {MOST_BYTES:,}; {_SAVE_AS}")
                broken = archive.testzip()
        except ConversionError:
            raise
        except Exception as error:  # zipfile lets many kinds through, such as a ValueError of a seek before the start
            raise ConversionError(f"the workbook is cut off or broken: {cleaned(str(error))[:200]}") from None
        if broken is not None:
            raise ConversionError(f"the workbook's part {shown(broken)} is broken")
    stream.seek(0)


_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(rb"<Relationship\b[^>]*>")
_ATTRIBUTE: Final = re.compile(rb'([\w:]+)="([^"]*)"')
_UNSAVED: Final = re.compile(rb"<c\b([^>]*)>\s*<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v[^>]*>\s*</v>)?\s*</c>")
_FAILED: Final = re.compile(rb'<c\b([^>]*\bt="e"[^>]*)>(?:<f\b[^>]*(?:/>|>[^<]*</f>))?<v>([^<]*)</v>')


def _require_values(stream: BinaryIO, sheet: str) -> None:
    """Refuse a sheet (.xlsx) in which a formula has no saved value, or failed: the reader sees a blank cell."""
    stream.seek(0)
    if stream.read(2) != b"PK":
        return
    with zipfile.ZipFile(stream) as archive:
        part = _part_of(archive, sheet)
        cells = archive.read(part) if part is not None else b""
    for found in _UNSAVED.finditer(cells):
        about = dict(_ATTRIBUTE.findall(found[1]))
        if about.get(b"t") != b"str":
            raise ConversionError(
                f"the cell {_named(about)} holds a formula whose value was never saved; open the workbook in a "
                "spreadsheet program and save it, which computes it"
            )
    failed = _FAILED.search(cells)
    if failed is not None:
        raise ConversionError(
            f"the cell {_named(dict(_ATTRIBUTE.findall(failed[1])))} holds the error "
            f"{shown(html.unescape(failed[2].decode('utf-8', 'replace')))}; mend the cell, or delete its column if the "
            "rows do not need it"
        )


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part of an .xlsx file that holds a sheet; None in a workbook of another kind."""
    parts = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= parts:
        return None
    sheets = [dict(_ATTRIBUTE.findall(tag)) for tag in _SHEET.findall(archive.read("xl/workbook.xml"))]
    relations = _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {
        about.get(b"Id"): about.get(b"Target", b"") for about in (dict(_ATTRIBUTE.findall(tag)) for tag in relations)
    }
    for about in sheets:
        if html.unescape(about.get(b"name", b"").decode("utf-8", "replace")) == sheet:
            target = targets.get(about.get(b"r:id"), b"").decode("utf-8", "replace")
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            return part if part in parts else None
    return None


def _named(about: dict[bytes, bytes]) -> str:
    return about.get(b"r", b"?").decode("ascii", "replace")


def _chosen(workbook: Any, sheet: str | None) -> str:
    """The sheet that is named, or the only one that is visible and has cells."""
    names = list(workbook.sheet_names)
    if sheet is not None:
        if sheet not in names:
            near = difflib.get_close_matches(sheet.lower(), [name.lower() for name in names], n=1)
            meant = next((f"; do you mean {shown(name)}?" for name in names if [name.lower()] == near), "")
            raise ConversionError(f"there is no sheet {shown(sheet)}; there are {', '.join(map(shown, names))}{meant}")
        return sheet
    seen = [each.name for each in workbook.sheets_metadata if str(each.visible).endswith(".Visible")]
    filled = [name for name in seen if workbook.get_sheet_by_name(name).height] if len(seen) > 1 else seen
    if len(filled) > 1:
        raise ConversionError(
            f"the workbook has {len(filled)} sheets with rows: {', '.join(map(shown, filled))}; name one, as in "
            f"--sheet {filled[0]!r}"
        )
    if not filled:
        raise ConversionError("the file is empty; expected a sheet with a header and rows")
    return str(filled[0])


def _spread(cells: list[list[Any]], merged: list[tuple[tuple[int, int], tuple[int, int]]], notes: Notes) -> None:
    """Write the value of each merged cell into all cells that it covers."""
    for (top, left), (bottom, right) in merged:
        if top >= len(cells) or left >= len(cells[top]):
            continue
        value = cells[top][left]
        for row in cells[top : bottom + 1]:
            row[left : right + 1] = [value] * (min(right + 1, len(row)) - left)
    if merged:
        notes.read_as.append(f"with {len(merged):,} merged cell{'s' * (len(merged) != 1)}, each for all that it covers")


def _rows(cells: list[list[Any]], notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    texts = ([_text(cell, f"row {row}") for cell in line] for row, line in enumerate(cells, 1))
    numbered = enumerate(texts, 1)
    none: list[str] = []
    at, header = next(((row, line) for row, line in numbered if any(map(str.strip, line))), (0, none))
    if not header:
        raise ConversionError("the file is empty; expected a header and rows")
    while not header[-1].strip():
        header.pop()
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConversionError(
            f"row {at}: expected a header of different names, got {shown(twice)} twice; take rows above the header, "
            "such as a title, out of the sheet"
        )
    notes.header = tuple(names)
    for row, line in numbered:
        if not any(map(str.strip, line)):
            notes.left_out["blank row"] += 1
            continue
        beyond = next((place for place, cell in enumerate(line[len(names) :]) if cell.strip()), None)
        if beyond is not None:
            raise ConversionError(
                f"row {row}: a cell stands beyond the header, which is row {at} with {len(names)} "
                f"column{'s' * (len(names) != 1)}; take rows above the header, such as a title, and notes beside the "
                "table out of the sheet"
            )
        yield f"row {row}", dict(zip(names, line, strict=False))


def _text(cell: Any, place: str) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _LARGEST_WHOLE:
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, int | float | datetime.timedelta):
        return str(cell)
    raise ConversionError(f"{place}: a cell of the kind {type(cell).__name__}, expected text, a number or a date")
