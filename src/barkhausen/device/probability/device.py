"""Device files of kind ``probability``: an attempt passes with a probability that the drive sets.

Required are the scalars ``midpoint``, ``slope`` and ``amplitude`` of the curve (:class:`.PassCurve`) and
``midpoint_spread``, its standard deviation between wires. Optional are their ``…_interval`` [bound] (95 %), the counts
``passes``, ``attempts`` and ``lost`` [drive, wire] that they were fitted to, and ``energy`` [cause] of an attempt at
the midpoint in J with ``drive_power`` [cause], the power of the drive with which it grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.units import labelled
from barkhausen.device.kinds import DEVICE_KINDS, DeviceKind
from barkhausen.device.labels import LabelledDevice, provenance
from barkhausen.device.probability.curve import CurveFit, PassCurve
from barkhausen.device.schema import FORMAT_VERSION, SOURCES

KIND = "probability"
SCALARS = ("midpoint", "slope", "amplitude", "midpoint_spread")
COUNTS = ("passes", "attempts", "lost")

PUBLISHED_SLOPE = 2.72741
"""Slope of the curve of Ellis et al. in their unit of the drive."""


@dataclass(frozen=True)
class Attempts:
    """Counts behind a curve.

    Attributes:
        drive: Values of the drive in its SI unit.
        passes: Number of attempts that passed.
        attempts: Number of attempts that ended with one wall.
        lost: Number of attempts that did not; they are in neither of the others.
    """

    drive: Float[np.ndarray, " drive"]
    passes: Int[np.ndarray, "drive wire"]
    attempts: Int[np.ndarray, "drive wire"]
    lost: Int[np.ndarray, "drive wire"]


@dataclass(frozen=True)
class ProbabilityDevice(LabelledDevice):
    """A device that is written and read at every use, and whose outcome is drawn.

    Args:
        data: Content of a device file of kind ``probability``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible.
    """

    data: xr.Dataset
    free: ClassVar[str] = "the device file gives no energies: attempts are counted, their energy is not"

    def __post_init__(self) -> None:
        _check_attributes(self.data)
        _check(self.data)

    @classmethod
    def from_curve(
        cls,
        curve: PassCurve,
        *,
        technology: str,
        source: str,
        drive: tuple[str, str, str],
        spread: float = 0.0,
        fit: CurveFit | None = None,
        counts: Attempts | None = None,
        energies: Mapping[str, tuple[float, float, str]] | None = None,
        parameters: Parameters | None = None,
        assumed: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> ProbabilityDevice:
        """Make a device from its curve.

        Args:
            curve: Probability against the drive.
            technology: Name of the technology.
            source: Origin of the curve.
            drive: Name, SI unit and description of the drive.
            spread: Standard deviation of the midpoint between wires.
            fit: Fit that the curve comes from, for its intervals.
            counts: Counts that it was fitted to.
            energies: Energy in J of an attempt at the midpoint, power of the drive with which it grows, and label, of
                each cause.
            parameters: Parameters of the device.
            assumed: Assumptions, a line each.
            attributes: Further metadata, stored as JSON.
        """
        name, unit, words = drive
        inverse = "1" if unit == "1" else f"1/({unit})"
        values = (curve.midpoint, curve.slope, curve.amplitude, spread)
        contents: dict[str, Any] = {
            key: ((), np.float64(value), {"units": units})
            for key, value, units in zip(SCALARS, values, (unit, inverse, "1", unit), strict=True)
        }
        contents["midpoint"][2].update(drive=name, long_name=f"midpoint of the probability; drive: {words}")
        for key, bounds in ({} if fit is None else fit.intervals).items():
            contents[f"{key}_interval"] = ("bound", np.array(bounds), {"units": contents[key][2]["units"]})
        if counts is not None:
            contents["drive"] = ("drive", counts.drive, {"units": unit, "long_name": words})
            for key in COUNTS:
                contents[key] = (("drive", "wire"), getattr(counts, key).astype(np.int32))
        if energies:
            contents["cause"] = ("cause", np.array(list(energies)))
            contents["energy_label"] = ("cause", np.array([label for _, _, label in energies.values()]))
            contents["energy"] = ("cause", np.array([joule for joule, _, _ in energies.values()]), {"units": "J"})
            contents["drive_power"] = ("cause", np.array([power for _, power, _ in energies.values()], np.float64))
        attrs = {
            "format_version": FORMAT_VERSION,
            "technology": technology,
            "kind": KIND,
            "source": source,
            **provenance(parameters, assumed, attributes),
        }
        return cls(xr.Dataset(contents, attrs=attrs))

    @property
    def curve(self) -> PassCurve:
        """Curve of the wire with the mean midpoint."""
        return PassCurve(*(float(self.data[name]) for name in SCALARS[:3]))

    @property
    def spread(self) -> float:
        """Standard deviation of the midpoint between wires, in the unit of the drive."""
        return float(self.data["midpoint_spread"])

    @property
    def drive(self) -> tuple[str, str]:
        """Name and SI unit of the drive."""
        words = self.data["midpoint"].attrs
        return str(words.get("drive", "drive")), str(words.get("units", "1"))

    @property
    def weight_unit(self) -> float:
        """Drive that corresponds to one weight unit.

        In weight units all devices have the slope of the curve of Ellis et al., so learning rates mean the same.
        """
        return PUBLISHED_SLOPE / self.curve.slope

    @property
    def counts(self) -> Attempts | None:
        """Counts that the curve was fitted to; None where the file has none."""
        if "passes" not in self.data:
            return None
        of = {name: self.data[name].transpose("drive", "wire").values for name in COUNTS}
        return Attempts(self.data["drive"].values, **of)

    def interval(self, name: str) -> tuple[float, float] | None:
        """95 % interval of a parameter of the curve; None where the file has none."""
        key = f"{name}_interval"
        return tuple(self.data[key].values.tolist()) if key in self.data else None

    def energy(self, cause: str, drive: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Energy in J of an attempt at a drive, from one cause."""
        row = list(self.energy_causes).index(cause)
        power = float(self.data["drive_power"].values[row])
        return np.asarray(float(self.data["energy"].values[row]) * np.abs(drive / self.curve.midpoint) ** power)

    def midpoints(self, shape: Sequence[int], generator: torch.Generator | None) -> Float[Tensor, "*shape"]:
        """Midpoint of each of many wires in weight units, drawn with the spread between wires.

        Args:
            shape: Shape of the array of wires.
            generator: Random stream of the wires.
        """
        curve, unit = self.curve, self.weight_unit
        where = "cpu" if generator is None else generator.device
        drawn = torch.full(tuple(shape), curve.midpoint / unit, dtype=torch.float32, device=where)
        if self.spread == 0:
            return drawn
        noise = torch.randn(tuple(shape), generator=generator, device=where)
        return drawn.add_(noise, alpha=self.spread / unit)

    def lines(self) -> list[str]:
        """The device in lines of text."""
        name, unit = self.drive
        values = dict(zip(SCALARS, (*_tuple(self.curve), self.spread), strict=True))
        found = [f"probability of passing against {labelled(name, unit)}, {self.data.attrs['source']}"]
        for key, value in values.items():
            bounds = self.interval(key)
            between = "" if bounds is None else f" (95 % interval {bounds[0]:.4g} to {bounds[1]:.4g})"
            found.append(f"  {key.replace('_', ' ')}: {value:.6g}{between}")
        at = np.array(self.curve.midpoint)
        for cause, label in self.energy_causes.items():
            found.append(f"  {label}: {float(self.energy(cause, at)):.4g} J an attempt at the midpoint")
        counts = self.counts
        if counts is not None:
            found.append(
                f"  {int(counts.attempts.sum())} attempts of {counts.attempts.shape[1]} wires at {len(counts.drive)} "
                f"drives; {int(counts.lost.sum())} more lost the wall"
            )
        return [*found, *(f"  assumed: {line}" for line in self.assumed)]


def _tuple(curve: PassCurve) -> tuple[float, float, float]:
    return curve.midpoint, curve.slope, curve.amplitude


def _check_attributes(data: xr.Dataset) -> None:
    """Check version, technology, kind and source."""
    version, source = data.attrs.get("format_version"), data.attrs.get("source")
    if np.ndim(version) or version != FORMAT_VERSION:  # type: ignore[arg-type]  # may be anything
        raise InputError(f"device file format {version}: kind {KIND!r} needs {FORMAT_VERSION}")
    technology = data.attrs.get("technology")
    if not isinstance(technology, str) or not technology:
        raise InputError(f"technology = {technology!r}: must be the name of a technology")
    if data.attrs.get("kind") != KIND:
        raise InputError(f"kind = {data.attrs.get('kind')!r}: must be {KIND!r}")
    if not isinstance(source, str) or source not in (*SOURCES, "published"):
        raise InputError(f"source = {source!r}: must be one of {', '.join((*SOURCES, 'published'))}")


def _check(data: xr.Dataset) -> None:
    for name in SCALARS:
        if name not in data:
            raise InputError(f"variable '{name}' is missing from the device file")
        variable = data[name]
        if variable.dims or variable.dtype.kind not in "fiu" or not np.isfinite(variable.values):
            raise InputError(f"variable '{name}' must be a single finite number")
    if not float(data["slope"]) > 0:
        raise InputError(f"variable 'slope' is {float(data['slope']):g}: must be positive")
    if not 0 < float(data["amplitude"]) <= 1:
        raise InputError(f"variable 'amplitude' is {float(data['amplitude']):g}: must be above 0 and at most 1")
    if float(data["midpoint_spread"]) < 0:
        raise InputError(f"variable 'midpoint_spread' is {float(data['midpoint_spread']):g}: must not be negative")
    for name in SCALARS:
        key = f"{name}_interval"
        if key in data and (data[key].dims != ("bound",) or data[key].shape != (2,)):
            raise InputError(f"variable '{key}' must hold two numbers")
    _check_counts(data)
    if "energy" in data:
        _check_energies(data)


def _check_counts(data: xr.Dataset) -> None:
    held = [name for name in COUNTS if name in data]
    if held:
        if len(held) < len(COUNTS) or "drive" not in data:
            raise InputError("variables 'passes', 'attempts', 'lost' and 'drive' belong together; one is missing")
        for name in COUNTS:
            if set(data[name].dims) != {"drive", "wire"} or data[name].dtype.kind not in "iu":
                raise InputError(f"variable '{name}' must hold a count for each drive and wire")
            if (data[name].values < 0).any():
                raise InputError(f"variable '{name}' holds a negative count")
        if (data["passes"].values > data["attempts"].values).any():
            raise InputError("variable 'passes' holds more than 'attempts'")


def _check_energies(data: xr.Dataset) -> None:
    for name in ("energy", "drive_power"):
        if name not in data or data[name].dims != ("cause",) or not (data[name].values >= 0).all():
            raise InputError(f"variable '{name}' must hold a number that is not negative for each cause")
    if "cause" not in data.variables or "energy_label" not in data.variables:
        raise InputError("variable 'energy' has causes without names")


PROBABILITY = DEVICE_KINDS.register(
    KIND,
    DeviceKind(
        name=KIND,
        label="a device that passes with a probability which its drive sets",
        opened=ProbabilityDevice,
        shipped=("ellis-2023", "notch-current"),
        lines=ProbabilityDevice.lines,
        simulated="barkhausen.device.domain_wall.passage",
    ),
)
