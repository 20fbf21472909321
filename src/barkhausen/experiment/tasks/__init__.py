"""What a network is trained for, and how it is judged: one file for each task, registered in ``TASKS``."""

from barkhausen.experiment.tasks import anomaly_detection, classification, regression
from barkhausen.experiment.tasks.base import Task
from barkhausen.experiment.tasks.registry import TASKS, TaskEntry, task_of

__all__ = ["TASKS", "Task", "TaskEntry", "anomaly_detection", "classification", "regression", "task_of"]
