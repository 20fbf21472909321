"""Characterised devices: the states, statistics and energies of a device in one labelled data set.

The states of a device differ in a state coordinate x, such as the position of a wall or a conductance. With the mean
values x_lo and x_hi of the outermost states, weights are

    w = 2 (x − x_lo) / (x_hi − x_lo) − 1

so their mean weights are −1 and 1. Values of a single device may lie beyond these means, so weights may lie outside
[−1, 1], up to the ends of the range of the coordinate. The conductance is the coordinate itself, or linear in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int8

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.renamed import deprecated
from barkhausen.device.categories.transitions import Transitions
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.display.description import describe_device
from barkhausen.device.display.plots import plot_of
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.labels import LabelledDevice, provenance
from barkhausen.device.old_format import energy_variables, read_out_variables, renamed, upgraded
from barkhausen.device.schema import (
    AT_REST,
    DECLARED,
    FORMAT_VERSION,
    KIND,
    LEVELS,
    LOGARITHMIC,
    MAXIMAL_STATES,
    MIXTURE,
    MOMENTS,
    OUTCOMES,
    check_states,
    checked_energies,
    state_range,
    validate,
)
from barkhausen.device.statistics.distribution import EmpiricalStates, GaussianStates, SmoothedStates, StateDistribution
from barkhausen.device.statistics.lognormal import LognormalStates
from barkhausen.device.statistics.mixture import Components
from barkhausen.device.statistics.resampling import (
    KernelTables,
    StateMixture,
    mixture_tables,
    plain_tables,
    smoothed_tables,
)
from barkhausen.device.statistics.variance import variance_components
from barkhausen.device.technology import TECHNOLOGIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FORMAT_VERSION", "MAXIMAL_STATES", "CharacterisedDevice", "Source"]

Source = Literal["micromagnetics", "simulated", "measured", "gaussian", "declared"]
PLACES = ("state", "device", "cycle")
Array = Float[np.ndarray, " state"]


@dataclass(frozen=True)
class CharacterisedDevice(LabelledDevice):
    """One characterised device.

    Args:
        data: Content of a device file. One of version 1 becomes one of version 2.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """

    data: xr.Dataset

    def __post_init__(self) -> None:
        version: Any = self.data.attrs.get("format_version")
        if np.ndim(version) == 0 and version == 1:
            object.__setattr__(self, "data", upgraded(self.data))
        validate(self.data)

    @classmethod
    def from_states(
        cls,
        values: Float[np.ndarray, "state device cycle"],
        *,
        technology: str,
        coordinate: StateCoordinate,
        state_range: tuple[float, float],
        source: Source,
        conductances: tuple[float, float] | None = None,
        read_out: ReadOut | None = None,
        energies: Mapping[str, Array] | None = None,
        causes: Mapping[str, str] | None = None,
        moments: tuple[Array, Array, Array] | None = None,
        outcome: Int8[np.ndarray, "state device cycle"] | None = None,
        variables: Mapping[str, tuple[Array, str, str]] | None = None,
        parameters: Parameters | None = None,
        assumed: Sequence[str] = (),
        extras: Sequence[xr.Dataset] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> CharacterisedDevice:
        """Make a device from values of its state coordinate.

        Args:
            values: Values, NaN where a cycle is missing; states in order of their means.
            technology: Name of the technology.
            coordinate: State coordinate.
            state_range: Smallest and greatest value that a state can have.
            source: Origin of the values.
            conductances: Conductances in S at the two ends of the range, linear between. Default: the values themselves
                are conductances.
            read_out: Voltage and duration of the verify read.
            energies: Energies in J of one attempt to each state, by cause.
            causes: Label of each cause of energy.
            moments: Mean, device sigma and cycle sigma of each state where they are *declared* (a textbook Gaussian).
                Default: estimated from the values.
            outcome: How each cycle ended: 0 at rest, 1 to 3 failures, −1 never run. Only cycles at rest have a value.
            variables: Further variables by state: values, unit and long name.
            parameters: Parameters of the device.
            assumed: Assumptions, a line each; they are printed with every result.
            extras: Optional variables; see :meth:`extended`.
            attributes: Further metadata (seeds, command), stored as JSON.

        Raises:
            InputError: Shapes do not match, or a value is impossible for a device.
        """
        check_states(values.shape[0])
        mean, sigma_device, sigma_cycle = moments or _estimated_moments(values)
        unit = coordinate.unit
        by_state = {
            "state_mean": (mean, unit, "mean value"),
            "sigma_device": (sigma_device, unit, "device-to-device standard deviation"),
            "sigma_cycle": (sigma_cycle, unit, "cycle-to-cycle standard deviation"),
            **(variables or {}),
        }
        contents: dict[str, Any] = {
            name: ("state", numbers.astype(np.float64), {"units": units, "long_name": words})
            for name, (numbers, units, words) in by_state.items()
        }
        words = {"units": unit, "coordinate": coordinate.name, "long_name": coordinate.long_name}
        contents["state_value"] = (PLACES, values.astype(np.float64), words)
        contents["state_range"] = ("bound", np.array(state_range, np.float64), {"units": unit})
        if energies:
            contents |= energy_variables(checked_energies(energies, values.shape[0]), causes or {})
        if outcome is not None:
            if outcome.shape != values.shape:
                raise InputError(f"outcome has the shape {outcome.shape}, but the values have {values.shape}")
            contents["outcome"] = (
                PLACES,
                outcome.astype(np.int8),
                {"long_name": "how the cycle ended"} | OUTCOMES.attributes(),
            )
        for name, value in zip(("conductance_low", "conductance_high"), conductances or (), strict=False):
            contents[name] = ((), np.float64(value), {"units": "S"})
        if read_out is not None:
            contents |= read_out_variables(read_out)
        attrs = {
            "format_version": FORMAT_VERSION,
            "technology": technology,
            "kind": KIND,
            "conductance_map": "identity" if conductances is None else "linear",
            "source": source,
            "distribution": "gaussian" if source == "gaussian" else "empirical",
            **provenance(parameters, assumed, attributes),
        }
        return cls(_merged(xr.Dataset(contents, attrs=attrs), extras))

    @classmethod
    def from_positions(cls, positions: Float[np.ndarray, "state device cycle"], *args: Any, **how: Any) -> Any:
        """Deprecated: :func:`barkhausen.device.domain_wall_device`."""
        deprecated("CharacterisedDevice.from_positions", "barkhausen.device.domain_wall_device")
        return TECHNOLOGIES["domain-wall"].labelled(positions, *args, **how)

    def extended(self, *extras: xr.Dataset) -> CharacterisedDevice:
        """The same device with optional variables and attributes added, or replaced where it had them.

        If one of them has the attribute ``distribution``, synapses are drawn from the distribution it names.

        Raises:
            InputError: They do not fit this device.
        """
        return type(self)(_merged(self.data, extras))

    def plot(self, axes: Axes | None = None, *, kind: str = "distribution") -> Axes:
        """Draw the device, ready for a column of a journal.

        Args:
            axes: Axes to draw on. Default: those of a new figure.
            kind: ``distribution``: the state coordinate in each state; ``drive``: states against what selects them.
        """
        return plot_of(kind)(self, axes)

    def __repr__(self) -> str:
        return describe_device(self).text()

    def _repr_html_(self) -> str:
        return describe_device(self).html()

    @property
    def coordinate(self) -> StateCoordinate:
        """State coordinate: the quantity in which the states differ."""
        return self._coordinate_of("state_value")

    @property
    def state_range(self) -> tuple[float, float]:
        """Smallest and greatest value that a state can have."""
        return state_range(self.data)

    @property
    def states(self) -> int:
        """Number of states."""
        return int(self.data.sizes["state"])

    @property
    def devices_seen(self) -> int:
        """Number of devices in which the least frequent state was observed."""
        return int(np.isfinite(self.state_values).any(axis=2).sum(axis=1).min())

    @property
    def declared(self) -> bool:
        """Whether the moments are declared exactly, not estimated from values."""
        return self.source in DECLARED

    @property
    def state_values(self) -> Float[np.ndarray, "state device cycle"]:
        """Values of the state coordinate; NaN where a cycle is missing or failed."""
        values: Float[np.ndarray, "state device cycle"] = self.data["state_value"].transpose(*PLACES).values
        return values

    @property
    def positions(self) -> Float[np.ndarray, "state device cycle"]:
        """Deprecated: :attr:`state_values`."""
        deprecated("CharacterisedDevice.positions", "state_values")
        return self.state_values

    @property
    def junction(self) -> TunnelJunction:
        """The tunnel junction of a domain-wall device."""
        return TunnelJunction.model_validate(json.loads(self.data.attrs["parameters"])["junction"])

    @property
    def transitions(self) -> Transitions | None:
        """What pulses make of each category of the device; None for one that is reset before it is programmed."""
        return None

    @property
    def failure_rate(self) -> Array:
        """Share of the cycles of each state that failed; 0 if the file does not say."""
        if "outcome" not in self.data:
            return np.zeros(self.states)
        outcome = self.data["outcome"].transpose(*PLACES).values
        run = (outcome >= AT_REST).sum(axis=(1, 2))
        return np.asarray((outcome > AT_REST).sum(axis=(1, 2)) / np.maximum(run, 1))

    @property
    def moments(self) -> tuple[Array, Array, Array]:
        """Mean, device-to-device and cycle-to-cycle sigma of each state, in the unit of the state coordinate.

        Each is as declared in the file, or estimated from the values.
        """
        moments = {name: np.asarray(self.data[name].values, np.float64) for name in MOMENTS if name in self.data}
        if len(moments) < len(MOMENTS):
            moments = dict(zip(MOMENTS, _estimated_moments(self.state_values), strict=True)) | moments
        return moments[MOMENTS[0]], moments[MOMENTS[1]], moments[MOMENTS[2]]

    def weight_of(self, value: Float[np.ndarray, " ..."] | float) -> Float[np.ndarray, " ..."]:
        """Weight at a value of the state coordinate."""
        mean = self.moments[0]
        return np.asarray(2.0 * (np.asarray(value) - mean[0]) / (mean[-1] - mean[0]) - 1.0)

    @property
    def weight_range(self) -> tuple[float, float]:
        """Weights at the two ends of the range of the state coordinate; no weight can lie outside."""
        low, high = self.state_range
        return float(self.weight_of(low)), float(self.weight_of(high))

    def energy(self, cause: str) -> Array:
        """Energy in J of one programming attempt to each state from one cause; zero if the file does not give it."""
        if cause not in self.energy_causes:
            return np.zeros(self.states)
        row = list(self.energy_causes).index(cause)
        return np.asarray(self.data["energy"].transpose("cause", "state").values[row], dtype=np.float64)

    def distribution(self) -> StateDistribution:
        """Statistics of the states in weight units, by the distribution that the file names.

        An empirical distribution is smoothed if the file gives bandwidths; otherwise its values are resampled
        unchanged.
        """
        mean, sigma_device, sigma_cycle = self.moments
        scale = 2.0 / (mean[-1] - mean[0])
        levels = torch.tensor(self.weight_of(mean), dtype=torch.float32)
        name = self.data.attrs.get("distribution", "empirical")
        if name == "gaussian":
            return GaussianStates(
                levels,
                torch.tensor(sigma_device * scale, dtype=torch.float32),
                torch.tensor(sigma_cycle * scale, dtype=torch.float32),
            )
        if name == "lognormal":
            both = (self.data[part].values for part in LOGARITHMIC)
            return LognormalStates.of(self.weight_of(mean), float(1 + scale * mean[0]), *both)
        if name == "mixture":
            return _smoothed(levels, mixture_tables(self.state_values, mean, self.mixtures), scale)
        if "bandwidth_cycle" in self.data:
            widths = self.data["bandwidth_device"].values, self.data["bandwidth_cycle"].values
            own_noise = self.data.attrs.get("noise_pool", "state") == "device"
            return _smoothed(
                levels, smoothed_tables(self.state_values, self.moments, widths, own_noise=own_noise), scale
            )
        offsets, residuals = plain_tables(self.state_values, mean, sigma_device, sigma_cycle)
        return EmpiricalStates(
            levels,
            torch.tensor(offsets * scale, dtype=torch.float32),
            torch.tensor(residuals * scale, dtype=torch.float32),
        )

    @property
    def mixtures(self) -> list[StateMixture]:
        """The mixture of each state, for a file that has one."""
        parts = np.stack([self.data[name].transpose("state", "component").values for name in MIXTURE[:3]])
        levels, offsets = self.data["mixture_level"].values, self.data["mixture_offset_sigma"].values
        return [
            StateMixture(
                Components(*parts[:, state, np.isfinite(parts[0, state])]),
                "device" if levels[state] == LEVELS.values[1] else "cycle",
                float(offsets[state]),
            )
            for state in range(self.states)
        ]


def _smoothed(levels: torch.Tensor, tables: KernelTables, scale: float) -> SmoothedStates:
    def weights(lengths: Float[np.ndarray, " ..."]) -> torch.Tensor:
        return torch.tensor(scale * lengths, dtype=torch.float32)

    return SmoothedStates(
        levels,
        weights(tables.offset_mean),
        weights(tables.offset_sigma),
        torch.tensor(tables.directions, dtype=torch.float32),
        weights(tables.noise_mean),
        weights(tables.noise_sigma),
    )


def _merged(data: xr.Dataset, extras: Sequence[xr.Dataset]) -> xr.Dataset:
    for extra in extras:
        try:
            extra = renamed(extra)  # noqa: PLW2901  # under the names of this version
            data = data.assign(extra.data_vars).assign_attrs(extra.attrs)
        except ValueError as error:
            raise InputError(f"the additional variables do not fit the device ({error})") from None
    return data


def _estimated_moments(values: Float[np.ndarray, "state device cycle"]) -> tuple[Array, Array, Array]:
    sigmas = np.array([variance_components(rows) for rows in values])
    return np.nanmean(values, axis=(1, 2)), sigmas[:, 0], sigmas[:, 1]
