"""Tables as rows of text cells, from text files with any separator and from Excel workbooks."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.files.reading import SHARE_OF_TEXT, read_bytes
from barkhausen.core.limits import in_words, memory_allowed
from barkhausen.device.importers.text import decoded

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
"""Separators of columns that are understood, with their names."""

ALL_SHEETS = "all"


@dataclass(frozen=True)
class Row:
    """Cells of one row, and where it stands, for messages."""

    cells: list[str]
    where: str


@dataclass(frozen=True)
class Sheet:
    """One table.

    Args:
        name: Name of the sheet; empty for a text file.
        header: First row that is neither blank nor a comment.
        rows: The rows below, without blank ones.
        notes: What was found out while reading, such as the encoding, a phrase each.
        separator: Separator of the columns of a text file.
    """

    name: str
    header: Row
    rows: list[Row]
    notes: tuple[str, ...] = ()
    separator: str = ""


def read_sheets(path: str | Path, sheet: str | None = None) -> list[Sheet]:
    """The tables of a file.

    Args:
        path: Text file, or Excel workbook (.xlsx, which needs the extra ``excel``).
        sheet: Name of the sheet of a workbook, or ``"all"``. Default: the only one.

    Raises:
        InputError: The file is no table, or has several sheets and none is chosen.
    """
    path = Path(path)
    content = read_bytes(path)
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content, path, sheet)
    if sheet is not None:
        raise InputError(f"{path}: a sheet was chosen ({sheet!r}), but this is no Excel workbook")
    text, encoding = decoded(content, path)
    return [_of_text(text, path, (encoding,) if encoding else ())]


def _of_text(text: str, path: Path, notes: tuple[str, ...]) -> Sheet:
    lines = text.splitlines()
    start, separator = 0, ""
    for start, line in enumerate(lines):  # noqa: B007
        bare = line.strip()
        if bare.lower().startswith("sep=") and len(bare) <= 5:
            separator = bare[4:] or "\t"
        elif bare.strip('",;\t ') and not bare.startswith("#"):
            break
    else:
        start = len(lines)
    first = lines[start] if start < len(lines) else ""
    separator = separator or max(SEPARATORS, key=lambda sign: _width(first, sign))
    if separator not in SEPARATORS:
        raise InputError(f"{path}: columns separated by {separator!r}: understood are {', '.join(SEPARATORS.values())}")
    reader = csv.reader(lines[start:], delimiter=separator)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(cells, f"{path}: line {start + reader.line_num}"))
    except csv.Error as error:
        raise InputError(f"{path}: line {start + reader.line_num}: {error}") from None
    header = rows[0] if rows else Row([], f"{path}: line 1")
    if separator != ",":
        notes = (*notes, f"columns separated by {SEPARATORS[separator]}")
    # A spreadsheet ends every line with empty cells where a longer row was deleted.
    width = len(header.cells)
    while width and not header.cells[width - 1].strip():
        width -= 1
    return Sheet("", Row(header.cells[:width], header.where), [_cut(row, width) for row in rows[1:]], notes, separator)


def _width(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _cut(row: Row, width: int) -> Row:
    return row if any(cell.strip() for cell in row.cells[width:]) else Row(row.cells[:width], row.where)


def _workbook(content: bytes, path: Path, sheet: str | None) -> list[Sheet]:
    try:
        import openpyxl  # noqa: PLC0415
    except ModuleNotFoundError:
        raise InputError(
            f"{path}: is an Excel workbook, which needs openpyxl: pip install 'barkhausen[excel]'"
        ) from None
    try:
        most = memory_allowed() * SHARE_OF_TEXT
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > most:
                raise InputError(f"{path}: unpacks to more than {in_words(most)} (BARKHAUSEN_MEMORY raises it)")
        values, formulas = (
            openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data_only)
            for data_only in (True, False)
        )
        sheets = [_of_workbook(values[name], formulas[name], path) for name in _chosen(values, path, sheet)]
    except InputError:
        raise
    # The reader of workbooks raises whatever its XML happens to trip over.
    except Exception as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: cannot be read as an Excel workbook ({type(error).__name__}: {reason})") from None
    return sheets


def _chosen(workbook: Any, path: Path, sheet: str | None) -> list[str]:
    # Sheets that hold a chart alone have no rows.
    names = [item.title for item in workbook.worksheets if any(any(v is not None for v in r) for r in _head(item))]
    if not names:
        raise InputError(f"{path}: holds no sheet with a table")
    if sheet == ALL_SHEETS and sheet not in names:
        return names
    if sheet is not None:
        if sheet not in names:
            raise InputError(f"{path}: no sheet {sheet!r}{did_you_mean(sheet, names)}")
        return [sheet]
    if len(names) > 1:
        raise InputError(
            f"{path}: holds {len(names)} sheets ({', '.join(names)}): choose one by name (--sheet NAME), or "
            f"'{ALL_SHEETS}' of them"
        )
    return names


def _head(sheet: Any) -> Any:
    return sheet.iter_rows(max_row=50, values_only=True)


def _of_workbook(values: Any, formulas: Any, path: Path) -> Sheet:
    rows = []
    for number, (found, written) in enumerate(
        zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=False), start=1
    ):
        where = f"{path}: sheet '{values.title}': row {number}"
        cells = [_text(value, formula) for value, formula in zip(found, written, strict=False)]
        if any(cell.strip() for cell in cells):
            rows.append(Row(cells, where))
    width = max((k + 1 for k, cell in enumerate(rows[0].cells) if cell.strip()), default=0)
    header, *below = [_cut(row, width) for row in rows]
    padded = [Row(row.cells + [""] * (width - len(row.cells)), row.where) for row in below]
    return Sheet(values.title, header, padded, (f"sheet '{values.title}'",))


def _text(value: Any, formula: Any) -> str:
    if value is None:
        # A formula whose result was never computed is no gap; as text it is refused where a number is needed.
        return formula if isinstance(formula, str) and formula.startswith("=") else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
