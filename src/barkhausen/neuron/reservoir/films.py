"""Magnetic reservoirs: films in a :class:`~barkhausen.micromagnetics.Simulation` whose gate voltage is the input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.device.skyrmion.parameters import SkyrmionEnsemble, SkyrmionParameters
from barkhausen.device.skyrmion.textures import start
from barkhausen.micromagnetics import Drive, Film, Grid, Simulation, Texture, Waveform, disc, shape_film, uniform
from barkhausen.micromagnetics.excitation.gate import LinearGate
from barkhausen.micromagnetics.geometry.shapes import Shape
from barkhausen.micromagnetics.observables import Observable
from barkhausen.micromagnetics.observables.texture import CORE_UP
from barkhausen.micromagnetics.state import State as Magnetisation
from barkhausen.micromagnetics.system import System
from barkhausen.neuron.reservoir.base import Element, Run, State
from barkhausen.neuron.reservoir.parameters import CoupledDots, Driven, Macrospin, SkyrmionDisc


@dataclass(frozen=True, eq=False)
class RegionMagnetisation(Observable):
    """Mean m_z of each region.

    Args:
        weights: Weight of each cell in each region; they add up to 1.
    """

    weights: Float[Tensor, "region nx ny"]

    name: ClassVar[str] = "mz"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("region",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Numbers of the regions."""
        return {"region": list(range(len(self.weights)))}

    def __call__(self, system: System, state: Magnetisation) -> Float[Tensor, "replica region"]:
        """Weighted sums of m_z."""
        return torch.einsum("rxy,kxy->rk", state.m[:, 2].to(torch.float64), self.weights.to(state.m.device))


@dataclass(frozen=True, eq=False)
class DrivenFilm(Element):
    """A film with a gate as a reservoir.

    Args:
        parameters: Drive, nodes, temperature and copies.
        film: Film.
        gate: Gate.
        initial: Magnetisation to start from.
        regions: Weights of the cells in each m_z that is read.
        profile: Strength of the gate in each cell. Default: 1.
        texture: Code of the texture of a replica that is intact (:class:`~barkhausen.micromagnetics.Texture`). Default:
            none, and all replicas always are.
    """

    parameters: Driven
    film: Film
    gate: LinearGate
    initial: Float[Tensor, "1 3 nx ny"]
    regions: Float[Tensor, "region nx ny"]
    profile: Float[Tensor, "nx ny"] | None = None
    texture: int | None = None

    @property
    def nodes(self) -> int:
        """Virtual nodes of all regions."""
        return self.parameters.virtual_nodes * len(self.regions)

    @cached_property
    def dt(self) -> float:
        """Time step in s: the longest that divides the distance of the nodes and suits the largest voltages."""
        how = self.parameters
        ends = how.offset + how.swing * how.largest_input * torch.tensor([-1.0, 1.0], dtype=torch.float64)
        drive = Drive(gate_voltage=ends, gate=self.gate, gate_profile=self.profile, field_x=how.field_x)
        longest = Simulation(
            self.film, drive, replicas=2, temperature=how.temperature, initial=self.initial, integrator="splitting"
        ).dt
        return self.spacing / math.ceil(self.spacing / longest - 1e-9)

    @property
    def spacing(self) -> float:
        """Time in s from one node to the next."""
        return self.parameters.hold / self.parameters.virtual_nodes

    def start(self, sequences: int, seed: int) -> FilmRun:
        """The film after some time at u = 0, in all copies of all sequences."""
        return FilmRun(self, sequences, seed)

    def describe(self) -> dict[str, Any]:
        """All parameters but threads, energies of reads and the oxide's permittivity."""
        plain = self.parameters.model_dump(mode="json", exclude={"threads", "junction"})
        return {"kind": type(self.parameters).__name__, **plain}


class FilmRun(Run):
    """A driven film in motion.

    Args:
        element: Film with its drive.
        sequences: Number of sequences; each has the copies of the element.
        seed: Seed of the thermal noise.
    """

    def __init__(self, element: DrivenFilm, sequences: int, seed: int) -> None:
        self.element, self.sequences = element, sequences
        how = element.parameters
        self._field = Waveform.constant(how.field_x)
        self.simulation = Simulation(
            element.film,
            self._drive(np.zeros(sequences)),
            replicas=sequences * how.copies,
            seed=seed,
            temperature=how.temperature,
            initial=element.initial,
            dt=element.dt,
            integrator="splitting",
            threads=how.threads,
        )
        self._observe = RegionMagnetisation(element.regions)
        self.simulation.advance(element.spacing * math.ceil(how.settle / element.spacing - 1e-9))

    def step(self, inputs: Float[np.ndarray, " sequence"]) -> Float[np.ndarray, "sequence node"]:
        """Hold V0 + V1 u; m_z at the end of each of so many equal parts of the step, averaged over copies."""
        how = self.element.parameters
        found = self.simulation.advance(
            how.hold, self._drive(inputs), observe=[self._observe], every=self.element.spacing
        )
        assert found is not None
        mz = found["mz"].transpose("replica", "time", "region").values
        return np.asarray(mz.reshape(self.sequences, how.copies, -1).mean(1))

    def state(self) -> State:
        """Magnetisation, noise and clock of the simulation."""
        return {name: value.numpy() for name, value in self.simulation.state_dict().items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume to the last bit."""
        self.simulation.load_state_dict({name: torch.as_tensor(np.array(value)) for name, value in state.items()})

    def intact(self) -> float:
        """Share of the replicas that still hold their texture."""
        if self.element.texture is None:
            return 1.0
        return float((self.simulation.read(Texture()) == self.element.texture).double().mean())

    def _drive(self, inputs: Float[np.ndarray, " sequence"]) -> Drive:
        element, how = self.element, self.element.parameters
        held = np.clip(inputs, -how.largest_input, how.largest_input)
        volts = torch.from_numpy(np.repeat(how.offset + how.swing * held, how.copies))
        return Drive(gate_voltage=volts, gate=element.gate, gate_profile=element.profile, field_x=self._field)


def skyrmion_disc(parameters: SkyrmionDisc) -> DrivenFilm:
    """A skyrmion, its core up, in a disc; constants are averages at the temperature of the material."""
    kelvin, material = parameters.temperature, parameters.material
    common = SkyrmionParameters(
        disc=parameters.disc,
        material=material,
        oxide=parameters.oxide,
        characterisation=SkyrmionEnsemble(cell=parameters.cell, temperature=kelvin or 300.0),
    )
    thermal = kelvin > 0 and material.constants_at > 0
    film = common.film() if thermal else common.measured_film()
    gate = common.gate() if thermal else _gate(parameters)
    return DrivenFilm(parameters, film, gate, start(film, CORE_UP), _whole(film), texture=CORE_UP)


def macrospin(parameters: Macrospin) -> DrivenFilm:
    """One cell, tilted by a field in its plane."""
    edge = parameters.cell
    film = Film(Grid(1, 1, edge, edge, parameters.thickness), parameters.material)
    return DrivenFilm(parameters, film, _gate(parameters), uniform(film, (0.5, 0.0, 0.866)), _whole(film))


def coupled_dots(parameters: CoupledDots) -> DrivenFilm:
    """Discs in a row."""
    pitch = parameters.diameter + parameters.gap
    outline: Shape = disc(parameters.diameter)
    for number in range(1, parameters.dots):
        outline = outline | disc(parameters.diameter).moved(number * pitch, 0.0)
    film = shape_film(outline, parameters.material, thickness=parameters.thickness, cell=parameters.cell)
    weights = film.weights.reshape(film.grid.shape).double()
    # Each cell belongs to the disc that it is nearest to.
    places = torch.arange(film.grid.nx, dtype=torch.float64).add(0.5) * film.grid.dx
    centres = film.grid.length / 2 + (torch.arange(parameters.dots) - (parameters.dots - 1) / 2) * pitch
    nearest = (places[:, None] - centres[None]).abs().argmin(1)
    regions = torch.stack([weights * (nearest == dot)[:, None] for dot in range(parameters.dots)])
    strengths = torch.tensor(
        [parameters.strengths[dot % len(parameters.strengths)] for dot in range(parameters.dots)], dtype=torch.float64
    )
    profile = strengths[nearest][:, None].expand(film.grid.shape).contiguous()
    return DrivenFilm(
        parameters, film, _gate(parameters), uniform(film, (0.5, 0.0, 0.866)),
        regions / regions.sum((1, 2), keepdim=True), profile,
    )  # fmt: skip


def _gate(parameters: Driven) -> LinearGate:
    return LinearGate(per_volt=parameters.anisotropy_per_volt, breakdown=parameters.oxide.largest_voltage)


def _whole(film: Film) -> Float[Tensor, "1 nx ny"]:
    weights = film.weights.reshape(film.grid.shape).double()
    return (weights / weights.sum())[None]
