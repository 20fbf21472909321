"""Estimates of what no single operation costs: the network between tiles, leakage, clocks and control.

- network: every result of a layer goes as inputs to the next over half the side of the chip, in the bits of the inputs
  (errors likewise);
- leakage: of the bits of SRAM for latent weights and the optimiser, over the time of the step. Tiles and converters are
  switched off between reads; logic is not counted;
- clock: a share of the energy of digital logic and SRAM.

:data:`NOT_COUNTED` lists what is not. All three constants are assumptions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from barkhausen.synapse.crossbar.chip import Chip

DIGITAL = (
    "accumulate",
    "common input",
    "normalise",
    "buffer",
    "gradient",
    "gradient sums",
    "gradient operands",
    "latent weights",
    "optimiser memory",
    "update",
    "multiply-add",
    "weights",
)
"""Causes of energy that clocks go with."""

ESTIMATES = ("network", "leakage", "clock")
"""Causes of energy that are estimates."""

NOT_COUNTED = (
    "power supplies",
    "pads",
    "everything off the chip",
    "half-select currents and write disturb of unselected devices (every device is taken to have its own access "
    "transistor)",
)
"""What no energy includes."""


def overheads(
    chip: Chip, energy: Mapping[str, float], *, bits_moved: float, area: float, stored_bits: float, time: float
) -> dict[str, float]:
    """Energy in J of network, leakage and clocks.

    Args:
        chip: Chip.
        energy: Energy in J of the causes that are counted.
        bits_moved: Bits that go from one layer to another.
        area: Area of the chip in m².
        stored_bits: Bits of SRAM that are kept.
        time: Duration in s.
    """
    constants = chip.constants
    return {
        "network": bits_moved * constants.network.value * math.sqrt(area) / 2 * chip.digital_energy_factor,
        "leakage": stored_bits * constants.leakage.value * time,
        "clock": constants.clock.value * math.fsum(energy.get(cause, 0.0) for cause in DIGITAL),
    }
