"""Inference on a chip as a task."""

from __future__ import annotations

import torch

from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.rows import inference_row
from barkhausen.synapse.crossbar.chip import Chip


def infer(order: Order) -> Result:
    """Put the network of a finished training on a chip."""
    assert order.needed is not None
    torch.set_num_threads(order.values["threads"])
    chip, how = Chip.model_validate(order.values["chip"]), order.values["inference"]
    return Result(inference_row(infer_on_chip(order.needed, chip, **how, data_dir=order.data_dir)))
