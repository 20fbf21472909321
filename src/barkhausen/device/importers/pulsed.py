"""Tables of devices that are written by trains of pulses, which are recognised so that they are not misread."""

from __future__ import annotations

import re
from collections.abc import Sequence

from barkhausen.core.errors import InputError
from barkhausen.device.importers.numbers import is_gap, is_number
from barkhausen.device.importers.sheets import Sheet

PULSE_NUMBER = re.compile(
    r"#?\s*(pulse|puls|pulses|impuls)s?[\s_.]*(no|nr|number|index|count|#|nummer)?\.?|n_?pulses?", re.I
)
DIRECTION = re.compile(r"(?:.*[\s_(])?(ltp|ltd|potentiation|depression|set|reset|up|down)\d*(?:[\s_)].*)?", re.I)


def refuse_pulse_trains(sheet: Sheet) -> None:
    """Refuse a table of conductances after trains of pulses.

    Raises:
        InputError: The table is one of them; the message says which and what is supported.
    """
    what = recognised(sheet)
    if what:
        raise InputError(
            f"{sheet.header.where}: this is {what}: devices written by trains of pulses are not supported yet; "
            "supported are tables with columns state, device, cycle and a measured value, one row for each measurement"
        )


def recognised(sheet: Sheet) -> str:
    """What a table of pulses is; empty for other tables."""
    headings = [cell.strip() for cell in sheet.header.cells]
    if not headings or any(heading.casefold() == "state" for heading in headings):
        return ""
    if all(is_number(heading) for heading in headings):
        return _without_header(sheet, len(headings))
    if not sheet.rows or not (_numeric(sheet) or _up_and_down(sheet)):
        return ""
    if any(PULSE_NUMBER.fullmatch(heading) for heading in headings):
        return "a train of pulses with their numbers (LTP and LTD)"
    if any(DIRECTION.fullmatch(heading) for heading in headings):
        return "a pair of trains of pulses, up and down (LTP and LTD)"
    return "one column of values, as of a train of pulses (LTP and LTD)" if len(headings) == 1 else ""


def _without_header(sheet: Sheet, width: int) -> str:
    rows = [sheet.header.cells, *(row.cells for row in sheet.rows)]
    counts = _counts([row[0] for row in rows if row])
    if width == 1:
        return "one column of numbers without a header, as of a train of pulses (LTP and LTD)"
    if counts and width <= 3:
        return "a train of pulses with their numbers (LTP and LTD), without a header"
    if width == 2:
        return "two columns of numbers without a header, up and down pulses, as aihwkit's fits read them"
    return "a matrix of numbers without a header, such as a look-up table of CrossSim"


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells count up by one."""
    texts = [cell.strip() for cell in cells if cell.strip()]
    return (
        len(texts) > 2
        and all(text.isdecimal() for text in texts)
        and ([int(text) for text in texts] == list(range(int(texts[0]), int(texts[0]) + len(texts))))
    )


def _up_and_down(sheet: Sheet) -> bool:
    """Whether a column says of every row that it is of pulses up or of pulses down."""
    rows = [[cell.strip() for cell in row.cells] for row in sheet.rows[:1000]]
    return any(all(DIRECTION.fullmatch(cell) for cell in column) for column in zip(*rows, strict=False))


def _numeric(sheet: Sheet) -> bool:
    return all(is_number(cell) or is_gap(cell) for row in sheet.rows[:1000] for cell in row.cells)
