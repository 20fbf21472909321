"""Commands about devices moved by pulses: import, export, show, characterise, and files of the wrong kind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from barkhausen.cli.app import main
from barkhausen.device import PulsedDevice, read_pulsed_device, write_device
from barkhausen.device.pulses.exchange import curve_files

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command line within this process and an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["barkhausen", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return (int(stop.value.code or 0), *capfd.readouterr())

    return run


def test_curves_are_imported_shown_and_exported(command: Command, tmp_path: Path) -> None:
    device = PulsedDevice.soft_bounds(0.1, cycle_sd=0.2, scale_sd=(0.1, 0.1))
    Path("curves.csv").write_text(curve_files(device, devices=6, cycles=2)["curves.csv"])
    code, out, err = command("import-pulses", "curves.csv", "--out", "d.nc", "--law", "soft-bounds")
    assert (code, err) == (0, "")
    assert "law of the step         affine" in out
    assert read_pulsed_device("d.nc").states == pytest.approx(20, rel=0.1)
    code, out, _ = command("devices", "d.nc", "--figure", "d.png")
    assert code == 0
    assert Path("d.png").stat().st_size > 5000
    code, out, _ = command("export-device", "d.nc", "--to", "aihwkit", "--out", "kit")
    assert code == 0
    assert json.loads(Path("kit/aihwkit.json").read_text())["class"] == "SoftBoundsDevice"
    code, out, _ = command("export-device", "exponential-3", "--to", "crosssim", "--out", "luts")
    assert code == 0
    assert sorted(path.name for path in Path("luts").iterdir()) == ["dG_decreasing.txt", "dG_increasing.txt"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("compare", "p.nc", "racetrack-3"), "p.nc: is a device moved by pulses (kind = 'pulses'), but a device that"),
        (("devices", "p.nc", "--report", "x.pdf"), "--report x.pdf: must be a file that ends in .html or a directory"),
        (("export-device", "racetrack-3", "--to", "csv", "--out", "x"), "no device moved by pulses 'racetrack-3'"),
        (
            ("train", "mnist-in-situ", "--set", "device.file=p.nc", "--out", "r"),
            "p.nc: is a device moved by pulses (kind = 'pulses'), but a device that",
        ),
        (("characterize-pulses", "t.toml", "--out", "d.nc"), "t.toml: unknown key 'train.pulse'"),
    ],
)
def test_a_wrong_kind_is_one_line(command: Command, arguments: tuple[str, ...], line: str) -> None:
    write_device(PulsedDevice.soft_bounds(0.1), "p.nc")
    Path("t.toml").write_text("[train]\npulse = 1\n")
    code, _, err = command(*arguments)
    assert code == 2
    assert line in err
    assert err.count("\n") == 1


TRACK = """
[track]
length = 128e-9
width = 16e-9
[shape]
roughness = { rms = 0.0 }
end_stops = { length = 20e-9 }
[train]
current_density = 4e11
width = 0.1e-9
delay = 0.02e-9
settle = 0.02e-9
up = 4
down = 4
records = 1
[characterisation]
devices = 2
cycles = 1
integrator = "splitting"
"""


def test_a_track_is_characterised_once(command: Command) -> None:
    Path("t.toml").write_text(TRACK)
    code, out, err = command("characterize-pulses", "t.toml", "--out", "d.nc", "--threads", 1, "--figure", "f.png")
    assert code == 0, err
    device = read_pulsed_device("d.nc")
    assert device.source == "micromagnetics"
    assert "energy" in out
    assert Path("d.history.nc").is_file()
    assert Path("f.png").is_file()
    assert not Path("d.nc.work").exists()
    code, _, err = command("characterize-pulses", "t.toml", "--out", "d.nc", "--set", "train.up=5")
    assert code == 2
    assert "holds a device with train.up = 4, this one has 5" in err


@pytest.mark.parametrize("name", ["ellis-2023", "neuron-track", "skyrmion-3"])
def test_shipped_devices_of_every_kind_are_shown_by_name(command: Command, name: str) -> None:
    code, out, err = command("devices", name)
    assert (code, err) == (0, "") and "assumed: " in out
    assert name in command("devices")[1]
