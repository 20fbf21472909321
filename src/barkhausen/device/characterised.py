"""A characterised device: what the synapse floor needs to know of it, in one labelled data set.

Positions, conductances and weights are three names for the same thing. With the wall at x in [0, L],

    G = G_AP + (G_P − G_AP) x / L,        w = 2 (x − x_lo) / (x_hi − x_lo) − 1,

where x_lo and x_hi are the mean positions of the outermost states: their mean weights are −1 and 1. A single
wall may rest beyond them, so a weight may lie outside [−1, 1]; it ends where the track ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int8

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.schema import (
    AT_REST,
    DECIDERS,
    FORMAT_VERSION,
    MAXIMAL_STATES,
    MIXTURE,
    MOMENTS,
    OUTCOMES,
    check_states,
    validate,
)
from barkhausen.device.statistics.distribution import EmpiricalStates, GaussianStates, SmoothedStates, StateDistribution
from barkhausen.device.statistics.mixture import Components
from barkhausen.device.statistics.resampling import (
    KernelTables,
    StateMixture,
    mixture_tables,
    plain_tables,
    smoothed_tables,
)
from barkhausen.device.statistics.variance import variance_components
from barkhausen.version import __version__

__all__ = ["FORMAT_VERSION", "MAXIMAL_STATES", "CharacterisedDevice", "Source"]

Source = Literal["micromagnetics", "measured", "gaussian"]
Cause = Literal["sot", "gate", "read"]
CAUSES: tuple[Cause, ...] = ("sot", "gate", "read")
PLACES = ("state", "device", "cycle")
Array = Float[np.ndarray, " state"]


@dataclass(frozen=True)
class CharacterisedDevice:
    """One characterised device; ``data`` is the content of the device file, validated.

    Raises:
        InputError: a variable is missing, has the wrong shape, or a value that no device can have.
    """

    data: xr.Dataset

    def __post_init__(self) -> None:
        validate(self.data)

    @classmethod
    def from_positions(
        cls,
        positions: Float[np.ndarray, "state device cycle"],
        parameters: DeviceParameters,
        *,
        source: Source,
        assumed: Sequence[str] = (),
        moments: tuple[Array, Array, Array] | None = None,
        conductance_range: tuple[float, float] | None = None,
        energies: Mapping[str, Array] | None = None,
        outcome: Int8[np.ndarray, "state device cycle"] | None = None,
        extras: Sequence[xr.Dataset] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> CharacterisedDevice:
        """Label resting positions and price the programming of each state.

        Args:
            positions: wall positions in m, NaN where a cycle is missing; states in order of mean position.
            parameters: of track, protocol and junction; they give the energies.
            source: where the positions come from.
            assumed: a line for each assumption, kept with the data and printed with every result.
            moments: mean, device sigma and cycle sigma of each state in m where they are *declared* (a textbook
                Gaussian); they are estimated from the positions otherwise.
            conductance_range: (G_AP, G_P) in S where they were measured; those of the junction otherwise.
            energies: in J of one attempt to each state, by cause (``sot``, ``gate``, ``read``), where they are known
                better than from the protocol: those of the pulses that were simulated, say.
            outcome: how each cycle ended: 0 a single wall at rest, 1 no wall left, 2 several walls, 3 a wall that is
                not at rest or off the track, −1 never run. Only a wall at rest has a position, all others NaN.
            extras: optional variables, such as of :func:`~barkhausen.device.statistics.summary.describe_statistics` or
                of a :class:`~barkhausen.device.statistics.selection.FitReport`; see :meth:`extended`.
            attributes: anything else worth keeping (seeds, command), as JSON.

        Raises:
            InputError: shapes do not belong together, or a value is one that no device can have.
        """
        states = positions.shape[0]
        check_states(states)
        track, protocol, junction = parameters.track, parameters.protocol, parameters.junction
        voltages = protocol.voltages(states)
        if len(voltages) != states:
            raise InputError(f"protocol.gate_voltages has {len(voltages)} values but the device has {states} states")
        if moments is None:
            moments = _estimated_moments(positions)
        mean, sigma_device, sigma_cycle = moments
        low, high = conductance_range or (
            junction.antiparallel_conductance(track.area),
            junction.parallel_conductance(track.area),
        )
        conductance = low + (high - low) * (mean / track.length)
        prices = {
            "sot": np.full(states, protocol.sot_energy(track)),
            "gate": np.array([track.gate_energy(v) for v in voltages]),
            "read": np.array([junction.read_energy(g) for g in conductance]),
        } | _given_energies(energies or {}, states)
        by_state = {
            "position_mean": (mean, "m", "mean resting position"),
            "position_sigma_device": (sigma_device, "m", "device-to-device standard deviation"),
            "position_sigma_cycle": (sigma_cycle, "m", "cycle-to-cycle standard deviation"),
            "gate_voltage": (np.array(voltages), "V", "gate voltage during the programming pulse"),
            "current_density": (
                np.full(states, protocol.program.current_density),
                "A/m2",
                "current density of the programming pulse in the heavy metal",
            ),
            "pulse_width": (np.full(states, protocol.program.width), "s", "width of the programming pulse"),
            "programming_energy": (
                prices["sot"] + prices["gate"],
                "J",
                "energy of one programming attempt without its read",
            ),
            "sot_energy": (prices["sot"], "J", "Joule heat of reset and programming pulse"),
            "gate_energy": (prices["gate"], "J", "energy of charging the gate once"),
            "read_energy": (prices["read"], "J", "energy of one verify read"),
        }
        variables: dict[str, Any] = {
            name: ("state", values.astype(np.float64), {"units": units, "long_name": words})
            for name, (values, units, words) in by_state.items()
        }
        variables["position"] = (
            PLACES,
            positions.astype(np.float64),
            {"units": "m", "long_name": "resting position of the wall"},
        )
        if outcome is not None:
            if outcome.shape != positions.shape:
                raise InputError(f"outcome has the shape {outcome.shape}, but the positions have {positions.shape}")
            words = {"long_name": "how the cycle ended"} | OUTCOMES.attributes()
            variables["outcome"] = (PLACES, outcome.astype(np.int8), words)
        for name, value, units in (
            ("track_length", track.length, "m"),
            ("conductance_antiparallel", low, "S"),
            ("conductance_parallel", high, "S"),
        ):
            variables[name] = ((), np.float64(value), {"units": units})
        attrs = {
            "format_version": FORMAT_VERSION,
            "source": source,
            "distribution": "gaussian" if source == "gaussian" else "empirical",
            "parameters": parameters.model_dump_json(),
            "assumed": json.dumps(list(assumed)),
            "code_version": __version__,
            "attributes": json.dumps(dict(attributes or {}), sort_keys=True),
        }
        return cls(_merged(xr.Dataset(variables, attrs=attrs), extras))

    def extended(self, *extras: xr.Dataset) -> CharacterisedDevice:
        """The same device with optional variables and attributes added, or replaced where it had them.

        The attribute ``distribution`` of one of them chooses the law that synapses are drawn from.

        Raises:
            InputError: they do not belong to this device.
        """
        return CharacterisedDevice(_merged(self.data, extras))

    @property
    def states(self) -> int:
        """Number of states."""
        return int(self.data.sizes["state"])

    @property
    def devices_seen(self) -> int:
        """In how many devices the least seen state was seen."""
        return int(np.isfinite(self.positions).any(axis=2).sum(axis=1).min())

    @property
    def source(self) -> str:
        """``micromagnetics``, ``measured`` or ``gaussian``."""
        return str(self.data.attrs["source"])

    @property
    def assumed(self) -> list[str]:
        """The assumptions behind the numbers, a line each."""
        lines = [str(line) for line in json.loads(str(self.data.attrs.get("assumed", "[]")))]
        if not self._energy_is_split:
            lines.append("the device file does not split its programming energy: all of it is booked as SOT")
        if "read_energy" not in self.data:
            lines.append("the device file gives no read energy: reads are booked as free")
        return lines

    @property
    def positions(self) -> Float[np.ndarray, "state device cycle"]:
        """Resting positions in m; NaN where a cycle is missing or failed."""
        positions: Float[np.ndarray, "state device cycle"] = self.data["position"].transpose(*PLACES).values
        return positions

    @property
    def junction(self) -> TunnelJunction:
        """The read-out of the device."""
        return TunnelJunction.model_validate(json.loads(self.data.attrs["parameters"])["junction"])

    @property
    def failure_rate(self) -> Array:
        """Share of the cycles of each state that did not end with a single wall at rest; 0 if the file does not say."""
        if "outcome" not in self.data:
            return np.zeros(self.states)
        outcome = self.data["outcome"].transpose(*PLACES).values
        run = (outcome >= AT_REST).sum(axis=(1, 2))
        return np.asarray((outcome > AT_REST).sum(axis=(1, 2)) / np.maximum(run, 1))

    @property
    def moments(self) -> tuple[Array, Array, Array]:
        """Mean, device-to-device and cycle-to-cycle sigma of each state in m.

        Each as declared in the file, else estimated from its positions.
        """
        moments = {name: np.asarray(self.data[name].values, np.float64) for name in MOMENTS if name in self.data}
        if len(moments) < len(MOMENTS):
            moments = dict(zip(MOMENTS, _estimated_moments(self.positions), strict=True)) | moments
        return moments[MOMENTS[0]], moments[MOMENTS[1]], moments[MOMENTS[2]]

    def weight_of(self, position: Float[np.ndarray, " ..."] | float) -> Float[np.ndarray, " ..."]:
        """Weight of a wall at ``position`` (m)."""
        mean = self.moments[0]
        return np.asarray(2.0 * (np.asarray(position) - mean[0]) / (mean[-1] - mean[0]) - 1.0)

    @property
    def weight_range(self) -> tuple[float, float]:
        """Weights of a wall at the two ends of the track; no weight can lie outside."""
        length = float(self.data["track_length"])
        return float(self.weight_of(0.0)), float(self.weight_of(length))

    @property
    def energy_causes(self) -> dict[str, str]:
        """Causes of the energy of a programming attempt, with the label of each."""
        return {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}

    def energy(self, cause: str) -> Array:
        """Energy in J of one programming attempt to each state from one cause; zero if the file gives none."""
        name = f"{cause}_energy"
        if cause != "read" and not self._energy_is_split:
            name = "programming_energy" if cause == "sot" else ""
        if name in self.data:
            return np.asarray(self.data[name].values, dtype=np.float64)
        return np.zeros(self.states)

    @property
    def _energy_is_split(self) -> bool:
        return "sot_energy" in self.data and "gate_energy" in self.data

    def distribution(self) -> StateDistribution:
        """Statistics of the states in weight units, by the law that the file names.

        An empirical file that gives bandwidths is smoothed; one that does not is drawn from as it is.
        """
        mean, sigma_device, sigma_cycle = self.moments
        scale = 2.0 / (mean[-1] - mean[0])
        levels = torch.tensor(self.weight_of(mean), dtype=torch.float32)
        law = self.data.attrs.get("distribution", "empirical")
        if law == "gaussian":
            return GaussianStates(
                levels,
                torch.tensor(sigma_device * scale, dtype=torch.float32),
                torch.tensor(sigma_cycle * scale, dtype=torch.float32),
            )
        if law == "mixture":
            return _smoothed(levels, mixture_tables(self.positions, mean, self.mixtures), scale)
        if "bandwidth_cycle" in self.data:
            widths = self.data["bandwidth_device"].values, self.data["bandwidth_cycle"].values
            own_noise = self.data.attrs.get("noise_pool", "state") == "device"
            return _smoothed(levels, smoothed_tables(self.positions, self.moments, widths, own_noise=own_noise), scale)
        offsets, residuals = plain_tables(self.positions, mean, sigma_device, sigma_cycle)
        return EmpiricalStates(
            levels,
            torch.tensor(offsets * scale, dtype=torch.float32),
            torch.tensor(residuals * scale, dtype=torch.float32),
        )

    @property
    def mixtures(self) -> list[StateMixture]:
        """The mixture of each state, for a file that has one."""
        parts = np.stack([self.data[name].transpose("state", "component").values for name in MIXTURE[:3]])
        deciders, offsets = self.data["mixture_decider"].values, self.data["mixture_offset_sigma"].values
        return [
            StateMixture(
                Components(*parts[:, state, np.isfinite(parts[0, state])]),
                "device" if deciders[state] == DECIDERS.values[1] else "cycle",
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
            data = data.assign(extra.data_vars).assign_attrs(extra.attrs)
        except ValueError as error:
            raise InputError(f"the additional variables do not fit the device ({error})") from None
    return data


def _given_energies(energies: Mapping[str, Array], states: int) -> dict[str, Array]:
    given: dict[str, Array] = {}
    for cause, values in energies.items():
        if cause not in CAUSES:
            raise InputError(f"energies: '{cause}' is not one of {', '.join(CAUSES)}")
        given[cause] = np.asarray(values, np.float64)
        if given[cause].shape != (states,):
            raise InputError(f"energies of '{cause}' have the shape {given[cause].shape}, must be ({states},)")
        if not np.isfinite(given[cause]).all():
            raise InputError(f"energies of '{cause}' hold a value that is not finite")
    return given


def _estimated_moments(positions: Float[np.ndarray, "state device cycle"]) -> tuple[Array, Array, Array]:
    sigmas = np.array([variance_components(rows) for rows in positions])
    return np.nanmean(positions, axis=(1, 2)), sigmas[:, 0], sigmas[:, 1]
