"""Text cells of CSV files, guarded against spreadsheets that run a cell as a formula.

Spreadsheets take a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line for a formula, also
where it is quoted (CWE-1236, https://owasp.org/www-community/attacks/CSV_Injection). An apostrophe before it makes it
text. Numbers are left as they are.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def guarded(text: str) -> str:
    """A text cell that no spreadsheet runs; :func:`unguarded` gives the text back, with line feeds as ends of lines.

    An apostrophe is added to text that begins like a formula and is no number, and to text that looks as if this had
    been done already. Carriage returns become line feeds: Python writes them unquoted, which ends the row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell that :func:`guarded` gave."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _is_number(text: str) -> bool:
    # Python reads more as a number than a spreadsheet does, such as "1_0"; those are text here.
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", text) is not None
