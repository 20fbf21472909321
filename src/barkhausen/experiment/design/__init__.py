"""Searches for a device design."""

from barkhausen.experiment.design.search import design_to_directory, finished_search
from barkhausen.experiment.design.verdict import Verdict, verdict

__all__ = ["Verdict", "design_to_directory", "finished_search", "verdict"]
