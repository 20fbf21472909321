"""Registry of the sections that learning rules add to the page about runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from barkhausen.core.registry import Registry
from barkhausen.report.panels import Panel
from barkhausen.report.runs.groups import Kind

RULE_PANELS: Registry[Callable[[Sequence[Kind]], list[Panel]]] = Registry("section of a learning rule", "mode")
"""Functions from the kinds of runs of one learning rule to sections about them, by the name of the rule."""
