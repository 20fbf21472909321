"""Read noise: by hand, against the read-out of one device, and against what is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar.chip import Chip, load_chip
from barkhausen.synapse.crossbar.chip_parts import ReadNoise
from barkhausen.synapse.crossbar.noise import bit_line_noise, device_factors, layer_noise

pytestmark = pytest.mark.usefixtures("one_thread")

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19
MAP = ConductanceMap(low=1e-5, high=5e-5, reference=3e-5, unit=1.5e-5)


def noise(**values: Any) -> ReadNoise:
    quiet = {"thermal": False, "shot": False, "factor": 1.0, "spread": 0.0, "temperature": 300.0}
    return ReadNoise(**{**quiet, **values})


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


CONDUCTANCE = torch.tensor([[1e-5, 4e-5], [2e-5, 3e-5]], dtype=torch.float64)
VOLTAGE = torch.tensor([0.1, -0.2], dtype=torch.float64)


def test_thermal_noise_by_hand() -> None:
    found = bit_line_noise(CONDUCTANCE, VOLTAGE, noise(thermal=True), 1e-9)
    # 4 · 1.380649e-23 · 300 · 3e-5 / 2e-9 = 2.485e-16 A², whatever the voltages.
    expected = [math.sqrt(4 * BOLTZMANN * 300 * g / 2e-9) for g in (3e-5, 7e-5)]
    assert found.tolist() == pytest.approx(expected, rel=1e-12, abs=0)
    assert expected[0] == pytest.approx(1.5764e-8, rel=1e-4, abs=0)


def test_shot_noise_by_hand() -> None:
    found = bit_line_noise(CONDUCTANCE, VOLTAGE, noise(shot=True), 1e-9)
    # Currents of either sign are noise all the same: 0.1 · 1e-5 + 0.2 · 2e-5 = 5 µA.
    expected = [math.sqrt(2 * CHARGE * i / 2e-9) for i in (5e-6, 1e-5)]
    assert found.tolist() == pytest.approx(expected, rel=1e-12, abs=0)


def test_spread_by_hand() -> None:
    found = bit_line_noise(CONDUCTANCE, VOLTAGE, noise(spread=0.05), 1e-9)
    assert found.tolist() == pytest.approx(
        [0.05 * math.hypot(1e-6, 4e-6), 0.05 * math.hypot(4e-6, 6e-6)], rel=1e-12, abs=0
    )


def test_thermal_and_shot_together_are_those_of_a_tunnel_junction() -> None:
    both = noise(thermal=True, shot=True)
    voltage = torch.tensor([[0.0], [1e-7], [1e-4], [0.01], [0.1], [3.0]], dtype=torch.float64)
    found = bit_line_noise(torch.full((1, 1), 2e-5, dtype=torch.float64), voltage, both, 2e-9).view(-1)
    expected = []
    for v in voltage.view(-1).tolist():
        x = CHARGE * v / (2 * BOLTZMANN * 300)
        density = 2 * CHARGE * v * 2e-5 / math.tanh(x) if v > 0 else 4 * BOLTZMANN * 300 * 2e-5
        expected.append(math.sqrt(density / 4e-9))
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=0)
    # The limits: thermal without voltage, shot with much.
    assert found[0].item() == pytest.approx(math.sqrt(4 * BOLTZMANN * 300 * 2e-5 / 4e-9), rel=1e-12, abs=0)
    assert found[-1].item() == pytest.approx(math.sqrt(2 * CHARGE * 6e-5 / 4e-9), rel=1e-9, abs=0)
    cold = bit_line_noise(CONDUCTANCE, VOLTAGE, noise(thermal=True, shot=True, temperature=0.0), 1e-9)
    torch.testing.assert_close(cold, bit_line_noise(CONDUCTANCE, VOLTAGE, noise(shot=True), 1e-9), rtol=1e-9, atol=0)


def test_one_device_has_the_noise_of_its_read_out() -> None:
    parameters = DeviceParameters()
    track, junction = parameters.track, parameters.junction
    g = float(junction.conductance(0.3 * track.length, track))
    voltage = torch.tensor([junction.read_voltage], dtype=torch.float64)
    conductance = torch.full((1, 1), g, dtype=torch.float64)
    ours = bit_line_noise(conductance, voltage, noise(thermal=True, shot=True), junction.read_time)
    assert ours.item() == pytest.approx(
        float(junction.current_noise(0.3 * track.length, track, 300.0)), rel=1e-9, abs=0
    )


def test_a_longer_read_averages_and_the_factor_multiplies_but_neither_changes_the_spread() -> None:
    read = noise(thermal=True, shot=True)
    short, long = (bit_line_noise(CONDUCTANCE, VOLTAGE, read, t) for t in (1e-9, 4e-9))
    torch.testing.assert_close(short, 2 * long, rtol=1e-9, atol=0)
    louder = bit_line_noise(CONDUCTANCE, VOLTAGE, noise(thermal=True, shot=True, factor=3.0), 1e-9)
    torch.testing.assert_close(louder, 3 * short, rtol=1e-9, atol=0)
    spreads = [bit_line_noise(CONDUCTANCE, VOLTAGE, noise(spread=0.1, factor=f), t) for f, t in ((1, 1), (5, 1e-9))]
    torch.testing.assert_close(*spreads, rtol=1e-9, atol=0)
    with pytest.raises(InputError, match="sense_time = 0 s"):
        bit_line_noise(CONDUCTANCE, VOLTAGE, read, 0.0)


def test_single_precision_holds_currents_this_small() -> None:
    parts = noise(thermal=True, shot=True, spread=0.05)
    exact = bit_line_noise(CONDUCTANCE, VOLTAGE, parts, 1e-9)
    found = bit_line_noise(CONDUCTANCE.float(), VOLTAGE.float(), parts, 1e-9)
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=0)


def monte_carlo(weight: np.ndarray, x: np.ndarray, chip: Chip, voltage: float, reads: int) -> np.ndarray:
    """Outputs [read, output] of Σ w x: a current for every device, of its own noise; in numpy, device by device."""
    generator = np.random.default_rng(5)
    pair = chip.tile.scheme == "differential-pair"
    g = MAP.conductance(weight)
    other = MAP.conductance(-weight) if pair else np.broadcast_to(MAP.reference, (1, weight.shape[1]))
    v = voltage * x / np.abs(x).max()

    def currents(g: np.ndarray) -> np.ndarray:
        ratio = CHARGE * np.abs(v) / (2 * BOLTZMANN * chip.noise.temperature)
        power = np.where(v == 0, 4 * BOLTZMANN * chip.noise.temperature, 0.0)
        some = v != 0
        power[some] = 2 * CHARGE * np.abs(v[some]) / np.tanh(ratio[some])
        sigma = np.sqrt(power * g / (2 * chip.sense.time))
        spread = 1 + chip.noise.spread * generator.standard_normal((reads, *g.shape))
        return (v * g * spread + sigma * generator.standard_normal((reads, *g.shape))).sum(-1)

    signal = currents(g) - currents(other)
    return signal / (voltage * MAP.unit / np.abs(x).max() * (2 if pair else 1))


@pytest.mark.parametrize("scheme", ["reference-column", "differential-pair"])
def test_a_layer_is_as_noisy_as_its_devices_one_by_one(scheme: str) -> None:
    chip = load_chip(settings=[f"tile.scheme={scheme}", "noise.spread=0.02", "sense.time=2e-10"])
    generator = np.random.default_rng(1)
    weight, x = generator.uniform(-1, 1, (3, 12)), generator.uniform(-2, 2, 12)
    x[4] = 0.0
    drawn = monte_carlo(weight, x, chip, 0.1, 20_000)
    np.testing.assert_allclose(drawn.mean(0), weight @ x, atol=0.03)
    found = layer_noise(
        torch.tensor(weight), torch.tensor(x), MAP, chip, read_voltage=0.1, input_limit=float(np.abs(x).max())
    )
    # A standard deviation of 20 000 samples is good to half a per cent.
    np.testing.assert_allclose(found.total.numpy(), drawn.std(0), rtol=0.025)
    # Outputs share the noise of their reference, and nothing in pairs.
    shared = np.cov(drawn.T)[0, 1]
    tolerance = 4 * float(found.total.max()) ** 2 / math.sqrt(20_000)
    assert shared == pytest.approx(float(found.shared) ** 2, abs=tolerance)
    assert (float(found.shared) > 0) == (scheme == "reference-column")


def test_draws_have_the_deviation_and_share_it_within_a_tile_only() -> None:
    # Tiles of two outputs and a reference: three outputs stand as 2 + 1.
    chip = load_chip(settings=["tile.columns=3", "noise.spread=0.0"])
    weight = torch.linspace(-1, 1, 12).view(3, 4)
    x = torch.tensor([0.5, -1.0, 0.0, 0.25]).expand(40_000, 4)
    found = layer_noise(weight, x, MAP, chip, read_voltage=0.1, input_limit=1.0)
    drawn = found.draw(seeded())
    assert drawn.shape == (40_000, 3)
    torch.testing.assert_close(drawn.std(0), found.total[0], rtol=0.02, atol=0)
    covariance = torch.cov(drawn.T)
    shared, tolerance = found.shared[0].item() ** 2, 4 * found.total.max().item() ** 2 / 200
    assert covariance[0, 1].item() == pytest.approx(shared, abs=tolerance)
    assert shared > 2 * tolerance
    assert covariance[0, 2].item() == pytest.approx(0.0, abs=tolerance)
    assert torch.equal(found.draw(seeded()), drawn)
    assert not torch.equal(found.draw(seeded(1)), drawn)


def test_noise_in_weight_units_falls_with_the_voltage_and_scales_with_the_inputs() -> None:
    chip = load_chip(settings=["noise.spread=0.0", "noise.shot=false"])
    weight, x = torch.linspace(-1, 1, 8).view(2, 4), torch.tensor([1.0, 0.5, -0.5, 0.0])
    one = layer_noise(weight, x, MAP, chip, read_voltage=0.1, input_limit=1.0).total
    torch.testing.assert_close(layer_noise(weight, x, MAP, chip, read_voltage=0.2, input_limit=1.0).total, one / 2)
    torch.testing.assert_close(layer_noise(weight, 3 * x, MAP, chip, read_voltage=0.1, input_limit=3.0).total, 3 * one)
    # By hand, of the first output: Σ G of its column and of the reference's, over (V G_unit)².
    conductances = float((MAP.reference + MAP.unit * weight[0]).sum()) + 4 * MAP.reference
    by_hand = math.sqrt(4 * BOLTZMANN * 300 * conductances / (2 * chip.sense.time)) / (0.1 * MAP.unit)
    assert one[0].item() == pytest.approx(by_hand, rel=1e-5, abs=0)
    with pytest.raises(InputError, match="read_voltage = 0"):
        layer_noise(weight, x, MAP, chip, read_voltage=0.0, input_limit=1.0)


def test_the_frozen_spread_of_a_chip() -> None:
    factors = device_factors((300, 200), noise(spread=0.05), seeded())
    assert factors.mean().item() == pytest.approx(1.0, abs=1e-3)
    assert factors.std().item() == pytest.approx(0.05, rel=0.02)
    assert device_factors((1000,), noise(spread=2.0), seeded()).min().item() == 0.0
    assert torch.equal(device_factors((5,), noise(), seeded()), torch.ones(5))
