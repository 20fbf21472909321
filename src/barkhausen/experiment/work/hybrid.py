"""Hybrid training as a task: a run that starts from the network of another one."""

from __future__ import annotations

import dataclasses

from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.train import train


def hybrid(order: Order) -> Result:
    """Transfer the network of a finished training to devices, and train it there further."""
    assert order.needed is not None
    values = {**order.values, "init_from": str(order.needed.resolve())}
    return train(dataclasses.replace(order, values=values))
