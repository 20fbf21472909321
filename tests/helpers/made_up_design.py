"""A search file of little work, and a stand-in for the compact model that is quick and breaks when told to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design import Trial
from barkhausen.device.domain_wall.design.trial import places_of, reset_position_of

SEARCH: dict[str, Any] = {
    "device": {
        "track": {"length": 192e-9, "width": 48e-9},
        "material": {"preset": "cofeb-tantalum", "dmi": 0.24e-3, "spin_hall_angle": 0.3, "damping": 0.05},
        "shape": {"roughness": {"rms": 0.5e-9}, "end_stops": {"length": 40e-9}},
        "protocol": {"settle": 0.2e-9, "relaxation": 0.3e-9, "edge_time": 0.1e-9},
        "characterisation": {"devices": 3, "seed": 9},
    },
    "search": {
        "states": 2,
        "families": ["rough", "equal-notches"],
        "generations": 2,
        "population": 8,
        "devices": 2,
        "confirm": 0,
        "seed": 4,
        "ranges": {"pulse_width": [0.5e-9, 0.9e-9], "notch_depth": [4e-9, 14e-9], "notch_half_length": [10e-9, 20e-9]},
    },
}


class MadeUp:
    """Stands in for the compact model: the higher voltage and current, the farther the wall; quick, and breakable."""

    def __init__(self) -> None:
        self.calls = 0
        self.calls_to_live = 10**9
        self.seen: list[CompactParameters] = []

    def __call__(
        self,
        candidates: Sequence[DeviceParameters],
        *,
        devices: int,
        cycles: int,
        seed: int,
        temperature: float,
        compact: CompactParameters,
    ) -> list[Trial]:
        if self.calls == self.calls_to_live:
            raise KeyboardInterrupt
        self.calls += 1
        self.seen.append(compact)
        # As in the compact model, the noise is that of the whole batch.
        generator = np.random.default_rng([seed % 2**32, len(candidates), devices])
        return [self._trial(each, devices, cycles, temperature, generator) for each in candidates]

    @staticmethod
    def _trial(
        device: DeviceParameters, devices: int, cycles: int, temperature: float, generator: np.random.Generator
    ) -> Trial:
        voltages = np.array(device.protocol.gate_voltages)
        strength = device.protocol.program.current_density / 3e11
        mean = places_of(device) + 20e-9 * (strength - 1) + 30e-9 * (voltages - np.linspace(-0.7, 0.7, len(voltages)))
        spread = 1e-10 * (temperature / 10 + 1e10 * device.shape.roughness.rms)
        # Graded notches hold the walls best.
        if len({notch.depth for notch in device.shape.notches}) < 2:
            spread = spread + 20e-9
        positions = mean[:, None, None] + spread * generator.standard_normal((len(voltages), devices, cycles))
        home = reset_position_of(device) if device.protocol.reset.current_density > 3e11 else mean[-1]
        return Trial(positions, np.full((devices, cycles), home))
