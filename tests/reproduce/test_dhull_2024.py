"""The system of VGG8: its comparison of SRAM cells with devices, from the recipe of a run."""

from __future__ import annotations

from typing import Any

import pytest

from barkhausen.experiment.energy.untrained import untrained_loads
from barkhausen.experiment.recipe import recipe_from
from barkhausen.reproduce.papers.dhull_2024 import BITS, DHULL_2024, RATIOS
from barkhausen.results.published import figures_of
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.synapse.crossbar import load_chip

QUICK = {key.removeprefix("set.network."): value for key, value in DHULL_2024.quick.items() if "network" in key}


def recipe(mode: str) -> Any:
    base: dict[str, Any] = load_sweep(DHULL_2024.sweep).base
    network = {
        **base["network"],
        "hidden": QUICK["hidden"],
        "options": {"layers": QUICK["options.layers"], "bias": False},
    }
    return recipe_from({**base, "mode": mode, "network": network}, "test")


def test_loads_of_an_untrained_network_are_those_of_its_layers() -> None:
    loads = untrained_loads(recipe("in-situ"), load_chip()).loads
    assert [(load.outputs, load.inputs, load.uses) for load in loads] == [
        (16, 27, 1024),
        (16, 144, 1024),
        (32, 144, 256),
        (32, 288, 256),
        (64, 288, 64),
        (64, 576, 64),
        (128, 1024, 1),
        (10, 128, 1),
    ]
    assert loads[0].mean_square_voltage == pytest.approx(0.1 * loads[0].full_voltage ** 2)


def test_ratios_stand_beside_the_published_ones() -> None:
    from barkhausen.reproduce.papers.dhull_2024 import _ratios  # noqa: PLC0415  # private

    figures = {figure.quantity: figure for figure in figures_of("dhull-2024")}
    readings = _ratios({"recipe": recipe("ex-situ").model_dump()}, figures)
    readings, more = readings[:6], readings[6:]
    strongest = [reading.quantity.partition(" ")[0] for reading in more[:3]]
    assert strongest[:2] == ["adc_step", "cell_area"]
    assert all(reading.ours.count("…") == len(RATIOS) for reading in more[:3])
    assert [reading.kind.partition(",")[0] for reading in more[3:]] == ["devices", "devices", "SRAM cells"]
    assert all("10.5 (HERMES core)" in reading.published for reading in more[3:])
    assert [reading.published for reading in readings] == ["13.8", "9.6", "3.5"] * 2
    tile, whole = readings[:3], readings[3:]
    assert all(f"{BITS} a weight" in reading.kind for reading in readings)
    assert {reading.quantity.split()[0] for reading in readings} == set(RATIOS)
    # With the converters of each tile both chips are equally fast, with the same number of converters they are not.
    assert float(tile[2].ours) == pytest.approx(1)
    assert float(whole[2].ours) > 1.5
    assert float(tile[0].ours) > float(whole[0].ours)
