"""Energy by cause, time and area of a whole chip for one inference and for one training step.

Counted items:

- drive: each use of a layer (one position of a convolution) drives every input on one row of each tile that holds it,
  once for each plane of a bit-serial input;
- device read: V² G tau of every device on a driven row, neglecting the voltage lost along wires (hence an upper bound).
  This includes the devices of weights and either one reference column in each tile or the second devices of pairs.
  Columns of a tile without outputs are disconnected;
- wires: C V² of every row over the whole width of its tiles. Columns are held at 0 V and are not charged; the gates of
  access transistors do not switch during inference;
- DAC, ADC: every row of every tile and read; every output of every tile and read (the currents of references and pairs
  are subtracted before they are converted). Columns share converters in time: energy does not change, time does;
- with two reads (:mod:`.two_reads`) every read, conversion and addition is made twice, the second read at the common
  voltage; **common input**: the sum of the inputs of each tile, and one 8-bit multiplication and an addition for each
  product of a tile;
- accumulate: one 32-bit integer addition for each conversion (over tiles and planes);
- normalise: one float32 multiplication and addition (which together apply scale, bias and batch normalisation) and one
  comparison for each output and use;
- buffer: one read of every input and one write of every output in each use, with the number of bits of the inputs;
- read disturb: the number of reads of every device, all taken at full voltage, times the probability of each.

A training step consists of

- the reads of a forward pass for every sample of its batch;
- the reads of a backward pass over the transposed tiles with the same converters, except for the first layer that
  learns and those before it. The
  contribution of a reference column (the sum of the errors times its conductance) is computed digitally and not
  counted;
- gradients, latent weights, optimiser, verification and monitoring of the layers that learn (:mod:`.learning_costs`);
- programming: the energies of the device file.

Network, leakage and clocks are estimates (:mod:`.overheads`). Everything off the chip is not counted, nor is the
selection of rows during programming: neither the current that unselected devices carry nor its disturbance of their
walls is modelled (every device is taken to have its own access transistors).

The float32 baseline consists of its multiply-adds, one fetch of each weight from memory for an inference (one each for
the forward and the backward pass over a batch), the same activations in 32 bits, and the same gradients, memories and
overheads at full precision. The int8 baseline is that of :mod:`.digital_logic`, with the precision and sparsity of the
training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.digital_logic import (
    BITS,
    inference_energy,
    results_of_a_step,
    training_energy,
    without_devices,
)
from barkhausen.synapse.crossbar.layer_costs import backward_energy, forward_energy, read_out_time
from barkhausen.synapse.crossbar.layer_load import LayerLoad, learnt_layers, passed_back
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import FULL, USUAL, LearningLoad
from barkhausen.synapse.crossbar.outer_product import outer_product_time
from barkhausen.synapse.crossbar.overheads import overheads
from barkhausen.synapse.energy import EnergyBreakdown

NO_PROGRAMMING = EnergyBreakdown()
PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))


@dataclass(frozen=True)
class SystemCosts:
    """Energy, time and area of one inference or one training step of a network on a chip."""

    what: str
    """``"inference"`` or ``"training step of 100 samples"``."""
    energy: Mapping[str, float]
    """Energy in J by cause."""
    baseline: Mapping[str, float]
    """Energy in J by cause of the same network in float32 logic of the same node."""
    latency: float
    """Duration in s of all reads and conversions, one layer (and, in training, one sample) after the other."""
    interval: float
    """Time in s between inferences if all layers work in parallel (pipelining): that of the slowest layer. In training,
    the latency."""
    area: Mapping[str, float]
    """Area in m² by part."""
    disturb_probability: float
    """Probability that the reads move at least one wall of the network."""
    disturbed: float
    """Mean number of walls that the reads move."""
    node: float
    """CMOS node in m."""
    int8: Mapping[str, float] = field(default_factory=dict)
    """Energy in J by cause of the same network in int8 logic of the same node."""
    precursor: Mapping[str, float] = field(default_factory=dict)
    """Energy in J by cause of the same network in float32 logic, with latent weights and gradients of the precision and
    sparsity of the training: that of an ex-situ precursor."""

    @property
    def total(self) -> float:
        """Energy in J of all causes."""
        return math.fsum(self.energy.values())

    @property
    def baseline_total(self) -> float:
        """Energy in J of the float32 baseline."""
        return math.fsum(self.baseline.values())

    @property
    def area_total(self) -> float:
        """Area in m² of all parts."""
        return math.fsum(self.area.values())

    def dominant(self) -> str:
        """A sentence that names the largest causes of energy and compares the total with float32 logic."""
        total = self.total
        if not total > 0:
            return f"One {self.what} takes no energy that is counted."
        ranked = sorted(self.energy.items(), key=lambda item: item[1], reverse=True)
        (first, most), *others = ranked
        verb = "takes" if most > total / 2 else "comes first with"
        second = [f", then {name} with {value / total:.0%}" for name, value in others[:1] if value > 0]
        sentence = f"Of the {_in_units(total, 'J')} of one {self.what}, {first} {verb} {most / total:.0%}"
        ratio = self.baseline_total / total
        compared = f"{ratio:.3g} times as much" if ratio >= 1 else f"{ratio:.3g} of that"
        return (
            f"{sentence}{''.join(second)}; float32 logic at {self.node * 1e9:.3g} nm would take "
            f"{_in_units(self.baseline_total, 'J')}, {compared}."
        )


def disturb_per_read(probability: float, read_time: float, sense_time: float) -> float:
    """Probability that one read of ``sense_time`` moves a wall, given that of a read of ``read_time``.

    A device file gives the latter (``read_disturb``, at the voltage and time of its verify read). It depends on the
    voltage; see :meth:`barkhausen.device.domain_wall.junction.TunnelJunction.read_disturb`.
    """
    if not (0 <= probability <= 1 and read_time > 0 and sense_time > 0):
        raise InputError(
            f"read disturb {probability:g} of a read of {read_time:g} s, sensed for {sense_time:g} s: must be a "
            "probability and two times"
        )
    return 1.0 if probability == 1 else -math.expm1(math.log1p(-probability) * sense_time / read_time)


def inference_costs(
    chip: Chip,
    layers: Sequence[LayerLoad],
    *,
    read_disturb: float = 0.0,
    programming: EnergyBreakdown = NO_PROGRAMMING,
) -> SystemCosts:
    """Energy, time and area of one inference.

    Args:
        chip: Chip.
        layers: Loads of the layers, in order.
        read_disturb: Probability that one read of the sense time moves the wall of a device, averaged over states.
        programming: Programming energy attributed to one inference. Default: none.

    Raises:
        InputError: There is no layer, or ``read_disturb`` is outside [0, 1].
    """
    _check(layers, read_disturb)
    energy = _summed([forward_energy(chip, layer) for layer in layers])
    times = [read_out_time(chip, layer) for layer in layers]
    baseline, int8 = (inference_energy(chip, layers, bits) for bits in (FULL, BITS))
    area = area_of(chip, layers, training=False)
    moved, synapses = sum(layer.outputs * layer.uses for layer in layers), sum(layer.synapses for layer in layers)
    latency = math.fsum(times)
    size = math.fsum(area.values())
    energy |= overheads(chip, energy, bits_moved=moved * chip.inputs.bits, area=size, stored_bits=0, time=latency)
    baseline |= overheads(chip, baseline, bits_moved=32 * moved, area=size, stored_bits=32 * synapses, time=latency)
    int8 |= overheads(chip, int8, bits_moved=BITS * moved, area=size, stored_bits=BITS * synapses, time=latency)
    energy["programming"] = programming.total
    return SystemCosts(
        what="inference",
        energy=MappingProxyType(energy),
        baseline=MappingProxyType(baseline),
        int8=MappingProxyType(int8),
        precursor=MappingProxyType({}),
        latency=latency,
        interval=max(times),
        area=MappingProxyType(area),
        **_disturb(chip, layers, read_disturb, passes=[1] * len(layers)),
        node=chip.digital.node,
    )


def training_costs(
    chip: Chip,
    layers: Sequence[LayerLoad],
    *,
    batch: int,
    programming: EnergyBreakdown = NO_PROGRAMMING,
    learning: LearningLoad = USUAL,
    read_disturb: float = 0.0,
) -> SystemCosts:
    """Energy, time and area of one training step.

    Args:
        chip: Chip.
        layers: Loads of the layers, in order.
        batch: Number of samples of the step.
        programming: Programming energy of the step. Default: none.
        learning: Precision, sparsity and reads of the learning rule. Default: full precision without reads.
        read_disturb: Probability that one read of the sense time moves the wall of a device, averaged over states.

    Raises:
        InputError: There is no layer, the batch is empty, or ``read_disturb`` is outside [0, 1].
    """
    _check(layers, read_disturb)
    if batch < 1:
        raise InputError(f"batch = {batch}: a training step needs 1 sample or more")
    back, learnt = passed_back(layers), learnt_layers(layers)
    passes = [forward_energy(chip, layer) for layer in layers] + [backward_energy(chip, layer) for layer in back]
    energy = {name: batch * value for name, value in _summed(passes).items()}
    energy |= learning_energy(chip, learnt, batch, learning)
    forward_times = [read_out_time(chip, layer) for layer in layers]
    backward_times = [read_out_time(chip, layer, transposed=True) for layer in back]
    latency = batch * math.fsum([*forward_times, *backward_times])
    if learning.gradient_bits < FULL:
        latency += outer_product_time(chip, learnt, batch)
    area = area_of(chip, layers, training=True, learning=learning)
    size = math.fsum(area.values())
    synapses, moved = sum(layer.synapses for layer in learnt), batch * results_of_a_step(layers)
    energy |= overheads(
        chip,
        energy,
        bits_moved=moved * chip.inputs.bits,
        area=size,
        stored_bits=synapses * stored_bits(chip, learning),
        time=latency,
    )
    # In 32 bits, independently of the word size of the chip.
    floating = chip.with_words_of(FULL)
    whole = LearningLoad(latent_bits=FULL, optimiser_states=chip.gradient_memory.optimiser_states)
    own = math.fsum(area_of(floating, layers, training=True, learning=whole).values())
    digital = without_devices(learning)
    baseline = _logic(floating, layers, batch, whole, FULL, area=own, time=latency)
    # The other two are taken to be as large as this chip.
    int8 = _logic(chip, layers, batch, digital.within(BITS), BITS, area=size, time=latency)
    precursor = _logic(floating, layers, batch, digital, FULL, area=size, time=latency)
    energy["programming"] = programming.total
    return SystemCosts(
        what=f"training step of {batch} sample{'s' if batch > 1 else ''}",
        energy=MappingProxyType(energy),
        baseline=MappingProxyType(baseline),
        int8=MappingProxyType(int8),
        precursor=MappingProxyType(precursor),
        latency=latency,
        interval=latency,
        area=MappingProxyType(area),
        **_disturb(chip, layers, read_disturb, passes=[batch] * (len(layers) - len(back)) + [2 * batch] * len(back)),
        node=chip.digital.node,
    )


def _logic(
    chip: Chip, layers: Sequence[LayerLoad], batch: int, learning: LearningLoad, bits: int, *, area: float, time: float
) -> dict[str, float]:
    """Energy in J of one training step in digital logic, by cause, with overheads.

    Args:
        chip: Chip, for its constants and memories.
        layers: Loads of the layers, in order.
        batch: Number of samples.
        learning: Precision and sparsity of gradients and latent weights, which are the weights of the logic.
        bits: Bits of weights, activations and errors; 32 for floating point.
        area: Area of the chip in m².
        time: Duration in s.
    """
    energy = training_energy(chip, layers, batch, learning, bits)
    return energy | overheads(
        chip,
        energy,
        bits_moved=batch * results_of_a_step(layers) * bits,
        area=area,
        stored_bits=sum(layer.synapses for layer in learnt_layers(layers)) * stored_bits(chip, learning),
        time=time,
    )


def area_of(
    chip: Chip, layers: Sequence[LayerLoad], *, training: bool, learning: LearningLoad = USUAL
) -> dict[str, float]:
    """Area in m² by part: whole tiles, including unused cells, with a converter for every ``adc.columns`` outputs."""
    blocks = [chip.tile.blocks(layer.outputs, layer.inputs) for layer in layers]
    tiles = sum(down * across for down, across in blocks)
    converters = tiles * chip.converters
    # Errors are driven on the columns; the second of two reads has a source for all rows.
    lines = chip.tile.rows + (chip.tile.columns if training else 0) + (1 if chip.tile.way.reads > 1 else 0)
    constants, digital = chip.constants, chip.digital_area_factor
    # Second arrays have drivers of their own and share the converters.
    second = learning.second_arrays if training else 0
    area = {
        "devices": (1 + second) * tiles * chip.tile.rows * chip.tile.columns * constants.cell_area.value,
        "DAC": (1 + second) * tiles * lines * chip.driver_area,
        "ADC": converters * chip.converter_area,
        "accumulate": converters * constants.integer_add_area.value * digital,
        "normalise": sum(across for _, across in blocks) * constants.multiply_add_area.value * digital,
    }
    if training:
        bits = sum(layer.synapses for layer in learnt_layers(layers)) * stored_bits(chip, learning)
        area["gradient memory"] = bits * constants.sram_area.value * digital
        if learning.gradient_bits < FULL:
            area["gradient cells"] = tiles * chip.tile.rows * chip.tile.columns * constants.accumulator_area.value
    return area


def stored_bits(chip: Chip, learning: LearningLoad) -> int:
    """Bits of the gradient memory for each synapse."""
    latent, states = learning.words_in(chip.gradient_memory)
    return latent + states * chip.gradient_memory.bits


def _disturb(chip: Chip, layers: Sequence[LayerLoad], probability: float, passes: Sequence[int]) -> dict[str, float]:
    devices = chip.tile.devices_per_weight
    reads = sum(
        layer.multiply_adds * devices * chip.inputs.planes * chip.tile.way.reads * number
        for layer, number in zip(layers, passes, strict=True)
    )
    some = 1.0 if probability == 1 else -math.expm1(reads * math.log1p(-probability))
    return {"disturb_probability": some, "disturbed": reads * probability}


def _summed(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: math.fsum(part[name] for part in parts) for name in parts[0]}


def _check(layers: Sequence[LayerLoad], read_disturb: float) -> None:
    if not layers:
        raise InputError("the network has no layer on the chip")
    if not 0 <= read_disturb <= 1:
        raise InputError(f"read_disturb = {read_disturb:g}: must be a probability from 0 to 1")


def _in_units(value: float, unit: str) -> str:
    """A value with three digits and an SI prefix."""
    scale, prefix = next(((s, p) for s, p in PREFIXES if value >= 0.9995 * s), PREFIXES[-1])
    return f"{value / scale:.3g} {prefix}{unit}"
