"""Cells of several devices moved by pulses: weights, refresh, carry, patterns of single devices, counts, energy."""

from __future__ import annotations

import copy

import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.synapse import Phase, PulsedArray
from barkhausen.synapse.pulsed import kernel

pytestmark = pytest.mark.usefixtures("one_thread")

EXACT = PulsedDevice.linear(2 / 40, cycle_sd=0.0, energies={"write": (2e-15, 3e-15)})
NOISY = PulsedDevice.soft_bounds(2 / 60, cycle_sd=0.3, scale_sd=(0.1, 0.1), bound_sd=(0.02, 0.02))
ONE_SIDED = {"layout": "one-sided", "upkeep_every": 3, "threshold": 0.8}
PLACES = {"layout": "places", "place_values": [1.0, 0.125], "upkeep_every": 2, "threshold": 0.5}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def array(device: PulsedDevice, count: int = 400, rounds: int = 1, **cell: object) -> PulsedArray:
    return PulsedArray((count,), device.in_cells(**cell), margin=0.02, max_attempts=rounds, generator=seeded())


def everywhere(made: PulsedArray, pulses: int) -> tuple[torch.Tensor, torch.Tensor]:
    count = made.weight.numel()
    return torch.arange(count), torch.full((count,), pulses, dtype=torch.int32)


def test_one_sided_pairs_are_pulsed_up_alone_and_refreshed_without_a_change_of_weight() -> None:
    made = array(EXACT, 10, **ONE_SIDED)
    assert made.cells is not None
    assert made.kind.per_unit == pytest.approx((40.0, 40.0))
    assert torch.equal(made.weight, torch.zeros(10))
    made.pulse_at(*everywhere(made, 38), seeded(1))
    made.pulse_at(*everywhere(made, -30), seeded(2))
    assert made.counters.pulses[Phase.TRAINING].tolist() == [680, 0]
    assert made.cells[:, 0].tolist() == pytest.approx([0.9, 0.5], abs=1e-5)
    assert float(made.weight[0]) == pytest.approx(0.2, abs=1e-5)
    for step in range(3):
        assert int(made.counters.upkeep_pulses.sum()) == 0
        made.after_step((step, 0))
    # From 0.9 and 0.5 down to -0.9 by 36 and 28 pulses of 0.05, then 8 pulses up restore the difference of 0.4.
    assert made.counters.upkeep_pulses.tolist() == [80, 640]
    assert int(made.counters.upkeep_reads) == 2 * 20
    assert float(made.weight[0]) == pytest.approx(0.2, abs=1e-5)
    assert made.cells[:, 0].tolist() == pytest.approx([-0.5, -0.9], abs=1e-5)
    energy = made.energy(Phase.TRAINING)
    read = float(EXACT.read_energy()) if "read_voltage" in EXACT.data else 0.0
    assert energy.by_cause["upkeep"] == pytest.approx(80 * 2e-15 + 640 * 3e-15 + 40 * read)
    assert energy.by_cause["write"] == pytest.approx(680 * 2e-15)
    assert energy.label("upkeep") == "refresh"
    assert "upkeep" not in made.energy(Phase.INITIAL).by_cause


def test_without_a_refresh_one_sided_pairs_come_to_rest() -> None:
    kept, lost = (array(EXACT, 50, **{**ONE_SIDED, "upkeep_every": every}) for every in (1, 0))
    for made in (kept, lost):
        for step in range(300):
            made.pulse_at(*everywhere(made, 1 if step % 2 else -1), key=(step, 1))
            made.after_step((step, 2))
        made.pulse_at(*everywhere(made, 10), key=(1, 1))
    assert float(kept.weight.mean()) == pytest.approx(0.25, abs=0.06)
    assert float(lost.weight.abs().max()) == 0.0


def test_pulses_go_to_the_least_significant_device_and_are_carried() -> None:
    made = array(EXACT, 10, **PLACES)
    assert made.cells is not None
    made.cells.zero_()
    made._combine()
    # A pulse is a ninth of a step, since the place values 1 and 1/8 have the sum 9/8.
    assert made.kind.step == pytest.approx(0.05 / 9)
    made.pulse_at(*everywhere(made, 17), seeded(1))
    assert made.cells[:, 0].tolist() == pytest.approx([0.0, 0.85], abs=1e-5)
    weight = float(made.weight[0])
    made.after_step((1, 0))
    made.after_step((2, 0))
    # 0.85 / 8 are two whole steps of 0.05 of the other device, which take 0.8 from this one.
    assert made.cells[:, 0].tolist() == pytest.approx([0.1, 0.05], abs=1e-5)
    assert float(made.weight[0]) == pytest.approx(weight, abs=1e-5)
    assert made.counters.upkeep_pulses.tolist() == [20, 160]
    assert int(made.counters.upkeep_reads) == 10 + 2 * 10
    assert made.energy().label("upkeep") == "carry"


def test_carries_keep_the_weight_to_the_noise_of_the_least_significant_device() -> None:
    made = array(NOISY, 2000, layout="places", place_values=[1.0, 0.2, 0.04], upkeep_every=1, threshold=0.5)
    made.write(torch.rand(2000, generator=seeded(4)) - 0.5, seeded(5), phase=Phase.INITIAL)
    assert made.cells is not None
    made.cells[1:].uniform_(0.6, 0.8, generator=seeded(6))
    made._combine()
    before = made.weight.clone()
    made.after_step((3, 4))
    assert (made.weight - before).abs().mean() < 0.02
    assert (made.cells[1:].abs() < 0.5).float().mean() > 0.8


@pytest.mark.parametrize("cell", [ONE_SIDED, PLACES], ids=["one-sided", "places"])
def test_writing_comes_nearer_with_every_round(cell: dict[str, object]) -> None:
    target = torch.rand(3000, generator=seeded(5)) * 1.2 - 0.6
    missed = []
    for rounds in (1, 2, 5):
        made = array(NOISY, 3000, rounds, **cell)
        made.write(target, seeded(6), phase=Phase.INITIAL)
        missed.append(float(((made.weight - target).abs() > 0.02).float().mean()))
    assert missed[0] > missed[1] > missed[2]
    assert missed[2] < 0.1


@pytest.mark.skipif(kernel.library() is None, reason="the compiled code was not built")
@pytest.mark.parametrize("cell", [ONE_SIDED, PLACES], ids=["one-sided", "places"])
def test_compiled_code_and_torch_agree_and_a_copy_goes_on_alike(
    monkeypatch: pytest.MonkeyPatch, cell: dict[str, object]
) -> None:
    found = []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(kernel, "library", lambda: None)
        made = array(NOISY, 500, **cell)
        for step in range(5):
            made.pulse_at(*everywhere(made, 40 if step % 2 else -25), key=(step, 7))
            made.after_step((step, 8))
        other = array(NOISY, 500, **cell)
        other.load_state_dict(copy.deepcopy(made.state_dict()))
        for each in (made, other, copy.deepcopy(other)):
            each.pulse_at(*everywhere(each, 30), key=(9, 7))
            each.after_step((9, 8))
            assert torch.equal(each.weight, made.weight)
        assert int(made.counters.upkeep_pulses.sum()) > 0
        found.append(made)
    assert torch.allclose(found[0].weight, found[1].weight, atol=1e-5)
    assert torch.equal(found[0].counters.upkeep_pulses, found[1].counters.upkeep_pulses)


def test_cells_that_cannot_be_are_refused() -> None:
    for cell, words in (
        ({"layout": "places"}, r"place_values = \[\]: layout = 'places' needs two or more that fall"),
        ({"layout": "places", "place_values": [0.1, 1.0]}, "needs two or more that fall"),
        ({"layout": "pair", "place_values": [1.0, 0.1]}, "place_values belong to layout = 'places'"),
        ({"layout": "pair", "upkeep_every": 5}, "layout = 'pair' needs no upkeep"),
    ):
        with pytest.raises(InputError, match=words):
            EXACT.in_cells(**cell)


def with_pattern(sd: float) -> PulsedDevice:
    device = PulsedDevice.from_steps(
        [[0.05] * 9, [-0.05] * 9], [[0.0] * 9] * 2, technology="resistive", source="gaussian"
    )
    return device.extended(xr.Dataset({"pattern_sd": (("sign", "grid"), [[sd] * 9, [sd] * 9])}))


def test_devices_of_an_array_have_patterns_of_their_own() -> None:
    device = with_pattern(0.01)
    made = PulsedArray((20_000,), device, margin=0.0, generator=seeded())
    made.weight.zero_()
    steps = []
    for _ in range(2):
        made.weight.zero_()
        made.pulse_at(*everywhere(made, 1), seeded(3))
        steps.append(made.weight.clone())
    # w = 0 is a point of the grid: the whole spread, and the same step at every pulse.
    assert torch.equal(*steps)
    assert float(steps[0].mean()) == pytest.approx(0.05, abs=3e-4)
    assert float(steps[0].std()) == pytest.approx(0.01, rel=0.03)
    other = PulsedArray((20_000,), device, margin=0.0, generator=seeded(1))
    other.weight.zero_()
    other.pulse_at(*everywhere(other, 1), seeded(3))
    assert abs(float(torch.corrcoef(torch.stack([steps[0], other.weight]))[0, 1])) < 0.04
    made.weight.zero_()
    made.pulse_at(*everywhere(made, -1), seeded(3))
    assert abs(float(torch.corrcoef(torch.stack([steps[0], made.weight]))[0, 1])) < 0.04
    # A device file of an earlier version had none; its arrays go on as they were.
    state = {name: x for name, x in made.state_dict().items() if name != "pattern_key"}
    made.load_state_dict(state)
    made.weight.zero_()
    made.pulse_at(*everywhere(made, 1), seeded(3))
    assert float(made.weight.std()) < 1e-6


@pytest.mark.skipif(kernel.library() is None, reason="the compiled code was not built")
def test_patterns_are_the_same_in_compiled_code_and_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(kernel, "library", lambda: None)
        made = PulsedArray((3000,), with_pattern(0.04), margin=0.0, generator=seeded(), layout="pair")
        made.pulse_at(*everywhere(made, 15), seeded(1))
        made.pulse_at(*everywhere(made, -6), seeded(2))
        found.append(made.weight)
    assert torch.allclose(*found, atol=1e-5)
    # Never against the pulse.
    assert float(found[0].min()) >= -1.0
