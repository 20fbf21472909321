"""The five commands of the how-to on measured devices, as written there, on a table as a German Excel writes it."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from barkhausen.cli.app import main
from barkhausen.device import read_device

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "measured-device.md"
MEANS, DEVICES, CYCLES = (67.0, 131.0, 190.0, 252.0), 8, 4
GAPS = {(0, 1, 0): "", (2, 3, 1): "n/a", (3, 0, 2): "#NV", (1, 5, 3): "-"}


def commands() -> list[list[str]]:
    """Commands of the first block of shell commands on the page."""
    block = PAGE.read_text(encoding="utf-8").partition("```sh\n")[2].partition("```")[0]
    return [shlex.split(line) for line in block.splitlines()]


def german_table() -> tuple[bytes, np.ndarray]:
    """Table and its positions in nm, NaN where it has a gap."""
    noise = np.random.default_rng(5)
    offsets, cycles = noise.normal(0, 6, (4, DEVICES, 1)), noise.normal(0, 5, (4, DEVICES, CYCLES))
    values = np.array(MEANS)[:, None, None] + offsets + cycles
    values = np.round(values, 2)
    rows = ["state;device;cycle;Position (nm)"]
    for (state, device, cycle), value in np.ndenumerate(values):
        number = GAPS.get((state, device, cycle), f"{value:.2f}".replace(".", ","))
        rows.append(f"S{state + 1};Gerät {device + 1:02d};{cycle + 1};{number}")
    for place in GAPS:
        values[place] = np.nan
    return "\r\n".join(rows).encode("utf-8-sig"), values


def test_five_commands_lead_from_the_table_to_a_page_a_figure_and_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    table, positions = german_table()
    (tmp_path / "measured.csv").write_bytes(table)
    monkeypatch.chdir(tmp_path)
    written = commands()
    assert [command[:2] for command in written] == [
        ["barkhausen", name] for name in ("import-device", "devices", "devices", "train", "report")
    ]
    output = []
    for command in written:
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        assert not stop.value.code, err
        assert "Traceback" not in err
        output.append(out)
    assert "4 of 128 values are missing (S1: 1, S2: 1, S3: 1, S4: 1)" in output[0]
    assert "read as: columns separated by semicolons, decimal commas, positions in nm" in output[0]
    device = read_device(tmp_path / "device.nc")
    np.testing.assert_allclose(device.state_values * 1e9, positions, rtol=1e-12)
    assert (device.source, device.state_range) == ("measured", (0.0, 320e-9))
    assert "source: measured" in output[1]
    assert f"{device.moments[0][1] * 1e9:.1f}" in output[1]
    assert "<html" in (tmp_path / "device.html").read_text(encoding="utf-8")[:500]
    assert (tmp_path / "states.pdf").read_bytes().startswith(b"%PDF")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["states"] == 4
    assert summary["test_accuracy"] > 0.9
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")[:500]


@pytest.mark.parametrize("gap", GAPS.values())
def test_gaps_of_the_table_are_those_that_the_page_names(gap: str) -> None:
    assert not gap or f"`{gap}`" in PAGE.read_text(encoding="utf-8")
