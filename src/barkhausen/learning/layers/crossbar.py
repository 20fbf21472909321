"""Layers whose products run on crossbar tiles: wires, converters and read noise in the forward pass.

The synaptic weights of a trained layer are mapped to conductances on tiles, and the tiles are solved with their wires,
which gives one effective matrix. Inputs pass through DACs, the partial sums of every row of tiles through ADCs, and the
results are added digitally.

Such a network can be trained further (hardware-aware): in training mode it computes with the chip and gives the
gradient with respect to the effective matrix to the latent weights, ignoring converters and wires (straight-through).
Devices change at every step, but wires are solved only at every :func:`refresh`: between two of them, the effective
matrix is that of the devices plus the change by the wires at the last solution. In evaluation mode all tiles that have
changed are solved again, so that it is always exact.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device.conductance import ConductanceMap
from barkhausen.learning.layers.base import SynapseLayer, replace_modules, synapse_layers
from barkhausen.learning.layers.convolution import SynapseConv2d
from barkhausen.learning.layers.linear import SynapseLinear
from barkhausen.learning.layers.recurrent import SynapseRecurrent, recurrent_layers
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.converters import (
    calibrated_limit,
    combine_planes,
    converter_range,
    full_scale_limit,
    input_planes,
    quantise_inputs,
    quantise_outputs,
)
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.noise import device_factors, layer_noise
from barkhausen.synapse.crossbar.tiles import CrossbarTiles
from barkhausen.synapse.crossbar.two_reads import common_input, two_reads
from barkhausen.synapse.crossbar.wires import Wires

AT_ONCE = 1 << 26
"""Largest number of inputs, over all planes, held at a time: 256 MiB in single precision."""


class CrossbarLayer(nn.Module):
    """A trained layer on tiles, made and calibrated by :func:`on_crossbar`; see the module.

    Args:
        layer: Linear layer or 2-D convolution whose weights are held by devices.
        chip: Chip: tiles, wires, converters and noise.
        generator: Random stream of the read noise.

    Raises:
        InputError: The layer cannot be mapped to tiles, or the device has no conductances.
    """

    def __init__(self, layer: SynapseLayer, chip: Chip, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not isinstance(layer, (SynapseLinear, SynapseConv2d)) or getattr(layer, "groups", 1) != 1:
            raise InputError("a crossbar takes linear layers and 2-D convolutions without groups")
        self.layer, self.chip, self.generator = layer, chip, generator
        device = layer.synapses.kind.device
        read_out = device.read_out
        self.map = ConductanceMap.of(device).scaled(chip.conductance_factor(read_out.resistance_area))
        self.read_voltage = chip.read_voltage(read_out.voltage)
        # The spread of devices is drawn once, since it does not vary in time.
        spread = chip.noise.spread
        self.chip_of_reads = chip.model_copy(update={"noise": chip.noise.model_copy(update={"spread": 0.0})})
        self.matrix = self._stored().clone()
        self.tiles = CrossbarTiles(
            self.matrix.double(),
            self.map,
            wires=Wires(chip.wires.word_line, chip.wires.bit_line),
            rows=chip.tile.rows,
            columns=chip.tile.columns,
            scheme=chip.tile.scheme,
        )
        shape = tuple(self.tiles.conductances.shape)
        self.factors = device_factors(shape, chip.noise, generator).to(self.tiles.conductances) if spread > 0 else None
        self._spread()
        self.effective = self.tiles.effective_weight().to(self.matrix)
        self.deviation = self.effective - self.matrix
        tile, _ = self.tiles.tiling.rows_of_inputs()
        self.parts = [(tile == number).nonzero().squeeze(1) for number in range(self.tiles.tiling.shape[0])]
        self.programmed = self._programmed()
        self.input_limit = self.sum_limit = 0.0
        self.mean_square = self.mean_square_common = 0.0
        self.uses = 1

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """Output of the tiles, scaled and with the layer's digital bias."""
        if not self.training:
            self.refresh()
        rows, shape = self._rows(x)
        out = torch.cat([self._products(part) for part in rows.split(self._at_once(rows))]) * self.layer.scale
        if self.layer.bias is not None:
            out = out + self.layer.bias
        return out if shape is None else out.transpose(1, 2).reshape(len(x), -1, *shape)

    def train(self, mode: bool = True) -> CrossbarLayer:
        """Switch between training and evaluation mode; before evaluation, tiles whose devices have changed are solved
        again."""
        if not mode:
            self.refresh()
        super().train(mode)
        return self

    @torch.no_grad()
    def refresh(self) -> None:
        """Solve the wires of the tiles whose devices were programmed since the last call."""
        if torch.equal(self._stored(), self.matrix):
            return
        stored = self._stored().clone()
        self.tiles.program(stored.double())
        self._spread()
        self.matrix, self.effective = stored, self.tiles.effective_weight().to(stored)
        self.deviation = self.effective - stored
        self.programmed = self._programmed()

    def get_extra_state(self) -> Tensor:
        """Ranges of the converters and quantities for their energy, for ``state_dict``."""
        numbers = [self.input_limit, self.sum_limit, self.mean_square, self.uses, self.mean_square_common]
        return torch.tensor(numbers, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what :meth:`get_extra_state` saved."""
        self.input_limit, self.sum_limit, self.mean_square, uses, *common = state.tolist()
        self.uses = int(uses)
        # An earlier version had no second read.
        self.mean_square_common = common[0] if common else self.mean_square

    @torch.no_grad()
    def calibrate(self, x: Float[Tensor, "batch ..."]) -> None:
        """Set the ranges of the converters by training inputs of this layer, and record quantities for their energy.

        Raises:
            InputError: A range is zero, or inputs are negative although ``inputs.signed`` is false.
        """
        chip, (rows, _) = self.chip, self._rows(x)
        if not chip.inputs.signed and bool((rows < 0).any()):
            raise InputError(
                f"inputs.signed = false: negative inputs come to a layer of {rows.shape[-1]} (those of standardised "
                "data are); keep inputs.signed = true"
            )
        self.uses = rows.shape[1] if rows.dim() == 3 else 1
        self.input_limit = calibrated_limit(rows, 100.0)
        parts = rows.split(self._at_once(rows))
        squares = [float(self._planes(part).square().mean(dtype=torch.float64)) * len(part) for part in parts]
        self.mean_square = sum(squares) / len(rows) * self.read_voltage**2
        twice = chip.tile.way.reads > 1
        if twice:
            self.mean_square_common = self._square_of_common(parts) / len(rows) * self.read_voltage**2
        if chip.adc.range == "full-scale":
            largest = float(self.matrix.abs().max()) + (self.zero if twice else 0.0)
            self.sum_limit = full_scale_limit(max(map(len, self.parts)), 1.0, largest)
        else:
            sums = [
                current.flatten()
                for planes in map(self._planes, parts)
                for number in range(len(self.parts))
                for current in self._currents(planes, number)
            ]
            self.sum_limit = calibrated_limit(torch.cat(sums), chip.adc.percentile)

    def load(self, name: str) -> LayerLoad:
        """Load of this layer on the chip in one inference."""
        outputs, inputs = self.matrix.shape
        mean = self.map.reference
        if self.chip.tile.devices_per_weight == 1:
            mean += self.map.unit * float(self.matrix.mean())
        return LayerLoad(
            outputs,
            inputs,
            mean_conductance=mean,
            mean_square_voltage=self.mean_square,
            uses=self.uses,
            reference_conductance=self.map.reference,
            name=name,
            largest_voltage=self.read_voltage,
            mean_square_common_voltage=self.mean_square_common if self.chip.tile.way.reads > 1 else None,
        )

    @property
    def zero(self) -> float:
        """Conductance of a device of weight 0 in weight units."""
        return self.map.reference / self.map.unit

    def _programmed(self) -> Float[Tensor, "tile outputs"] | None:
        """Sums of the levels that the devices of each tile were programmed to; None where no read needs them."""
        if self.chip.tile.way.reads == 1:
            return None
        levels = self.layer.quantiser.levels[self.layer.target_state().flatten(1)]
        return torch.stack([levels[:, part].sum(1) for part in self.parts]).to(self.matrix)

    def _currents(self, planes: Tensor, number: int) -> list[Tensor]:
        """Currents of the columns of a tile in each read, before conversion, in units of Σ w x."""
        part = self.parts[number]
        if self.programmed is None:
            return [F.linear(planes[..., part], self.effective[:, part])]
        signed, known = self.chip.inputs.signed, self.programmed[number]
        reads = two_reads(planes[..., part], self.effective[:, part], known, self.zero, signed=signed)
        return [reads.first, reads.second]

    def _square_of_common(self, parts: Sequence[Tensor]) -> float:
        """Sum over samples of the mean square of the common input of the second read."""
        signed, total = self.chip.inputs.signed, 0.0
        for rows in parts:
            planes = self._planes(rows)
            for part in self.parts:
                squares = common_input(planes[..., part], signed=signed).square().mean(dtype=torch.float64)
                total += float(squares) * len(rows) * len(part) / planes.shape[-1]
        return total

    def _spread(self) -> None:
        """Apply the spread of conductances to the devices on the tiles."""
        if self.factors is not None:
            self.tiles.replace(self.tiles.conductances * self.factors)

    def _at_once(self, rows: Tensor) -> int:
        """Number of samples whose planes are held at a time."""
        return max(1, AT_ONCE // (self.chip.inputs.planes * rows[0].numel())) if len(rows) else 1

    def _planes(self, rows: Tensor) -> Float[Tensor, "plane ..."]:
        """Row voltages in units of the full read voltage, one plane for each read."""
        how = self.chip.inputs
        if how.mode == "bit-serial":
            return input_planes(rows, how.bits, self.input_limit, signed=how.signed)
        return (quantise_inputs(rows, how.bits, self.input_limit, signed=how.signed) / self.input_limit)[None]

    def _stored(self) -> Float[Tensor, "outputs inputs"]:
        """Current weights of the devices, not copied."""
        found: Tensor = self.layer.synapses.weight.detach().flatten(1)
        return found

    def _matrix_in_training(self) -> Float[Tensor, "outputs inputs"]:
        """Approximate effective matrix between two refreshes, whose gradient goes to the latent weight."""
        latent_weight = self.layer.latent_weight.flatten(1)
        return latent_weight + (self._stored() + self.deviation - latent_weight).detach()

    def _products(self, rows: Tensor) -> Tensor:
        planes = self._planes(rows)
        matrix = self._matrix_in_training() if self.training else self.effective
        low, high = converter_range(self.sum_limit, self.chip.adc.bits)
        total = torch.zeros((), device=rows.device, dtype=rows.dtype)
        for number, part in enumerate(self.parts):
            driven, bits = planes[..., part], self.chip.adc.bits

            def converted(current: Tensor, inputs: Tensor, part: Tensor = part, bits: int = bits) -> Tensor:
                noise = self._noise(inputs.detach(), part)
                return quantise_outputs(current if noise is None else current + noise, bits, low, high)

            if self.programmed is None:
                total = total + converted(F.linear(driven, matrix[:, part]), driven)
                continue
            signed = self.chip.inputs.signed
            reads = two_reads(driven, matrix[:, part], self.programmed[number], self.zero, signed=signed)
            common = reads.common.expand_as(driven)
            total = total + reads.product(
                functools.partial(converted, inputs=driven), functools.partial(converted, inputs=common)
            )
        if self.chip.inputs.mode == "bit-serial":
            return combine_planes(total, self.input_limit)
        return total[0] * self.input_limit

    def _noise(self, planes: Tensor, part: Tensor) -> Tensor | None:
        noise = self.chip.noise
        if noise.factor == 0 or not (noise.thermal or noise.shot):
            return None
        weight = self.matrix[:, part].to(planes.dtype)
        found = layer_noise(
            weight, planes, self.map, self.chip_of_reads, read_voltage=self.read_voltage, input_limit=1.0
        )
        return found.draw(self.generator)

    def _rows(self, x: Tensor) -> tuple[Tensor, tuple[int, int] | None]:
        """Inputs of the matrix [batch, inputs] or [batch, place, inputs], and the rows and columns of the output."""
        if isinstance(self.layer, SynapseLinear):
            return x, None
        assert isinstance(self.layer, SynapseConv2d)
        how: Any = self.layer
        x = how.padded(x)
        sliding = how.sliding
        unfolded = F.unfold(x, how.kernel_size, sliding.dilation, sliding.padding, sliding.stride)
        places = [
            (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
            for size, pad, gap, kernel, step in zip(
                x.shape[2:], sliding.padding, sliding.dilation, how.kernel_size, sliding.stride, strict=True
            )
        ]
        return unfolded.transpose(1, 2), (places[0], places[1])


def on_crossbar(
    model: nn.Module, chip: Chip, calibration: Float[Tensor, "sample ..."], generator: torch.Generator | None = None
) -> nn.Module:
    """A copy of a network, in evaluation mode, whose synapse layers run on the tiles of a chip.

    The ranges of the converters are set layer by layer, from first to last, by training samples that pass through the
    part of the network that is already on the chip.

    Args:
        model: Trained network with synapse layers.
        chip: Chip: tiles, wires, converters and noise.
        calibration: Training samples.
        generator: Random stream of the read noise.

    Raises:
        InputError: There is no synapse layer, a layer cannot be mapped to tiles, a device has no conductances, or a
            range is zero.
    """
    target = copy.deepcopy(model).eval()
    layers = [layer for _, layer in synapse_layers(target)]
    if not layers:
        raise InputError("the network has no synapse layer to put on a crossbar")
    made: dict[nn.Module, nn.Module] = {layer: CrossbarLayer(layer, chip, generator) for layer in layers}
    if target in made:
        target = made[target]
    else:
        replace_modules(target, made)

    def calibrate(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, CrossbarLayer)
        layer.calibrate(inputs[0])

    def calibrate_recurrent(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        # Its hidden states at all steps at once: those of the devices without wires and converters.
        assert isinstance(layer, SynapseRecurrent)
        x = inputs[0] if layer.batch_first else inputs[0].transpose(0, 1)
        for name, hidden in layer.hidden_of_steps(x).items():
            matrix = getattr(layer, name)
            assert isinstance(matrix, CrossbarLayer)
            matrix.calibrate(hidden)

    # New modules are in training mode even if the network is in evaluation mode.
    target.eval()
    recurrent = [layer for _, layer in recurrent_layers(target)]
    own = {getattr(layer, names[1]) for layer in recurrent for names in layer.names}
    hooks = [layer.register_forward_pre_hook(calibrate) for layer in made.values() if layer not in own]
    hooks += [layer.register_forward_pre_hook(calibrate_recurrent) for layer in recurrent]
    with torch.no_grad():
        target(calibration)
    for hook in hooks:
        hook.remove()
    return target


def refresh(model: nn.Module) -> None:
    """Solve the wires of all tiles whose devices were programmed since the last call; the ranges of converters stay."""
    for layer in crossbar_layers(model).values():
        layer.refresh()


def crossbar_layers(model: nn.Module) -> dict[str, CrossbarLayer]:
    """Layers on tiles by name, in order."""
    return {name: module for name, module in model.named_modules() if isinstance(module, CrossbarLayer)}
