"""Where numbers come from: commit of the source and processor. They are recorded beside results, never in them."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from pathlib import Path

BUILT_FROM = Path(__file__).parents[1] / "built_from.txt"
"""Commit that a wheel was built from; written by ``setup.py``."""

SECONDS = 5.0
"""Longest time that git may take."""


@functools.cache
def commit() -> str:
    """Commit of the source, ``-dirty`` at its end if files differ from it; ``"unknown"`` without a repository."""
    if BUILT_FROM.is_file():
        return BUILT_FROM.read_text(encoding="utf-8").strip() or "unknown"
    root = Path(__file__).resolve().parents[3]
    # Exactly at the root of the src layout: an environment may lie in the repository of another project.
    if not ((root / "pyproject.toml").is_file() and (root / ".git").exists()):
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip() or "unknown"


@functools.cache
def processor() -> str:
    """Name of the processor, or its architecture where the system does not tell the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(filter(None, names), "") or platform.processor() or platform.machine()
