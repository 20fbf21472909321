"""What a data set must hold to be a device; the first thing that it lacks is named in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError

FORMAT_VERSION = 1
"""Version of the device file; a file of another version is refused."""

MAXIMAL_STATES = 256
SOURCES = ("micromagnetics", "measured", "gaussian")
DISTRIBUTIONS = ("gaussian", "mixture", "empirical")
NOISE_POOLS = ("state", "device")
MOMENTS = ("position_mean", "position_sigma_device", "position_sigma_cycle")
ENERGIES = ("sot_energy", "gate_energy", "read_energy")
MIXTURE = ("mixture_weight", "mixture_mean", "mixture_sigma", "mixture_decider", "mixture_offset_sigma")
BANDWIDTHS = ("bandwidth_device", "bandwidth_cycle")


class Flags(NamedTuple):
    """The values of an enumerated variable, as the CF conventions have them."""

    values: tuple[int, ...]
    meanings: tuple[str, ...]

    def attributes(self) -> dict[str, Any]:
        """``flag_values`` and ``flag_meanings``."""
        return {"flag_values": np.array(self.values, np.int8), "flag_meanings": " ".join(self.meanings)}


OUTCOMES = Flags((-1, 0, 1, 2, 3), ("not_run", "single_wall_at_rest", "no_wall", "several_walls", "wall_not_at_rest"))
AT_REST = 0
"""The outcome that has a position."""
DECIDERS = Flags((0, 1), ("cycle", "device"))


class _Rule(NamedTuple):
    """Dimensions of a variable and the values that it may take."""

    dims: tuple[str, ...]
    low: float = -np.inf
    high: float = np.inf
    holes: bool = False
    """Whether NaN, for what could not be estimated, is allowed."""


_STATE, _BOUND = ("state",), ("state", "bound")

STABILITY = ("barrier", "attempt_frequency", "retention_time", "pinning_field")
"""How well each device holds each state, in J, Hz, s and T."""

ESCAPE_DIRECTION = "escape_direction"
"""On which side of its place the lower barrier of a wall is: −1 or 1, along x."""

REQUIRED = {
    "position": _Rule(("state", "device", "cycle"), holes=True),
    "gate_voltage": _Rule(_STATE),
    "current_density": _Rule(_STATE),
    "pulse_width": _Rule(_STATE),
    "programming_energy": _Rule(_STATE),
    "track_length": _Rule(()),
}
OPTIONAL = {
    **{name: _Rule(_STATE) for name in (*ENERGIES, *MOMENTS)},
    "conductance_antiparallel": _Rule(()),
    "conductance_parallel": _Rule(()),
    "outcome": _Rule(("state", "device", "cycle")),
    "sigma_device_interval": _Rule(_BOUND, low=0.0, holes=True),
    "sigma_cycle_interval": _Rule(_BOUND, low=0.0, holes=True),
    "normality_device": _Rule(_STATE, 0.0, 1.0, holes=True),
    "normality_cycle": _Rule(_STATE, 0.0, 1.0, holes=True),
    "overlap": _Rule(("state", "other_state"), 0.0, 1.0),
    "overlap_interval": _Rule(("state", "other_state", "bound"), 0.0, 1.0, holes=True),
    "misread_rate": _Rule(_STATE, 0.0, 1.0, holes=True),
    "misread_interval": _Rule(_BOUND, 0.0, 1.0, holes=True),
    "mutual_information": _Rule((), 0.0, np.log2(MAXIMAL_STATES), holes=True),
    "mutual_information_interval": _Rule(("bound",), 0.0, np.log2(MAXIMAL_STATES), holes=True),
    "mixture_weight": _Rule(("state", "component"), 0.0, 1.0, holes=True),
    "mixture_mean": _Rule(("state", "component"), holes=True),
    "mixture_sigma": _Rule(("state", "component"), 0.0, holes=True),
    "mixture_weight_interval": _Rule(("state", "component", "bound"), 0.0, 1.0, holes=True),
    "mixture_mean_interval": _Rule(("state", "component", "bound"), holes=True),
    "mixture_sigma_interval": _Rule(("state", "component", "bound"), 0.0, holes=True),
    "mixture_decider": _Rule(_STATE),
    "mixture_offset_sigma": _Rule(_STATE, 0.0),
    "bandwidth_device": _Rule(_STATE, 0.0),
    "bandwidth_cycle": _Rule(_STATE, 0.0),
    **{name: _Rule(("state", "device"), 0.0, holes=True) for name in STABILITY},
    ESCAPE_DIRECTION: _Rule(("state", "device"), -1.0, 1.0, holes=True),
    "position_noise": _Rule(_STATE, 0.0),
    "read_disturb": _Rule(_STATE, 0.0, 1.0, holes=True),
    "fit_score": _Rule(("law",)),
    "fit_behind": _Rule(("law",)),
    "fit_standard_error": _Rule(("law",), 0.0),
    "fit_distance": _Rule(("law", "state"), 0.0, 1.0),
    "fit_p_value": _Rule(("law", "state"), 0.0, 1.0),
}


def validate(data: xr.Dataset) -> None:
    """Check a data set.

    Raises:
        InputError: a variable is missing, has the wrong shape, or a value that no device can have.
    """
    _validate_attributes(data.attrs)
    for name, rule in (REQUIRED | OPTIONAL).items():
        if name in data:
            _validate_variable(data[name], rule)
        elif name in REQUIRED:
            raise InputError(f"variable '{name}' is missing from the device file")
    _validate_sizes(data)
    _validate_values(data)
    _validate_positions(data)
    if "outcome" in data:
        _validate_outcome(data)
    _validate_law(data)


def check_states(states: int) -> None:
    """Refuse a number of states that no synapse has."""
    if not 2 <= states <= MAXIMAL_STATES:
        raise InputError(f"the device has {states} state(s); a synapse needs 2 to {MAXIMAL_STATES}")


def _validate_attributes(attributes: Mapping[Any, Any]) -> None:
    # An attribute of a foreign file may be an array, which has no truth value of its own.
    version: Any = attributes.get("format_version")
    source = attributes.get("source")
    if np.ndim(version) or version != FORMAT_VERSION:
        raise InputError(f"device file format {version}: this version of barkhausen reads {FORMAT_VERSION}")
    if not isinstance(source, str) or source not in SOURCES:
        raise InputError(f"source = {source!r}: must be one of {', '.join(SOURCES)}")
    for name, known in (("distribution", DISTRIBUTIONS), ("noise_pool", NOISE_POOLS)):
        value = attributes.get(name, known[0])
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{name} = {value!r}: must be {' or '.join(map(repr, known))}")


def _validate_variable(variable: xr.DataArray, rule: _Rule) -> None:
    name = variable.name
    if set(variable.dims) != set(rule.dims):
        raise InputError(f"variable '{name}' has dimensions {variable.dims}, must be {tuple(sorted(rule.dims))}")
    if variable.dtype.kind not in "fiu":
        raise InputError(f"variable '{name}' is not numeric but {variable.dtype}")
    values = variable.values
    if not rule.holes and not np.isfinite(values).all():
        raise InputError(f"variable '{name}' holds a value that is not finite")
    if np.isinf(values).any():
        raise InputError(f"variable '{name}' holds an infinite value")
    if (values < rule.low).any() or (values > rule.high).any():
        wanted = f"{rule.low:g} to {rule.high:g}" if np.isfinite(rule.high) else f"at least {rule.low:g}"
        raise InputError(f"variable '{name}' holds a value that is not {wanted}")


def _validate_sizes(data: xr.Dataset) -> None:
    check_states(data.sizes["state"])
    for name, size in (("other_state", data.sizes["state"]), ("bound", 2), ("law", len(DISTRIBUTIONS))):
        if data.sizes.get(name, size) != size:
            raise InputError(f"dimension '{name}' has {data.sizes[name]} entries, must have {size}")


def _validate_values(data: xr.Dataset) -> None:
    length = float(data["track_length"])
    if not length > 0:
        raise InputError(f"track_length = {length}: must be positive")
    for name in (*ENERGIES, "programming_energy"):
        if name in data and (data[name].values < 0).any():
            raise InputError(f"variable '{name}' holds a negative energy")
    for name in ("position_sigma_device", "position_sigma_cycle"):
        if name in data and (data[name].values < 0).any():
            raise InputError(f"variable '{name}' holds a negative sigma")


def _validate_positions(data: xr.Dataset) -> None:
    length = float(data["track_length"])
    position = data["position"].transpose("state", "device", "cycle").values
    seen = np.isfinite(position)
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


def _validate_outcome(data: xr.Dataset) -> None:
    outcome = data["outcome"].transpose("state", "device", "cycle").values
    if not np.isin(outcome, OUTCOMES.values).all():
        raise InputError(f"variable 'outcome' holds a value that is none of {', '.join(map(str, OUTCOMES.values))}")
    seen = np.isfinite(data["position"].transpose("state", "device", "cycle").values)
    rests = outcome == AT_REST
    if (rests != seen).any():
        state, device, cycle = (int(i) for i in np.argwhere(rests != seen)[0])
        number = int(outcome[state, device, cycle])
        what = OUTCOMES.meanings[OUTCOMES.values.index(number)]
        has = "a position" if seen[state, device, cycle] else "no position"
        raise InputError(
            f"outcome[state={state}, device={device}, cycle={cycle}] = {number} ({what}), but it has {has}"
        )


def _validate_law(data: xr.Dataset) -> None:
    law = data.attrs.get("distribution", "empirical")
    if law == "mixture":
        _need(data, MIXTURE, "distribution = 'mixture'")
    if data.attrs.get("noise_pool", "state") == "device":
        _need(data, BANDWIDTHS, "noise_pool = 'device'")
    for name, other in (BANDWIDTHS, BANDWIDTHS[::-1]):
        if name in data:
            _need(data, (other,), f"variable '{name}'")
    if all(name in data for name in MIXTURE):
        _validate_mixture(data)


def _need(data: xr.Dataset, names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name not in data:
            raise InputError(f"{what} needs the variable '{name}', which is missing from the device file")


def _validate_mixture(data: xr.Dataset) -> None:
    weight, mean, sigma = (data[name].transpose("state", "component").values for name in MIXTURE[:3])
    there = np.isfinite(weight)
    if (np.isfinite(mean) != there).any() or (np.isfinite(sigma) != there).any():
        raise InputError("variables 'mixture_weight', 'mixture_mean' and 'mixture_sigma' differ in their components")
    total = np.where(there, weight, 0.0).sum(axis=1)
    if (np.abs(total - 1.0) > 1e-6).any():
        state = int(np.argmax(np.abs(total - 1.0)))
        raise InputError(f"variable 'mixture_weight' of state {state} adds up to {total[state]:g}, must be 1")
    if (sigma[there.sum(axis=1) > 1] == 0.0).any():
        raise InputError("variable 'mixture_sigma' holds a component without width beside others")
    length = float(data["track_length"])
    if ((mean < 0) | (mean > length)).any():
        raise InputError(f"variable 'mixture_mean' holds a value off the track of {length:g} m")
    if not np.isin(data["mixture_decider"].values, DECIDERS.values).all():
        raise InputError("variable 'mixture_decider' holds a value that is neither 0 (cycle) nor 1 (device)")
