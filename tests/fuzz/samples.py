"""Whole files and directories of every kind that the package reads, small and made once."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

RECIPE: dict[str, Any] = {
    "mode": "in-situ",
    "states": 3,
    "epochs": 1,
    "seed": 1,
    "threads": 1,
    "dataset": {"name": "digits"},
    "network": {"hidden": [8]},
    "device": {"preset": "gaussian", "sigma": 0.1, "margin": 0.4},
    "transfer": {"chips": 2},
}
SWEEP: dict[str, Any] = {
    "task": "train",
    "name": "a sweep",
    "recipe": "recipe.toml",
    "set": {"epochs": 1},
    "search": {"kind": "grid", "over": {"device.margin": [0.3, 0.5]}, "repeat": {"seed": [0, 1]}},
}
INFER: dict[str, Any] = {
    "task": "infer",
    "recipe": "recipe.toml",
    "search": {"kind": "grid", "over": {"chip.adc.bits": [6, 8]}},
}
RANDOM: dict[str, Any] = {
    "recipe": "recipe.toml",
    "search": {"kind": "random", "samples": 3, "over": {"device.margin": {"low": 0.1, "high": 0.5}}},
}
CHARACTERIZE: dict[str, Any] = {
    "task": "characterize",
    "recipe": "device.toml",
    "search": {"kind": "grid", "over": {"track.width": [48e-9, 64e-9]}},
}
DEVICE: dict[str, Any] = {
    "track": {"length": 192e-9, "width": 48e-9},
    "material": {"preset": "cofeb-tantalum", "dmi": 0.24e-3, "spin_hall_angle": 0.3, "damping": 0.05},
    "shape": {
        "roughness": {"rms": 0.5e-9},
        "end_stops": {"length": 40e-9},
        "notches": [{"position": 90e-9, "depth": 8e-9, "half_length": 12e-9, "side": "both"}],
    },
    "protocol": {"gate_voltages": [-0.5, 0.5], "settle": 0.2e-9, "relaxation": 0.3e-9, "edge_time": 0.1e-9},
    "characterisation": {"devices": 2, "cycles": 1, "seed": 9},
}
DESIGN: dict[str, Any] = {
    "device": {
        **DEVICE,
        "shape": {key: value for key, value in DEVICE["shape"].items() if key != "notches"},
        "protocol": {key: value for key, value in DEVICE["protocol"].items() if key != "gate_voltages"},
    },
    "search": {
        "states": 2,
        "families": ["rough", "equal-notches"],
        "generations": 2,
        "population": 8,
        "devices": 2,
        "confirm": 0,
        "seed": 4,
        "ranges": {"pulse_width": [0.5e-9, 0.9e-9], "notch_depth": [4e-9, 14e-9], "notch_half_length": [10e-9, 20e-9]},
    },
}
CHIP: dict[str, Any] = {"adc": {"bits": 6}, "wires": {"bit_line": 0.5, "word_line": 0.5}, "noise": {"factor": 1.0}}
RESISTIVE: dict[str, Any] = {"technology": "resistive"}


@dataclass(frozen=True)
class Samples:
    """Directory of the samples."""

    root: Path

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def toml(self, name: str) -> dict[str, Any]:
        """Values of a TOML sample."""
        return TOML[name]


TOML: dict[str, dict[str, Any]] = {
    "recipe.toml": RECIPE,
    "sweep.toml": SWEEP,
    "infer.toml": INFER,
    "random.toml": RANDOM,
    "characterize.toml": CHARACTERIZE,
    "device.toml": DEVICE,
    "design.toml": DESIGN,
    "chip.toml": CHIP,
    "resistive.toml": RESISTIVE,
}

OLD = Path(__file__).parents[1] / "old_versions" / "0.1.0"


def made(root: Path) -> Samples:
    """All samples in a directory, made in a process of its own: it starts threads, and workers are forked from here."""
    subprocess.run([sys.executable, __file__, str(root)], check=True, stdout=subprocess.DEVNULL)
    return Samples(root)


def of_text(root: Path) -> Samples:
    """The samples that are TOML files alone, made at once."""
    root.mkdir(parents=True, exist_ok=True)
    for name, values in TOML.items():
        (root / name).write_text(tomli_w.dumps(values), encoding="utf-8")
    return Samples(root)


def make(root: Path) -> None:
    """Make all samples in a directory; needs half a minute of work."""
    of_text(root)
    _devices(root)
    _tables(root)
    _idx(root / "data")
    _ovf(root)
    for name in ("run-in-situ", "run-ex-situ", "sweep"):
        shutil.copytree(OLD / name, root / f"old-{name}")
    with _within(root):
        _run("train", "recipe.toml", "--out", "run")
        _run("train", "recipe.toml", "--set", "mode=ex-situ", "--set", "epochs=1", "--out", "run-ex-situ")
    _sweep(root)


def _devices(root: Path) -> None:
    from barkhausen.device import gaussian_device, write_device

    write_device(gaussian_device(3, devices=4, cycles=2), root / "device.nc")
    for name in ("device-measured.nc", "characterisation.nc", "characterisation.history.nc"):
        shutil.copy(OLD / name, root / name)


def _tables(root: Path) -> None:
    chance = np.random.default_rng(1)
    rows = [["state", "device", "cycle", "position_m"]]
    rows += [
        [str(s), str(d), str(c), f"{(0.25 + 0.5 * s) * 192e-9 + 2e-9 * chance.standard_normal():.4e}"]
        for s in range(2) for d in range(6) for c in range(2)
    ]  # fmt: skip
    (root / "measured.csv").write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")
    other = [["state", "device", "cycle", "conductance_S"]]
    other += [[*row[:3], f"{1e-6 * (1 + int(row[0])) * (1 + 0.02 * chance.standard_normal()):.4e}"] for row in rows[1:]]
    (root / "conductance.csv").write_text("\n".join(map(",".join, other)) + "\n", encoding="utf-8")
    header = "# t (s)\tmx ()\tmy ()\tmz ()"
    for state in range(2):
        for device in range(2):
            name = f"state{state}_device{device}_cycle0.out"
            (root / "mumax3" / name).mkdir(parents=True)
            lines = [f"{k * 1e-10}\t0.01\t0.02\t{-0.4 + 0.8 * state + 0.01 * device}" for k in range(4)]
            (root / "mumax3" / name / "table.txt").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    with contextlib.suppress(ImportError):
        from openpyxl import Workbook

        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(root / "measured.xlsx")


def _idx(root: Path) -> None:
    chance = np.random.default_rng(2)
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for part, number in (("train", 40), ("t10k", 20)):
        images = (
            struct.pack(">IIII", 0x803, number, 28, 28) + chance.integers(0, 256, number * 784).astype("u1").tobytes()
        )
        labels = struct.pack(">II", 0x801, number) + (np.arange(number) % 10).astype("u1").tobytes()
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    (root / "NSL-KDD").mkdir()
    line = ",".join(["0", "tcp", "http", "SF", *["0.5"] * 37, "normal", "21"])
    (root / "NSL-KDD" / "KDDTrain+.txt").write_text(f"{line}\n" * 5, encoding="ascii")
    (root / "NSL-KDD" / "KDDTest+.txt.gz").write_bytes(gzip.compress(f"{line}\n".encode() * 5))


def _ovf(root: Path) -> None:
    head = "\n".join([
        "# OOMMF OVF 2.0", "# Segment count: 1", "# Begin: Segment", "# Begin: Header", "# Title: m",
        "# meshtype: rectangular", "# meshunit: m", "# xmin: 0", "# ymin: 0", "# zmin: 0",
        "# xmax: 8e-9", "# ymax: 4e-9", "# zmax: 1e-9", "# valuedim: 3",
        "# valuelabels: m_x m_y m_z", "# valueunits: 1 1 1",
        "# xbase: 1e-9", "# ybase: 1e-9", "# zbase: 5e-10",
        "# xnodes: 4", "# ynodes: 2", "# znodes: 1", "# xstepsize: 2e-9", "# ystepsize: 2e-9", "# zstepsize: 1e-9",
        "# End: Header",
    ])  # fmt: skip
    values = np.tile([0.0, 0.0, 1.0], 8)
    binary = struct.pack("<d", 123456789012345.0) + values.astype("<f8").tobytes()
    tail = b"# End: Data Binary 8\n# End: Segment\n"
    (root / "m.ovf").write_bytes(head.encode() + b"\n# Begin: Data Binary 8\n" + binary + b"\n" + tail)
    text = "\n".join(["# Begin: Data Text", *["0 0 1"] * 8, "# End: Data Text", "# End: Segment", ""])
    (root / "text.ovf").write_text(f"{head}\n{text}", encoding="ascii")
    sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
    from tiny_ovf import ovf

    rows = [[0.6, 0.0, 0.8]] * 8
    time = ["Desc: Total simulation time: 1e-9 s"]
    (root / "first.ovf").write_bytes(ovf(rows, (4, 2, 1), version=1, data="Binary 4", extra=time))
    (root / "first-text.ovf").write_bytes(ovf(rows, (4, 2, 1), version=1, extra=time).replace(b"\n", b"\r\n"))
    (root / "six.ovf").write_bytes(ovf([[*row, *row] for row in rows], (2, 2, 2), data="Binary 8"))
    one = ovf(rows, (2, 2, 2), data="Binary 4")
    (root / "segments.ovf").write_bytes(one + one[one.index(b"# Begin: Segment") :])


def _sweep(root: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
    from barkhausen.sweep.sweep_file import load_sweep
    from small_sweep import run_in_threads

    run_in_threads(load_sweep(root / "sweep.toml"), root / "sweep")
    # A failure to show, too.
    task = next((root / "sweep" / "tasks").glob("*/*"))
    failure = {
        "status": "failed",
        "error": "an error",
        "traceback": "Traceback\nan error",
        "seconds": 1.0,
        "attempts": 1,
    }
    (task / "failure.json").write_text(json.dumps(failure), encoding="utf-8")


@contextlib.contextmanager
def _within(directory: Path) -> Any:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def _run(*words: str) -> None:
    from barkhausen.cli.app import main

    before, sys.argv = sys.argv, ["barkhausen", *words]
    try:
        with contextlib.redirect_stdout(open(os.devnull, "w")):  # noqa: PTH123
            main()
    except SystemExit as stop:
        if stop.code:
            raise RuntimeError(f"{' '.join(words)}: exit code {stop.code}") from None
    finally:
        sys.argv = before


if __name__ == "__main__":
    make(Path(sys.argv[1]))
