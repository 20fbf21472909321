"""Searches for a device design."""

from barkhausen.experiment.design.search import design_to_directory, finished_search

__all__ = ["design_to_directory", "finished_search"]
