"""Arrays of a film as the compiled kernel reads them: with a halo of empty cells, replicas as lanes."""

from __future__ import annotations

import numpy as np

from barkhausen.micromagnetics.compiled.layout import (
    FEATURES,
    LANES,
    MAPS,
    MapArguments,
    ProblemArguments,
    aligned_zeros,
)
from barkhausen.micromagnetics.compiled.plan import plan_axis, tensor_spectra
from barkhausen.micromagnetics.compiled.preparation.lane_problem import LaneMaps, LaneProblem


class ProblemArrays:
    """Arrays of a film, and the structure that points the kernel at them for as long as this lives.

    Args:
        problem: Constants of the film.
        replicas: Number of replicas.
    """

    def __init__(self, problem: LaneProblem, replicas: int) -> None:
        self.problem, self.replicas = problem, replicas
        self.blocks = -(-replicas // LANES)
        self.padded = self.blocks * LANES
        self.interior = _interior(problem.nx, problem.ny)
        """Places of the film's cells among those with the halo."""
        self.haloed = (problem.nx + 2) * (problem.ny + 1) + 1
        self._keep: list[np.ndarray] = []
        self.arguments = self._problem_arguments()
        if problem.maps is not None:
            self._add_maps(problem.maps)

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return sum(array.nbytes for array in self._keep)

    def set_anisotropy(self, anisotropy: np.ndarray, anisotropy_x: np.ndarray | None = None) -> bool:
        """Replace the anisotropy fields (:class:`LaneProblem`), and say whether they fit into the memory held."""
        both = self._lanes_of_anisotropy(anisotropy, anisotropy_x)
        if both.shape != self._anisotropy.shape:
            return False
        self._anisotropy[:] = both
        self.arguments.easy_x = int(both[:, :, 1].any())
        return True

    def _problem_arguments(self) -> ProblemArguments:
        problem = self.problem
        fill = np.ones(()) if problem.fill is None else problem.fill
        self.fill = self._kept(self._lanes_of_film("fill", fill, film=True))
        if not ((self.fill >= 0) & (self.fill <= 1)).all():
            raise ValueError("fill: expected fractions from 0 to 1")
        inverse = self._kept(aligned_zeros(self.fill.shape, np.float32))
        np.divide(1.0, self.fill, out=inverse, where=self.fill > 0)
        fields = [problem.anisotropy_x]
        if problem.maps is not None and problem.maps.axis is not None:
            fields.append(problem.maps.anisotropy_z)
        anisotropy = self._anisotropy = self._kept(self._lanes_of_anisotropy(problem.anisotropy, *fields))
        profile = problem.gate_profile
        gate = np.ones((1, 1)) if profile is None else checked("gate_profile", profile, (problem.nx, problem.ny))
        gate = self._kept(np.ascontiguousarray(gate, dtype=np.float32))
        shared_anisotropy, uniform = anisotropy.shape[0] == 1, anisotropy.shape[1] == 1
        arguments = ProblemArguments(
            nx=problem.nx,
            ny=problem.ny,
            has_demag=int(problem.demag is not None),
            exchange=tuple(problem.exchange),
            dmi=tuple(problem.dmi),
            polarisation=tuple(problem.polarisation),
            damping=problem.damping,
            non_adiabaticity=problem.non_adiabaticity,
            fill=self.fill.ctypes.data,
            inverse_fill=inverse.ctypes.data,
            fill_block_stride=0 if self.fill.shape[0] == 1 else self.haloed * LANES,
            anisotropy=anisotropy.ctypes.data,
            anisotropy_block_stride=0 if shared_anisotropy else anisotropy[0].size,
            anisotropy_cell_stride=0 if uniform else anisotropy[0, 0].size,
            gate=gate.ctypes.data,
            gate_cell_stride=0 if profile is None else 1,
            near_x=tuple(problem.near_x),
            near_y=tuple(problem.near_y),
            coupled=int(problem.coupled),
            easy_x=int(anisotropy[:, :, 1].any()),
            transfers=int(problem.transfers),
        )
        self._plans = x_axis, y_axis = plan_axis(problem.nx), plan_axis(problem.ny)
        arguments.along_x, arguments.along_y = x_axis.arguments(), y_axis.arguments()
        if problem.demag is not None:
            spectra = tensor_spectra(problem.demag, x_axis, y_axis)
            arguments.column_pairs = len(spectra.column_pair)
            arguments.column_pair = self._kept(spectra.column_pair).ctypes.data
            arguments.in_plane_spectrum = self._kept(spectra.in_plane).ctypes.data
            arguments.normal_spectrum = self._kept(spectra.normal).ctypes.data
        return arguments

    def _lanes_of_anisotropy(self, anisotropy: np.ndarray, *more: np.ndarray | None) -> np.ndarray:
        """Along the easy axis, along x and, where the axis is tilted, along z."""
        given = {
            "anisotropy": anisotropy,
            **{f"anisotropy_{axis}": field for axis, field in zip("xz", more, strict=False)},
        }
        fields = [self._lanes_of_film(name, np.zeros(()) if field is None else field) for name, field in given.items()]
        blocks, cells = (max(field.shape[axis] for field in fields) for axis in (0, 1))
        together = aligned_zeros((blocks, cells, len(fields), LANES), np.float32)
        for number, field in enumerate(fields):
            together[:, :, number] = field
        return together

    def _lanes_of_film(self, name: str, values: np.ndarray, film: bool = False) -> np.ndarray:
        """Values per cell as (blocks or 1, cells or 1, lanes); as a film with halo and with empty padding replicas."""
        given = np.asarray(values, dtype=np.float32)
        shape = (self.problem.nx, self.problem.ny)
        if given.shape not in ((), shape, (self.replicas, *shape)):
            raise ValueError(f"{name}: shape {given.shape}, expected (), {shape} or {(self.replicas, *shape)}")
        if not np.isfinite(given).all():
            raise ValueError(f"{name}: expected finite numbers")
        if given.ndim < 3:
            common = given.ravel()[:, None]
            lanes = np.broadcast_to(common, (common.shape[0], LANES))[None]
        else:
            padded = np.zeros((self.padded, self.interior.size), dtype=np.float32)
            padded[: self.replicas] = given.reshape(self.replicas, -1)
            lanes = padded.reshape(self.blocks, LANES, -1).transpose(0, 2, 1)
        cells = self.haloed if film else lanes.shape[1]
        held = aligned_zeros((lanes.shape[0], cells, LANES), np.float32)
        held[:, self.interior if film else slice(None)] = lanes
        return held

    def _add_maps(self, maps: LaneMaps) -> None:
        """Point the kernel at the maps of the film."""
        arguments = self.arguments
        arguments.mapped = 1
        present = {
            "tilted": maps.axis is not None,
            "torques": maps.torques,
            "local": maps.local_field is not None,
            "cubic": maps.cubic != 0.0,
        }
        arguments.features = sum(FEATURES[name] for name, there in present.items() if there)
        arguments.cell_ratio, arguments.cubic = maps.cell_ratio, maps.cubic
        if maps.cubic_axes is not None:
            arguments.cubic_axes = tuple(np.asarray(maps.cubic_axes, dtype=np.float64).ravel())
        for number, (name, values) in enumerate(MAPS.items()):
            given = getattr(maps, name)
            if given is not None:
                arguments.maps[number] = self._map(name, np.asarray(given), values, whole=name == "bonds")

    def _map(self, name: str, given: np.ndarray, values: int, *, whole: bool) -> MapArguments:
        """A map as one number a cell where all replicas are alike, otherwise as lanes."""
        nx, ny = self.problem.nx, self.problem.ny
        planes = [(nx, ny)] if whole else [(nx, ny), (1, 1)]
        shapes = [(devices, values, *plane) for devices in (1, self.replicas) for plane in planes]
        if given.shape not in shapes:
            raise ValueError(f"maps.{name}: shape {given.shape}, expected one of {shapes}")
        if not np.isfinite(given).all():
            raise ValueError(f"maps.{name}: expected finite numbers")
        uniform = given.shape[2:] == (1, 1) and (nx, ny) != (1, 1)
        wide = len(given) > 1
        lanes = LANES if wide else 1
        held = aligned_zeros((self.blocks if wide else 1, 1 if uniform else self.haloed, values, lanes), np.float32)
        padded = np.zeros((len(held) * lanes, values, given[0, 0].size), dtype=np.float32)
        padded[: len(given)] = given.reshape(len(given), values, -1)
        by_cell = padded.reshape(len(held), lanes, values, -1).transpose(0, 3, 2, 1)
        held[:, slice(None) if uniform else self.interior] = by_cell
        return MapArguments(
            values=self._kept(held).ctypes.data,
            block_stride=held[0].size if wide else 0,
            cell_stride=0 if uniform else values * lanes,
            lanes=lanes,
        )

    def _kept(self, array: np.ndarray) -> np.ndarray:
        """An array whose address the kernel holds."""
        self._keep.append(array)
        return array


def checked(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The values, if they have that shape."""
    given = np.asarray(values)
    if given.shape != shape:
        raise ValueError(f"{name}: shape {given.shape}, expected {shape}")
    return given


def _interior(nx: int, ny: int) -> np.ndarray:
    """Indices of the film's cells, x first, in the kernel's arrays with a halo."""
    rows: np.ndarray = (np.arange(nx)[:, None] + 1) * (ny + 1) + 1 + np.arange(ny)
    return rows.ravel()
