"""What follows from the equations without a reference: balances, mirror images, and damping that is what was asked."""

from __future__ import annotations

import math

import pytest
import torch

from barkhausen.core.errors import InputWarning
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    CompiledHeun,
    DormandPrince,
    Drive,
    Film,
    Grid,
    Heun,
    SpinOrbitTorque,
    Stepper,
    System,
    Zeeman,
    compiled,
    domain_wall,
    material,
)

pytestmark = pytest.mark.usefixtures("one_thread")

needs_kernel = pytest.mark.skipif(not compiled.available(), reason="the compiled kernel is not built")

CURRENT = 1e12

kinds = pytest.mark.parametrize("kind", ["heun", "dormand-prince", pytest.param("compiled", marks=needs_kernel)])


def stepper(kind: str, film: Film, drive: Drive, m: torch.Tensor, terms: tuple[object, ...] | None) -> Stepper:
    dtype = torch.float32 if kind == "compiled" else torch.float64
    system = System(film, drive, terms, dtype=dtype)  # type: ignore[arg-type]
    if kind == "dormand-prince":
        return DormandPrince(system, m, tolerance=1e-9)
    return (CompiledHeun if kind == "compiled" else Heun)(system, m.to(dtype), dt=5e-14)


@kinds
@pytest.mark.parametrize("damping", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("ratio", [0.0, -0.7])
def test_a_field_that_balances_the_spin_orbit_torque_holds_m(kind: str, damping: float, ratio: float) -> None:
    """B = −(B_DL m × sigma + B_FL sigma) + 0.2 T m: damping acts on the torque as on the field, so that nothing is left
    of either. (The torque's damping with the wrong sign would turn m by alpha B_DL gamma t.)"""
    constants = material("cofeb-tantalum", damping=damping, field_like_ratio=ratio)
    film = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), constants)
    m = torch.tensor([0.6, 0.48, 0.64], dtype=torch.float64)
    sigma = torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64)
    strength = SpinOrbitTorque.field_per_current(film) * CURRENT
    field = -strength * (torch.linalg.cross(m, sigma) + ratio * sigma) + 0.2 * m
    drive = Drive(CURRENT, field_x=float(field[0]), field_y=float(field[1]), field_z=float(field[2]))
    moving = stepper(kind, film, drive, m[None, :, None, None], (Zeeman(), SpinOrbitTorque()))
    moving.advance(0.0, 1e-10)
    turned = damping * strength * GYROMAGNETIC_RATIO * 1e-10
    limit = 2e-5 if kind == "compiled" else 1e-9
    assert turned > 50 * limit
    assert float((moving.m[0, :, 0, 0].double() - m).abs().max()) < limit


@kinds
@pytest.mark.parametrize("flipped", ["angle and current", "D and current", "polarity and current"])
def test_two_signs_flipped_are_a_mirror_image(kind: str, flipped: str) -> None:
    """theta_SH and J enter as a product: the same motion. −J and −D: m_x and m_y change sign. −J and the other
    polarity: the film turned by pi about z, so that the wall goes the other way."""
    constants = material("cofeb-tantalum", spin_hall_angle=0.15)
    grid = Grid(40, 3, 4e-9, 4e-9, 1e-9)
    start = domain_wall(Film(grid, constants), 70e-9)
    moving = stepper(kind, Film(grid, constants), Drive(CURRENT), start, None)
    moving.advance(0.0, 2e-11)
    reference = moving.m
    assert float((reference.double() - start).abs().max()) > 0.1
    changes: dict[str, float] = {}
    reverse = torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64)[None, :, None, None]

    def image(m: torch.Tensor) -> torch.Tensor:
        if flipped == "angle and current":
            return m
        return m * reverse if flipped == "D and current" else m.flip((2, 3)) * reverse

    if flipped != "polarity and current":
        changes = {"spin_hall_angle": -0.15} if flipped == "angle and current" else {"dmi": -constants.dmi}
    film = Film(grid, constants.model_copy(update=changes))
    other = stepper(kind, film, Drive(-CURRENT), image(start), None)
    other.advance(0.0, 2e-11)
    limit = 3e-5 if kind == "compiled" else 1e-9
    assert float((other.m - image(reference)).abs().max()) < limit


# ---- damping in single precision ------------------------------------------------------------------------------------


def effective_damping(kind: type[Heun] | type[CompiledHeun], damping: float, dtype: torch.dtype) -> float:
    """Damping by which 512 spins approach a field of 0.1 T, over that asked for.

    artanh(m_z) grows at alpha gamma B/(1 + alpha²).
    """
    film = Film(Grid(8, 8, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=damping))
    generator = torch.Generator().manual_seed(1)
    polar = 0.8 + torch.rand(8, 8, 8, dtype=torch.float64, generator=generator)
    around = 2 * math.pi * torch.rand(8, 8, 8, dtype=torch.float64, generator=generator)
    m = torch.stack((polar.sin() * around.cos(), polar.sin() * around.sin(), polar.cos()), 1)
    system = System(film, Drive(field_z=0.1), (Zeeman(),), replicas=8, dtype=dtype)
    moving = kind(system, m.to(dtype), dt=1e-13)
    moving.advance(0.0, 1500 * 1e-13)
    growth = torch.atanh(moving.m[:, 2].double()) - torch.atanh(m[:, 2].to(dtype).double())
    rate = damping * GYROMAGNETIC_RATIO * 0.1 / (1 + damping**2)
    return float(growth.mean()) / (1500 * 1e-13 * rate)


@pytest.mark.parametrize("damping", [1e-4, 5e-4])
def test_small_damping_is_kept_in_single_precision(damping: float) -> None:
    assert effective_damping(Heun, damping, torch.float64) == pytest.approx(1.0, abs=1e-4)
    assert effective_damping(Heun, damping, torch.float32) == pytest.approx(1.0, abs=1e-3)


@needs_kernel
def test_the_kernel_tells_damping_too_small_for_it() -> None:
    assert effective_damping(CompiledHeun, 1e-3, torch.float32) == pytest.approx(1.0, abs=3e-3)
    film = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=1e-5))
    with pytest.warns(InputWarning, match=r"^damping = 1e-05: the compiled kernel rounds to float32"):
        CompiledHeun(System(film, dtype=torch.float32), torch.tensor([0.0, 0.0, 1.0])[None, :, None, None], dt=1e-14)


def test_a_compensated_run_resumes_to_the_last_bit() -> None:
    film = Film(Grid(4, 4, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=1e-4))
    system = System(film, Drive(field_z=0.1), (Zeeman(),), dtype=torch.float32)
    m = torch.full((1, 3, 4, 4), 3**-0.5)
    whole, first, second = (Heun(system, m, dt=1e-13) for _ in range(3))
    whole.advance(0.0, 4e-11)
    first.advance(0.0, 2e-11)
    second.load_state_dict(first.state_dict())
    second.advance(2e-11, 4e-11)
    assert torch.equal(second.m, whole.m)
