from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import forked
from barkhausen.cli.app import main
from barkhausen.device import gaussian_device, preset_names, read_device, write_device
from barkhausen.version import __version__

QUICK = """
states = 3
epochs = 1
[dataset]
name = "digits"
[network]
hidden = [32, 16]
[device]
preset = "gaussian"
[transfer]
chips = 2
"""
LONG_ENOUGH = 600.0
"""Seconds after which something hangs; never waited for otherwise."""

MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass
class Result:
    code: int
    out: str
    err: str

    def is_one_line_about(self, culprit: str) -> None:
        """Exit code 2, nothing on stdout, and on stderr one line that matches."""
        assert (self.code, self.out) == (2, ""), self.err
        assert "Traceback" not in self.err
        assert self.err.endswith("\n")
        assert len(self.err.splitlines()) == 1, self.err
        assert re.search(f"^barkhausen: .*{culprit}", self.err), self.err


Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line within this process; what libraries write to the file descriptors is seen as well."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["barkhausen", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Result(int(stop.value.code or 0), *capfd.readouterr())

    return run


def process(*arguments: object, first: str = "") -> Result:
    """A process of its own, which executes the statements ``first`` before anything else."""
    done = forked.run(*arguments, first=first, timeout=LONG_ENOUGH)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(QUICK)
    return path


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["trian"], "trian"),
        (["--verbose"], "--verbose"),
        (["train"], "recipe"),
        (["train", "recipe.toml"], "Missing option '--out'"),
        (["train", "recipe.toml", "--out", "run", "--sett", "states=3"], "--sett"),
        (["train", "recipe.toml", "--out"], "--out"),
        (["train", "recipe.toml", "other.toml", "--out", "run"], r"other\.toml"),
        (["reproduce", "--seeds", "0"], "--seeds"),
        (["reproduce", "--seeds", "many"], "--seeds"),
        (["import-device", "measured.csv", "--out", "device.nc", "--conductance-range", "1e-3"], "--conductance-range"),
        (
            ["import-device", "measured.csv", "--out", "device.nc", "--conductance-range", "1", "x"],
            "--conductance-range",
        ),
        (
            ["export", "run", "--to", "tiff", "--out", "x"],
            r"Invalid value for '--to' / '--format': 'tiff' is not one of",
        ),
        (["devices", "--out", "device.nc"], "--out needs the name of one device"),
        (["devices", "gausian-3"], "no device preset 'gausian-3'; known: racetrack-2"),
        (["devices", "gaussian-1"], "states = 1: a synapse needs 2 to 256 states"),
        (["devices", "nowhere.nc"], r"nowhere\.nc: no such device file"),
        (["report"], "RUN"),
        (["report", "nowhere"], "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_command_line_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], culprit: str
) -> None:
    monkeypatch.chdir(tmp_path)
    command(*arguments).is_one_line_about(culprit)
    assert not list(tmp_path.iterdir())


def test_command_is_a_process_that_fails_in_one_line() -> None:
    done = subprocess.run([sys.executable, "-m", "barkhausen", "trian"], capture_output=True, text=True, check=False)
    Result(done.returncode, done.stdout, done.stderr).is_one_line_about("No such command 'trian'")


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("states = ,", r"recipe\.toml: is not valid TOML: .*line 1"),
        ("stats = 3", r"recipe\.toml: unknown key 'stats'; did you mean 'states'\?"),
        ("states = 'three'", r"recipe\.toml: states = 'three': input should be a valid integer"),
        ("[device]\nsigma = -0.1", r"recipe\.toml: device\.sigma = -0\.1"),
        ("states = 1", r"recipe\.toml: states = 1"),
        ("[dataset]\nname = 'mnits'", r"dataset.name = 'mnits': no such data set; did you mean 'mnist'\?"),
        ("[device]\nfile = 'nowhere.nc'", r"nowhere\.nc: no such device file"),
        ("[dataset]\nname = 'digits'\nvalidation_samples = 1437", r"validation samples = 1437: must be from 1 to 1436"),
    ],
)
def test_wrong_recipe_is_one_line(command: Command, tmp_path: Path, text: str, culprit: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    command("train", tmp_path / "recipe.toml", "--out", tmp_path / "run").is_one_line_about(culprit)
    assert not (tmp_path / "run").exists()


def test_missing_recipe_is_one_line(command: Command, tmp_path: Path) -> None:
    culprit = r"nowhere\.toml: no such file"
    command("train", tmp_path / "nowhere.toml", "--out", tmp_path / "run").is_one_line_about(culprit)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("setting", "culprit"),
    [
        ("states", r"--set states: must be key=value"),
        ("device.sigma=-1", r"--set device\.sigma=-1: device\.sigma = -1"),
        ("states.x=1", r"--set states\.x=1: 'states' is not a table"),
    ],
)
def test_wrong_setting_is_one_line(command: Command, tmp_path: Path, recipe: Path, setting: str, culprit: str) -> None:
    command("train", recipe, "--set", setting, "--out", tmp_path / "run").is_one_line_about(culprit)
    assert not (tmp_path / "run").exists()


def other_version(path: Path) -> None:
    gaussian_device(3).data.assign_attrs(format_version=3).to_netcdf(path, engine="h5netcdf")


def one_state(path: Path) -> None:
    gaussian_device(3).data.isel(state=[0]).to_netcdf(path, engine="h5netcdf")


def cut_off(path: Path) -> None:
    write_device(gaussian_device(3), path)
    path.write_bytes(path.read_bytes()[:-100])


def damaged_inside(path: Path) -> None:
    write_device(gaussian_device(3), path)
    content = bytearray(path.read_bytes())
    content[48:1200] = bytes(byte ^ 0x55 for byte in content[48:1200])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (other_version, "device file format 3: this version of barkhausen reads "),
        (one_state, r"the device has 1 state\(s\)"),
        (cut_off, "is not a readable NetCDF device file"),
        (damaged_inside, "is not a readable NetCDF device file"),
        (Path.touch, "is not a readable NetCDF device file"),
        (Path.mkdir, "is a directory, not a file"),
    ],
)
def test_wrong_device_file_is_one_line_wherever_it_is_named(
    command: Command, tmp_path: Path, recipe: Path, make: Callable[[Path], None], culprit: str
) -> None:
    path = tmp_path / "device.nc"
    make(path)
    culprit = rf"device\.nc: {culprit}"
    command("devices", path).is_one_line_about(culprit)
    run = ("train", recipe, "--set", f"device.file={path}", "--out", tmp_path / "run")
    command(*run).is_one_line_about(culprit)
    assert not (tmp_path / "run").exists()


def idx(code: int, *shape: int) -> bytes:
    header = bytes((0, 0, code, len(shape))) + np.array(shape, dtype=">u4").tobytes()
    return header + bytes(int(np.prod(shape)))


def published(root: Path) -> Path:
    """A tree of the right shape; only the checksums are wrong."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in MNIST:
        shape = (10, 28, 28) if "images" in name else (10,)
        (raw / f"{name}.gz").write_bytes(gzip.compress(idx(0x08, *shape), mtime=0))
    return raw


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b"not gzip", "damaged gzip"),
        (gzip.compress(idx(0x08, 10, 28, 28))[:-20], "truncated"),
        (gzip.compress(idx(0x08, 10, 28, 28)[:-1]), "declares 10 by 28 by 28 = 7840 elements, but 7839 follow"),
        (gzip.compress(idx(0x0D, 10, 28, 28)), "magic number 0x00000d03"),
        (gzip.compress(idx(0x08, 10, 28, 28)), "wrong checksum"),
        (b"", ""),
    ],
    ids=["not gzip", "cut off", "short", "magic", "checksum", "empty"],
)
def test_corrupt_idx_file_is_one_line(
    command: Command, tmp_path: Path, recipe: Path, content: bytes, culprit: str
) -> None:
    raw = published(tmp_path / "data")
    (raw / f"{MNIST[0]}.gz").write_bytes(content)
    run = ("train", recipe, "--set", "dataset.name=mnist", "--data-dir", tmp_path / "data", "--out", tmp_path / "run")
    command(*run).is_one_line_about(rf"train-images-idx3-ubyte\.gz.*{culprit}")
    assert not (tmp_path / "run").exists()


def test_corrupt_idx_file_is_one_line_for_the_main_job_and_never_replaced_by_digits(
    command: Command, tmp_path: Path
) -> None:
    raw = published(tmp_path / "data")
    (raw / f"{MNIST[0]}.gz").write_bytes(b"not gzip")
    done = command("reproduce", "--quick", "--data-dir", tmp_path / "data", "--out", tmp_path / "out")
    done.is_one_line_about(r"train-images-idx3-ubyte\.gz: damaged gzip")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["root", "file"])
def test_data_directory_that_lacks_the_data_is_one_line(
    command: Command, tmp_path: Path, recipe: Path, missing: str
) -> None:
    if missing == "file":
        (published(tmp_path / "data") / f"{MNIST[1]}.gz").unlink()
    run = ("train", recipe, "--set", "dataset.name=mnist", "--data-dir", tmp_path / "data", "--out", tmp_path / "run")
    culprit = r"train-labels-idx1-ubyte\.gz: No such file" if missing == "file" else r"/data: No such file"
    command(*run).is_one_line_about(f"{culprit}.*--data-dir must name a directory")


@pytest.mark.parametrize("place", ["file", "file/run", "thesis", "null/run"])
def test_output_directory_that_cannot_be_is_one_line(
    command: Command, tmp_path: Path, recipe: Path, place: str
) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("precious")
    (tmp_path / "null").symlink_to(os.devnull)
    run = tmp_path / place
    for more in ((), ("--overwrite",)):
        command("train", recipe, "--out", run, *more).is_one_line_about(re.escape(str(run)))
    assert (tmp_path / "file").read_text() == (tmp_path / "thesis" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("place", ["directory", "file/device.nc", "null/device.nc"])
def test_device_file_that_cannot_be_written_is_one_line(command: Command, tmp_path: Path, place: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("precious")
    (tmp_path / "null").symlink_to(os.devnull)
    culprit = re.escape(f"{tmp_path / place}: cannot be written")
    command("devices", "gaussian-2", "--out", tmp_path / place).is_one_line_about(culprit)


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
@pytest.mark.parametrize(("size", "file"), [(4000, r"checkpoint\.safetensors"), (100, r"device\.nc")])
def test_disk_that_fills_up_is_one_line(tmp_path: Path, recipe: Path, size: int, file: str) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    )
    run: tuple[object, ...] = ("train", recipe, "--out", tmp_path / "run")
    if "device" in file:
        run = ("devices", "gaussian-3", "--out", tmp_path / "device.nc")
    process(*run, first=limit).is_one_line_about(rf"{file}: cannot be written \(.*File too large")
    assert {path.name for path in tmp_path.glob("**/.*")} <= {".lock"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if getattr(os, "geteuid", lambda: 1)() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(small_disk: Path, recipe: Path) -> None:
    ballast, run = small_disk / "ballast", ("train", recipe, "--out", small_disk / "run")
    ballast.write_bytes(bytes(1000 * 1024))
    process(*run).is_one_line_about(r"run/checkpoint\.safetensors: cannot be written \(.*No space left on device")
    with contextlib.suppress(OSError):
        ballast.write_bytes(bytes(1024 * 1024))
    process("devices", "gaussian-3", "--out", small_disk / "device.nc").is_one_line_about(
        r"device\.nc: cannot be written \(No space left on device\)"
    )
    assert {path.name for path in small_disk.glob("**/.*")} <= {".lock"}
    assert not (small_disk / "device.nc").exists()
    ballast.unlink()
    done = process(*run)
    assert (done.code, done.err) == (0, "")
    assert (small_disk / "run" / "summary.json").exists()


def test_directory_of_another_recipe_is_one_line_with_the_key(command: Command, tmp_path: Path, recipe: Path) -> None:
    first = command("train", recipe, "--out", tmp_path / "run")
    assert (first.code, first.err) == (0, "")
    before = (tmp_path / "run" / "summary.json").read_bytes()
    other = command("train", recipe, "--set", "seed=1", "--out", tmp_path / "run")
    other.is_one_line_about(r"/run: holds a run with seed = 0, this one has 1")
    assert (tmp_path / "run" / "summary.json").read_bytes() == before
    again = command("train", recipe, "--out", tmp_path / "run")
    assert (again.code, again.err) == (0, "")
    assert (tmp_path / "run" / "summary.json").read_bytes() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_accelerator_that_is_not_there_is_one_line(command: Command, tmp_path: Path, recipe: Path) -> None:
    run = ("train", recipe, "--set", "accelerator=cuda", "--out", tmp_path / "run")
    command(*run).is_one_line_about("accelerator = 'cuda': torch finds no CUDA device here")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("state,device,cycle\na,A,1\n", r"measured\.csv: line 1: the header must be"),
        ("state,device,cycle,position_m\na,A,1,far\n", r"measured\.csv: line 2: 'far' is not a number"),
        ("state,device,cycle,position_m\na,A,1,1e-7\n", r"measured\.csv: the device has 1 state\(s\)"),
    ],
)
def test_wrong_measured_table_is_one_line(command: Command, tmp_path: Path, text: str, culprit: str) -> None:
    (tmp_path / "measured.csv").write_text(text)
    command("import-device", tmp_path / "measured.csv", "--out", tmp_path / "device.nc").is_one_line_about(culprit)
    assert not (tmp_path / "device.nc").exists()


def test_wrong_parameter_file_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "measured.csv").write_text("state,device,cycle,position_m\na,A,1,1e-7\nb,A,1,2e-7\n")
    (tmp_path / "track.toml").write_text("[track]\nlenght = 1e-6\n")
    run = ("import-device", tmp_path / "measured.csv", "--parameters", tmp_path / "track.toml")
    command(*run, "--out", tmp_path / "device.nc").is_one_line_about(
        r"track\.toml: unknown key 'track\.lenght'; did you mean 'track\.length'\?"
    )


@pytest.mark.parametrize("name", ["", "train", "reproduce", "report", "devices", "import-device", "backends"])
def test_help_is_no_error(command: Command, name: str) -> None:
    done = command(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert "Usage" in done.out


def test_nothing_to_do_shows_the_help_and_is_an_error(command: Command) -> None:
    done = command()
    assert (done.code, done.err) == (2, "")
    assert "Usage" in done.out


@pytest.mark.parametrize("spelling", ["version", "--version"])
def test_version_is_printed(command: Command, spelling: str) -> None:
    assert command(spelling) == Result(0, f"{__version__}\n", "")


def test_presets_are_listed(command: Command) -> None:
    done = command("devices")
    assert (done.code, done.err) == (0, "")
    for name in preset_names():
        assert name in done.out


def test_device_is_written_and_shown(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "device.nc"
    written = command("devices", "gaussian-3", "--out", path)
    assert (written.code, written.err) == (0, "")
    assert read_device(path).data.identical(gaussian_device(3).data)
    shown = command("devices", path)
    assert (shown.code, shown.err) == (0, "")
    assert "source: gaussian" in shown.out
    # Levels, gate voltages, and SOT energy in fJ.
    for figure in ("-1.000", "+0.000", "+1.000", "-0.5", "+0.5", "6.554"):
        assert figure in shown.out
    assert shown.out == command("devices", "gaussian-3").out


def test_measured_table_becomes_a_device_file_that_trains(command: Command, tmp_path: Path, recipe: Path) -> None:
    rows = [f"{s},{d},{c},{1e-3 * (1 + s) + 1e-5 * d + 1e-6 * c}" for s in range(3) for d in range(4) for c in range(3)]
    (tmp_path / "measured.csv").write_text("state,device,cycle,conductance_s\n" + "\n".join(rows))
    (tmp_path / "track.toml").write_text("[track]\nlength = 1e-6\n")
    path = tmp_path / "device.nc"
    done = command(
        *("import-device", tmp_path / "measured.csv", "--out", path),
        *("--parameters", tmp_path / "track.toml", "--conductance-range", "1e-3", "5e-3"),
    )
    assert (done.code, done.err) == (0, "")
    assert "source: measured" in done.out
    position = float(read_device(path).data["state_value"][1, 2, 1])
    assert position / 1e-6 == pytest.approx((1e-3 + 2e-5 + 1e-6) / 4e-3)
    trained = command("train", recipe, "--set", f"device.file={path}", "--out", tmp_path / "run")
    assert (trained.code, trained.err) == (0, "")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["device"]["source"] == "measured"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_interrupted_run_says_so_and_the_same_command_goes_on(tmp_path: Path, recipe: Path) -> None:
    epochs, run = 20, tmp_path / "run"
    arguments = ("train", recipe, "--set", f"epochs={epochs}", "--out", run)
    # A job in the background of a shell ignores Ctrl-C unless told otherwise. Every file takes a moment to write, so
    # that the run is still going when the signal arrives, however busy the machine is.
    prepared = (
        "import pathlib, signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "write = pathlib.Path.replace; "
        "pathlib.Path.replace = lambda *names: (write(*names), time.sleep(0.5))[0]"
    )
    started = forked.start(*arguments, first=prepared)
    limit = time.monotonic() + LONG_ENOUGH
    while not (run / "state.json").exists() and started.poll() is None and time.monotonic() < limit:
        time.sleep(0.002)
    started.send_signal(signal.SIGINT)
    interrupted = started.result(LONG_ENOUGH)
    err = interrupted.stderr
    assert (interrupted.returncode, interrupted.stdout) == (130, ""), err
    assert "Traceback" not in err
    assert [text for text in err.splitlines() if text] == [
        "interrupted; the same command resumes from what is complete"
    ]
    before = (run / "metrics.jsonl").read_text().splitlines()
    assert 1 <= len(before) < epochs
    assert not (run / "summary.json").exists()
    done = process(*arguments)
    assert (done.code, done.err) == (0, "")
    after = (run / "metrics.jsonl").read_text().splitlines()
    assert len(after) == epochs
    # Wall times are among the metrics: lines that are the same were not computed again.
    epoch = max(1, len(before) - 1)
    assert after[:epoch] == before[:epoch]
    assert json.loads((run / "summary.json").read_text())["epochs"] == epochs
