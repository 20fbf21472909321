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
from jaxtyping import Float

from barkhausen.device.distribution import EmpiricalStates, GaussianStates, StateDistribution
from barkhausen.device.parameters import DeviceParameters
from barkhausen.device.variance import variance_components
from barkhausen.errors import InputError
from barkhausen.version import __version__

FORMAT_VERSION = 1
"""Version of the device file; a file of another version is refused."""

MAXIMAL_STATES = 256
SOURCES = ("micromagnetics", "measured", "gaussian")
MOMENTS = ("position_mean", "position_sigma_device", "position_sigma_cycle")
Source = Literal["micromagnetics", "measured", "gaussian"]
Array = Float[np.ndarray, " state"]


@dataclass(frozen=True)
class CharacterisedDevice:
    """One characterised device; ``data`` is the content of the device file, validated.

    Raises:
        InputError: a variable is missing, has the wrong shape, or a value that no device can have.
    """

    data: xr.Dataset

    def __post_init__(self) -> None:
        _validate(self.data)

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
            attributes: anything else worth keeping (seeds, command), as JSON.
        """
        states = positions.shape[0]
        _check_states(states)
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
        sot = np.full(states, protocol.sot_energy(track))
        gate = np.array([track.gate_energy(v) for v in voltages])
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
            "programming_energy": (sot + gate, "J", "energy of one programming attempt without its read"),
            "sot_energy": (sot, "J", "Joule heat of reset and programming pulse"),
            "gate_energy": (gate, "J", "energy of charging the gate once"),
            "read_energy": (
                np.array([junction.read_energy(g) for g in conductance]),
                "J",
                "energy of one verify read",
            ),
        }
        variables: dict[str, Any] = {
            name: ("state", values.astype(np.float64), {"units": units, "long_name": words})
            for name, (values, units, words) in by_state.items()
        }
        variables["position"] = (
            ("state", "device", "cycle"),
            positions.astype(np.float64),
            {"units": "m", "long_name": "resting position of the wall"},
        )
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
        return cls(xr.Dataset(variables, attrs=attrs))

    @property
    def states(self) -> int:
        """Number of states."""
        return int(self.data.sizes["state"])

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
    def moments(self) -> tuple[Array, Array, Array]:
        """Mean, device-to-device and cycle-to-cycle sigma of each state in m.

        Each as declared in the file, else estimated from its positions.
        """
        moments = {name: np.asarray(self.data[name].values, np.float64) for name in MOMENTS if name in self.data}
        if len(moments) < len(MOMENTS):
            positions = self.data["position"].transpose("state", "device", "cycle").values
            moments = dict(zip(MOMENTS, _estimated_moments(positions), strict=True)) | moments
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

    def energy(self, cause: Literal["sot", "gate", "read"]) -> Array:
        """Energy in J of one programming attempt to each state, by cause."""
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
        """Statistics of the states in weight units, Gaussian or empirical as the file says."""
        mean, sigma_device, sigma_cycle = self.moments
        scale = 2.0 / (mean[-1] - mean[0])
        levels = torch.tensor(self.weight_of(mean), dtype=torch.float32)
        if self.data.attrs.get("distribution", "empirical") == "gaussian":
            return GaussianStates(
                levels,
                torch.tensor(sigma_device * scale, dtype=torch.float32),
                torch.tensor(sigma_cycle * scale, dtype=torch.float32),
            )
        positions = self.data["position"].transpose("state", "device", "cycle").values
        offsets, residuals = _offsets_and_residuals(positions, mean, sigma_device, sigma_cycle)
        return EmpiricalStates(
            levels,
            torch.tensor(offsets * scale, dtype=torch.float32),
            torch.tensor(residuals * scale, dtype=torch.float32),
        )


def _estimated_moments(positions: Float[np.ndarray, "state device cycle"]) -> tuple[Array, Array, Array]:
    sigmas = np.array([variance_components(rows) for rows in positions])
    return np.nanmean(positions, axis=(1, 2)), sigmas[:, 0], sigmas[:, 1]


def _offsets_and_residuals(
    positions: Float[np.ndarray, "state device cycle"], mean: Array, sigma_device: Array, sigma_cycle: Array
) -> tuple[Float[np.ndarray, "device state"], Float[np.ndarray, "state sample"]]:
    """Device offsets and cycle residuals whose variances are the estimated components.

    The mean of a few cycles still carries cycle noise, and residuals about it are too small; both are
    rescaled so that resampling neither inflates the device part nor deflates the cycle part.
    """
    complete = np.isfinite(positions).any(axis=2).all(axis=0)
    device_means = np.nanmean(positions[:, complete], axis=2)
    offsets = device_means - device_means.mean(axis=1, keepdims=True)
    spread = offsets.std(axis=1)
    offsets *= np.divide(sigma_device, spread, out=np.zeros_like(spread), where=spread > 0)[:, None]
    seen = np.isfinite(positions)
    counts = np.maximum(seen.sum(axis=2, keepdims=True), 1)
    about_device = positions - np.where(seen, positions, 0.0).sum(axis=2, keepdims=True) / counts
    pools = [values[np.isfinite(values)] for values in about_device]
    size = max(len(pool) for pool in pools)
    residuals = np.zeros((len(positions), size))
    for state, pool in enumerate(pools):
        # A smaller pool is repeated to fill the row; where that does not come out even, its moments shift.
        repeated = np.resize(pool, size)
        repeated -= repeated.mean()
        spread_of_pool = repeated.std()
        if spread_of_pool > 0 and sigma_cycle[state] > 0:
            residuals[state] = repeated * (sigma_cycle[state] / spread_of_pool)
    return offsets.T, residuals


def _validate(data: xr.Dataset) -> None:
    # An attribute of a foreign file may be an array, which has no truth value of its own.
    version: Any = data.attrs.get("format_version")
    source = data.attrs.get("source")
    if np.ndim(version) or version != FORMAT_VERSION:
        raise InputError(f"device file format {version}: this version of barkhausen reads {FORMAT_VERSION}")
    if not isinstance(source, str) or source not in SOURCES:
        raise InputError(f"source = {source!r}: must be one of {', '.join(SOURCES)}")
    distribution = data.attrs.get("distribution", "empirical")
    if not isinstance(distribution, str) or distribution not in ("gaussian", "empirical"):
        raise InputError(f"distribution = {distribution!r}: must be 'gaussian' or 'empirical'")
    required = {
        "position": {"state", "device", "cycle"},
        "gate_voltage": {"state"},
        "current_density": {"state"},
        "pulse_width": {"state"},
        "programming_energy": {"state"},
        "track_length": set(),
    }
    optional: dict[str, set[str]] = {
        **{name: {"state"} for name in ("sot_energy", "gate_energy", "read_energy", *MOMENTS)},
        "conductance_antiparallel": set(),
        "conductance_parallel": set(),
    }
    for name, dims in (required | optional).items():
        if name not in data:
            if name in required:
                raise InputError(f"variable '{name}' is missing from the device file")
            continue
        if set(data[name].dims) != dims:
            raise InputError(f"variable '{name}' has dimensions {data[name].dims}, must be {tuple(sorted(dims))}")
        if data[name].dtype.kind not in "fiu":
            raise InputError(f"variable '{name}' is not numeric but {data[name].dtype}")
        if name != "position" and not np.isfinite(data[name].values).all():
            raise InputError(f"variable '{name}' holds a value that is not finite")
    _validate_values(data)


def _check_states(states: int) -> None:
    if not 2 <= states <= MAXIMAL_STATES:
        raise InputError(f"the device has {states} state(s); a synapse needs 2 to {MAXIMAL_STATES}")


def _validate_values(data: xr.Dataset) -> None:
    _check_states(data.sizes["state"])
    length = float(data["track_length"])
    if not length > 0:
        raise InputError(f"track_length = {length}: must be positive")
    for name in ("sot_energy", "gate_energy", "read_energy", "programming_energy"):
        if name in data and (data[name].values < 0).any():
            raise InputError(f"variable '{name}' holds a negative energy")
    for name in ("position_sigma_device", "position_sigma_cycle"):
        if name in data and (data[name].values < 0).any():
            raise InputError(f"variable '{name}' holds a negative sigma")
    position = data["position"].transpose("state", "device", "cycle").values
    seen = np.isfinite(position)
    if np.isinf(position).any():
        raise InputError("variable 'position' holds an infinite value")
    if not seen.any(axis=(1, 2)).all():
        raise InputError(f"state {int(np.argmin(seen.any(axis=(1, 2))))} has no position at all")
    if not seen.any(axis=2).all(axis=0).any():
        raise InputError("no device was seen in every state; its offsets between states cannot be known")
    outside = seen & ((position < 0) | (position > length))
    if outside.any():
        state, device, cycle = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"position[state={state}, device={device}, cycle={cycle}] = {position[state, device, cycle]:g} m "
            f"lies off the track of {length:g} m"
        )
    if "position_mean" in data and not ((data["position_mean"] >= 0) & (data["position_mean"] <= length)).all():
        raise InputError(f"variable 'position_mean' holds a value off the track of {length:g} m")
    means = data["position_mean"].values if "position_mean" in data else np.nanmean(position, axis=(1, 2))
    # Levels closer than a thousandth of the weight range could not be told apart by any read-out.
    gaps = np.diff(means) / max(means[-1] - means[0], 1e-30)
    if (gaps < 1e-3).any():
        state = int(np.argmax(gaps < 1e-3))
        raise InputError(
            f"mean positions of states {state} and {state + 1} are {means[state]:g} and {means[state + 1]:g} m; "
            "states must be in order of position and distinct"
        )
