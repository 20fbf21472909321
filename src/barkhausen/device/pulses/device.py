"""Devices moved by pulses: mean step, spreads, bounds and energies in one labelled data set.

The weight w of a device is linear in its state coordinate x (a conductance, the position of a wall): w = −1 and 1 are
the mean lower and upper bound, the two ends of ``state_range``. One device i has bounds of its own, lo_i and hi_i, and
a factor k_i of its steps for each sign of pulse. One pulse of sign s moves it to

    w ← clip(w + k_is (m_s(u) + σ_s(u) ξ), lo_i, hi_i),   u = 2 (w − lo_i)/(hi_i − lo_i) − 1,

with a standard normal ξ for every pulse; m (``step_mean``, signed) and σ (``step_sd``, cycle to cycle) are linear
between the points of the grid of u. Where the file gives a pattern (``pattern_sd``), the mean step of each device
differs from m at every point of the grid by a normal number of its own, the same in every cycle, and is never against
its pulse. The factors are log-normal with mean 1, standard deviations ``scale_sd`` and correlation
``scale_correlation`` of their logarithms; the bounds are normal about −1 and 1 with ``bound_sd``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.config import Parameters, validated
from barkhausen.core.errors import InputError
from barkhausen.device.characterised import Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.labels import LabelledDevice, provenance
from barkhausen.device.old_format import read_out_variables
from barkhausen.device.pulses.cell import PulsedCell, cell_of
from barkhausen.device.pulses.description import describe_pulsed
from barkhausen.device.pulses.figures import CurveFigures, asymmetry, states_between
from barkhausen.device.pulses.labelled import step_dataset
from barkhausen.device.pulses.plots import plot_curves
from barkhausen.device.pulses.schema import KIND, validate
from barkhausen.device.pulses.textbook import CONDUCTANCE, CONDUCTANCES, DOWN, GRID, UP, TextbookDevices
from barkhausen.device.schema import FORMAT_VERSION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DOWN", "GRID", "UP", "PulsedDevice", "Table"]

Array = Float[np.ndarray, "*any"]
Table = Float[np.ndarray, "sign grid"]


@dataclass(frozen=True)
class PulsedDevice(TextbookDevices, LabelledDevice):
    """One device that identical pulses move up and down.

    Args:
        data: Content of a device file of kind ``pulses``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """

    data: xr.Dataset
    free: ClassVar[str] = "the device gives no energies: pulses are counted as free"

    def __post_init__(self) -> None:
        validate(self.data)

    @classmethod
    def from_steps(  # type: ignore[override]  # the base has whatever its devices take
        cls,
        mean: Table,
        sd: Table,
        *,
        technology: str,
        source: Source,
        coordinate: StateCoordinate = CONDUCTANCE,
        state_range: tuple[float, float] = CONDUCTANCES,
        conductances: tuple[float, float] | None = None,
        scale_sd: tuple[float, float] = (0.0, 0.0),
        scale_correlation: float = 0.0,
        bound_sd: tuple[float, float] = (0.0, 0.0),
        read_sd: float | None = None,
        energies: Mapping[str, tuple[float, float]] | None = None,
        causes: Mapping[str, str] | None = None,
        read_out: ReadOut | None = None,
        parameters: Parameters | None = None,
        law: Mapping[str, Any] | None = None,
        assumed: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
        extras: Sequence[xr.Dataset] = (),
    ) -> PulsedDevice:
        """Make a device from tables of its steps in weight units.

        Args:
            mean: Mean change of weight by a pulse up (not negative) and down (not positive), on an even grid of the
                weight from −1 to 1 with at least two points.
            sd: Cycle-to-cycle standard deviation of this change.
            technology: Name of the technology.
            source: Origin of the steps.
            coordinate: State coordinate.
            state_range: State coordinate at w = −1 and w = 1.
            conductances: Conductances in S at w = −1 and w = 1, linear between. Default: the state coordinate is the
                conductance, or, if it is another quantity, the device has none.
            scale_sd: Relative device-to-device standard deviations of the steps up and down.
            scale_correlation: Correlation of the two between devices.
            bound_sd: Device-to-device standard deviations of the lower and the upper bound in weight units.
            read_sd: Standard deviation of one read in weight units. Default: unknown.
            energies: Energies in J of one pulse up and one pulse down, by cause.
            causes: Label of each cause of energy.
            read_out: Voltage and duration of a read.
            parameters: Parameters of the device.
            law: Law of the mean step and its parameters, stored as JSON.
            assumed: Assumptions, a line each; they are printed with every result.
            attributes: Further metadata (seeds, command), stored as JSON.
            extras: Optional variables, such as intervals or measured curves.

        Raises:
            InputError: Shapes do not match, or a value is impossible for a device.
        """
        data = step_dataset(
            mean,
            sd,
            coordinate=coordinate,
            state_range=state_range,
            spreads=(scale_sd, scale_correlation, bound_sd),
            read_sd=read_sd,
            energies=energies,
            causes=causes or {},
        )
        values = zip(("conductance_low", "conductance_high"), conductances or (), strict=False)
        data = data.assign({name: ((), np.float64(value), {"units": "S"}) for name, value in values})
        if read_out is not None:
            data = data.assign(read_out_variables(read_out))
        data = data.assign_attrs(
            {
                "format_version": FORMAT_VERSION,
                "technology": technology,
                "kind": KIND,
                "conductance_map": "identity" if conductances is None and coordinate.unit == "S" else "linear",
                "source": source,
                "law": json.dumps(dict(law or {"name": "table"}), sort_keys=True),
                **provenance(parameters, assumed, attributes),
            }
        )
        return cls(data).extended(*extras)

    def extended(self, *extras: xr.Dataset) -> PulsedDevice:
        """The same device with optional variables and attributes added, or replaced where it had them.

        Raises:
            InputError: They do not fit this device.
        """
        data = self.data
        for extra in extras:
            data = data.assign(extra.data_vars).assign_attrs(extra.attrs)
        return PulsedDevice(data)

    def in_cells(self, cell: PulsedCell | None = None, **settings: Any) -> PulsedDevice:
        """The same device in synapses of other cells, for arrays that are made of it.

        Args:
            cell: Cells.
            settings: Keys of :class:`.PulsedCell` instead.

        Raises:
            InputError: A key or value is unknown or wrong.
        """
        made = validated(PulsedCell, settings, "cell") if cell is None else cell
        return self.extended(xr.Dataset(attrs={"cell": made.model_dump_json()}))

    @property
    def cell(self) -> PulsedCell:
        """Devices of one synapse; one where the file does not say.

        Raises:
            InputError: What the file says is damaged.
        """
        return cell_of(self.data)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the curves of potentiation and depression, those in the file or those of the mean step."""
        return plot_curves(self, axes)

    def __repr__(self) -> str:
        return describe_pulsed(self).text()

    def _repr_html_(self) -> str:
        return describe_pulsed(self).html()

    @property
    def law(self) -> dict[str, Any]:
        """Law of the mean step and its parameters; the name is ``table`` where there is none."""
        return dict(json.loads(str(self.data.attrs.get("law", '{"name": "table"}'))))

    @property
    def coordinate(self) -> StateCoordinate:
        """State coordinate: the quantity that pulses change."""
        return self._coordinate_of("state_range")

    @property
    def state_range(self) -> tuple[float, float]:
        """State coordinate at w = −1 and w = 1."""
        low, high = self.data["state_range"].values.astype(np.float64).tolist()
        return low, high

    @property
    def conductance_range(self) -> tuple[float, float]:
        """Conductances in S at w = −1 and w = 1.

        Raises:
            InputError: The device gives no conductances.
        """
        if self.data.attrs.get("conductance_map") == "identity":
            return self.state_range
        names = ("conductance_low", "conductance_high")
        for name in names:
            if name not in self.data:
                raise InputError(f"the device file gives no conductances (no variable '{name}')")
        return float(self.data[names[0]]), float(self.data[names[1]])

    @property
    def grid(self) -> Float[np.ndarray, " grid"]:
        """Weights of the grid, evenly from −1 to 1."""
        return np.linspace(-1.0, 1.0, self.data.sizes["grid"])

    @property
    def step_means(self) -> Table:
        """Mean change of weight by a pulse up (row 0) and down (row 1, negative) at the weights of the grid."""
        return np.asarray(self.data["step_mean"].transpose("sign", "grid").values, np.float64)

    @property
    def step_sds(self) -> Table:
        """Cycle-to-cycle standard deviation of the change of weight at the weights of the grid."""
        return np.asarray(self.data["step_sd"].transpose("sign", "grid").values, np.float64)

    @property
    def pattern_sds(self) -> Table:
        """Standard deviation between devices of the mean step at single weights of the grid, relative to their factors;
        zero where the file does not give it."""
        if "pattern_sd" not in self.data:
            return np.zeros_like(self.step_means)
        return np.asarray(self.data["pattern_sd"].transpose("sign", "grid").values, np.float64)

    @property
    def scale_sd(self) -> tuple[float, float]:
        """Relative device-to-device standard deviations of the steps up and down."""
        up, down = self.data["scale_sd"].values.astype(np.float64).tolist()
        return up, down

    @property
    def scale_correlation(self) -> float:
        """Correlation between devices of the logarithms of the factors of steps up and down."""
        return float(self.data["scale_correlation"])

    @property
    def bound_sd(self) -> tuple[float, float]:
        """Device-to-device standard deviations of the lower and the upper bound in weight units."""
        low, high = self.data["bound_sd"].values.astype(np.float64).tolist()
        return low, high

    @property
    def read_sd(self) -> float:
        """Standard deviation of one read in weight units; 0 if the file does not give it."""
        return float(self.data["read_sd"]) if "read_sd" in self.data else 0.0

    def energy(self, cause: str | None = None) -> tuple[float, float]:
        """Energy in J of one pulse up and one pulse down from one cause, or from all; zero if the file gives none."""
        if "energy" not in self.data or (cause is not None and cause not in self.energy_causes):
            return 0.0, 0.0
        rows = self.data["energy"].transpose("cause", "sign").values
        row = rows.sum(axis=0) if cause is None else rows[list(self.energy_causes).index(cause)]
        return float(row[0]), float(row[1])

    def read_energy(self, weight: Array | float = 0.0) -> Array:
        """Energy in J of one read, V² G t.

        Raises:
            InputError: The device gives no read-out or no conductances.
        """
        return np.asarray(self.read_out.voltage**2 * self.read_out.time * self.conductance(weight))

    def weight_of(self, value: Array | float) -> Array:
        """Weight at a value of the state coordinate."""
        low, high = self.state_range
        return np.asarray(2.0 * (np.asarray(value, np.float64) - low) / (high - low) - 1.0)

    def value_of(self, weight: Array | float) -> Array:
        """Value of the state coordinate at a weight."""
        low, high = self.state_range
        return np.asarray(low + (high - low) * (np.asarray(weight, np.float64) + 1.0) / 2.0)

    def conductance(self, weight: Array | float) -> Array:
        """Conductance in S at a weight, not below zero.

        Raises:
            InputError: The device gives no conductances.
        """
        low, high = self.conductance_range
        return np.maximum(low + (high - low) * (np.asarray(weight, np.float64) + 1.0) / 2.0, 0.0)

    def step(self, weight: Array | float, sign: int) -> Array:
        """Mean change of weight by one pulse of a typical device (factor 1, bounds −1 and 1).

        Args:
            weight: Weight before the pulse; outside [−1, 1] the step is that at the bound.
            sign: 1 for a pulse up, −1 for a pulse down.
        """
        return np.asarray(np.interp(weight, self.grid, self.step_means[_row(sign)]))

    def step_sd(self, weight: Array | float, sign: int) -> Array:
        """Cycle-to-cycle standard deviation of the change of weight by one pulse of a typical device."""
        return np.asarray(np.interp(weight, self.grid, self.step_sds[_row(sign)]))

    def curve(self, up: int, down: int | None = None, *, start: float = -1.0) -> Float[np.ndarray, " pulse"]:
        """Weights of a typical device without noise: at the start, after each pulse up, then after each pulse down.

        Args:
            up, down: Numbers of pulses; by default as many down as up.
            start: Weight before the first pulse.
        """
        weights = [start]
        for sign in [UP] * up + [DOWN] * (up if down is None else down):
            weights.append(float(np.clip(weights[-1] + self.step(weights[-1], sign), -1.0, 1.0)))
        return np.array(weights)

    @property
    def states(self) -> float:
        """Number of steps at w = 0 that the range holds, the mean of up and down (aihwkit's number of states)."""
        return states_between(self.step(0.0, UP), self.step(0.0, DOWN))

    @property
    def asymmetry(self) -> float:
        """Asymmetry of steps up and down at equal weight; see :func:`.figures.asymmetry`."""
        return asymmetry(self.grid, self.step_means)

    def figures(self, pulses: int | None = None) -> CurveFigures:
        """Nonlinearity of the curves of a typical device, its asymmetry and number of states.

        Args:
            pulses: Number of pulses of each curve. Default: as many as there are states.
        """
        count = max(2, round(self.states)) if pulses is None else pulses
        curve = self.curve(count)
        return CurveFigures.of(curve[: count + 1], curve[count:], self.asymmetry, self.states)


def _row(sign: int) -> int:
    if sign not in (UP, DOWN):
        raise ValueError(f"sign = {sign}: must be 1 (up) or -1 (down)")
    return 0 if sign == UP else 1
