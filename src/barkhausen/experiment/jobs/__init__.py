"""Kinds of task that a sweep can be made of; importing this package registers those of the package."""

from barkhausen.experiment.jobs import characterize, hybrid, infer, map_chips, neuron, reservoir, retention, train
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning
from barkhausen.experiment.work.base import Order, Result

__all__ = [
    "JOBS",
    "Column",
    "Job",
    "Order",
    "Planned",
    "Planning",
    "Result",
    "characterize",
    "hybrid",
    "infer",
    "map_chips",
    "neuron",
    "reservoir",
    "retention",
    "train",
]
