"""Inputs to try: for each kind of file, a damaged or mistaken one and a command that reads it."""

from __future__ import annotations

import functools
import gzip
import io
import json
import os
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutations
import tomli_w
from samples import Samples


@dataclass
class Case:
    """One input: words of a command line, or a function to call where no command reads such a file."""

    words: list[str] = field(default_factory=list)
    call: Callable[[], object] | None = None
    file_size: int | None = None
    """Bytes after which a file can grow no more, as on a full disk."""


Maker = Callable[[random.Random, Samples, Path], Case]
KINDS: dict[str, tuple[float, Maker]] = {}
"""Functions that make a case in a directory of its own, with the weight of the kind."""


def kind(weight: float) -> Callable[[Maker], Maker]:
    """Register a kind of input under the name of its function."""

    def register(maker: Maker) -> Maker:
        KINDS[maker.__name__] = weight, maker
        return maker

    return register


def make(chance: random.Random, samples: Samples, work: Path, names: list[str] | None = None) -> tuple[str, Case]:
    """A case of a random kind, its files in ``work``."""
    names = names or list(KINDS)
    name = chance.choices(names, [KINDS[each][0] for each in names])[0]
    return name, KINDS[name][1](chance, samples, work)


def _special(chance: random.Random, path: Path) -> None:
    """Put something at the path that is no file of any size to be read."""
    if path.is_dir():
        return
    path.unlink(missing_ok=True)
    match chance.randrange(8):
        case 0:
            path.mkdir()
        case 1:
            os.mkfifo(path)
        case 2:
            path.symlink_to("/dev/zero")
        case 3:
            path.symlink_to(path)
        case 4:
            path.touch()
        case 5:
            with path.open("wb") as file:
                file.truncate(chance.choice((3_000_000_000, 10**12)))
        case 6:
            path.symlink_to("/dev/tty")
        case _:
            pass


def _put(chance: random.Random, path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if chance.random() < 0.02:
        _special(chance, path)
    return str(path)


def _toml(chance: random.Random, samples: Samples, name: str, work: Path, keys: tuple[str, ...]) -> str:
    """A spoilt TOML file: its tree, or its text."""
    draw = chance.random()
    tree = samples.toml(name)
    if draw < 0.75:
        tree = mutations.of_tree(chance, tree, keys)
    try:
        text = tomli_w.dumps(tree)
    except (TypeError, ValueError):
        text = tomli_w.dumps(samples.toml(name))
    if draw > 0.65:
        text = mutations.of_text(chance, text)
    content = text.encode("utf-8", "surrogatepass")
    return _put(chance, work / name, mutations.of_bytes(chance, content) if draw > 0.9 else content)


def _json(chance: random.Random, content: bytes) -> bytes:
    if chance.random() < 0.25:
        return mutations.of_bytes(chance, content)
    lines = content.splitlines() if content.count(b"\n{") else [content]
    place = chance.randrange(len(lines))
    try:
        tree = mutations.of_tree(chance, json.loads(lines[place]))
        lines[place] = json.dumps(tree, default=str).encode()
    except (ValueError, RecursionError):
        return mutations.of_bytes(chance, content)
    if chance.random() < 0.02:
        lines[place] = b"[" * 100_000
    return b"\n".join(lines) + b"\n"


def _safetensors(chance: random.Random, content: bytes) -> bytes:
    if chance.random() < 0.4 or len(content) < 8:
        return mutations.of_bytes(chance, content)
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    about = header.get("__metadata__", {})
    if chance.random() < 0.5 and "state" in about:
        state = mutations.of_tree(chance, json.loads(about["state"]))
        about["state"] = json.dumps(state, default=str)
    else:
        header = mutations.of_tree(chance, header)
    new = json.dumps(header, default=str).encode()
    return struct.pack("<Q", len(new) + chance.choice((0, 0, 0, 0, 1, -1))) + new + content[8 + length :]


def _netcdf(chance: random.Random, path: Path) -> bytes:
    content = path.read_bytes()
    if chance.random() < 0.6:
        return mutations.of_bytes(chance, content)
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    try:
        changed = mutations.of_dataset(chance, _dataset(str(path)))
        written = io.BytesIO()
        with h5netcdf.File(written, "w") as file:
            changed.dump_to_store(H5NetCDFStore(file))
        return written.getvalue()
    except Exception:
        # Not every change is a NetCDF file.
        return mutations.of_bytes(chance, content)


@functools.cache
def _dataset(path: str) -> Any:
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as lazy:
        return lazy.load()


def _parquet(chance: random.Random, path: Path) -> bytes:
    content = path.read_bytes()
    if chance.random() < 0.5:
        return mutations.of_bytes(chance, content)
    import pandas as pd

    frame = pd.read_parquet(path)
    for _ in range(chance.choice((1, 1, 2, 3))):
        column = chance.choice(list(frame.columns))
        match chance.randrange(6):
            case 0:
                frame = frame.drop(columns=column)
            case 1:
                frame = frame.rename(columns={column: f"{column}x"})
            case 2:
                frame[column] = chance.choice((0, 1.5, "text", None, float("nan"), float("inf"), -1, True))
            case 3:
                frame[column] = frame[column].astype(str)
            case 4:
                frame = pd.concat([frame, frame])
            case 5:
                frame = frame.iloc[: chance.choice((0, 1, 2))]
        if not len(frame.columns):
            break
    written = io.BytesIO()
    try:
        frame.to_parquet(written, engine="pyarrow", index=False)
    except Exception:
        return mutations.of_bytes(chance, content)
    return written.getvalue()


def _file(chance: random.Random, path: Path) -> bytes:
    """A file spoilt in the way of its kind."""
    match path.suffix:
        case ".nc":
            return _netcdf(chance, path)
        case ".json" | ".jsonl":
            return _json(chance, path.read_bytes())
        case ".safetensors":
            return _safetensors(chance, path.read_bytes())
        case ".parquet":
            return _parquet(chance, path)
        case ".toml":
            return mutations.of_text(chance, path.read_text(encoding="utf-8")).encode("utf-8", "replace")
        case _:
            return mutations.of_bytes(chance, path.read_bytes())


def _directory(chance: random.Random, source: Path, work: Path) -> Path:
    """A copy of a directory in which one or two files are spoilt or missing."""
    copy = work / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("tensorboard"))
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.name != ".lock")
    for path in chance.sample(files, chance.choice((1, 1, 1, 2))):
        if chance.random() < 0.05:
            _special(chance, path)
        else:
            path.write_bytes(_file(chance, path))
    return copy


@functools.cache
def recipe_keys() -> tuple[str, ...]:
    from barkhausen.experiment.recipe import Recipe

    return tuple(_keys(Recipe))


@functools.cache
def device_keys() -> tuple[str, ...]:
    from barkhausen.device import DeviceParameters

    return tuple(_keys(DeviceParameters))


@functools.cache
def sweep_keys() -> tuple[str, ...]:
    from barkhausen.sweep.sweep_file import SweepFile

    return (
        *_keys(SweepFile),
        *(f"search.over.{key}" for key in recipe_keys()),
        *(f"set.{key}" for key in recipe_keys()),
    )


@functools.cache
def design_keys() -> tuple[str, ...]:
    from barkhausen.experiment.design.search_file import SearchRecipe

    return tuple(_keys(SearchRecipe))


@functools.cache
def chip_keys() -> tuple[str, ...]:
    from barkhausen.synapse.crossbar.chip import Chip

    return tuple(_keys(Chip))


def _keys(model: Any, prefix: str = "", depth: int = 0) -> list[str]:
    found = []
    for name, about in model.model_fields.items():
        found.append(prefix + name)
        for inner in (about.annotation, *getattr(about.annotation, "__args__", ())):
            if isinstance(inner, type) and hasattr(inner, "model_fields") and depth < 4:
                found += _keys(inner, f"{prefix}{name}.", depth + 1)
    return found


def _settings(chance: random.Random, keys: tuple[str, ...]) -> list[str]:
    """``--set`` words, most of them with a known key."""
    words = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        key = chance.choice(keys)
        if chance.random() < 0.15:
            key = mutations.of_text(chance, key).strip()
        value = chance.choice(mutations.VALUES)
        try:
            text = tomli_w.dumps({"v": value}).partition("=")[2].strip() if chance.random() < 0.8 else str(value)
        except (TypeError, ValueError):
            text = str(value)
        # No word of a command line has a NUL.
        words += ["--set", chance.choice((f"{key}={text}", f"{key}={text}", f"{key} = {text}", key)).replace("\0", "")]
    return words


def _compare() -> list[str]:
    """The command that compares two device files, where there is one."""
    from barkhausen.cli.commands import COMMANDS

    return ["compare"] if "compare" in COMMANDS else ["devices"]


@kind(3)
def device_file(chance: random.Random, samples: Samples, work: Path) -> Case:
    name = chance.choice(("device.nc", "device.nc", "device-measured.nc", "characterisation.nc"))
    path = _put(chance, work / "device.nc", _netcdf(chance, samples / name))
    words = [["devices", path], ["devices", path], ["devices", path, "--out", str(work / "copy.nc")]]
    if chance.random() < 0.1:
        words = [
            ["devices", path, "--report", str(work / "page.html")],
            ["devices", path, "--figure", str(work / "figure.svg")],
            [*_compare(), path, str(samples / "device.nc")],
            [*_compare(), str(samples / "device.nc"), path],
        ]
    elif chance.random() < 0.2:
        recipe = str(samples / "recipe.toml")
        words = [["train", recipe, "--set", f"device.file={path}", "--out", str(work / "run")]]
    return Case(chance.choice(words))


@kind(0.3)
def histories(chance: random.Random, samples: Samples, work: Path) -> Case:
    from barkhausen.experiment.characterisation.states import read_characterisation

    shutil.copy(samples / "characterisation.nc", work / "device.nc")
    _put(chance, work / "device.history.nc", _netcdf(chance, samples / "characterisation.history.nc"))
    return Case(call=lambda: read_characterisation(work / "device.nc"))


@kind(3)
def recipe(chance: random.Random, samples: Samples, work: Path) -> Case:
    path = _toml(chance, samples, "recipe.toml", work, recipe_keys())
    return Case(["train", path, "--out", str(work / "run")])


@kind(3)
def setting(chance: random.Random, samples: Samples, work: Path) -> Case:
    out = str(work / "out")
    choices: list[tuple[list[str], tuple[str, ...]]] = [
        (["train", str(samples / "recipe.toml"), "--out", out], recipe_keys()),
        (
            ["sweep", str(samples / chance.choice(("sweep.toml", "infer.toml", "random.toml"))), "--out", out],
            sweep_keys(),
        ),
        (["characterize", str(samples / "device.toml"), "--out", f"{out}.nc"], device_keys()),
        (["design", str(samples / "design.toml"), "--out", out], design_keys()),
        (["infer", str(samples / "run")], chip_keys()),
    ]
    words, keys = chance.choices(choices, (5, 3, 3, 2, 1))[0]
    return Case([*words, *_settings(chance, keys)])


@kind(3)
def sweep_file(chance: random.Random, samples: Samples, work: Path) -> Case:
    name = chance.choice(("sweep.toml", "sweep.toml", "infer.toml", "random.toml", "characterize.toml"))
    for base in ("recipe.toml", "device.toml", "chip.toml"):
        shutil.copy(samples / base, work / base)
    if chance.random() < 0.2:
        _toml(chance, samples, "recipe.toml", work, recipe_keys())
    path = _toml(chance, samples, name, work, sweep_keys())
    return Case(["sweep", path, "--out", str(work / "out")])


@kind(2)
def parameters(chance: random.Random, samples: Samples, work: Path) -> Case:
    path = _toml(chance, samples, chance.choice(("device.toml", "device.toml", "resistive.toml")), work, device_keys())
    out = str(work / "out.nc")
    return Case(
        chance.choice(
            (
                ["characterize", path, "--out", out],
                ["export-mumax3", path, "--out", str(work / "out.mx3")],
                ["import-device", str(samples / "measured.csv"), "--parameters", path, "--out", out],
            )
        )
    )


@kind(2)
def design_file(chance: random.Random, samples: Samples, work: Path) -> Case:
    path = _toml(chance, samples, "design.toml", work, design_keys())
    return Case(["design", path, "--out", str(work / "out")])


@kind(0.5)
def chip_file(chance: random.Random, samples: Samples, work: Path) -> Case:
    path = _toml(chance, samples, "chip.toml", work, chip_keys())
    return Case(["infer", str(samples / "run"), "--crossbar", path])


@kind(3)
def measured(chance: random.Random, samples: Samples, work: Path) -> Case:
    name = chance.choice(("measured.csv", "measured.csv", "conductance.csv"))
    text = (samples / name).read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()]
    path = _put(chance, work / name, mutations.of_table(chance, rows, ","))
    words = ["import-device", path, "--out", str(work / "out.nc")]
    if name == "conductance.csv":
        words += chance.choice(([], ["--technology", "resistive"], ["--conductance-range", "1e-7", "1e-5"]))
    else:
        words += chance.choice(([], ["--parameters", str(samples / "device.toml")]))
    if chance.random() < 0.03:
        words += ["--report", str(work / "page.html")]
    return Case(words)


@kind(0.5)
def excel(chance: random.Random, samples: Samples, work: Path) -> Case:
    if not (samples / "measured.xlsx").exists():
        return measured(chance, samples, work)
    content = (samples / "measured.xlsx").read_bytes()
    if chance.random() < 0.5:
        content = mutations.of_bytes(chance, content)
    else:
        written = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                part = old.read(name)
                if chance.random() < 0.2:
                    part = mutations.of_bytes(chance, part)
                if name.endswith("sheet1.xml") and chance.random() < 0.03:
                    part = part.replace(b"<sheetData>", b"<sheetData>" + b"<row></row>" * 10_000_000)
                new.writestr(name, part)
        content = written.getvalue()
    path = _put(chance, work / "measured.xlsx", content)
    return Case(["import-device", path, "--parameters", str(samples / "device.toml"), "--out", str(work / "out.nc")])


@kind(1.5)
def mumax3(chance: random.Random, samples: Samples, work: Path) -> Case:
    shutil.copytree(samples / "mumax3", work / "mumax3")
    path = chance.choice(sorted((work / "mumax3").glob("*/table.txt")))
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    _put(chance, path, mutations.of_table(chance, rows, "\t"))
    words = ["import-mumax3", str(work / "mumax3"), "--parameters", str(samples / "device.toml")]
    words += chance.choice(([], [], ["--average", chance.choice(("1e-10", "-1", "nan", "1"))], ["--column", "mx"]))
    if chance.random() < 0.1:
        words += [
            "--pattern",
            mutations.of_text(chance, "state{state}_device{device}_cycle{cycle}.out/table.txt").strip(),
        ]
    return Case([word.replace("\0", "") for word in [*words, "--out", str(work / "out.nc")]])


@kind(1)
def ovf(chance: random.Random, samples: Samples, work: Path) -> Case:
    from barkhausen.micromagnetics import load_ovf, read_ovf

    names = ("m.ovf", "text.ovf", "first.ovf", "first-text.ovf", "six.ovf", "segments.ovf")
    content = (samples / chance.choice(names)).read_bytes()
    if chance.random() < 0.5:
        head, mark, rest = content.partition(b"# End: Header")
        content = mutations.of_text(chance, head.decode("latin-1")).encode("utf-8", "replace") + mark + rest
    else:
        content = mutations.of_bytes(chance, content)
    _put(chance, work / "m.ovf", content)
    way = chance.randrange(4)
    if way < 2:
        return Case(call=lambda: read_ovf(work / "m.ovf", normalise=way == 1, layer="all"))
    return Case(call=lambda: load_ovf(work / "m.ovf", segment=way - 2))


@kind(2)
def checkpoint(chance: random.Random, samples: Samples, work: Path) -> Case:
    source = samples / chance.choice(("run", "run-ex-situ", "old-run-in-situ"))
    copy = work / "run"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("tensorboard"))
    path = copy / "checkpoint.safetensors"
    _put(chance, path, _safetensors(chance, path.read_bytes()))
    if chance.random() < 0.5:
        return Case(
            ["export", str(copy), "--to", chance.choice(("npz", "safetensors", "csv")), "--out", str(work / "out")]
        )
    if chance.random() < 0.2:
        begin = ["--init-from", chance.choice((str(copy), str(path)))]
        return Case(["train", str(samples / "recipe.toml"), *begin, "--out", str(work / "new")])
    if chance.random() < 0.1:
        longer = ["--set", "epochs=2", "--lengthen"]
        return Case(["train", str(samples / "recipe.toml"), *longer, "--out", str(copy)])
    (copy / "summary.json").unlink(missing_ok=True)
    settings = ["--set", "mode=ex-situ"] if source.name == "run-ex-situ" else []
    return Case(["train", str(samples / "recipe.toml"), *settings, "--out", str(copy)])


@kind(3)
def run_directory(chance: random.Random, samples: Samples, work: Path) -> Case:
    source = samples / chance.choice(("run", "run", "run-ex-situ", "old-run-in-situ", "old-run-ex-situ"))
    copy = str(_directory(chance, source, work))
    words = [
        ["report", copy, "--out", str(work / "report.html")],
        ["table", copy],
        ["table", copy, "--raw", "--format", "csv"],
        ["export", copy, "--to", "npz", "--out", str(work / "out.npz")],
        ["infer", copy],
        ["train", str(samples / "recipe.toml"), "--out", copy],
        ["export", copy, "--to", "safetensors", "--chip", "1", "--out", str(work / "out.safetensors")],
    ]
    return Case(chance.choices(words, (2, 4, 4, 4, 0.5, 4, 2))[0])


@kind(2.5)
def sweep_directory(chance: random.Random, samples: Samples, work: Path) -> Case:
    copy = str(_directory(chance, samples / chance.choice(("sweep", "sweep", "old-sweep")), work))
    words = [
        ["table", copy],
        ["table", copy, "--raw", "--format", "csv"],
        ["table", copy, "--format", "latex", "--baseline"],
        ["table", copy, "--out", str(work / "table.parquet")],
        ["sweep", str(samples / "sweep.toml"), "--out", copy],
    ]
    # The last writes a page, for a second.
    return Case(chance.choices(words, (1, 1, 1, 1, 0.3))[0])


@kind(1)
def conditions(chance: random.Random, samples: Samples, work: Path) -> Case:
    words = ["table", str(samples / "sweep")]
    for option, text in (("--where", "device.margin=0.3"), ("--group", "device.margin"), ("--value", "accuracy"),
                         ("--against", "device.margin=0.5"), ("--format", "markdown")):  # fmt: skip
        if chance.random() < 0.5:
            spoilt = mutations.of_text(chance, text).strip() if chance.random() < 0.5 else text
            words += [option, spoilt.replace("\0", "") or "x"]
    return Case(words)


@kind(1)
def idx(chance: random.Random, samples: Samples, work: Path) -> Case:
    import hashlib

    from barkhausen.data.idx import read_idx

    raw = samples / "data" / "MNIST" / "raw"
    source = chance.choice(sorted(raw.iterdir()))
    content = source.read_bytes()
    if source.suffix == ".gz" and chance.random() < 0.5:
        content = gzip.compress(mutations.of_bytes(chance, gzip.decompress(content)))
    elif chance.random() < 0.02:
        content = gzip.compress(b"\0" * 300_000_000, 1)
    else:
        content = mutations.of_bytes(chance, content)
    path = work / source.name
    _put(chance, path, content)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Case(call=lambda: read_idx(path, 3 if "images" in source.name else 1, md5))


@kind(1)
def data_sets(chance: random.Random, samples: Samples, work: Path) -> Case:
    copy = work / "data"
    shutil.copytree(samples / "data", copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    path = chance.choice(files)
    _put(chance, path, mutations.of_bytes(chance, path.read_bytes()))
    name = chance.choice(("mnist", "nsl-kdd", "fashion-mnist"))
    words = ["train", str(samples / "recipe.toml"), "--set", f"dataset.name={name}", "--data-dir", str(copy)]
    return Case([*words, "--out", str(work / "run")])


@kind(0.7)
def connections(chance: random.Random, samples: Samples, work: Path) -> Case:
    from barkhausen.data.nsl_kdd import parse_connections

    line = ["0", "tcp", "http", "SF", *["0.5"] * 37, "normal", "21"]
    content = mutations.of_table(chance, [list(line) for _ in range(4)], ",")
    return Case(call=lambda: parse_connections(content, "file"))


@kind(0.5)
def simulation_checkpoint(chance: random.Random, samples: Samples, work: Path) -> Case:
    import torch

    from barkhausen.micromagnetics.checkpoints import Checkpoint

    plan = {"seed": 1, "replicas": 2}
    keep = Checkpoint(work / "keep", plan)
    keep.finish(0, {"a": torch.zeros(3), "b": torch.ones(2, 2, dtype=torch.float64)})
    path = chance.choice(sorted((work / "keep").iterdir()))
    path.write_bytes(_file(chance, path))
    return Case(call=lambda: Checkpoint(work / "keep", plan).finished(0))


@kind(0.5)
def paths(chance: random.Random, samples: Samples, work: Path) -> Case:
    """Odd names of files and odd places for outputs."""
    odd = os.fsdecode(b"\xff\xfeodd") if chance.random() < 0.3 else chance.choice(
        ("a b", "ünïcödé", "-", "x" * 300, "a\nb", "a\tb", "\u202e", "a'b\"c", "$HOME", "*", "~", ".", "..", "")
    )  # fmt: skip
    recipe = work / odd if odd not in ("", ".", "..") and len(odd) < 255 else work
    if recipe != work:
        shutil.copy(samples / "recipe.toml", recipe)
    out = chance.choice((str(work / odd / "out"), "/dev/null", "/dev/full", "/proc/x", str(recipe), str(work / "loop")))
    (work / "loop").symlink_to(work / "loop")
    words = [
        ["train", str(recipe), "--out", out],
        ["devices", "gaussian-3", "--out", out],
        ["devices", "racetrack-5", "--toml", out],
        ["devices", str(work / f"{odd}.nc")],
        ["report", str(samples / "run"), "--out", out],
        ["table", str(samples / "sweep"), "--format", "csv", "--out", out],
        ["export", str(samples / "run"), "--to", "npz", "--out", out],
        ["sweep", str(samples / "sweep.toml"), "--out", out],
        ["design", str(samples / "design.toml"), "--out", out],
    ]
    return Case(chance.choices(words, (2, 2, 2, 2, 0.3, 2, 2, 1, 1))[0])


@kind(0.7)
def full_disk(chance: random.Random, samples: Samples, work: Path) -> Case:
    shutil.copytree(samples / "sweep", work / "sweep")
    words = [
        f"devices racetrack-3 --out {work / 'out.nc'}",
        f"devices racetrack-3 --toml {work / 'out.toml'}",
        f"import-device {samples / 'measured.csv'} --parameters {samples / 'device.toml'} --out {work / 'out.nc'}",
        *(f"export {samples / 'run'} --to {form} --out {work / 'out'}" for form in ("npz", "csv", "safetensors")),
        f"report {samples / 'run'} --out {work / 'report.html'}",
        f"table {samples / 'sweep'} --out {work / 'table.parquet'}",
        f"table {samples / 'sweep'} --format csv --out {work / 'table.csv'}",
        f"train {samples / 'recipe.toml'} --out {work / 'run'}",
        f"train {samples / 'recipe.toml'} --set device.preset=racetrack --out {work / 'run'}",
        f"sweep {samples / 'sweep.toml'} --out {work / 'sweep'}",
        f"sweep {samples / 'sweep.toml'} --out {work / 'new'}",
        f"design {samples / 'design.toml'} --out {work / 'design'}",
        f"characterize {samples / 'device.toml'} --out {work / 'out.nc'}",
        f"export-mumax3 {samples / 'device.toml'} --out {work / 'out.mx3'}",
        f"infer {samples / 'run'} --out {work / 'chip.json'} --report {work / 'chip.html'}",
    ]
    return Case(chance.choice(words).split(" "), file_size=int(10 ** chance.uniform(0, 5.5)))


@kind(0.5)
def words(chance: random.Random, samples: Samples, work: Path) -> Case:
    """Command lines with words missing, repeated or out of place."""
    line = chance.choice(
        (
            f"train {samples / 'recipe.toml'} --out {work / 'run'} --set states=3",
            f"devices gaussian-{chance.choice((0, 1, 2, 3, 256, 257, 9999, -1))}",
            f"import-device {samples / 'measured.csv'} --out {work / 'out.nc'} --conductance-range 1e-6 2e-6",
            f"table {samples / 'sweep'} --where states=3 --format csv",
            f"export {samples / 'run'} --to npz --out {work / 'out.npz'} --chip 1",
            f"infer {samples / 'run'} --inferences 1e9 --fine-tune 1",
            f"export-mumax3 {samples / 'device.toml'} --out {work / 'out.mx3'} --state 1 --device 1 --cycle 0",
            f"reproduce nothing --seeds 2 --out {work / 'out'}",
            f"recipes mnist-in-situ --out {work / 'out'}",
            "recipes --help",
        )
    ).split(" ")
    for _ in range(chance.choice((0, 1, 1, 2))):
        place = chance.randrange(1, len(line))
        match chance.randrange(4):
            case 0:
                del line[place]
            case 1:
                line.insert(place, line[chance.randrange(len(line))])
            case 2:
                line[place] = str(chance.choice(mutations.VALUES)).replace("\0", "")
            case 3:
                chance.shuffle(line[1:])
        if len(line) < 2:
            break
    return Case(line)
