"""Energy of a forecast by a magnetic reservoir, and by a recurrent network in digital logic, factor by factor.

Both sides take the constants of one chip (:mod:`barkhausen.synapse.crossbar`). Counted for a step of the reservoir:

- gate: C V² of each element with the mean square of the voltages applied; half of it where the charge is recovered;
- reads: V² G tau of each node;
- DAC: one input line; ADC: one conversion for each node (copies are read in parallel, their currents add up);
- read-out: multiply-adds, fetches of weights, buffers and results in digital logic.

A recurrent network takes the same read-out and digital logic for its own weights. Both keep their state between
forecasts, so that a new value costs one step. Training, network and leakage of the chip are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from barkhausen.core.units import ELEMENTARY_CHARGE
from barkhausen.neuron.reservoir.parameters import Driven
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.digital_logic import inference_energy
from barkhausen.synapse.crossbar.layer_load import LayerLoad

Matrix = tuple[int, int, int]
"""Outputs, inputs and uses of a matrix in one forecast."""


@dataclass(frozen=True)
class ForecastEnergy:
    """Energy in J of one forecast by cause, and the factors that it is made of, a line each."""

    by_cause: Mapping[str, float]
    factors: tuple[str, ...] = field(default=())

    @property
    def total(self) -> float:
        """Energy in J of all causes."""
        return math.fsum(self.by_cause.values())


def digital_energy(chip: Chip, matrices: Sequence[Matrix], bits: int) -> ForecastEnergy:
    """Energy of matrices in digital logic.

    Args:
        chip: Chip.
        matrices: Matrices of the network.
        bits: Bits of weights and activations; 32 for floating point.
    """
    loads = [LayerLoad(outputs, inputs, 0.0, 0.0, uses=uses) for outputs, inputs, uses in matrices]
    if not loads:
        return ForecastEnergy({}, ())
    found = inference_energy(chip, loads, bits)
    work = " + ".join(f"{outputs} x {inputs} x {uses}" for outputs, inputs, uses in matrices)
    count = sum(outputs * inputs * uses for outputs, inputs, uses in matrices)
    single = chip.multiply_add if bits >= 32 else chip.integer_multiply(bits, bits) + chip.integer_add
    lines = (
        f"multiply-adds: {work} (outputs x inputs x uses) = {count}, {_joule(single)} each at {bits} bits",
        f"weights: {sum(a * b for a, b, _ in matrices)} fetched once from SRAM of 1 MB, {_joule(chip.weight_word)} for "
        "32 bits",
        f"results and buffers: {_joule(found['normalise'])} and {_joule(found['buffer'])}",
    )
    return ForecastEnergy(dict(found), lines)


def reservoir_energy(
    element: Driven,
    chip: Chip,
    matrices: Sequence[Matrix],
    *,
    mean_square_voltage: float,
    mean_mz: float,
    bits: int,
    recovered: bool = False,
) -> ForecastEnergy:
    """Energy of one step of a magnetic reservoir and of its read-out.

    Args:
        element: Parameters of the element.
        chip: Chip.
        matrices: Matrices of the read-out.
        mean_square_voltage: Mean of the squared gate voltage in V².
        mean_mz: Mean m_z, for the conductance.
        bits: Bits of the read-out.
        recovered: Whether the charge of the gate is recovered, so that it costs C V²/2.
    """
    area, junction, copies = element.area, element.junction, element.copies
    farad = element.oxide.capacitance(area)
    siemens = _conductance(element, mean_mz)
    nodes = element.virtual_nodes * element.junctions
    read = junction.read_voltage**2 * siemens / element.junctions * junction.read_time
    share = 0.5 if recovered else 1.0
    digital = digital_energy(chip, matrices, bits)
    causes = {
        "gate": copies * share * farad * mean_square_voltage,
        "reads": copies * nodes * read,
        "DAC": chip.drive_energy,
        "ADC": nodes * chip.conversion_energy,
        **digital.by_cause,
    }
    leak = copies * area / element.oxide.usual_resistance_area * mean_square_voltage * element.hold
    lines = (
        f"gate: {copies} element(s) x {'1/2 ' if recovered else ''}C V2, C = {1e15 * farad:.4g} fF, mean V2 = "
        f"{mean_square_voltage:.4g} V2: {_joule(causes['gate'])}"
        + ("; half, because the charge is recovered" if recovered else "; nothing is recovered"),
        f"reads: {copies} element(s) x {nodes} nodes x V2 G t, V = {junction.read_voltage:g} V, G = {siemens:.4g} S, "
        f"t = {1e12 * junction.read_time:g} ps: {_joule(causes['reads'])}",
        f"read noise: shot and thermal noise of one read alone is {read_noise(element, mean_mz):.2g} of m_z; it is not "
        "in the states",
        f"DAC: one line, {_joule(chip.drive_energy)}; ADC: {nodes} conversions of {chip.adc.bits} bits, "
        f"{_joule(chip.conversion_energy)} each",
        f"leakage through an oxide of the usual {1e12 * element.oxide.usual_resistance_area:.3g} ohm um2 would add "
        f"{_joule(leak)}; it is not counted",
        *digital.factors,
    )
    return ForecastEnergy(causes, lines)


def read_noise(element: Driven, mean_mz: float) -> float:
    """Standard deviation of m_z by the shot noise of the current of one read at the mean m_z, of one element.

    2 e I over a bandwidth of 1/(2 t); the thermal part is negligible above 2 kB T/e = 52 mV.
    """
    junction, area = element.junction, element.area / element.junctions
    siemens = _conductance(element, mean_mz) / element.junctions
    slope = (junction.parallel_conductance(area) - junction.antiparallel_conductance(area)) / 2
    current = junction.read_voltage * siemens
    return math.sqrt(ELEMENTARY_CHARGE * current / junction.read_time) / (junction.read_voltage * slope)


def _conductance(element: Driven, mz: float) -> float:
    """Conductance in S of all junctions of one element."""
    low = element.junction.antiparallel_conductance(element.area)
    high = element.junction.parallel_conductance(element.area)
    return low + (high - low) * (1 + mz) / 2


def _joule(value: float) -> str:
    for factor, unit in ((1e9, "nJ"), (1e12, "pJ")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e15:.3g} fJ"
