"""Training as a task: a run in a directory of its own."""

from __future__ import annotations

from barkhausen.core.config import read_text
from barkhausen.core.files.reading import is_file
from barkhausen.experiment.device_of_run import RECIPE
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.rows import single_chips, training_row


def train(order: Order) -> Result:
    """Train the network of a resolved recipe, or resume its training; another run in the directory is thrown away."""
    recipe = recipe_from(order.values, "task")
    held = order.directory / RECIPE
    # The same key with another text: the device file lies elsewhere now. No other run can be in here.
    other = is_file(held) and read_text(held) != recipe.to_toml()
    run = Run(recipe, order.directory, data_dir=order.data_dir, overwrite=other, notes=order.notes)
    summary = run.execute()
    return Result(training_row(summary), single_chips(summary))
