"""Synapses whose devices have noise of their own: for tests/synapse, with the change to the synapse floor."""

from __future__ import annotations

import copy

import numpy as np
import torch
import xarray as xr

from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device
from barkhausen.synapse import Phase, SynapseArray, SynapseBank

LENGTH = 512e-9


def half_noisy(pool: str) -> CharacterisedDevice:
    """Half of the devices never miss a margin of 0.2, the others in about two of three attempts."""
    generator = np.random.default_rng(0)
    size = np.where(np.arange(20) < 10, 0.002, 0.15)[:, None] * 0.8
    noise = np.clip(generator.standard_normal((2, 20, 40)), -1.5, 1.5)
    positions = LENGTH * (np.array([0.3, 0.7])[:, None, None] + size * noise)
    widths = xr.Dataset(
        {name: ("state", np.full(2, 1e-10)) for name in ("bandwidth_device", "bandwidth_cycle")},
        attrs={"noise_pool": pool},
    )
    return domain_wall_device(positions, DeviceParameters(), source="measured", extras=[widths])


def failed(pool: str) -> float:
    generator = torch.Generator().manual_seed(0)
    array = SynapseArray((40_000,), half_noisy(pool), margin=0.2, max_attempts=8, generator=generator)
    array.program(torch.ones(40_000, dtype=torch.uint8), generator=generator)
    return float(array.counters.failed[Phase.TRAINING].sum()) / 40_000


def test_a_device_that_misses_goes_on_missing() -> None:
    # Eight attempts of whichever device: p^8 with p about a third of all; of the noisy half, about two thirds each.
    assert failed("state") < 0.01
    assert failed("device") > 0.02


def test_bank_draws_each_device_s_own_noise_too() -> None:
    device = half_noisy("device")
    arrays = [SynapseArray((300,), device, margin=0.2, generator=torch.Generator().manual_seed(k)) for k in (1, 2)]
    apart = copy.deepcopy(arrays)
    bank = SynapseBank(arrays, padding=64)
    target = torch.ones(600, dtype=torch.int64)
    for _ in range(3):
        bank.program_at(torch.arange(600), target, torch.Generator().manual_seed(3))
    origin = torch.cat([array.origins[array.device_index.long()] for array in apart])
    centre = torch.cat([array.centres[array.device_index.long(), 1] for array in apart])
    spread = (bank.weight[:600] - centre).abs()
    quiet = origin < 10
    assert spread[quiet].max() < 0.1
    assert spread[~quiet].max() > 0.3
    generator = torch.Generator().manual_seed(5)
    apart[0].renew(generator)
    assert apart[0].origins.shape == (300,)
    assert not torch.equal(apart[0].origins, arrays[0].origins)
