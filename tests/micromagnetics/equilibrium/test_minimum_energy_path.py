"""Barriers of a spin, a wall and a skyrmion, by two methods; geometry of paths; what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.core.units import BOLTZMANN
from barkhausen.micromagnetics import (
    Drive,
    Exchange,
    Film,
    Grid,
    Material,
    Notch,
    SpinOrbitTorque,
    System,
    TrackOutline,
    UniaxialAnisotropy,
    Zeeman,
    domain_wall,
    largest_torque,
    material,
    minimize,
    minimum_energy_path,
    random_state,
    skyrmion,
    stability,
    track_film,
    uniform,
)
from barkhausen.micromagnetics.equilibrium.sphere_paths import Metric, angles, equally_spaced, rotated, rotation

if TYPE_CHECKING:
    from tests.conftest import Report

SPIN = Film(Grid(1, 1, 20e-9, 20e-9, 1e-9), material("cofeb-tantalum"))
SPIN_TERMS = (Zeeman(), UniaxialAnisotropy())
UP, DOWN = uniform(SPIN, (0.0, 0.0, 1.0)), uniform(SPIN, (0.0, 0.0, -1.0))
KT = BOLTZMANN * 300.0

methods = pytest.mark.parametrize("method", ["neb", "string"])

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.validation
@methods
def test_barrier_of_a_spin(method: Any, report: Report) -> None:
    """K V (1 ± B/B_K)², four fields as four paths of one batch."""
    ratio = np.array([0.0, 0.2, 0.5, 0.8])
    volume, field = SPIN.grid.cell_volume, 2 * SPIN.material.anisotropy / SPIN.material.saturation_magnetisation
    data = minimum_energy_path(SPIN, UP.repeat(4, 1, 1, 1), DOWN, terms=SPIN_TERMS, method=method, images=11,
                               drive=Drive(field_z=torch.tensor(-ratio * field)))  # fmt: skip
    assert data["converged"].values.all()
    for name, sign in (("forward", -1), ("backward", 1)):
        expected = SPIN.material.anisotropy * volume * (1 + sign * ratio) ** 2
        report(f"{method}: barrier of a spin, {name}, over K V (1 {'+' if sign > 0 else '-'} B/B_K)^2",
               data[f"barrier_{name}"].values / expected, np.ones(4), 1e-4)  # fmt: skip
    saddle = data["saddle_state"].values[:, 2, 0, 0]
    np.testing.assert_allclose(saddle, ratio, atol=1e-3)
    np.testing.assert_allclose(data["energy_of_term"].sum("term"), data["energy"], rtol=1e-12)
    assert np.all(np.diff(data["coordinate"].values, axis=1) > 0)
    np.testing.assert_allclose(data["coordinate"].values[:, -1], math.pi, rtol=1e-4)


def test_the_axis_and_the_states_on_the_way_choose_the_path() -> None:
    """An easy plane x-z with x harder: over y it is 1.5 K, over x 1 K more than over the plane in the middle."""
    axes = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)[:, None, None]
    biased = Drive(field_y=0.05)
    ends = [minimize(System(SPIN, biased, SPIN_TERMS), state)[0] for state in (UP, DOWN)]
    barriers = {}
    for sign in (1, -1):
        data = minimum_energy_path(SPIN, *ends, drive=biased, terms=SPIN_TERMS, through=[sign * axes], wobble=0.0,
                                   images=9)  # fmt: skip
        assert data["converged"].values.all()
        barriers[sign] = data["barrier_forward"].item()
        assert float(data["saddle_state"][0, 1, 0, 0]) * sign > 0.9
    # E = −K cos² − Ms B sin(…): the two saddles, at ±y, differ by twice the Zeeman energy.
    assert barriers[-1] - barriers[1] == pytest.approx(2 * SPIN.moment * 0.05, rel=1e-6)


def notched(cell: float = 4e-9) -> tuple[Film, list[torch.Tensor]]:
    """A short track with two notches, and walls from one to the other."""
    notches = tuple(Notch(position=x, depth=4e-9, half_length=8e-9) for x in (40e-9, 80e-9))
    film = track_film(TrackOutline(length=120e-9, width=24e-9, notches=notches), material("cofeb-tantalum"), cell=cell)
    return film, [domain_wall(film, float(x)) for x in torch.linspace(40e-9, 80e-9, 7)]


def path_of_a_wall(method: Any, images: int = 10, **changes: Any) -> xr.Dataset:
    film, walls = notched()
    return minimum_energy_path(film, walls[0], walls[-1], through=walls[1:-1], method=method, images=images, **changes)


@pytest.mark.validation
def test_barrier_of_a_wall_in_a_notch(report: Report) -> None:
    """Both methods, and twice as many images; the saddle is at rest, with one direction down."""
    paths = {method: path_of_a_wall(method) for method in ("neb", "string")}
    barriers = {method: data["barrier_forward"].item() / KT for method, data in paths.items()}
    report("barrier of a wall in a notch, kT: NEB, string method", barriers["neb"], barriers["string"],
           0.003 * barriers["string"])  # fmt: skip
    finer = path_of_a_wall("neb", images=19)
    report("barrier of a wall in a notch, kT: 10 images, 19 images", barriers["neb"],
           finer["barrier_forward"].item() / KT, 0.003 * barriers["neb"])  # fmt: skip
    assert barriers["neb"] > 2
    for data in (*paths.values(), finer):
        assert data["converged"].values.all()
        # Both notches are alike.
        assert data["barrier_backward"].item() == pytest.approx(data["barrier_forward"].item(), rel=1e-6)
        film, _ = notched()
        saddle = torch.tensor(data["saddle_state"].values)
        assert float(largest_torque(System(film), saddle)) < 1e-4
        assert float(stability(System(film), saddle).curvature) < -1e-4
    # A device is designed in a loop: this is what one barrier costs.
    assert paths["neb"].attrs["evaluations"] < 3000
    axes = paths["neb"].barkhausen.plot()
    assert axes.get_xlabel().startswith("distance")


@methods
def test_without_climbing_the_highest_image_is_below_the_saddle(method: Any) -> None:
    data, climbed = path_of_a_wall(method, climb=False), path_of_a_wall(method)
    assert data["converged"].values.all()
    assert 0.5 * climbed["barrier_forward"].item() < data["barrier_forward"].item() < climbed["barrier_forward"].item()


@pytest.mark.slow
def test_annihilation_of_a_skyrmion(report: Report) -> None:
    """Images 12 and 24, and both methods: one barrier, since the climbing image is on the saddle itself.

    The skyrmion of 58 cells (2 nm) collapses; the saddle has one direction down.
    """
    constants = Material(saturation_magnetisation=0.58e6, exchange_stiffness=1.5e-11, anisotropy=0.8e6, dmi=3.4e-3,
                         damping=0.1)  # fmt: skip
    grid = Grid(24, 24, 2e-9, 2e-9, 1e-9)
    x, y = torch.meshgrid(grid.x - grid.length / 2, grid.y - grid.width / 2, indexing="ij")
    film = Film(grid, constants, fill=(torch.hypot(x, y) < grid.length / 2).to(torch.float64))
    barriers = {}
    for method, images in (("neb", 12), ("neb", 24), ("string", 12)):
        data = minimum_energy_path(film, skyrmion(film, radius=8e-9), uniform(film, (0.0, 0.0, 1.0)), images=images,
                                   through=[skyrmion(film, radius=r) for r in (5e-9, 3e-9, 1.5e-9)], method=method)  # type: ignore[arg-type] # fmt: skip
        assert data["converged"].values.all(), (method, images)
        barriers[method, images] = data["barrier_forward"].item() / KT
        core = data["magnetisation"].values[0, :, 2]
        assert (core[0] < 0).sum() > 20
        assert (core[-1] >= 0).all()
        saddle = torch.tensor(data["saddle_state"].values)
        assert float(stability(System(film), saddle).curvature) < -1e-4
    finest = barriers["neb", 24]
    report("skyrmion annihilation, kT: NEB, 12 images, 24 images", barriers["neb", 12], finest, 1e-3 * finest)
    report("skyrmion annihilation, kT: string method, NEB", barriers["string", 12], finest, 1e-3 * finest)


# Geometry.


def test_rotations_lead_there_and_back() -> None:
    film = Film(Grid(5, 4, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    a, b = random_state(film, 6, torch.Generator().manual_seed(1)).chunk(2)
    turn = rotation(a, b)
    torch.testing.assert_close(rotated(a, turn), b)
    torch.testing.assert_close(torch.linalg.vector_norm(turn, dim=1), torch.acos((a * b).sum(1)))
    torch.testing.assert_close(angles(a, b)[:, 0], torch.acos((a * b).sum(1)))
    torch.testing.assert_close(angles(a, -a)[:, 0], torch.full((3, 5, 4), math.pi, dtype=torch.float64))


def test_images_are_equally_spaced() -> None:
    film = Film(Grid(3, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    metric = Metric(torch.full((1, 1, 1, 3, 1), 1 / 3, dtype=torch.float64))
    # On one great circle, where nothing is cut short.
    phase = torch.tensor([0.0, 0.1, 0.9, 1.0, 1.5], dtype=torch.float64)
    path = torch.stack((phase.cos(), phase.sin(), 0 * phase), 1)[None, :, :, None, None].expand(
        2, 5, 3, *film.grid.shape
    )
    spaced = equally_spaced(path, metric, torch.tensor([-1, 2]))
    lengths = metric.lengths(spaced)
    torch.testing.assert_close(lengths[0], torch.full((4,), 0.375, dtype=torch.float64))
    torch.testing.assert_close(lengths[1], torch.tensor([0.45, 0.45, 0.3, 0.3], dtype=torch.float64))
    assert equally_spaced(path, metric, images=9).shape[1] == 9


def test_what_is_refused() -> None:
    line = [
        ({"images": 2}, "images = 2: must be 3 or more, both ends included"),
        ({"method": "nebs"}, r"method = 'nebs': must be one of neb, string"),
        ({"force": 0.0}, "force = 0: must be a positive field in T"),
        ({"iterations": 0}, "iterations = 0: must be 1 or more"),
        ({"wobble": 2.0}, "wobble = 2: must be 0 or more, below 1 rad"),
        ({"end": UP}, "start and end of path 0 come to rest in the same state, .* rad apart"),
        ({"start": UP.repeat(2, 1, 1, 1), "end": DOWN.repeat(3, 1, 1, 1)}, "states and film are .* of paths: .*"),
        ({"drive": Drive(current_density=1e11), "terms": (*SPIN_TERMS, SpinOrbitTorque())},
         "drive: at t = 0 s a current acts through SpinOrbitTorque, a torque without an energy"),
    ]  # fmt: skip
    for changes, message in line:
        arguments: dict[str, Any] = {"start": UP, "end": DOWN, "terms": SPIN_TERMS} | changes
        with pytest.raises(InputError, match=f"^{message}$"):
            minimum_energy_path(SPIN, **arguments)


def test_a_path_without_a_barrier_has_none() -> None:
    """Downhill all the way, from a state that is held where it is."""
    side = uniform(SPIN, (1.0, 0.0, 0.1))
    data = minimum_energy_path(SPIN, side, UP, terms=(*SPIN_TERMS, Exchange()), settle=False, images=7)
    assert data["saddle"].values.tolist() == [0]
    assert data["barrier_forward"].item() == 0.0
    assert data["barrier_backward"].item() > 0


def test_paths_that_have_not_converged_are_told() -> None:
    with pytest.warns(InputWarning, match=r"^minimum_energy_path: 1 of 1 paths have not converged after 1 iterations"):
        data = minimum_energy_path(SPIN, UP, DOWN, terms=SPIN_TERMS, drive=Drive(field_x=0.02), iterations=1)
    assert not bool(data.converged.all())
