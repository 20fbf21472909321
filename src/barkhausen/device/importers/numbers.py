"""Numbers in the cells of a table: decimal points or commas, and the many spellings of a missing value."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from barkhausen.core.errors import InputError

EXCEL_GAPS = ("#n/a", "#na", "#nv", "#wert!", "#zahl!", "#div/0!", "#value!", "#num!", "#ref!", "#bezug!", "#name?")
"""Errors in the cells of Excel, in English and German, which have no value."""

GAPS = frozenset(
    ("", "nan", "na", "n/a", "n.a.", "null", "none", "missing", "-", "--", "---", "–", "—", "?", "*", "n.v.", "k.a.")
).union(EXCEL_GAPS)
"""Cells that say that there is no value, in small letters."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SPACES = "\u00a0\u2007\u202f\u2009"
"""Spaces that do not break, which spreadsheets put beside numbers."""


def cleaned(cell: str) -> str:
    """A cell without the spaces around it, and with the ASCII minus sign."""
    return cell.strip().strip(SPACES).strip().replace("\u2212", "-")


def is_gap(cell: str) -> bool:
    """Whether a cell says that its value is missing."""
    return cleaned(cell).lower() in GAPS


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or a decimal comma."""
    text = cleaned(cell)
    return bool(NUMBER.fullmatch(text)) or (text.count(",") == 1 and bool(NUMBER.fullmatch(text.replace(",", "."))))


def parsed(cells: Sequence[str], where: Sequence[str]) -> tuple[list[float], bool]:
    """Values of a column, NaN for gaps, and whether its numbers have decimal commas.

    Args:
        cells: Cells of the column.
        where: Place of each cell, for messages.

    Raises:
        InputError: A cell that is neither a number nor a gap, or a mixture of decimal points and commas.
    """
    values, first_of = [], dict[str, str]()
    for cell, place in zip(cells, where, strict=True):
        text = cleaned(cell)
        if text.lower() in GAPS:
            values.append(math.nan)
            continue
        signs = {sign for sign in ",." if sign in text}
        if len(signs) == 2 or any(text.count(sign) > 1 for sign in signs):
            raise InputError(f"{place}: {text!r} has separators of thousands; write it without them")
        if not NUMBER.fullmatch(plain := text.replace(",", ".")):
            raise InputError(
                f"{place}: {text!r} is not a number" if _finite(text) else f"{place}: {text!r} is not finite"
            )
        for sign in signs:
            first_of.setdefault(sign, place)
        if len(first_of) == 2:
            other = next(seen for seen in first_of.values() if seen != place).rsplit(": ", 1)[-1]
            raise InputError(f"{place}: {text!r} has another decimal sign than {other}; use one in the whole column")
        value = float(plain)
        if not math.isfinite(value):
            raise InputError(f"{place}: {text!r} is not finite")
        values.append(value)
    return values, "," in first_of


def _finite(text: str) -> bool:
    return text.lower().lstrip("+-") not in ("inf", "infinity", "∞")
