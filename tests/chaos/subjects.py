"""Commands that write, each with small inputs and the outputs that must be the same after any number of kills."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from samples import Samples

TIMES = ("wall_seconds", "seconds", "started", "worker", "attempts", "created", "date")
"""Keys of JSON files whose values differ from run to run."""

LEFT_OUT = ("tensorboard", ".lock", "timings.parquet", "attempts.jsonl", "reproduce/report.html")
"""Files and directories that record when, how often and how long something ran."""


@dataclass(frozen=True)
class Subject:
    """One command.

    Args:
        name: Name in the totals.
        line: Command line without ``barkhausen``; ``{s}`` stands for the samples, ``{w}`` for the directory of outputs.
        share: Share of all kills.
        lasts: Seconds that it may take undisturbed on a busy machine; a time limit, not an estimate.
    """

    name: str
    line: str
    share: float = 1.0
    lasts: float = 300.0

    def words(self, samples: Samples, work: Path) -> list[str]:
        """Words of the command line."""
        return [word.format(s=samples.root, w=work) for word in self.line.split()]


_ENSEMBLE = "--set characterisation.devices=8 --set characterisation.cycles=4 --threads 1"

_IMAGES = (
    "--set network.kind=airbench --set network.channels=[6,8] --set network.activation=gelu --set augment.flip=random "
    "--set augment.shift=1 --set augment.cutout=2 --set loss.label_smoothing=0.1 --set optimizer.schedule=one-cycle "
    "--set averaging.every=5 --set averaging.start=0.5 --set autocast=bfloat16 --set threads=1 "
    "--set optimizer.latent_schedule=linear --set device.margin_schedule={{first=1.0,last=0.5}}"
)

SUBJECTS = (
    Subject("train", "train {s}/recipe.toml --set epochs=30 --out {w}/run", 3),
    Subject("train on images", f"train {{s}}/recipe.toml --set epochs=8 {_IMAGES} --out {{w}}/run", 1),
    Subject("train ex-situ", "train {s}/recipe.toml --set mode=ex-situ --set epochs=10 --out {w}/run", 2),
    Subject(
        "sweep",
        "sweep {s}/sweep.toml --set set.epochs=8 --set search.repeat.seed=[0,1,2] --workers 2 --out {w}/sweep",
        3,
        900.0,
    ),
    Subject("reproduce --quick", "reproduce --quick --seeds 1 --workers 2 --out {w}/reproduce", 1, 1800.0),
    Subject("characterize", f"characterize {{s}}/device.toml {_ENSEMBLE} --out {{w}}/device.nc", 2),
    Subject("design", "design {s}/design.toml --set search.confirm=1 --threads 1 --out {w}/design", 2),
    Subject("infer", "infer {s}/run --out {w}/chip.json --report {w}/chip.html"),
    Subject("import-device", "import-device {s}/measured.csv --parameters {s}/device.toml --out {w}/device.nc"),
    Subject("import-mumax3", "import-mumax3 {s}/mumax3 --parameters {s}/device.toml --out {w}/device.nc", 0.5),
    Subject("export-mumax3", "export-mumax3 {s}/device.toml --out {w}/event.mx3", 0.5),
    Subject("devices --out", "devices racetrack-3 --out {w}/device.nc", 0.5),
    Subject("export npz", "export {s}/run --to npz --out {w}/network.npz", 0.5),
    Subject("export csv", "export {s}/run --to csv --out {w}/network", 0.5),
    Subject("report", "report {s}/run {s}/run-ex-situ --out {w}/report.html"),
    Subject("table", "table {s}/sweep --raw --out {w}/table.parquet"),
)


def content(directory: Path) -> dict[str, str]:
    """Digest of every output below a directory, without times; partial files are outputs that should not be there."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and not any(part in LEFT_OUT for part in (name, *name.split("/"))):
            found[name] = hashlib.sha256(_without_times(path, directory)).hexdigest()
    return found


def _without_times(path: Path, directory: Path) -> bytes:
    data = path.read_bytes().replace(str(directory).encode(), b"OUT")
    if path.suffix in (".json", ".jsonl"):
        lines = data.decode("utf-8").splitlines() if path.suffix == ".jsonl" else [data.decode("utf-8")]
        return "\n".join(json.dumps(_timeless(json.loads(line))) for line in lines).encode()
    if path.suffix == ".csv":
        rows = list(csv.reader(data.decode("utf-8").splitlines()))
        kept = [place for place, name in enumerate(rows[0]) if name not in TIMES] if rows else []
        return repr([[row[place] for place in kept if place < len(row)] for row in rows]).encode()
    if path.suffix in (".html", ".md"):
        # What stands in tables of times is rounded to whole units.
        return re.sub(rb"[\d.]+ ?(s|min|h)\b", b"TIME", _TABLE_OF_TIMES.sub(b"TIME", data))
    return data


_TABLE_OF_TIMES = re.compile(rb'(?<="wall_seconds": )[\d.e+-]+')


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def clear(directory: Path) -> Path:
    """An empty directory."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
