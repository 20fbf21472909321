"""Device files of kind ``neuron``: a state that drives move until it passes a threshold, or a firing probability.

With the law ``steps``, required are the coordinates ``drive`` (rising from 0, which is the leak) and ``place`` (from 0
to the threshold), ``step_mean`` and ``step_spread`` [drive, place], the ``threshold`` and the ``step_time``. Optional
are ``step_count`` [drive, place], the counts ``cycles_tried``, ``cycles_fired``, ``cycles_failed`` and ``cycles_lost``
of integrate-fire-reset cycles, and ``fired_at`` [drive, track, cycle].

With the law ``probability`` a neuron has no memory: required are ``drive`` and ``fire_probability`` [drive]; optional
is ``trials`` [drive].

Both may have ``energy`` [cause] of an operation in J at the largest drive, with its ``operation`` (``pulse``, ``read``
or ``reset``), ``energy_label`` and ``drive_power``, the power of the drive with which it grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.config import Parameters
from barkhausen.device.kinds import DEVICE_KINDS, DeviceKind
from barkhausen.device.labels import LabelledDevice, provenance
from barkhausen.device.neuron.description import described
from barkhausen.device.neuron.schema import KIND, PROBABILITY, STEPS, validate_neuron
from barkhausen.device.neuron.steps import StepTables
from barkhausen.device.schema import FORMAT_VERSION
from barkhausen.device.statistics.shares import wilson

COUNTS = ("tried", "fired", "failed", "lost")


@dataclass(frozen=True)
class Joules:
    """Energy of one cause.

    Attributes:
        operation: ``pulse``, ``read`` or ``reset``.
        joule: Energy of one operation in J, of a pulse at the largest drive.
        power: Power of the drive with which it grows.
        label: Name in tables.
    """

    operation: str
    joule: float
    power: float
    label: str


@dataclass(frozen=True)
class Cycles:
    """Integrate-fire-reset cycles.

    Attributes:
        tried: Cycles with pulses.
        fired: Those in which the neuron fired.
        failed: Those that fired and whose reset failed.
        lost: Cycles in which the state was lost before.
    """

    tried: int
    fired: int
    failed: int
    lost: int

    @property
    def failure_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the probability that a reset fails."""
        return wilson(self.failed, self.fired)


@dataclass(frozen=True)
class NeuronDevice(LabelledDevice):
    """A neuron.

    Args:
        data: Content of a device file of kind ``neuron``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible.
    """

    data: xr.Dataset
    free: ClassVar[str] = "the device file gives no energies: operations are not counted"

    def __post_init__(self) -> None:
        validate_neuron(self.data)

    @classmethod
    def from_steps(
        cls,
        drives: Float[np.ndarray, " drive"],
        places: Float[np.ndarray, " place"],
        tables: StepTables,
        *,
        technology: str,
        source: str,
        drive: tuple[str, str, str],
        threshold: float,
        step_time: float,
        unit: str = "m",
        cycles: Cycles | None = None,
        fired_at: Float[np.ndarray, "drive track cycle"] | None = None,
        energies: Mapping[str, Joules] | None = None,
        parameters: Parameters | None = None,
        assumed: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> NeuronDevice:
        """Make a neuron whose state moves in steps.

        Args:
            drives: Drives, rising from 0.
            places: States from 0 to the threshold, evenly spaced.
            tables: Steps at drives and places.
            technology: Name of the technology.
            source: Origin of the steps.
            drive: Name, SI unit and description of the drive.
            threshold: State beyond which the neuron fires.
            step_time: Time of a step in s.
            unit: Unit of the state.
            cycles: Counts of cycles.
            fired_at: Number of the pulse at which each neuron fired; 0 for none.
            energies: Energies by cause.
            parameters: Parameters of the device.
            assumed: Assumptions, a line each.
            attributes: Further metadata, stored as JSON.
        """
        contents: dict[str, Any] = {
            "drive": ("drive", drives, {"units": drive[1], "name": drive[0], "long_name": drive[2]}),
            "place": ("place", places, {"units": unit}),
            "step_mean": (("drive", "place"), tables.mean, {"units": unit}),
            "step_spread": (("drive", "place"), tables.spread, {"units": unit}),
            "step_count": (("drive", "place"), tables.count.astype(np.int32)),
            "threshold": ((), np.float64(threshold), {"units": unit}),
            "step_time": ((), np.float64(step_time), {"units": "s"}),
        }
        if cycles is not None:
            contents |= {f"cycles_{name}": ((), np.int64(getattr(cycles, name))) for name in COUNTS}
        if fired_at is not None:
            contents["fired_at"] = (("drive", "track", "cycle"), fired_at.astype(np.int32))
        about = {"technology": technology, "source": source, "law": STEPS}
        return cls(_dataset(contents, about, energies, parameters, assumed=assumed, attributes=attributes))

    @classmethod
    def from_probability(
        cls,
        drives: Float[np.ndarray, " drive"],
        probability: Float[np.ndarray, " drive"],
        *,
        source: str,
        drive: tuple[str, str, str],
        trials: Sequence[int] | None = None,
        technology: str = "domain-wall",
        energies: Mapping[str, Joules] | None = None,
        assumed: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> NeuronDevice:
        """Make a neuron without memory, that fires with a probability.

        Args:
            drives: Drives, rising.
            probability: Probability of firing at each.
            source: Origin of the curve.
            drive: Name, SI unit and description of the drive.
            trials: Number of trials behind each probability.
            technology: Name of the technology.
            energies: Energies by cause.
            assumed: Assumptions, a line each.
            attributes: Further metadata, stored as JSON.
        """
        contents: dict[str, Any] = {
            "drive": ("drive", drives, {"units": drive[1], "name": drive[0], "long_name": drive[2]}),
            "fire_probability": ("drive", probability, {"units": "1"}),
        }
        if trials is not None:
            contents["trials"] = ("drive", np.array(trials, np.int64))
        about = {"technology": technology, "source": source, "law": PROBABILITY}
        return cls(_dataset(contents, about, energies, None, assumed=assumed, attributes=attributes))

    @property
    def law(self) -> str:
        """``steps`` or ``probability``."""
        return str(self.data.attrs["law"])

    @property
    def drives(self) -> Float[np.ndarray, " drive"]:
        """Drives of the law."""
        return np.asarray(self.data["drive"].values, np.float64)

    @property
    def drive(self) -> tuple[str, str]:
        """Name and SI unit of the drive."""
        words = self.data["drive"].attrs
        return str(words.get("name", "drive")), str(words.get("units", "1"))

    @property
    def threshold(self) -> float:
        """State beyond which the neuron fires."""
        return float(self.data["threshold"])

    @property
    def step_time(self) -> float:
        """Time of a step in s."""
        return float(self.data["step_time"])

    @property
    def tables(self) -> StepTables:
        """Steps at drives and places."""
        mean, spread = (
            self.data[name].transpose("drive", "place").values.astype(np.float64)
            for name in ("step_mean", "step_spread")
        )
        there = "step_count" in self.data
        count = self.data["step_count"].transpose("drive", "place").values if there else np.zeros(mean.shape, np.int64)
        return StepTables(mean, spread, count)

    @property
    def cycles(self) -> Cycles | None:
        """Counts of cycles; None where the file has none."""
        if "cycles_tried" not in self.data:
            return None
        return Cycles(*(int(self.data[f"cycles_{name}"]) for name in COUNTS))

    @property
    def reset_failure(self) -> float:
        """Probability that a reset fails: failures over cycles that fired; 0 where the file has no counts."""
        cycles = self.cycles
        return cycles.failed / cycles.fired if cycles is not None and cycles.fired else 0.0

    @property
    def energies(self) -> dict[str, Joules]:
        """Energies by cause."""
        if "energy" not in self.data:
            return {}
        rows = (self.data[name].values for name in ("cause", "operation", "energy", "drive_power", "energy_label"))
        return {
            str(cause): Joules(str(operation), float(joule), float(power), str(label))
            for cause, operation, joule, power, label in zip(*rows, strict=True)
        }

    def lines(self) -> list[str]:
        """The neuron in lines of text."""
        return described(self)


def _dataset(
    contents: dict[str, Any],
    about: Mapping[str, str],
    energies: Mapping[str, Joules] | None,
    parameters: Parameters | None,
    *,
    assumed: Sequence[str],
    attributes: Mapping[str, Any] | None,
) -> xr.Dataset:
    if energies:
        each = list(energies.values())
        contents["cause"] = ("cause", np.array(list(energies)))
        contents["operation"] = ("cause", np.array([item.operation for item in each]))
        contents["energy"] = ("cause", np.array([item.joule for item in each]), {"units": "J"})
        contents["drive_power"] = ("cause", np.array([item.power for item in each]))
        contents["energy_label"] = ("cause", np.array([item.label for item in each]))
    attrs = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        **about,
        **provenance(parameters, assumed, attributes),
    }
    return xr.Dataset(contents, attrs=attrs)


NEURON = DEVICE_KINDS.register(
    KIND,
    DeviceKind(
        KIND,
        "a neuron",
        NeuronDevice,
        shipped=("neuron-track",),
        simulated="barkhausen.device.domain_wall.neuron",
        technologies={"antiferromagnetic-skyrmion": "barkhausen.device.antiferromagnet"},
        lines=NeuronDevice.lines,
    ),
)
