"""A layer with quantised weights on many chips at once: the same states programmed into the devices of each.

All chips are in one tensor, and one batched product serves them all. Rows of inputs belong to chips in turn: those of
the first chip come first, so that the rest of a network sees nothing but more samples. Wires are ideal and reads have
no noise; a :class:`.CrossbarLayer` has both, for one chip.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice
from barkhausen.device.conductance import ConductanceMap
from barkhausen.learning.layers.quantised import QuantisedLayer, QuantisedLinear
from barkhausen.synapse import EnergyBreakdown, SynapseArray, WriteVerify
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.converters import (
    calibrated_limit,
    combine_planes,
    converted_in_place,
    converter_range,
    full_scale_limit,
    input_planes,
    quantise_inputs,
)
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.tiles import Tiling
from barkhausen.synapse.crossbar.two_reads import common_input, two_reads
from barkhausen.synapse.energy import AttemptEnergies


class MappedLinear(nn.Module):
    """A quantised linear layer on the tiles of many chips.

    Until :meth:`program` is called, every device holds the mean weight of its state.

    Args:
        layer: Trained layer, which is not changed.
        device: Device of the synapses, with as many states as the layer has levels.
        chip: Chip without resistance of wires and noise of reads.
        calibration: Inputs of the layer for training samples, which set the ranges of the converters.

    Raises:
        InputError: The layer is not linear, the device has another number of states, the chip has wires or noise, or a
            range is zero.
    """

    def __init__(
        self,
        layer: QuantisedLayer,
        device: CharacterisedDevice,
        chip: Chip,
        calibration: Float[Tensor, "sample inputs"],
    ) -> None:
        super().__init__()
        if not isinstance(layer, QuantisedLinear):
            raise InputError("many chips at once take linear layers, not convolutions")
        _check(chip)
        values = layer.quantisation
        if device.states != values.states:
            raise InputError(
                f"{values.values} weights have {values.states} levels, but the device has {device.states} states"
            )
        self.device, self.chip = device, chip
        self.map = ConductanceMap.of(device).scaled(chip.conductance_factor(device.read_out.resistance_area))
        self.read_voltage = chip.read_voltage(device.read_out.voltage)
        with torch.no_grad():
            self.state: Int[Tensor, "outputs inputs"] = values.states_of(layer.weight)
            self.scale = values.quantised(layer.weight)[1]
            self.bias = None if layer.bias is None else layer.bias.detach()
        self.levels = device.distribution().levels
        outputs, inputs = self.state.shape
        tiling = Tiling(outputs, inputs, chip.tile.rows, chip.tile.columns, chip.tile.scheme)
        tile, _ = tiling.rows_of_inputs()
        self.sizes = torch.bincount(tile).tolist()
        self.programmed = [part.sum(1) for part in self.levels[self.state].split(self.sizes, dim=1)]
        self.hold(self._weights(self.levels[self.state])[None])
        self.energy = EnergyBreakdown()
        self._calibrate(calibration)

    @property
    def twice(self) -> bool:
        """Whether a product takes two reads."""
        return self.chip.tile.way.reads > 1

    @property
    def zero(self) -> float:
        """Conductance of a device of weight 0 in weight units."""
        return self.map.reference / self.map.unit

    def hold(self, weight: Float[Tensor, "chip outputs inputs"]) -> None:
        """Compute with these weights from now on."""
        self.chips = len(weight)
        self.parts = [part.contiguous() for part in weight.split(self.sizes, dim=2)]
        self.sums = [part.sum(2) for part in self.parts]

    def program(self, chips: int, write: WriteVerify, generator: torch.Generator) -> None:
        """Program so many chips of fresh devices, and compute with what their devices hold.

        Of a pair the second device is programmed to the mirrored state. References are exact.

        Args:
            chips: Number of chips.
            write: Write-verify settings.
            generator: Random stream of the devices and their programming noise.
        """
        held, energy = self._programmed(self.state, chips, write, generator)
        if self.chip.tile.devices_per_weight == 2:
            minus, more = self._programmed(self.device.states - 1 - self.state, chips, write, generator)
            held, energy = held.sub_(minus).mul_(0.5), energy + more
        self.hold(held)
        self.energy = energy / chips

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "row inputs"]) -> Float[Tensor, "row outputs"]:
        """Outputs of all chips, those of the first chip first."""
        driven = self._planes(x.view(self.chips, -1, x.shape[-1]))
        low, high = converter_range(self.sum_limit, self.chip.adc.bits)

        def converted(current: Tensor) -> Tensor:
            return converted_in_place(current, self.chip.adc.bits, low, high)

        total = torch.zeros((), dtype=x.dtype)
        for planes, weight, held, known in zip(
            driven.split(self.sizes, dim=-1), self.parts, self.sums, self.programmed, strict=True
        ):
            if self.twice:
                signed = self.chip.inputs.signed
                reads = two_reads(planes, weight, known, self.zero, signed=signed, total_weight=held)
                total = total + reads.product(converted, converted)
            else:
                total = total + converted(torch.matmul(planes, weight.mT))
        serial = self.chip.inputs.mode == "bit-serial"
        sums = combine_planes(total, self.input_limit) if serial else total[0] * self.input_limit
        out = (sums * self.scale).reshape(len(x), -1)
        return out if self.bias is None else out + self.bias

    def load(self, name: str) -> LayerLoad:
        """Load of the layer on a chip in one inference."""
        single = self.chip.tile.devices_per_weight == 1
        mean = float(self.levels[self.state].mean()) if single else 0.0
        outputs, inputs = self.state.shape
        return LayerLoad(
            outputs,
            inputs,
            mean_conductance=self.map.reference + self.map.unit * mean,
            mean_square_voltage=self.mean_square * self.read_voltage**2,
            reference_conductance=self.map.reference,
            name=name,
            largest_voltage=self.read_voltage,
            mean_square_common_voltage=self.mean_square_common * self.read_voltage**2 if self.twice else None,
        )

    def _programmed(
        self, state: Tensor, chips: int, write: WriteVerify, generator: torch.Generator
    ) -> tuple[Tensor, EnergyBreakdown]:
        array = SynapseArray((chips, *state.shape), self.device, write, generator=generator)
        array.program(state.expand(array.weight.shape), generator=generator)
        return array.weight, AttemptEnergies.from_device(self.device).of_counters(array.counters)

    def _weights(self, level: Tensor) -> Tensor:
        """Weights that tiles compute with where every device holds its level."""
        if self.chip.tile.devices_per_weight == 1:
            return level
        return (level - self.levels[self.device.states - 1 - self.state]) / 2

    def _planes(self, rows: Tensor) -> Float[Tensor, "plane ..."]:
        """Row voltages in units of the full read voltage, one plane for each read."""
        how = self.chip.inputs
        if how.mode == "bit-serial":
            return input_planes(rows, how.bits, self.input_limit, signed=how.signed)
        return (quantise_inputs(rows, how.bits, self.input_limit, signed=how.signed) / self.input_limit)[None]

    def _calibrate(self, x: Float[Tensor, "sample inputs"]) -> None:
        """Set the ranges of the converters, as for devices without errors, and find the mean squares of voltages."""
        chip = self.chip
        if not chip.inputs.signed and bool((x < 0).any()):
            raise InputError("inputs.signed = false: negative inputs come to a layer; keep inputs.signed = true")
        self.input_limit = calibrated_limit(x, 100.0)
        planes = self._planes(x)
        self.mean_square = float(planes.square().mean(dtype=torch.float64))
        groups = planes.split(self.sizes, dim=-1)
        common = [common_input(group, signed=chip.inputs.signed).square().mean(dtype=torch.float64) for group in groups]
        self.mean_square_common = sum(
            float(square) * size for square, size in zip(common, self.sizes, strict=True)
        ) / sum(self.sizes)
        if chip.adc.range == "full-scale":
            offset = self.zero if self.twice else 0.0
            self.sum_limit = full_scale_limit(max(self.sizes), 1.0, float(self.levels.abs().max()) + offset)
            return
        currents: list[Tensor] = []
        for group, part, known in zip(groups, self.parts, self.programmed, strict=True):
            if self.twice:
                reads = two_reads(group, part[0], known, self.zero, signed=chip.inputs.signed)
                currents += [reads.first.flatten(), reads.second.flatten()]
            else:
                currents.append(torch.matmul(group, part[0].mT).flatten())
        self.sum_limit = calibrated_limit(torch.cat(currents), chip.adc.percentile)


def _check(chip: Chip) -> None:
    """Refuse a chip whose wires or noise would be left out."""
    wires, noise = chip.wires, chip.noise
    if wires.word_line or wires.bit_line:
        raise InputError(
            "many chips at once are computed with ideal wires: set wires.word_line = 0 and wires.bit_line = 0 (task = "
            "'infer' solves the wires of one chip)"
        )
    if noise.spread or (noise.factor and (noise.thermal or noise.shot)):
        raise InputError(
            "many chips at once are computed without noise of reads: set noise.factor = 0 and noise.spread = 0 (task = "
            "'infer' has the noise of one chip)"
        )
