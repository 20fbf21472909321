"""Tables as text, CSV, Markdown, LaTeX and Parquet.

CSV and Parquet hold every column in full precision. The other formats are for readers: accuracies are in per cent, and
numbers are rounded to the precision that their spread justifies.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.files import atomic_path, atomic_write
from barkhausen.core.files.csv_cells import guarded, unguarded
from barkhausen.experiment.jobs import JOBS
from barkhausen.results.columns import FAILED, PLANNED
from barkhausen.results.headings import column_label, column_title, key_titles
from barkhausen.results.notes import Note
from barkhausen.results.summarise import Summary
from barkhausen.results.table import NO_VALUE

Format = Literal["text", "csv", "markdown", "latex", "parquet"]

SUFFIXES: dict[str, Format] = {
    ".txt": "text",
    ".csv": "csv",
    ".md": "markdown",
    ".tex": "latex",
    ".parquet": "parquet",
}

PERCENT = ("accuracy", "tuned_accuracy", "train_accuracy", "ideal_accuracy", "unseen_chips", "chip_std", "smallest_gap")
"""Columns of fractions that tables for readers show in per cent."""

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "µ": r"\textmu{}",
    "σ": r"$\sigma$",
    "Ω": r"$\Omega$",
    "×": r"$\times$",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "⁴": r"\textsuperscript{4}",
    "’": "'",
    "\u00a0": "~",
}


@dataclass(frozen=True)
class Cells:
    """A table as text.

    Attributes:
        headings: Names of columns, as ``--group`` and ``--value`` take them.
        titles: Headings in words with units, for Markdown and LaTeX.
        rows: Rows of as many cells.
        right: Which columns are flush right.
    """

    headings: list[str]
    titles: list[str]
    rows: list[list[str]]
    right: list[bool]


def format_named(name: str | None, out: Path | None) -> Format:
    """Format with the given name. Default: by the suffix of the file, else text.

    Raises:
        InputError: The format is unknown, Parquet has no file, or the suffix of the file belongs to no format.
    """
    if name is None and out is not None and out.suffix.lower() not in SUFFIXES:
        raise InputError(f"--out {out}: its suffix is none of {', '.join(SUFFIXES)}; name a --format")
    chosen = name or (SUFFIXES[out.suffix.lower()] if out is not None else "text")
    for known in get_args(Format):
        if chosen == known:
            if known == "parquet" and out is None:
                raise InputError("--format parquet: needs a file (--out)")
            return known  # type: ignore[no-any-return]
    raise InputError(f"--format {chosen}: there is no such format{did_you_mean(chosen, get_args(Format))}")


def write_parquet(frame: pd.DataFrame, out: str | Path) -> None:
    """Write a table as Parquet, atomically.

    Raises:
        InputError: It cannot be written.
    """
    out = Path(out)
    try:
        with atomic_path(out) as temporary:
            frame.to_parquet(temporary, engine="pyarrow", index=False)
    except ImportError:
        raise InputError(f"{out}: writing it needs pyarrow (pip install pyarrow)") from None


def write_text(out: str | Path, text: str) -> None:
    """Write a table as text, atomically.

    Raises:
        InputError: It cannot be written.
    """
    out = Path(out)
    atomic_write(out, text)


def as_csv(frame: pd.DataFrame) -> str:
    """All columns in full precision; empty where there is no value.

    Text that a spreadsheet would run as a formula has an apostrophe before it; :func:`read_csv` removes it.
    """
    text = io.StringIO()
    safe = frame.rename(columns=lambda name: guarded(str(name)))
    texts = [number for number in range(frame.shape[1]) if not _is_number(frame.iloc[:, number])]
    for number in texts:
        safe.isetitem(number, [guarded(cell) if isinstance(cell, str) else cell for cell in frame.iloc[:, number]])
    safe.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def read_csv(source: str | Path) -> pd.DataFrame:
    """A table that ``barkhausen table --format csv`` wrote, its text as it was before.

    Args:
        source: File.

    Raises:
        InputError: The file is missing or no CSV.
    """
    path = Path(source)
    try:
        frame = pd.read_csv(io.StringIO(read_text(path)))
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: is no CSV table ({' '.join(str(error).split())})") from None
    frame = frame.rename(columns=lambda name: unguarded(str(name)))
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        if not pd.api.types.is_numeric_dtype(column):
            frame.isetitem(number, [unguarded(cell) if isinstance(cell, str) else cell for cell in column])
    return frame


def rendered(cells: Cells, form: Format, notes: Sequence[Note]) -> str:
    """Table as text, Markdown or LaTeX, followed by its notes."""
    if form == "markdown":
        lines = [
            _piped([title.replace("|", r"\|") for title in cells.titles]),
            _piped(["---:" if right else "---" for right in cells.right]),
        ]
        lines += [_piped([cell.replace("|", r"\|") for cell in row]) for row in cells.rows]
        lines += [line for note in notes for line in ("", note.text)]
        return "\n".join(lines) + "\n"
    if form == "latex":
        return _latex(cells, notes)
    widths = [max(len(row[k]) for row in [cells.headings, *cells.rows]) for k in range(len(cells.headings))]
    lines = [
        _aligned(row, widths, cells.right) for row in [cells.headings, ["-" * width for width in widths], *cells.rows]
    ]
    return "\n".join([*lines, *(["", *map(str, notes)] if notes else [])]) + "\n"


def _piped(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        cell.rjust(width) if flush else cell.ljust(width) for cell, width, flush in zip(row, widths, right, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _latex(cells: Cells, notes: Sequence[Note]) -> str:
    def line(row: Sequence[str]) -> str:
        return "  " + " & ".join(map(escaped, row)) + r" \\"

    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            *("% " + " ".join(note.text.split()) for note in notes),
            rf"\begin{{tabular}}{{{''.join('r' if right else 'l' for right in cells.right)}}}",
            r"  \toprule",
            line(cells.titles),
            r"  \midrule",
            *map(line, cells.rows),
            r"  \bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text with the special characters of LaTeX escaped."""
    # A bracket at the beginning of a row would be read as an argument of the line break before it.
    guarded = re.sub(r"^\[", "{[}", "".join(LATEX.get(sign, sign) for sign in text))
    return guarded.replace("\n", " ")


def summary_cells(summary: Summary) -> Cells:
    """Cells of a summary: keys, ``mean ± standard deviation (n)``, intervals, differences, failures."""
    frame = summary.frame
    headings, titles = list(summary.group), key_titles(summary.group)
    right = [_is_number(frame[key]) for key in summary.group]
    rows = [[shown(value) for value in row] for row in frame[list(summary.group)].itertuples(index=False)]
    if not summary.group:
        rows = [[] for _ in range(len(frame))]

    def add(heading: str, title: str, cells: Sequence[str]) -> None:
        headings.append(heading)
        titles.append(title)
        right.append(True)
        for row, cell in zip(rows, cells, strict=True):
            row.append(cell)

    records = frame.to_dict("records")
    for value in summary.values:
        unit, factor = (" (%)", 100.0) if value in PERCENT else ("", 1.0)
        add(f"{value}{unit}", column_title(value), [_mean(record, value, factor) for record in records])
        intervals = [
            _interval(record, f"{value}_low", f"{value}_high", record[f"{value}_std"], factor) for record in records
        ]
        add("95 %", "95 % interval", intervals)
        if summary.against and frame[f"{value}_pairs"].any():
            points = " (points)" if unit else ""
            differences = [_difference(record, value, factor) for record in records]
            add(f"less the baseline's{points}", f"Difference to the baseline{points}", differences)
            add("95 %", "95 % interval", [_difference_interval(record, value, factor) for record in records])
            add("p (t; Holm)", "p (t test; Holm)", [_p(record, f"{value}_p_t") for record in records])
            permuted = [_p(record, f"{value}_p_permutation") for record in records]
            add("p (signs; Holm)", "p (permutation test; Holm)", permuted)
            sizes = [shown(record[f"{value}_effect_size"], 3).replace("-", "−") for record in records]
            add("effect size", "Effect size", sizes)
    for name in (FAILED, PLANNED):
        if frame[name].any():
            add(name, name.capitalize(), [f"{record[name]} of {record['tasks']}" for record in records])
    return Cells(headings, titles, rows, right)


def raw_cells(frame: pd.DataFrame) -> Cells:
    """Cells of single rows, without columns that are empty throughout."""
    full = frame.dropna(axis=1, how="all")
    rows = [[shown(value, 6) for value in row] for row in full.itertuples(index=False)]
    names = [str(name) for name in full.columns]
    return Cells(names, [_raw_title(name, names) for name in names], rows, [_is_number(full[name]) for name in names])


def _raw_title(name: str, names: Sequence[str]) -> str:
    """Heading of a column of single rows, whose values are as they are: fractions, not per cent."""
    if any(name == column.name for job in JOBS.values() for column in job.every_column) or "." not in name:
        return column_label(name) if name in PERCENT else column_title(name)
    keys = [other for other in names if "." in other]
    return dict(zip(keys, key_titles(keys), strict=True))[name]


def shown(value: Any, digits: int = 6) -> str:
    """Text of a cell: numbers with the given number of significant digits, a dash for missing values."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return NO_VALUE
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def decimals(spread: float, value: float) -> int:
    """Number of decimals that shows two digits of the spread, or four digits of a value without spread."""
    # Rounding errors of equal values are not a spread.
    if math.isfinite(spread) and spread > 1e-12 * abs(value):
        return max(0, 1 - math.floor(math.log10(spread)))
    return max(0, 3 - math.floor(math.log10(abs(value)))) if math.isfinite(value) and value else 1


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column)) and not pd.api.types.is_bool_dtype(column)


def _mean(record: dict[Any, Any], value: str, factor: float) -> str:
    mean, std, number = (record[f"{value}_{name}"] for name in ("mean", "std", "n"))
    if number == 0:
        return f"{NO_VALUE} (n = 0)"
    places = decimals(factor * std, factor * mean)
    spread = "" if math.isnan(std) else f" ± {factor * std:.{places}f}"
    return f"{factor * mean:.{places}f}{spread} (n = {number})".replace("-", "−")


def _interval(record: dict[Any, Any], low: str, high: str, spread: float, factor: float) -> str:
    ends = [record[low], record[high]]
    if any(math.isnan(end) for end in ends):
        return NO_VALUE
    places = decimals(factor * spread, factor * max(map(abs, ends)))
    return " to ".join(f"{factor * end:.{places}f}" for end in ends).replace("-", "−")


def _difference(record: dict[Any, Any], value: str, factor: float) -> str:
    difference, pairs = record[f"{value}_difference"], record[f"{value}_pairs"]
    if not pairs:
        return NO_VALUE
    return f"{factor * difference:+.{_places(record, value, factor)}f} ({pairs} pairs)".replace("-", "−")


def _difference_interval(record: dict[Any, Any], value: str, factor: float) -> str:
    ends = [record[f"{value}_difference_{end}"] for end in ("low", "high")]
    if any(math.isnan(end) for end in ends):
        return NO_VALUE
    return " to ".join(f"{factor * end:+.{_places(record, value, factor)}f}" for end in ends).replace("-", "−")


def _places(record: dict[Any, Any], value: str, factor: float) -> int:
    low, high = (record[f"{value}_difference_{end}"] for end in ("low", "high"))
    return decimals(factor * (high - low) / 4, factor * record[f"{value}_difference"])


def _p(record: dict[Any, Any], name: str) -> str:
    p_value, corrected = record[name], record[f"{name}_holm"]
    return NO_VALUE if math.isnan(p_value) else f"{p_value:.3g}; {corrected:.3g}"
