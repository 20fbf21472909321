"""Noise of one read: the deviation of a bit-line current averaged over the sense time.

With V_r on row r, G_rc between row r and column c, and currents averaged over tau (a band of 1/(2 tau)):

- thermal: one-sided density 4 kB T G (Nyquist, Phys. Rev. 32, 110 (1928)), so 4 kB T Σ_r G_rc / (2 tau);
- shot: 2 e |I| (Schottky, Ann. Phys. 362, 541 (1918)), so 2 e Σ_r |V_r| G_rc / (2 tau). In a tunnel junction the two
  are one: 2 e |I| coth(e |V| / 2 kB T), which is thermal noise at zero voltage and shot noise at high voltage (Rogovin
  and Scalapino, Ann. Phys. 86, 1 (1974); Spietz et al., Science 300, 1929 (2003)). This form is used where both are on,
  since their sum would count the common part twice. At 0.1 V and 300 K it is 4 % more than shot noise alone;
- spread of the conductances (RA, TMR, area): s² Σ_r V_r² G_rc² for devices that differ by a relative s. It does not
  vary in time: a chip draws it once (:func:`device_factors`). Drawn anew for every read it averages over chips.

Currents of different devices are independent, so variances add over the rows of a column. 1/f noise is not included,
and noise of the read-out circuit only as a constant factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN, ELEMENTARY_CHARGE
from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.chip_parts import ReadNoise


def bit_line_noise(
    conductance: Float[Tensor, "rows columns"],
    voltage: Float[Tensor, "*batch rows"],
    noise: ReadNoise,
    sense_time: float,
) -> Float[Tensor, "*batch columns"]:
    """Standard deviation in A of the current of each bit line during one read.

    Args:
        conductance: Conductances of the devices in S.
        voltage: Row voltages in V. A row at 0 V still has thermal noise.
        noise: Noise sources.
        sense_time: Sense time in s.

    Raises:
        InputError: The sense time is not positive.
    """
    return _variance(conductance, voltage, noise, sense_time).sqrt()


@dataclass(frozen=True, eq=False)
class LayerNoise:
    """Standard deviations of the outputs of a layer, in the units of Σ w x."""

    own: Float[Tensor, "*batch outputs"]
    """Independent noise of each output."""
    shared: Float[Tensor, "*batch one"]
    """Noise of the reference column, which all outputs of a tile share; 0 where there is none."""
    outputs_per_tile: int

    @property
    def total(self) -> Float[Tensor, "*batch outputs"]:
        """Total standard deviation of each output."""
        return (self.own.square() + self.shared.square()).sqrt()

    def draw(self, generator: torch.Generator | None = None) -> Float[Tensor, "*batch outputs"]:
        """A sample of the noise of one read, to be added to Σ w x; the outputs of a tile share that of their
        reference."""
        outputs = self.own.shape[-1]
        tiles = -(-outputs // self.outputs_per_tile)
        # Outputs are distributed evenly over the smallest number of tiles that can hold them.
        tile = torch.arange(outputs, device=self.own.device) * tiles // outputs
        own = self.own * _normal(self.own.shape, self.own, generator)
        common = self.shared * _normal((*self.own.shape[:-1], tiles), self.own, generator)
        return own + common[..., tile]


@torch.no_grad()
def layer_noise(
    weight: Float[Tensor, "outputs inputs"],
    inputs: Float[Tensor, "*batch inputs"],
    conductance: ConductanceMap,
    chip: Chip,
    *,
    read_voltage: float,
    input_limit: float,
) -> LayerNoise:
    """Noise of Σ w x in one read of a layer, summed over all tiles that share an output.

    An input x puts x/input_limit of the read voltage on its row, and a weight w adds a current G_unit w V to that of
    the reference (twice this for a pair). One unit of Σ w x is then a current of ``read_voltage · G_unit /
    input_limit``. For bit-serial inputs, pass the planes of :func:`.input_planes` with a limit of 1 and add one sample
    to each plane. Of two reads each has its own noise: pass the inputs of each.

    Args:
        weight: Synaptic weights; ±1 are the outermost states.
        inputs: Inputs as driven: quantised and clipped.
        conductance: Conductance of a device as a function of its weight.
        chip: Chip, which gives noise, scheme and sense time.
        read_voltage: Voltage in V of the largest input.
        input_limit: Largest input.

    Raises:
        InputError: The read voltage or the limit is not positive.
    """
    if not (read_voltage > 0 and input_limit > 0):
        raise InputError(f"read_voltage = {read_voltage:g}, input_limit = {input_limit:g}: must be positive")
    voltage = inputs * (read_voltage / input_limit)
    unit = read_voltage * conductance.unit / input_limit

    def variance(of: Tensor) -> Tensor:
        # In units of unit², since single precision could not hold the variance itself, about 1e-14 A².
        return _variance((conductance.reference + conductance.unit * of).clamp_min(0).mT, voltage, chip.noise,
                         chip.sense.time, unit)  # fmt: skip

    plus = variance(weight)
    if chip.tile.way.devices_per_weight == 2:
        own = (plus + variance(-weight)).sqrt() / 2
        return LayerNoise(own, own.new_zeros((*own.shape[:-1], 1)), chip.tile.outputs)
    if not chip.tile.way.references:
        own = plus.sqrt()
        return LayerNoise(own, own.new_zeros((*own.shape[:-1], 1)), chip.tile.outputs)
    reference = variance(weight.new_zeros((1, weight.shape[1])))
    return LayerNoise(plus.sqrt(), reference.sqrt(), chip.tile.outputs)


def device_factors(
    shape: tuple[int, ...], noise: ReadNoise, generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Ratios of the conductances of devices to those that follow from their walls: 1 + spread · normal, at least 0.

    The spread is a fixed property of a chip. When it is applied through these factors, the noise of reads must have
    ``spread = 0``.
    """
    where = generator.device if generator is not None else torch.device("cpu")
    normal = torch.randn(shape, generator=generator, device=where)
    return (1 + noise.spread * normal).clamp_min_(0)


def _variance(conductance: Tensor, voltage: Tensor, noise: ReadNoise, sense_time: float, unit: float = 1.0) -> Tensor:
    """Variance of the current of each column in units of unit²."""
    if not sense_time > 0:
        raise InputError(f"sense_time = {sense_time:g} s: must be positive")
    # For one siemens at each voltage; in units of unit² from the start, for the sake of single precision.
    per_siemens = _power(voltage, noise) * (noise.factor**2 / (2 * sense_time * unit**2))
    variance = per_siemens @ conductance
    if noise.spread > 0:
        variance = variance + ((noise.spread / unit) * voltage).square() @ conductance.square()
    return variance


def _power(voltage: Tensor, noise: ReadNoise) -> Tensor:
    """One-sided spectral density in A²/Hz of the current noise of one siemens."""
    heat = 4 * BOLTZMANN * noise.temperature if noise.thermal else 0.0
    shot = 2 * ELEMENTARY_CHARGE * voltage.abs() if noise.shot else torch.zeros_like(voltage)
    if not heat > 0 or not noise.shot:
        return shot + heat
    # 2 e |V| coth(e |V| / 2 kB T), which is heat · x coth x with x = shot/heat, and heat where x vanishes.
    ratio = shot / heat
    small = ratio < 1e-3
    safe = torch.where(small, 1.0, ratio)
    return heat * torch.where(small, 1 + ratio.square() / 3, safe / torch.tanh(safe))


def _normal(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)
