"""Schema of device files: validation of a data set, which names the first error in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.technology import TECHNOLOGIES

FORMAT_VERSION = 2
"""Version of the device file. Files of version 1 are read as well (:mod:`.old_format`); others are refused."""

MAXIMAL_STATES = 256
SOURCES = ("micromagnetics", "measured", "gaussian", "simulated", "declared")
DECLARED = ("gaussian", "declared")
"""Sources of devices whose moments are declared exactly, not estimated from values."""
FITTED = ("gaussian", "mixture", "empirical")
"""Distributions that are fitted to values and compared."""
DISTRIBUTIONS = (*FITTED, "lognormal")
NOISE_POOLS = ("state", "device")
CAUSE = re.compile(r"[a-z][a-z0-9_]{0,40}")
"""Pattern for names of causes of energy, which become parts of column names."""
TAKEN = frozenset({"attempt", "per_inference", "programming", "system", "training"})
"""Names that no cause of energy may have: tables have other columns of these names, as ``training_picojoule``."""
KIND = "states"
"""Kind of device file: devices that are reset and programmed to one of their states."""
CONDUCTANCE_MAPS = ("linear", "identity")
"""Maps from the state coordinate to the conductance: linear over its range, or the coordinate itself."""
MOMENTS = ("state_mean", "sigma_device", "sigma_cycle")
READ_OUT = ("read_voltage", "read_time", "resistance_area")
MIXTURE = ("mixture_weight", "mixture_mean", "mixture_sigma", "mixture_level", "mixture_offset_sigma")
BANDWIDTHS = ("bandwidth_device", "bandwidth_cycle")
LOGARITHMIC = ("log_sigma_device", "log_sigma_cycle")


class Flags(NamedTuple):
    """The values of an enumerated variable, as in the CF conventions."""

    values: tuple[int, ...]
    meanings: tuple[str, ...]

    def attributes(self) -> dict[str, Any]:
        """``flag_values`` and ``flag_meanings``."""
        return {"flag_values": np.array(self.values, np.int8), "flag_meanings": " ".join(self.meanings)}


OUTCOMES = Flags((-1, 0, 1, 2, 3), ("not_run", "single_wall_at_rest", "no_wall", "several_walls", "wall_not_at_rest"))
AT_REST = 0
"""Outcome of a cycle that has a value."""
LEVELS = Flags((0, 1), ("cycle", "device"))


class Rule(NamedTuple):
    """Dimensions and allowed values of a variable."""

    dims: tuple[str, ...]
    low: float = -np.inf
    high: float = np.inf
    holes: bool = False
    """Whether NaN is allowed, for values that could not be estimated."""


LARGEST_RANGE = 1e6
"""Largest range of the state coordinate in units of the distance of the outermost states."""

_STATE, _BOUND = ("state",), ("state", "bound")

STABILITY = ("barrier", "attempt_frequency", "retention_time", "pinning_field")
"""Variables that describe the stability of each state of each device, in J, Hz, s and T."""

STABILITY_ERRORS = ("barrier_error", "retention_time_lower")
"""Standard error of the barrier in J, and the lower 95 % bound in s that it gives the retention time."""

STRING_BARRIERS = ("barrier_string_left", "barrier_string_right")
"""Barriers in J towards either end along paths of least energy; an end may lie lower than the state (negative)."""

BARRIER_METHODS = ("compact", "compact-calibrated", "string", "measured")
"""Values of the attribute ``method`` of the variable ``barrier``."""

ESCAPE_DIRECTION = "escape_direction"
"""Variable with the direction of a wall's lower barrier along x: −1 or 1."""

REQUIRED = {
    "state_value": Rule(("state", "device", "cycle"), holes=True),
    "state_range": Rule(("bound",)),
}
OPTIONAL = {
    **{name: Rule(_STATE) for name in MOMENTS},
    "energy": Rule(("cause", "state")),
    "conductance_low": Rule((), 0.0),
    "conductance_high": Rule((), 0.0),
    **{name: Rule((), 0.0) for name in READ_OUT},
    "gate_voltage": Rule(_STATE),
    "current_density": Rule(_STATE),
    "pulse_width": Rule(_STATE, 0.0),
    "temperature_rise": Rule(("pulse", "state"), 0.0),
    "outcome": Rule(("state", "device", "cycle")),
    "sigma_device_interval": Rule(_BOUND, low=0.0, holes=True),
    "sigma_cycle_interval": Rule(_BOUND, low=0.0, holes=True),
    "normality_device": Rule(_STATE, 0.0, 1.0, holes=True),
    "normality_cycle": Rule(_STATE, 0.0, 1.0, holes=True),
    "overlap": Rule(("state", "other_state"), 0.0, 1.0),
    "overlap_interval": Rule(("state", "other_state", "bound"), 0.0, 1.0, holes=True),
    "read_error_rate": Rule(_STATE, 0.0, 1.0, holes=True),
    "read_error_interval": Rule(_BOUND, 0.0, 1.0, holes=True),
    "mutual_information": Rule((), 0.0, np.log2(MAXIMAL_STATES), holes=True),
    "mutual_information_interval": Rule(("bound",), 0.0, np.log2(MAXIMAL_STATES), holes=True),
    "mixture_weight": Rule(("state", "component"), 0.0, 1.0, holes=True),
    "mixture_mean": Rule(("state", "component"), holes=True),
    "mixture_sigma": Rule(("state", "component"), 0.0, holes=True),
    "mixture_weight_interval": Rule(("state", "component", "bound"), 0.0, 1.0, holes=True),
    "mixture_mean_interval": Rule(("state", "component", "bound"), holes=True),
    "mixture_sigma_interval": Rule(("state", "component", "bound"), 0.0, holes=True),
    "mixture_level": Rule(_STATE),
    "mixture_offset_sigma": Rule(_STATE, 0.0),
    "bandwidth_device": Rule(_STATE, 0.0),
    "bandwidth_cycle": Rule(_STATE, 0.0),
    **{name: Rule(("state", "device"), 0.0, holes=True) for name in (*STABILITY, *STABILITY_ERRORS)},
    **{name: Rule(("state", "device"), holes=True) for name in STRING_BARRIERS},
    ESCAPE_DIRECTION: Rule(("state", "device"), -1.0, 1.0, holes=True),
    **{name: Rule(_STATE, 0.0, 10.0) for name in LOGARITHMIC},
    "read_noise": Rule(_STATE, 0.0),
    "read_disturb": Rule(_STATE, 0.0, 1.0, holes=True),
    "fit_score": Rule(("distribution",)),
    "fit_behind": Rule(("distribution",)),
    "fit_standard_error": Rule(("distribution",), 0.0),
    "fit_distance": Rule(("distribution", "state"), 0.0, 1.0),
    "fit_p_value": Rule(("distribution", "state"), 0.0, 1.0),
}


def validate(data: xr.Dataset, kind: str = KIND) -> None:
    """Check a data set.

    Args:
        data: Content of a device file.
        kind: Kind that it must have: this one, or another that has all that this one has.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """
    _validate_attributes(data.attrs, kind)
    for name, rule in (REQUIRED | OPTIONAL).items():
        if name in data:
            validate_variable(data[name], rule)
        elif name in REQUIRED:
            raise InputError(f"variable '{name}' is missing from the device file")
    entry = TECHNOLOGIES.get(str(data.attrs["technology"]))
    for name in () if entry is None else entry.variables:
        if name not in data:
            raise InputError(f"variable '{name}' is missing from the device file")
    _validate_sizes(data)
    _validate_energies(data)
    _validate_values(data)
    _validate_states(data)
    if "outcome" in data:
        _validate_outcome(data)
    method = data["barrier"].attrs.get("method", BARRIER_METHODS[0]) if "barrier" in data else BARRIER_METHODS[0]
    if not isinstance(method, str) or method not in BARRIER_METHODS:
        raise InputError(
            f"variable 'barrier' has method = {method!r}: must be {' or '.join(map(repr, BARRIER_METHODS))}"
        )
    _validate_distribution(data)


def check_states(states: int) -> None:
    """Refuse a number of states outside the limits."""
    if not 2 <= states <= MAXIMAL_STATES:
        raise InputError(f"the device has {states} state(s); a synapse needs 2 to {MAXIMAL_STATES}")


def _validate_attributes(attributes: Mapping[Any, Any], wanted: str) -> None:
    # An attribute of another program's file may be an array, which has no truth value.
    version: Any = attributes.get("format_version")
    source = attributes.get("source")
    if np.ndim(version) or version != FORMAT_VERSION:
        raise InputError(f"device file format {version}: this version of barkhausen reads 1 and {FORMAT_VERSION}")
    technology = attributes.get("technology")
    if not isinstance(technology, str) or not technology:
        raise InputError(f"technology = {technology!r}: must be the name of a technology")
    kind = attributes.get("kind")
    if not isinstance(kind, str) or kind != wanted:
        raise InputError(f"kind = {kind!r}: must be {wanted!r} here")
    if not isinstance(source, str) or source not in SOURCES:
        raise InputError(f"source = {source!r}: must be one of {', '.join(SOURCES)}")
    for name, known in (
        ("distribution", DISTRIBUTIONS),
        ("noise_pool", NOISE_POOLS),
        ("conductance_map", CONDUCTANCE_MAPS),
    ):
        value = attributes.get(name, known[0])
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{name} = {value!r}: must be {' or '.join(map(repr, known))}")


def validate_variable(variable: xr.DataArray, rule: Rule) -> None:
    """Check the dimensions, the type and the values of one variable.

    Raises:
        InputError: One of them is not as the rule says.
    """
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
    for name, size in (("other_state", data.sizes["state"]), ("bound", 2), ("distribution", len(FITTED))):
        if data.sizes.get(name, size) != size:
            raise InputError(f"dimension '{name}' has {data.sizes[name]} entries, must have {size}")


def _validate_values(data: xr.Dataset) -> None:
    low, high = state_range(data)
    if not high > low:
        raise InputError(f"variable 'state_range' is {low:g} to {high:g}: must be rising")
    if data.attrs.get("conductance_map") == "identity" and low < 0:
        raise InputError(f"variable 'state_range' begins at {low:g}, but a conductance is not negative")
    for name in MOMENTS[1:]:
        if name in data and (data[name].values < 0).any():
            raise InputError(f"variable '{name}' holds a negative sigma")


def state_range(data: xr.Dataset) -> tuple[float, float]:
    """Smallest and greatest value of the state coordinate."""
    low, high = data["state_range"].values.astype(np.float64).tolist()
    return low, high


def _validate_scale(data: xr.Dataset, means: np.ndarray) -> None:
    """Refuse a range or a spread that is out of all proportion to the distance of the states."""
    span = abs(float(means[-1]) - float(means[0]))
    low, high = state_range(data)
    if max(abs(low - means[0]), abs(high - means[0])) > LARGEST_RANGE * span:
        raise InputError(
            f"variable 'state_range' is {low:g} to {high:g}, more than {LARGEST_RANGE:g} times the distance of the "
            f"outermost states ({span:g})"
        )
    for name in MOMENTS[1:]:
        if name in data and (data[name].values > LARGEST_RANGE * span).any():
            raise InputError(
                f"variable '{name}' holds {data[name].values.max():g}, more than {LARGEST_RANGE:g} times the distance "
                f"of the outermost states ({span:g})"
            )


def _validate_energies(data: xr.Dataset) -> None:
    if "energy" not in data:
        return
    if "cause" not in data.coords:
        raise InputError("variable 'energy' has causes without names (no variable 'cause')")
    for name in ("cause", "energy_label"):
        if name in data.variables:
            words = data[name]
            if words.dims != ("cause",) or not all(isinstance(word, str) and word for word in words.values.ravel()):
                raise InputError(f"variable '{name}' must hold a text for each cause of energy")
    causes = [str(cause) for cause in data["cause"].values]
    for cause in causes:
        if not CAUSE.fullmatch(cause):
            raise InputError(f"cause of energy {cause!a}: must be a word of small letters, digits and underscores")
        if cause in TAKEN:
            raise InputError(f"cause of energy {cause!a}: is the name of another energy in tables; choose a longer one")
    if len(set(causes)) < len(causes):
        raise InputError("variable 'cause' names a cause of energy twice")
    if (data["energy"].values < 0).any():
        raise InputError("variable 'energy' holds a negative energy")


def _validate_states(data: xr.Dataset) -> None:
    low, high = state_range(data)
    unit = str(data["state_value"].attrs.get("units", ""))
    values = data["state_value"].transpose("state", "device", "cycle").values
    seen = np.isfinite(values)
    if not seen.any(axis=(1, 2)).all():
        raise InputError(f"state {int(np.argmin(seen.any(axis=(1, 2))))} has no value at all")
    if not seen.any(axis=2).all(axis=0).any():
        raise InputError("no device was seen in every state; its offsets between states cannot be known")
    outside = seen & ((values < low) | (values > high))
    if outside.any():
        state, device, cycle = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"state_value[state={state}, device={device}, cycle={cycle}] = {values[state, device, cycle]:g} {unit} "
            f"lies outside {low:g} to {high:g} {unit}"
        )
    if "state_mean" in data and not ((data["state_mean"] >= low) & (data["state_mean"] <= high)).all():
        raise InputError(f"variable 'state_mean' holds a value outside {low:g} to {high:g} {unit}")
    means = data["state_mean"].values if "state_mean" in data else np.nanmean(values, axis=(1, 2))
    # No read-out could distinguish levels closer than a thousandth of the weight range.
    gaps = np.diff(means) / max(means[-1] - means[0], 1e-30)
    if (gaps < 1e-3).any():
        state = int(np.argmax(gaps < 1e-3))
        raise InputError(
            f"mean values of states {state} and {state + 1} are {means[state]:g} and {means[state + 1]:g} {unit}; "
            "states must be in order of their mean values and distinct"
        )
    _validate_scale(data, means)


def _validate_outcome(data: xr.Dataset) -> None:
    outcome = data["outcome"].transpose("state", "device", "cycle").values
    if not np.isin(outcome, OUTCOMES.values).all():
        raise InputError(f"variable 'outcome' holds a value that is none of {', '.join(map(str, OUTCOMES.values))}")
    seen = np.isfinite(data["state_value"].transpose("state", "device", "cycle").values)
    rests = outcome == AT_REST
    if (rests != seen).any():
        state, device, cycle = (int(i) for i in np.argwhere(rests != seen)[0])
        number = int(outcome[state, device, cycle])
        what = OUTCOMES.meanings[OUTCOMES.values.index(number)]
        has = "a value" if seen[state, device, cycle] else "no value"
        raise InputError(
            f"outcome[state={state}, device={device}, cycle={cycle}] = {number} ({what}), but it has {has}"
        )


def _validate_distribution(data: xr.Dataset) -> None:
    if data.attrs.get("distribution", "empirical") == "mixture":
        _need(data, MIXTURE, "distribution = 'mixture'")
    if data.attrs.get("distribution") == "lognormal":
        _need(data, (*MOMENTS, *LOGARITHMIC), "distribution = 'lognormal'")
        if data.attrs.get("conductance_map") != "identity" or not (data[MOMENTS[0]] > 0).all():
            raise InputError("distribution = 'lognormal': is one of conductances, whose mean values are positive")
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
    low, high = state_range(data)
    if ((mean < low) | (mean > high)).any():
        raise InputError(f"variable 'mixture_mean' holds a value outside {low:g} to {high:g}")
    if not np.isin(data["mixture_level"].values, LEVELS.values).all():
        raise InputError("variable 'mixture_level' holds a value that is neither 0 (cycle) nor 1 (device)")


def checked_energies(
    energies: Mapping[str, Float[np.ndarray, " state"]], states: int
) -> dict[str, Float[np.ndarray, " state"]]:
    """Energies of each cause, one for each state; :class:`InputError` if they are not."""
    given: dict[str, Float[np.ndarray, " state"]] = {}
    for cause, values in energies.items():
        given[cause] = np.asarray(values, np.float64)
        if given[cause].shape != (states,):
            raise InputError(f"energies of '{cause}' have the shape {given[cause].shape}, must be ({states},)")
        if not np.isfinite(given[cause]).all():
            raise InputError(f"energies of '{cause}' hold a value that is not finite")
    return given
