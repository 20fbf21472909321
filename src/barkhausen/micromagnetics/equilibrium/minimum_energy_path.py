"""Paths of least energy between two states, and the barrier between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError, warn
from barkhausen.micromagnetics.display import accessor  # noqa: F401 (results have .barkhausen.plot())
from barkhausen.micromagnetics.equilibrium.minimize import minimize
from barkhausen.micromagnetics.equilibrium.quasi_newton import QuasiNewton
from barkhausen.micromagnetics.equilibrium.rest import acting_torques
from barkhausen.micromagnetics.equilibrium.sphere_paths import (
    Images,
    Metric,
    angles,
    equally_spaced,
    first_path,
    length,
    rotated,
    scalar,
    tangents,
)
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.rows import check_single
from barkhausen.micromagnetics.states import for_replicas
from barkhausen.micromagnetics.states.placing import tensor_of_state
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import EnergyTerm, QuadraticTerm, Term, Torque
from barkhausen.micromagnetics.terms.base import work

Method = Literal["neb", "string"]
"""Way to keep the images apart: springs (nudged elastic band), or equal spacing after every step (string)."""

FORCE = 1e-4
"""Default largest force in T, perpendicular to the path, at which it counts as found."""

SPRING = 1.0
"""Springs between images, in T for each rad (root mean square) of difference."""

DROP_FROM = 0.25
"""Share of a batch that has converged, from which on the rest goes on alone."""

CLIMB_BELOW, CLIMB_AFTER = 0.02, 100
"""Force in T below which the highest image begins to climb, or the iterations after which it does in any case."""

SAME = 1e-3
"""Distance in rad below which two states are the same."""

WOBBLE = 0.01
"""Default disturbance of the first path in rad: it breaks symmetries that would hold a path on a ridge."""


@checks_arguments("Drive", "Film")
def minimum_energy_path(
    film: Film,
    start: Float[Tensor, "any 3 nx ny"],
    end: Float[Tensor, "any 3 nx ny"],
    *,
    drive: Drive | None = None,
    time: float = 0.0,
    terms: Sequence[Term] | None = None,
    through: Sequence[Float[Tensor, "any 3 nx ny"]] = (),
    axis: tuple[float, float, float] = (1.0, 0.5, 0.25),
    images: int = 16,
    method: Method = "neb",
    climb: bool = True,
    settle: bool = True,
    force: float = FORCE,
    iterations: int = 2000,
    wobble: float = WOBBLE,
    seed: int = 0,
    unfinished: Literal["warn", "ignore"] = "warn",
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    """Path of least energy from one minimum to another, its saddle, and the barrier in both directions.

    Geodesic nudged elastic band (Bessarab, Uzdin and Jónsson, Comput. Phys. Commun. 196, 335 (2015)) or string method
    (E, Ren and Vanden-Eijnden, J. Chem. Phys. 126, 164103 (2007)) with a climbing image, which comes to rest on the
    saddle itself; float64. Distances are root mean squares of the angles of all cells, weighted with their moments.
    All images of all paths are rows of one batch, so that an iteration is one evaluation of the field.

    The first path goes from the start to the end through the states in ``through``, along geodesics cell by cell. A
    geodesic turns all cells at once: for a wall that moves further than its width, give walls between as ``through``,
    for a texture that shrinks, smaller ones. The result is the path nearest to the first one: another way may be lower.

    Args:
        film: Film; each of its devices (or of the replicas it is assigned to) is a path of its own.
        start, end: States, ``[path or 1, 3, nx, ny]``.
        drive: Fields and gate voltages, held at ``time`` (s), common to all paths or one for each. Default: none.
        terms: Terms of the effective field, all with an energy. Default: all that the material has constants for.
        through: States on the way, in order, each ``[path or 1, 3, nx, ny]``.
        axis: Direction through which cells turn that have to reach the opposite one, where no geodesic is shortest.
        images: Number of images, both ends included.
        method: ``neb`` or ``string``.
        climb: Whether the highest image climbs to the saddle. Otherwise the barrier is that of the highest image.
        settle: Whether both ends are brought to their minima first (:func:`minimize`).
        force: Largest force of a cell in T at which a path counts as found: perpendicular to the path, and all of it
            for the climbing image.
        iterations: Largest number of iterations, a field evaluation of every inner image each.
        wobble: Random disturbance of the first path in rad; 0 keeps its symmetry.
        seed: Seed of that disturbance.
        unfinished: Whether paths that have not converged are warned of; ``converged`` tells them in any case.
        device: ``cpu`` or ``cuda``.

    Returns:
        A data set with the dimensions ``path`` and ``image``: ``coordinate`` (distance from the start in rad),
        ``energy`` and ``energy_of_term`` (J), ``barrier_forward`` and ``barrier_backward`` (J), ``saddle`` (number of
        the highest image, an end if there is no barrier), ``saddle_state`` and ``magnetisation``, ``force`` (T) and
        ``converged``. Numbers of iterations and field evaluations are attributes.

    Raises:
        InputError: An argument is wrong, a term has no energy, or a current acts.
        NotConvergedError: An end does not come to rest.
    """
    check_single(film, "minimum_energy_path")
    start, end, *through = map(tensor_of_state, (start, end, *through))
    _check(images, method, force, iterations, wobble)
    paths = _number_of_paths(film, start, end, through)
    drive = drive or Drive()
    ends = _Energies(film, drive, terms, paths, 1, time, device)
    nodes = [for_replicas(film, state, paths).to(device) for state in (start, *through, end)]
    if settle:
        nodes[0], nodes[-1] = (minimize(ends.system, state, torque=0.1 * force, time=time) for state in
                               (nodes[0], nodes[-1]))  # fmt: skip
    metric = Metric(ends.system.film.weights[:, None, None])
    apart = metric.norm(angles(nodes[0], nodes[-1])[:, None])[:, 0]
    if bool((apart < SAME).any()):
        path = int(apart.argmin())
        how = "come to rest in" if settle else "are"
        raise InputError(f"start and end of path {path} {how} the same state, {float(apart[path]):.2g} rad apart")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(images - 2, 3, *film.grid.shape, dtype=torch.float64, generator=generator)
    direction = as_tensor_of_numbers("axis", axis).to(device)
    if direction.shape != (3,) or not 0 < float(direction.norm()) < math.inf:
        raise InputError(f"axis = {axis}: must be three numbers, not all zero")
    first = first_path(torch.stack(nodes), images, metric, direction, wobble * noise.to(device)[None])
    band = _Band(first, metric, ends, _Energies(film, drive, terms, paths, images - 2, time, device), method)
    made = band.settle(force, iterations, climb)
    return _dataset(film, band, made, unfinished == "warn", {
        "method": method, "images": images, "iterations": made, "climb": int(climb), "wanted_force": force,
        "evaluations": made * (images - 2) + 2, "drive": drive.describe(), "time": time, **film.describe(),
    })  # fmt: skip


class _Energies:
    """Fields and energies of all images of all paths, in one evaluation."""

    def __init__(  # noqa: PLR0917 (of one caller)
        self,
        film: Film,
        drive: Drive,
        terms: Sequence[Term] | None,
        paths: int,
        images: int,
        time: float,
        device: torch.device | str,
    ) -> None:
        film.check_replicas(paths)
        drive.check_replicas(paths)
        rows = torch.arange(paths).repeat_interleave(images)
        self.paths, self.images = paths, images
        self._given = (film, drive, terms, time, device)
        self.system = System(
            film.select(rows), drive.select(rows), None if terms is None else tuple(terms), replicas=paths * images,
            dtype=torch.float64, device=device,
        )  # fmt: skip
        self.inputs = self.system.inputs(time)
        for term in self.system.terms:
            if not isinstance(term, EnergyTerm | Torque):
                raise InputError(f"terms: {type(term).__name__} has no energy, which a minimum energy path needs")
        acting = acting_torques(self.system, self.inputs)
        if acting:
            raise InputError(
                f"drive: at t = {time:g} s a current acts through {' and '.join(acting)}, a torque without an energy"
            )
        self.terms = [term for term in self.system.terms if isinstance(term, EnergyTerm)]

    def select(self, paths: Int[Tensor, " kept"]) -> _Energies:
        """Those of some of the paths, by number."""
        film, drive, terms, time, device = self._given
        paths = paths.cpu()
        return _Energies(film.select(paths), drive.select(paths), terms, len(paths), self.images, time, device)

    def __call__(self, m: Images) -> tuple[Tensor, Tensor]:
        """Field in T, ``[path, image, 3, nx, ny]``, and the energy of each term in J, ``[term, path, image]``."""
        flat = m.flatten(0, 1)
        state = self.system.state(flat, self.inputs)
        total = torch.zeros_like(flat)
        energies = []
        for term in self.terms:
            field = term.field(state)
            energies.append(-0.5 * work(field, state) if isinstance(term, QuadraticTerm) else term.energy(state))
            total += field
        # No force acts where nothing moves: in frozen and in empty cells.
        for mask in (self.system.film.moving, self.system.film.filled):
            if mask is not None:
                total *= mask[:, None]
        return total.unflatten(0, (self.paths, self.images)), torch.stack(energies).unflatten(
            1, (self.paths, self.images)
        )


class _Band:
    """Images of all paths on their way down."""

    def __init__(self, m: Images, metric: Metric, ends: _Energies, inner: _Energies, method: str) -> None:
        self.m, self.metric, self.inner, self.method = m, metric, inner, method
        self.lengths = metric.lengths
        self.terms = [type(term).__name__ for term in inner.terms]
        _, first = ends(m[:, :1])
        _, last = ends(m[:, -1:])
        self.energies = torch.cat((first, torch.zeros_like(first).expand(-1, -1, inner.images), last), dim=2)
        self.climbing = torch.full((len(m),), -1, device=m.device)
        self.left = torch.full((len(m),), torch.inf, dtype=m.dtype, device=m.device)
        self.numbers = torch.arange(len(m), device=m.device)
        self.made = torch.zeros(len(m), dtype=torch.int64, device=m.device)
        """Iterations in which each path has moved."""
        self.whole: list[Tensor] | None = None

    @property
    def energy(self) -> Float[Tensor, "path image"]:
        """Total energy in J."""
        return self.energies.sum(0)

    def settle(self, force: float, iterations: int, climb: bool) -> int:
        """Move the images until the forces are small; the number of iterations made.

        A path that has converged moves no more, and its rows leave the batch once a quarter of them are such.
        """
        newton = QuasiNewton(self.metric)
        may_climb = torch.zeros_like(self.climbing, dtype=torch.bool)
        number = 0
        for number in range(1, iterations + 1):
            full, across, tangent = self._forces()
            largest = length(across).amax((2, 3, 4))
            if climb:
                begins = ~may_climb & ((largest.amax(1) < max(CLIMB_BELOW, force)) | (number > CLIMB_AFTER))
                may_climb |= begins
                newton.forget(begins)
            top = torch.where(may_climb, self._top(), self.climbing)
            newton.forget(top != self.climbing)
            self.climbing = top
            climbs = torch.zeros_like(largest, dtype=torch.bool)
            has = torch.nonzero(top > 0).flatten()
            climbs[has, top[has] - 1] = True
            along = _spread(self.metric.dot(full, tangent))
            acting = torch.where(_spread(climbs), full - 2 * along * tangent, across)
            all_of_it = length(torch.where(_spread(climbs), full, across)).amax((2, 3, 4))
            self.left = all_of_it.amax(1)
            done = (self.left < force) & (may_climb | (not climb))
            self.made[self.numbers[~done]] = number
            if bool(done.all()):
                break
            if int(done.sum()) >= DROP_FROM * len(done):
                kept = torch.nonzero(~done).flatten()
                self._put_aside(kept)
                newton.keep(kept)
                may_climb, full, across, tangent = (t[kept] for t in (may_climb, full, across, tangent))
                climbs, acting, done = climbs[kept], acting[kept], done[kept]
            if self.method == "neb":
                lengths = self.metric.lengths(self.m)
                spring = SPRING * _spread(lengths[:, 1:] - lengths[:, :-1]) * tangent
                acting = acting + torch.where(_spread(climbs), 0.0, spring)
            step = newton.step(self.m[:, 1:-1], acting)
            resting = done[:, None, None, None, None]
            moved = torch.where(resting, self.m[:, 1:-1], rotated(self.m[:, 1:-1], step))
            self.m = torch.cat((self.m[:, :1], moved, self.m[:, -1:]), dim=1)
            if self.method == "string":
                spaced = equally_spaced(self.m, self.metric, self.climbing)[:, 1:-1]
                moved = torch.where(resting, moved, spaced)
                self.m = torch.cat((self.m[:, :1], moved, self.m[:, -1:]), dim=1)
        else:
            self._forces()
        self.m, self.energies, self.climbing, self.left = self._put_aside(torch.arange(0))
        return number

    def _put_aside(self, kept: Tensor) -> list[Tensor]:
        """Store the present state of all paths, and go on with some of them, by their number in the batch."""
        dims = (0, 1, 0, 0)
        parts = (self.m, self.energies, self.climbing, self.left)
        if self.whole is None:
            self.whole = [part.clone() for part in parts]
        for whole, part, dim in zip(self.whole, parts, dims, strict=True):
            whole.index_copy_(dim, self.numbers, part)
        self.numbers = self.numbers[kept]
        if len(kept):
            self.m, self.climbing, self.left = self.m[kept], self.climbing[kept], self.left[kept]
            self.energies = self.energies[:, kept]
            self.metric, self.inner = self.metric.select(kept), self.inner.select(kept)
        return self.whole

    def _forces(self) -> tuple[Images, Images, Images]:
        """Force in T perpendicular to m, its part perpendicular to the path too, and the tangents of the path."""
        m = self.m[:, 1:-1]
        field, energies = self.inner(m)
        self.energies = torch.cat((self.energies[..., :1], energies, self.energies[..., -1:]), dim=2)
        full = torch.addcmul(field, scalar(field, m), m, value=-1.0)
        tangent = tangents(self.m, self.energy, self.metric)
        across = full - _spread(self.metric.dot(full, tangent)) * tangent
        return full, across, tangent

    def _top(self) -> Tensor:
        """Number of the highest image of each path; -1 if it is an end."""
        top = self.energy.argmax(1)
        return torch.where((top == 0) | (top == self.m.shape[1] - 1), -1, top)


def _dataset(film: Film, band: _Band, made: int, warns: bool, attributes: dict[str, object]) -> xr.Dataset:
    energy = band.energy.cpu()
    top = energy.argmax(1)
    wanted = float(str(attributes["wanted_force"]))
    late = int((band.left.cpu() >= wanted).sum())
    if late and warns:
        warn(
            f"minimum_energy_path: {late} of {len(energy)} paths have not converged after {made} iterations (force up "
            f"to {float(band.left.max()):.3g} T, wanted {wanted:g}): their barriers are no results"
        )
    lengths = band.lengths(band.m).cpu()
    rows = torch.arange(len(energy))
    m = band.m.cpu()
    cells = ("component", "x", "y")
    joule = {"units": "J"}
    return xr.Dataset(
        {
            "energy": (("path", "image"), energy.numpy(), joule),
            "energy_of_term": (("path", "image", "term"), band.energies.cpu().permute(1, 2, 0).numpy(), joule),
            "barrier_forward": ("path", (energy[rows, top] - energy[:, 0]).numpy(), joule),
            "barrier_backward": ("path", (energy[rows, top] - energy[:, -1]).numpy(), joule),
            "saddle": ("path", top.numpy()),
            "saddle_state": (("path", *cells), m[rows, top].numpy(), {"units": "1"}),
            "magnetisation": (("path", "image", *cells), m.numpy(), {"units": "1"}),
            "force": ("path", band.left.cpu().numpy(), {"units": "T"}),
            "converged": ("path", (band.left.cpu() < wanted).numpy()),
        },
        coords={
            "path": np.arange(len(energy)),
            "image": np.arange(energy.shape[1]),
            "coordinate": (("path", "image"), np.pad(np.cumsum(lengths.numpy(), axis=1), ((0, 0), (1, 0))),
                           {"units": "rad"}),
            "term": band.terms,
            "component": ["x", "y", "z"],
            "x": ("x", film.grid.x.numpy(), {"units": "m"}),
            "y": ("y", film.grid.y.numpy(), {"units": "m"}),
        },
        attrs=attributes,
    )  # fmt: skip


def _spread(values: Tensor) -> Tensor:
    return values[..., None, None, None]


def _number_of_paths(film: Film, start: Tensor, end: Tensor, through: Sequence[Tensor]) -> int:
    if film.device_of_replica is not None:
        return len(film.device_of_replica)
    counts = {film.devices, *(len(state) if state.dim() == 4 else 1 for state in (start, end, *through))} - {1}
    if len(counts) > 1:
        raise InputError(f"states and film are for different numbers of paths: {sorted(counts)}")
    return max(counts, default=1)


def _check(images: int, method: str, force: float, iterations: int, wobble: float) -> None:
    if method not in get_args(Method):
        raise InputError(f"method = '{method}': must be one of {', '.join(get_args(Method))}")
    if images < 3:
        raise InputError(f"images = {images}: must be 3 or more, both ends included")
    if not 0 < force < math.inf:
        raise InputError(f"force = {force:g}: must be a positive field in T")
    if iterations < 1:
        raise InputError(f"iterations = {iterations}: must be 1 or more")
    if not 0 <= wobble < 1:
        raise InputError(f"wobble = {wobble:g}: must be 0 or more, below 1 rad")
