"""Metadata of a sweep: versions of code and software, and all assumptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from barkhausen.core.files import read_json
from barkhausen.device.file import read_any_device
from barkhausen.experiment.jobs import JOBS
from barkhausen.results.columns import FINISHED
from barkhausen.sweep.store import Store


def metadata_of(directory: Path, frame: pd.DataFrame) -> tuple[dict[str, list[str]], list[str]]:
    """Versions that the tasks ran with, and every assumption that they rest on."""
    store = Store(directory)
    metadata: dict[str, list[str]] = {}
    assumed: dict[str, None] = {}
    tasks = [str(task) for task in frame.loc[frame["status"] == FINISHED, "task"].unique()]
    homes = [store.of(task) for task in tasks]
    described = [content_of(home / "task.json") for home in homes]
    needed = dict.fromkeys(str(content["needs"]) for content in described if content.get("needs"))
    homes += [store.of(task) for task in needed]
    for content in [*described, *(content_of(home / "work" / "summary.json") for home in homes)]:
        _note(content, metadata, assumed)
    if "device_file" in frame.columns:
        for name in frame["device_file"].dropna().unique():
            path = directory / str(name)
            if path.is_file():
                device = read_any_device(path)
                assumed |= dict.fromkeys(device.assumed)
                _add(metadata, "code version", device.data.attrs.get("code_version"))
    return metadata, list(assumed)


def _note(content: dict[str, Any], metadata: dict[str, list[str]], assumed: dict[str, None]) -> None:
    _add(metadata, "code version", content.get("code_version"))
    software = content.get("software")
    if isinstance(software, dict):
        for name, version in software.items():
            _add(metadata, str(name), version)
    lines = content.get("assumed")
    job = JOBS.get(str(content.get("kind")))
    if job is not None and isinstance(content.get("values"), dict):
        try:
            lines = job.assumed(content["values"]) or lines
        except (ValueError, KeyError):  # values of another version, which other words could only misrepresent
            lines = None
    if isinstance(lines, list):
        assumed |= dict.fromkeys(str(line) for line in lines)


def _add(metadata: dict[str, list[str]], name: str, value: object) -> None:
    if value is not None and str(value) not in metadata.setdefault(name, []):
        metadata[name].append(str(value))


def content_of(path: Path) -> dict[str, Any]:
    """A JSON object from a file; an empty one where there is none."""
    content = read_json(path) if path.is_file() else None
    return content if isinstance(content, dict) else {}
