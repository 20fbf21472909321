"""The commands that import devices: options reach the calls, and wrong ones end in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from barkhausen.cli.app import main
from barkhausen.device import read_device

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


def test_options_of_a_table_reach_the_import(command: Command, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("Zustand;Bauteil;Zyklus;Ort\nA;1;1;80,5\nA;1;2;-\nB;1;1;160\n", encoding="utf-8")
    options = ("--columns", "state=Zustand,device=Bauteil,cycle=Zyklus,position=Ort", "--unit", "nm")
    code, out, err = command("import-device", "own.csv", *options, "--set", "track.length=320e-9", "--out", "d.nc")
    assert (code, err) == (0, "")
    assert "1 of 3 values are missing (A: 1)" in out
    assert "read as: columns separated by semicolons, decimal commas, positions in nm" in out
    device = read_device(tmp_path / "d.nc")
    assert device.moments[0] == pytest.approx([80.5e-9, 160e-9])
    assert device.state_range == (0.0, 320e-9)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--columns", "state"), "--columns state: must be state=…,device=…,cycle=…,position=…, got 'state'"),
        (("--columns", "state=a,state=b"), "'state' is given twice"),
        (("--unit", "kg"), "unit: 'kg' is no unit of this column"),
        (
            ("--set", "track.length=320"),
            "--set track.length=320: track.length = 320 m is no track length; 320e-9 (320 nm)?",
        ),
        (("--set", "track.lenght=320e-9"), "did you mean 'track.length'?"),
        (("--sheet", "A"), "this is no Excel workbook"),
        (("--technology", "resistive"), "the header must be state,device,cycle and one of conductance_s"),
    ],
)
def test_wrong_options_of_a_table_are_one_line(
    command: Command, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    (tmp_path / "own.csv").write_text("state,device,cycle,position_nm\nA,1,1,80\nB,1,1,160\n", encoding="utf-8")
    code, out, err = command("import-device", "own.csv", *options, "--out", "d.nc")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert line in err
    assert not (tmp_path / "d.nc").exists()


def table(path: Path, mz: float, x: float) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"# t (s)\tmz ()\tx (m)\n0\t0.9\t0\n5e-10\t{mz}\t{x}\n1e-9\t{mz}\t{x}\n", encoding="utf-8")


def test_options_of_mumax3_tables_reach_the_import(command: Command, tmp_path: Path) -> None:
    for state, mz, x in (("a", -0.45, -80e-9), ("b", 0.45, 40e-9)):
        table(tmp_path / "runs" / f"{state}.out" / "table.txt", mz, x)
    given = ("import-mumax3", "runs", "--out", "d.nc", "--pattern", "{state}.out/table.txt")
    length = ("--set", "track.length=320e-9")
    assert "track.length is needed" in command(*given)[2]
    for options, means in (
        ((), [88e-9, 232e-9]),
        (("--domain-mz", "0.9"), [80e-9, 240e-9]),
        (("--left", "-1", "--domain-mz", "0.9", "--average", "4e-10"), [80e-9, 240e-9]),
        (("--column", "x", "--offset", "160e-9"), [80e-9, 200e-9]),
    ):
        code, out, err = command(*given, *length, *options)
        assert (code, err) == (0, "")
        assert "source: simulated" in out
        assert read_device(tmp_path / "d.nc").moments[0] == pytest.approx(means)
    files = sorted((tmp_path / "runs").rglob("table.txt"))
    assert command("import-mumax3", *files, *given[2:], *length)[0] == 0


def test_options_of_a_mumax3_script_reach_it(command: Command, tmp_path: Path) -> None:
    (tmp_path / "track.toml").write_text("[characterisation]\ndevices = 2\ncycles = 1\ncell = 8e-9\n", encoding="utf-8")
    options = ("--every", "1e-11", "--dt", "1e-14", "--snapshots-every", "1e-10", "--edge-smooth", "4")
    code, _, err = command("export-mumax3", "track.toml", *options, "--device", "1", "--out", "event.mx3")
    assert (code, err) == (0, "")
    script = (tmp_path / "event.mx3").read_text(encoding="utf-8")
    for line in ("FixDt = 1e-14", "EdgeSmooth = 4", "TableAutoSave(1e-11)", "AutoSave(m, 1e-10)"):
        assert line.replace(" ", "").lower() in script.replace(" ", "").lower(), line
