"""Mapping to many chips as a task."""

from __future__ import annotations

import torch

from barkhausen.experiment.chip.mapping import MAPPING, Mapping, device_of, map_to_chips
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.rows import mapping_row
from barkhausen.synapse.crossbar.chip import Chip


def map_chips(order: Order) -> Result:
    """Map the network of a finished training to chips."""
    assert order.needed is not None
    torch.set_num_threads(order.values["threads"])
    how = Mapping.model_validate(order.values[MAPPING])
    device = device_of(order.values["device_parameters"], how.spread)
    found = map_to_chips(order.needed, device, Chip.model_validate(order.values["chip"]), how, order.data_dir)
    return Result(mapping_row(found), found.chips)
