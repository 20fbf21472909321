"""Parameters of an antiferromagnetic skyrmion neuron, read from a TOML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from barkhausen.core.config import Count, NotNegative, Parameters, Positive, apply_setting, validated
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.micromagnetics import Material

NAME = "antiferromagnetic-skyrmion"
"""Name of the technology."""


class Magnet(Parameters):
    """What is coupled antiparallel: two layers, or two sublattices of one film."""

    kind: Literal["synthetic", "sublattices"] = "synthetic"
    """``synthetic``: two layers through a spacer; ``sublattices``: two sublattices in the same cells."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 2e-9
    """Thickness of one layer, or of the film, in m."""
    interlayer_exchange: Annotated[float, Field(lt=0, ge=-0.1)] = -2e-3
    """J1 in J/m² of two layers; negative: antiparallel."""
    homogeneous_exchange: Annotated[float, Field(lt=0, ge=-1e-8)] = -6.59e-12
    """A0 in J/m of two sublattices."""
    inhomogeneous_exchange: Annotated[float, Field(ge=-1e-8, le=1e-8)] = 0.0
    """A12 in J/m of two sublattices; the stiffness of the Néel vector is 2 A − A12."""
    lattice_constant: Annotated[float, Field(gt=1e-11, lt=1e-8)] = 0.418e-9
    """a in m of two sublattices."""


class Track(Parameters):
    """The nanotrack. The skyrmion rests near its left end and is detected near its right end."""

    length: Annotated[Positive, checked_as("track length")] = 160e-9
    width: Annotated[Positive, checked_as("width")] = 48e-9
    """In m."""
    anisotropy_gradient: Annotated[NotNegative, checked_as("anisotropy gradient")] = 0.6e12
    """dKu/dx in J/m⁴: Ku is that of the material at the left end and rises to the right. 0: no leak."""
    rest: Annotated[Positive, checked_as("position")] = 30e-9
    """Place in m that the skyrmion starts from, and that a reset brings it back to."""


class Conductor(Parameters):
    """The heavy metal that carries the current, one strip for each layer."""

    resistivity: Annotated[Positive, checked_as("resistivity")] = 4e-7
    """In ohm m."""
    thickness: Annotated[Positive, checked_as("film thickness")] = 3e-9
    """Thickness of one strip in m."""
    strips: Annotated[int, Field(ge=1, le=2)] = 2
    """Number of strips: one below each layer, or one below the lower layer (or the film) alone."""


class PulseTrain(Parameters):
    """Input: current pulses with pauses. A pause is also when the junction is read."""

    current_density: Annotated[Positive, checked_as("current density")] = 3.5e11
    """J of an input of 1 in the heavy metal in A/m²."""
    inputs: Annotated[tuple[float, ...], Field(min_length=1, max_length=16)] = (0.8, 1.0, 1.2)
    """Inputs, relative to that; replicas are divided among them."""
    width: Annotated[Positive, checked_as("pulse duration")] = 0.15e-9
    pause: Annotated[Positive, checked_as("pulse duration")] = 0.15e-9
    """Duration of a pulse and of the pause after it in s."""
    periods: Count = 20
    """Number of pulses with their pauses."""

    @field_validator("inputs")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for item in value:
            if not (math.isfinite(item) and 0 < item <= 100):
                raise PydanticCustomError("inputs", "must be positive numbers, relative to current_density")
        return value

    @property
    def period(self) -> float:
        """Time in s from one pulse to the next."""
        return self.width + self.pause


class Reset(Parameters):
    """What follows when the neuron has fired."""

    current_density: Annotated[NotNegative, checked_as("current density")] = 0.0
    """Reversed current density in A/m²; 0: the skyrmion is left to leak back."""
    periods: Count = 10
    """Duration in periods of the train, pauses included, in which inputs are not applied."""
    tolerance: Annotated[Positive, checked_as("length")] = 25e-9
    """Distance in m from the place of rest beyond which a reset has failed."""


class Detector(Parameters):
    """The tunnel junction over a window of the track, which reads the upper layer."""

    position: Annotated[Positive, checked_as("position")] = 128e-9
    """Middle of the window in m."""
    length: Annotated[Positive, checked_as("length")] = 32e-9
    """Length of the window along the track in m; it is as wide as the track."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Threshold as a fraction of the change of conductance by a skyrmion in the middle of the window."""


class NeuronEnsemble(Parameters):
    """Settings of a characterisation."""

    replicas: Annotated[int, Field(ge=0, le=100_000)] = 24
    """Thermal replicas of all inputs together. 0: trajectories at 0 K alone, and a law without spread."""
    chunk: Annotated[int, Field(ge=8, le=1000, multiple_of=8)] = 8
    """Replicas computed at once."""
    temperature: Annotated[float, Field(gt=0, le=2000)] = 300.0
    """Temperature in K of the replicas."""
    cell: Annotated[Positive, checked_as("cell size")] = 2e-9
    """Edge of the square cells in m."""
    every: Annotated[Positive, checked_as("simulated time")] = 50e-12
    """Time between records in s."""
    settle: Annotated[Positive, checked_as("simulated time")] = 0.15e-9
    """Time before the first pulse in s."""
    still: Count = 20
    """Periods of the trajectories at 0 K: of each input, and of a skyrmion that leaks from the detector."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the noise."""


def default_material() -> Material:
    """Material of one layer of ours; those of the papers are not known."""
    return Material(
        saturation_magnetisation=5.8e5,
        exchange_stiffness=15e-12,
        damping=0.1,
        anisotropy=0.42e6,
        dmi=2.9e-3,
        spin_hall_angle=0.2,
        source="assumed; Ms and A of a public model of skyrmions in synthetic antiferromagnets, Ku and D chosen for a "
        "skyrmion that is stable at 300 K all along the track",
    )


class AntiferromagnetParameters(Parameters):
    """Magnet, track, current, detector and protocol of one neuron."""

    magnet: Magnet = Magnet()
    material: Material = default_material()
    track: Track = Track()
    conductor: Conductor = Conductor()
    train: PulseTrain = PulseTrain()
    reset: Reset = Reset()
    detector: Detector = Detector()
    junction: TunnelJunction = TunnelJunction(read_time=0.1e-9)
    characterisation: NeuronEnsemble = NeuronEnsemble()

    @field_validator("material", mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        """The material: keys that the table leaves out are those of the default."""
        return default_material().model_dump() | value if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fits(self) -> AntiferromagnetParameters:
        track, detector, how = self.track, self.detector, self.characterisation
        if self.material.constants_at:
            raise PydanticCustomError(
                "constants_at", "material.constants_at must be 0: the constants are those of the cells"
            )
        if not self.material.damping:
            raise PydanticCustomError("damping", "material.damping must be positive")
        if detector.position + detector.length / 2 > track.length:
            raise PydanticCustomError("detector", "detector: its window ends beyond the track")
        if track.rest >= detector.position - detector.length / 2:
            raise PydanticCustomError("rest", "track.rest must lie before the window of the detector")
        for name in ("width", "pause"):
            pieces = getattr(self.train, name) / how.every
            if abs(pieces - round(pieces)) > 1e-6 or round(pieces) < 1:
                raise PydanticCustomError(
                    "every", "train.{name} must be a whole number of characterisation.every", {"name": name}
                )
        if self.magnet.kind == "sublattices" and self.conductor.strips != 1:
            raise PydanticCustomError("strips", "conductor.strips must be 1 for the two sublattices of one film")
        if how.replicas and how.replicas < len(self.train.inputs):
            raise PydanticCustomError("replicas", "characterisation.replicas must be at least one for each input")
        return self

    def anisotropy(self, position: float) -> float:
        """Ku in J/m³ at a place along the track in m."""
        return self.material.anisotropy + self.track.anisotropy_gradient * position

    @property
    def conductor_volume(self) -> float:
        """Volume in m³ of all strips of the heavy metal under the track."""
        return self.conductor.strips * self.conductor.thickness * self.track.width * self.track.length

    @property
    def detector_area(self) -> float:
        """Area in m² of the junction."""
        return self.detector.length * self.track.width

    def size(self) -> str:
        """Size of the track in words."""
        return f"{1e9 * self.track.length:.0f} x {1e9 * self.track.width:.0f} nm"

    def assumed(self) -> list[str]:
        """Assumptions, a line each."""
        magnet, material, track, train = self.magnet, self.material, self.track, self.train
        conductor, detector, how = self.conductor, self.detector, self.characterisation
        coupled = (
            f"two layers of {1e9 * magnet.thickness:g} nm, interlayer exchange {1e3 * magnet.interlayer_exchange:g} "
            "mJ/m2"
            if magnet.kind == "synthetic"
            else f"two sublattices in {1e9 * magnet.thickness:g} nm, A0 {magnet.homogeneous_exchange:g} J/m, "
            f"A12 {magnet.inhomogeneous_exchange:g} J/m, a {1e9 * magnet.lattice_constant:g} nm"
        )
        driven = "the lower layer" if magnet.kind == "synthetic" else "both sublattices"
        driven = "both layers" if conductor.strips == 2 else driven
        reset = "left to leak back" if self.reset.current_density == 0 else "driven back by a reversed current"
        return [
            f"magnet: {coupled}",
            f"material of each: {material.source or 'as given'}; Ms {material.saturation_magnetisation:g} A/m, "
            f"A {material.exchange_stiffness:g} J/m, Ku {material.anisotropy:g} J/m3, D {material.dmi:g} J/m2, "
            f"alpha {material.damping:g}, spin Hall angle {material.spin_hall_angle:g}",
            "constants: those of the cells; no stray field, so Ku stands for the effective one",
            f"track: {self.size()}, dKu/dx {track.anisotropy_gradient:g} J/m4",
            f"current: in {conductor.strips} strip(s) of {1e9 * conductor.thickness:g} nm with "
            f"{1e8 * conductor.resistivity:g} uohm cm; spin-orbit torque on {driven}",
            f"input: pulses of {1e9 * train.width:g} ns and pauses of {1e9 * train.pause:g} ns; after firing inputs "
            f"wait for {self.reset.periods} periods, in which the skyrmion is {reset}",
            f"detector: junction over {1e9 * detector.length:g} nm of the track that reads the upper layer "
            "(sublattice) after each pulse, with shot and thermal noise of its current, without a circuit",
            f"threshold: {detector.level:g} of the change of conductance by a skyrmion in the middle of the window",
            f"cells: {1e9 * how.cell:g} nm",
            "every track is the same: no spread between devices",
        ]


def parameters_from(values: dict[str, Any], settings: Sequence[str], origin: str) -> AntiferromagnetParameters:
    """Parameters from the values of a parameter file, which assignments ``key=value`` change in place.

    Raises:
        InputError: A key or value is wrong.
    """
    for setting in settings:
        apply_setting(values, setting)
    given = {key: value for key, value in values.items() if key not in ("kind", "technology")}
    return validated(AntiferromagnetParameters, given, origin, settings)
