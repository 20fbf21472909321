"""A network left alone, as a task."""

from __future__ import annotations

import json

import numpy as np
import torch

from barkhausen.core.files import atomic_write
from barkhausen.core.units import NANO
from barkhausen.experiment.retention import Retention, RetentionSettings, retention_of
from barkhausen.experiment.retention.analysis import STANDARD
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.rows import Row, number

FILE = "retention.json"


def retention(order: Order) -> Result:
    """Leave the network of a finished training alone; the whole result stands in the task's directory."""
    assert order.needed is not None
    torch.set_num_threads(order.values["threads"])
    settings = RetentionSettings.model_validate(order.values["retention"])
    found = retention_of(order.needed, settings, data_dir=order.data_dir)
    out = order.directory / FILE
    atomic_write(out, json.dumps(found.summary(), indent=1, allow_nan=False) + "\n")
    years = STANDARD["ten_years_300_kelvin"]
    chips = tuple(draw.accuracy for draw in found.at(*years).draws)
    return Result({"retention_file": out.relative_to(order.root).as_posix(), **retention_row(found)}, chips)


def retention_row(found: Retention) -> Row:
    """Results: accuracies are fractions, losses percentage points; powers are those of the cheapest policy."""
    years, day = (found.at(*STANDARD[name]) for name in ("ten_years_300_kelvin", "day_358_kelvin"))
    power = None
    if found.refreshes:
        coldest = found.refreshes[0]
        powers = [coldest.power(policy) for policy in found.policies]
        power = min((watt for watt in powers if watt is not None), default=None)
    tenth = found.escapes[years.temperature, ""].exceeded_by(0.9)
    return {
        "states": found.device.states,
        "accuracy": years.accuracy,
        "day_358_kelvin": day.accuracy,
        "fresh_accuracy": found.accuracy,
        "loss_points": 100 * (found.accuracy - years.accuracy),
        "hot_loss_points": 100 * (found.accuracy - day.accuracy),
        "worst_retention_seconds": number(float(np.min(tenth))),
        "refresh_nanowatt": None if power is None else NANO * power,
    }
