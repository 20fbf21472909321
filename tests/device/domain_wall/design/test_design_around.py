"""What lies around a design: steps of its variables, and other conditions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.design import SCORES, DesignSpace, Ranges, Score, scenarios, sensitivity

BASE = DeviceParameters.model_validate({"track": {"length": 320e-9}, "shape": {"roughness": {"rms": 1.5e-9}}})
SPACE = DesignSpace(BASE, 2, "equal-notches", Ranges(reset_factor=(1.2, 1.2)))


def score_of(cost: float) -> Score:
    return Score(**{name: cost if name == "cost" else 0.0 for name in SCORES})


def assess(devices: Sequence[DeviceParameters], kelvin: float) -> list[Score]:
    """A cost by which everything that was changed can be told."""
    return [
        score_of(
            kelvin
            + 1e4 * device.protocol.program.current_density / 4e11
            + 1e9 * device.shape.roughness.rms * 1e6
            + sum(1e9 * notch.depth for notch in device.shape.notches) * 1e-3
        )
        for device in devices
    ]


def test_sweeps_move_one_variable_at_a_time() -> None:
    vector = tuple(SPACE.bounds.mean(axis=1).tolist())
    sweeps, own = sensitivity(SPACE, vector, assess, 300.0)
    centre = assess([SPACE.decode(vector)], 300.0)[0].cost
    assert [score.cost for score in own] == [centre] * 4
    # The one that its range holds fixed is left out.
    assert [sweep.variable.name for sweep in sweeps] == [name for name in SPACE.names if name != "reset_factor"]
    for sweep in sweeps:
        place = SPACE.names.index(sweep.variable.name)
        span = sweep.variable.high - sweep.variable.low
        assert (np.array(sweep.values) - vector[place]) / span == pytest.approx(
            [-0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2], abs=1e-9
        )
        assert sweep.centre == vector[place]
        for value, cost in zip(sweep.values, sweep.costs, strict=True):
            moved = [*vector[:place], value, *vector[place + 1 :]]
            assert cost == pytest.approx(assess([SPACE.decode(moved)], 300.0)[0].cost, rel=1e-12)


def test_sweeps_end_at_the_bounds() -> None:
    vector = tuple(SPACE.bounds[:, 1].tolist())
    sweeps, _ = sensitivity(SPACE, vector, assess, 300.0)
    for sweep in sweeps:
        assert len(sweep.values) == 4
        assert max(sweep.values) == sweep.centre == sweep.variable.high


def test_scenarios_change_one_condition_at_a_time() -> None:
    design = SPACE.decode(SPACE.bounds.mean(axis=1))
    found = {(scenario.quantity, scenario.value): scenario.score for scenario in scenarios(design, assess)}
    usual = assess([design], 300.0)[0].cost

    def change(quantity: str, value: float) -> float:
        score = found[quantity, value]
        assert score is not None
        return score.cost - usual

    temperatures = [value for quantity, value in found if quantity == "temperature"]
    assert temperatures == [0, 150, 300]
    assert [change("temperature", t) for t in temperatures] == pytest.approx([-300, -150, 0])
    roughnesses = [value for quantity, value in found if quantity == "roughness"]
    # The design's own is among them.
    assert roughnesses == [0, 0.5e-9, 1e-9, 1.5e-9, 2e-9]
    assert [change("roughness", rms) for rms in roughnesses] == pytest.approx([-1.5e6, -1e6, -0.5e6, 0, 0.5e6])
    depth = sum(1e9 * notch.depth for notch in design.shape.notches) * 1e-3
    assert [change("notch depth", factor) for factor in (0.8, 0.9, 1.0, 1.1, 1.2)] == pytest.approx(
        [-0.2 * depth, -0.1 * depth, 0, 0.1 * depth, 0.2 * depth], abs=1e-8
    )


def test_rough_designs_have_no_notches_to_deepen() -> None:
    space = DesignSpace(BASE, 2, "rough", Ranges())
    found = scenarios(space.decode(space.bounds.mean(axis=1)), assess)
    assert {scenario.quantity for scenario in found} == {"temperature", "roughness"}


def test_an_impossible_condition_says_why() -> None:
    def refusing(devices: Sequence[DeviceParameters], kelvin: float) -> list[Score]:
        if devices[0].shape.roughness.rms > 1.9e-9:
            raise InputError("track: cut in two")
        return assess(devices, kelvin)

    design = SPACE.decode(SPACE.bounds.mean(axis=1))
    refused = [scenario for scenario in scenarios(design, refusing) if scenario.score is None]
    assert [(scenario.value, scenario.refused) for scenario in refused] == [(2e-9, "track: cut in two")]
