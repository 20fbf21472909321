"""Networks left alone: walls leave as their rates say, and refreshing costs what is read and programmed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, gaussian_device, write_device
from barkhausen.experiment.jobs import JOBS, Order
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.retention import load_settings, retention_of
from barkhausen.experiment.retention.refresh import verify
from barkhausen.experiment.run import Run
from barkhausen.learning import convert, synapse_layers
from barkhausen.report.retention.groups import duration, groups_of
from barkhausen.report.retention.page import write_retention_report
from machines import as_kept

pytestmark = pytest.mark.usefixtures("one_thread")

HEAT = BOLTZMANN * 300.0
MACHINE = Path(__file__).parents[2] / "old_versions" / "0.1.0" / "machine.json"
SHORT = ["times=[1.0, 100.0]", "temperatures=[300]", "draws=2", "cycles=2"]


def device(rate: float, *, error: float | None = None, devices: int = 3) -> CharacterisedDevice:
    """Three states in narrow distributions, each left at this rate at 300 K."""
    generator = np.random.default_rng(0)
    positions = 512e-9 * (np.array([0.2, 0.5, 0.8])[:, None, None] + 1e-3 * generator.standard_normal((3, devices, 4)))
    both, shape = ("state", "device"), (3, devices)
    barrier = np.full(shape, HEAT * math.log(1e9 / rate))
    variables = {
        "barrier": (both, barrier, {"method": "measured"}),
        "attempt_frequency": (both, np.full(shape, 1e9)),
        "escape_direction": (both, np.array([[1.0], [1.0], [-1.0]]) * np.ones(shape)),
    }
    if error is not None:
        variables["barrier_error"] = (both, error * barrier)
    more = xr.Dataset(variables, attrs={"temperature": 300.0})
    return domain_wall_device(positions, DeviceParameters(), source="measured", extras=[more])


def trained(where: Path, of: CharacterisedDevice, **changes: Any) -> Path:
    file = where / "device.nc"
    where.mkdir(parents=True, exist_ok=True)
    write_device(of, file)
    values: dict[str, Any] = {
        "dataset": {"name": "digits"},
        "network": {"hidden": [48]},
        "batch_size": 20,
        "epochs": 5,
        "transfer": {"chips": 1},
        "threads": 1,
        "device": {"file": str(file)},
    }
    Run(recipe_from(values | changes, "test"), where / "run").execute()
    return where / "run"


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("fragile"), device(1e-3, error=0.05))


def test_walls_leave_as_their_rate_says_and_accuracy_falls(fragile: Path) -> None:
    found = retention_of(fragile, load_settings([*SHORT, "refresh=false"]), progress=False)
    assert not found.transferred
    synapses = found.synapses * len(found.fresh)
    for seconds in (1.0, 100.0):
        row = found.at(300.0, seconds)
        moved = float(np.mean([draw.moved for draw in row.draws]))
        expected = -math.expm1(-1e-3 * seconds)
        assert moved == pytest.approx(expected, abs=5 * math.sqrt(expected / synapses))
    # Nothing leaves the track here: the outer states are left inwards.
    assert all(draw.lost == 0 for row in found.conditions for draw in row.draws)
    assert found.at(300.0, 315_576_000.0).accuracy < found.accuracy - 0.3
    # Five per cent of a barrier of 27.6 kT, 1.96 times, is a factor of 15 in time.
    low, high = (found.at(300.0, 100.0, end).draws[0].moved for end in ("low", "high"))
    assert high < found.at(300.0, 100.0).draws[0].moved < low


def test_a_refresh_is_billed_for_reads_and_for_what_it_reprograms(fragile: Path) -> None:
    # The digits have 360 test images, so that one of them is the smallest loss.
    found = retention_of(fragile, load_settings([*SHORT, "network=transferred", "tolerance=0.02"]), progress=False)
    summary = found.summary()
    (row,) = summary["refresh"]
    assert row["needed"]
    period, of = row["period"], device(1e-3)
    share = -math.expm1(-1e-3 * period)
    # Some twenty devices leave their state: where sums are rounded otherwise, other ones, within four standard errors.
    bound = 0.35 * share if as_kept(MACHINE) else 4 * math.sqrt(share / found.synapses)
    assert row["reprogrammed"] == pytest.approx(share, abs=bound)
    energy = row["energy_joule"]
    read = of.energy("read")
    assert found.synapses * read.min() < energy["verify"]["check"] < found.synapses * read.max()
    # All pulses are alike: their energy counts the attempts, of which there are about one each.
    attempts = energy["verify"]["sot"] / of.energy("sot")[0]
    assert attempts == pytest.approx(row["reprogrammed"] * found.synapses, rel=0.05)
    assert energy["rewrite"]["sot"] / of.energy("sot")[0] == pytest.approx(found.synapses, rel=0.05)
    assert energy["rewrite"]["check"] == 0
    assert energy["on-failure"]["check"] > energy["verify"]["check"]
    for policy, power in row["power_watt"].items():
        assert power == pytest.approx(sum(energy[policy].values()) / period)
    # Just before a refresh the loss is within the tolerance, and a network left alone for long is not.
    assert row["loss"] <= 0.02
    assert found.at(300.0, 315_576_000.0).accuracy < found.accuracy - 0.3


def test_verifying_restores_the_states_of_the_latent_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    model = convert(torch.nn.Linear(40, 50), device(1e-3), 0.2, generator=generator)
    (layer,) = (layer for _, layer in synapse_layers(model))
    wanted = layer.quantiser.state(layer.latent_weight)
    layer.synapses.program(torch.zeros_like(wanted), generator=generator)
    joule, outside, devices = verify(model, generator)
    assert torch.equal(layer.synapses.state.long(), wanted)
    assert devices == 2000
    assert outside == int((wanted != 0).sum())
    assert joule == pytest.approx(2000 * device(1e-3).energy("read")[0])
    assert verify(model, generator)[1] == 0


def test_a_device_that_holds_needs_no_refresh(tmp_path: Path) -> None:
    run = trained(tmp_path, device(1e-30), epochs=1)
    found = retention_of(run, load_settings(SHORT), progress=False)
    assert all(draw.moved == 0 for row in found.conditions if row.temperature == 300.0 for draw in row.draws)
    (row,) = found.summary()["refresh"]
    assert not row["needed"]
    assert row["power_watt"] == {"verify": 0.0, "rewrite": 0.0, "on-failure": 0.0}


def test_the_job_gives_a_row_a_file_and_a_page(fragile: Path, tmp_path: Path) -> None:
    values = {"threads": 1, "retention": {"times": [1.0], "temperatures": [300.0], "draws": 2, "refresh": False}}
    order = Order(values, {}, None, 1, tmp_path / "task", tmp_path, needed=fragile)
    order.directory.mkdir()
    result = JOBS["retention"].work(order)
    assert set(result.row) <= set(JOBS["retention"].names) | {"states"}
    assert len(result.chips) == 2
    assert result.row["loss_points"] == pytest.approx(100 * (result.row["fresh_accuracy"] - result.row["accuracy"]))
    summary = json.loads((tmp_path / result.row["retention_file"]).read_text())
    other = {**summary, "seed": 1, "network": "transferred"}
    write_retention_report([summary, {**summary, "seed": 1}, other], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    first, second = groups_of([summary, {**summary, "seed": 1}, other])
    assert (len(first.runs), len(second.runs)) == (2, 1)
    assert "in-situ, trained chip" in page
    assert f"{100 * first.fresh.mean:.2f}" in page
    assert "No refresh is needed" not in page
    with pytest.raises(InputError, match="lacks mode"):
        write_retention_report([{}], tmp_path / "none.html")


def test_impossible_analyses_are_refused(fragile: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="temperatures"):
        load_settings(["temperatures=[0.0]"])
    with pytest.raises(InputError, match="unknown key 'draw'"):
        load_settings(["draw=3"])
    with pytest.raises(InputError, match="not a finished run"):
        retention_of(tmp_path, progress=False)
    ex_situ = trained(tmp_path / "ex", device(1e-3), mode="ex-situ", epochs=1)
    with pytest.raises(InputError, match="trains no devices"):
        retention_of(ex_situ, load_settings(["network=trained"]), progress=False)
    textbook = trained(tmp_path / "gauss", gaussian_device(3, 0.1), epochs=1)
    with pytest.raises(InputError, match="no 'barrier'"):
        retention_of(textbook, progress=False)
    plain = tmp_path / "float"
    Run(recipe_from({"mode": "float", "dataset": {"name": "digits"}, "epochs": 1}, "test"), plain).execute()
    with pytest.raises(InputError, match="no devices"):
        retention_of(plain, progress=False)


def test_times_in_words() -> None:
    assert [duration(s).replace("\N{NO-BREAK SPACE}", " ") for s in (1e-8, 4.4e-5, 90.0, 86_400.0, 3.15576e8)] == [
        "10 ns",
        "44 µs",
        "1.5 min",
        "1 d",
        "10 y",
    ]
    assert duration(math.inf) == duration(1e300) == "> 10⁶ y"
