"""Columns of results as the page about a sweep shows them."""

from __future__ import annotations

from collections.abc import Sequence

from barkhausen.experiment.jobs import Column, Job
from barkhausen.report.sweep.figures import Quantity
from barkhausen.results.headings import CAUSE_UNITS


def quantity_of(column: Column) -> Quantity:
    """A column as the page shows it."""
    name = column.label or column.name.replace("_", " ")
    direction = column.higher_is_better
    return Quantity(column.name, column.title, name, column.scale, column.unit, column.decimals, direction)


def quantities_of(job: Job) -> list[Quantity]:
    """Columns of the table of groups, the quantity of interest first."""
    return [quantity_of(job.column(name)) for name in job.shown or job.summarised]


def causes_of(job: Job, names: Sequence[str]) -> dict[str, Quantity]:
    """Columns of energy by cause among these names, by the label of the cause."""
    unit = CAUSE_UNITS.get(job.cause_unit, job.cause_unit)
    found = {}
    for column in job.cause_columns(list(names)):
        cause = column.removesuffix(f"_{job.cause_unit}")
        label = job.cause_labels.get(cause, cause.replace("_", " "))
        found[label] = Quantity(column, f"{label} ({unit})", label, 1.0, unit, None, False)
    return found
