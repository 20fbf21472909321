"""The run that another one starts from: its score, and of what kind it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from barkhausen.core.config import flat
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.experiment.score import held_out
from barkhausen.experiment.summary_file import read_summary

INITIAL = "initial.safetensors"
"""File of the weights that a run starts from."""

OF_ONE_RUN = {"seed", "threads", "init_from"}
"""Keys of a recipe in which precursors of one kind differ."""


def facts_of_precursor(summary: Path) -> dict[str, Any]:
    """Score and kind of a finished run; empty for anything else.

    Args:
        summary: Summary of the run.
    """
    if not summary.is_file():
        return {}
    found = read_summary(summary)[0]
    recipe = {key: value for key, value in flat(found["recipe"]).items() if key not in OF_ONE_RUN}
    words = "\n".join(f"{key} = {value!r}" for key, value in sorted(recipe.items()))
    return {"score": held_out(found), "kind": hashlib.sha256(words.encode()).hexdigest()[:16]}


def summary_of_precursor(directory: Path) -> dict[str, Any]:
    """Score and kind of the finished run that a run started from, for its summary; empty if there was none.

    Args:
        directory: Directory of the run that started from it.
    """
    held = directory / INITIAL
    found = load_checkpoint(held) if held.is_file() else {}
    if found.get("score") is None:
        return {}
    # Runs of before kinds were kept have a score alone.
    kind = {"precursor_kind": str(found["kind"])} if "kind" in found else {}
    return {"precursor_score": float(found["score"]), **kind}
