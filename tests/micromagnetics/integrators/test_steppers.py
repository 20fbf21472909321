"""What moves the magnetisation: to the last bit the same in pieces, after a restart and in any company, and it says so
when it breaks down."""

from __future__ import annotations

import itertools
import math
from typing import TypeAlias

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    CompiledHeun,
    CompiledSplitting,
    DormandPrince,
    Drive,
    Film,
    Grid,
    Heun,
    IntegrationError,
    Splitting,
    StrainGate,
    System,
    Waveform,
    ZhangLi,
    advise_step,
    compiled,
    domain_wall,
    material,
    minimize,
    random_state,
)
from barkhausen.micromagnetics.integrators import heun, splitting
from barkhausen.micromagnetics.integrators.lanes import stepper as lane_stepper

needs_kernel = pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")

HeunClass: TypeAlias = type[Heun] | type[CompiledHeun] | type[Splitting] | type[CompiledSplitting]
either = pytest.mark.parametrize("kind", [Heun, pytest.param(CompiledHeun, marks=needs_kernel)])
each = pytest.mark.parametrize(
    "kind",
    [
        Heun,
        pytest.param(CompiledHeun, marks=needs_kernel),
        Splitting,
        pytest.param(CompiledSplitting, marks=needs_kernel),
    ],
)

REPLICAS = 18
STEP = 2.0**-44
"""57 fs; a power of two, so that times are exact and steps of the drive fall on the same step however it is cut."""


pytestmark = pytest.mark.usefixtures("one_thread")


def example(
    shape: tuple[int, int] = (12, 5), dtype: torch.dtype = torch.float32, replicas: int = REPLICAS
) -> tuple[System, Tensor]:
    """Replicas that differ in shape, anisotropy and drive, with every term."""
    generator = torch.Generator().manual_seed(0)
    fill = torch.rand(replicas, *shape, dtype=torch.float64, generator=generator)
    fill = torch.where(fill < 0.2, 0.0, torch.where(fill > 0.6, 1.0, fill + 0.3))
    fill[:, 3, 2] = 1.0
    anisotropy = 0.8e6 * (0.8 + 0.4 * torch.rand(replicas, *shape, dtype=torch.float64, generator=generator))
    film = Film(Grid(*shape, 4e-9, 4e-9, 1e-9),
                material("cofeb-tantalum", damping=0.1, spin_polarisation=0.5, non_adiabaticity=0.1,
                         field_like_ratio=0.3), fill, anisotropy)  # fmt: skip
    spread = torch.linspace(0.5, 1.0, replicas)
    drive = Drive(
        current_density=Waveform.pulse(2e11 * spread, width=21 * STEP, start=7 * STEP, rise=8 * STEP, fall=8 * STEP),
        magnet_current_density=1e11,
        field_y=Waveform.pulse(0.05 * spread, width=11 * STEP, start=3 * STEP),
        gate_voltage=Waveform([0.0, 64 * STEP], [0.0, 0.5]),
        gate=StrainGate(),
    )
    return System(film, drive, replicas=replicas, dtype=dtype), random_state(film, replicas, generator)


def start(
    kind: HeunClass, system: System, m: Tensor, **changes: object
) -> Heun | CompiledHeun | Splitting | CompiledSplitting:
    arguments = {"dt": STEP, "temperature": 300.0, "seed": 4} | changes
    if kind in {Splitting, CompiledSplitting}:
        # Its slope reaches two cells far, which the splitting does not know.
        terms = tuple(term for term in system.terms if not isinstance(term, ZhangLi))
        system = System(system.film, system.drive, terms, replicas=system.replicas, dtype=system.dtype)
    return kind(system, m * _filled(system), **arguments)  # type: ignore[arg-type]


def _filled(system: System) -> Tensor:
    assert system.film.filled is not None
    return system.film.filled[:, None]


@each
def test_pieces_are_the_whole_to_the_last_bit(kind: HeunClass) -> None:
    system, m = example()
    whole, pieces = start(kind, system, m), start(kind, system, m)
    whole.advance(0.0, 64 * STEP)
    moments = [0, 1, 1, 8, 21, 22, 63, 64]
    for before, after in itertools.pairwise(moments):
        pieces.advance(before * STEP, after * STEP)
    assert torch.equal(whole.m, pieces.m)
    assert not torch.equal(whole.m, m.to(torch.float32))


@each
def test_long_runs_are_the_sum_of_their_tables(kind: HeunClass, monkeypatch: pytest.MonkeyPatch) -> None:
    """More steps than the drive is tabulated for at once."""
    for module in (heun, splitting, lane_stepper):
        monkeypatch.setattr(module, "TABLE_STEPS", 16)
    system, m = example((4, 3), replicas=8)
    whole, pieces = start(kind, system, m), start(kind, system, m)
    whole.advance(0.0, 35 * STEP)
    for before, after in ((0, 15), (15, 32), (32, 35)):
        pieces.advance(before * STEP, after * STEP)
    assert torch.equal(whole.m, pieces.m)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@each
def test_restart_goes_on_to_the_last_bit(kind: HeunClass, dtype: torch.dtype) -> None:
    if kind in {CompiledHeun, CompiledSplitting} and dtype == torch.float64:
        pytest.skip("the kernel computes in float32")
    system, m = example(dtype=dtype)
    stepper = start(kind, system, m)
    stepper.advance(0.0, 13 * STEP)
    saved = {name: value.clone() for name, value in stepper.state_dict().items()}
    assert all(value.device.type == "cpu" for value in saved.values())
    stepper.advance(13 * STEP, 40 * STEP)
    other = start(kind, system, m.flip(0), seed=99)
    other.advance(0.0, 3 * STEP)
    other.load_state_dict(saved)
    assert torch.equal(other.m, saved["m"])
    other.advance(13 * STEP, 40 * STEP)
    assert torch.equal(other.m, stepper.m)
    for name, value in stepper.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_adaptive_restart_goes_on_to_the_last_bit() -> None:
    system, m = example(dtype=torch.float64)
    stepper = DormandPrince(system, m * _filled(system))
    stepper.advance(0.0, 2e-12)
    saved = {name: value.clone() for name, value in stepper.state_dict().items()}
    stepper.advance(2e-12, 5e-12)
    other = DormandPrince(system, m * _filled(system), step=1e-16)
    other.load_state_dict(saved)
    other.advance(2e-12, 5e-12)
    assert torch.equal(other.m, stepper.m)


@each
def test_the_state_kept_is_not_moved_by_going_on(kind: HeunClass) -> None:
    """A checkpoint writes it at once, but a caller may keep it."""
    system, m = example()
    stepper = start(kind, system, m)
    stepper.load_state_dict(stepper.state_dict())
    saved = stepper.state_dict()
    before = saved["m"].clone()
    stepper.load_state_dict(saved)
    stepper.advance(0.0, 5 * STEP)
    assert torch.equal(saved["m"], before)


@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (7, 7)])
@each
def test_a_replica_moves_the_same_alone(kind: HeunClass, shape: tuple[int, int]) -> None:
    system, m = example(shape)
    everyone = start(kind, system, m)
    everyone.advance(0.0, 20 * STEP)
    for numbers in ([0], [11], [8, 9, 10, 11, 12, 13, 14, 15], [3, 17]):
        rows = torch.tensor(numbers)
        part = System(system.film.select(rows), system.drive.select(rows), replicas=len(rows), dtype=torch.float32)
        stepper = start(kind, part, m[rows], replicas=rows)
        stepper.advance(0.0, 20 * STEP)
        assert torch.equal(stepper.m, everyone.m[rows])


@each
def test_seeds_and_replicas_differ(kind: HeunClass) -> None:
    film = Film(Grid(6, 4, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    system = System(film, replicas=10, dtype=torch.float32)
    m = random_state(film, 1, torch.Generator().manual_seed(0)).expand(10, -1, -1, -1)
    ends = []
    for seed in (0, 1):
        stepper = kind(system, m, dt=STEP, temperature=300.0, seed=seed)
        stepper.advance(0.0, 4 * STEP)
        ends.append(stepper.m.clone())
    everyone = torch.cat(ends).flatten(1)
    assert len({tuple(row) for row in everyone.tolist()}) == 20


@each
def test_cells_stay_of_unit_length_and_empty_ones_empty(kind: HeunClass) -> None:
    system, m = example()
    stepper = start(kind, system, m)
    stepper.advance(0.0, 200 * STEP)
    filled = _filled(system)
    assert not bool(filled.all())
    assert not stepper.m[(~filled).expand_as(stepper.m)].any()
    norm = torch.linalg.vector_norm(stepper.m.double(), dim=1)
    # float32: a product and a reciprocal root, 6e-8 each.
    assert float((norm[filled[:, 0]] - 1).abs().max()) < 3e-7


def test_empty_cells_stay_empty_under_the_adaptive_method() -> None:
    system, m = example(dtype=torch.float64)
    stepper = DormandPrince(system, m * _filled(system))
    stepper.advance(0.0, 5e-12)
    filled = _filled(system)
    assert not stepper.m[(~filled).expand_as(stepper.m)].any()
    assert float((torch.linalg.vector_norm(stepper.m, dim=1)[filled[:, 0]] - 1).abs().max()) < 1e-14


@either
def test_single_precision_follows_double(kind: HeunClass) -> None:
    """200 steps at T = 0. A step of float32 errs by some 1e-7 a cell; without chaos that adds up to 2e-5 at most."""
    double, m = example(dtype=torch.float64)
    single, _ = example()
    reference, stepper = (start(which, system, m, temperature=0.0)
                          for which, system in ((Heun, double), (kind, single)))  # fmt: skip
    for moving in (reference, stepper):
        moving.advance(0.0, 200 * STEP)
    assert float((reference.m - m).abs().max()) > 0.3
    assert float((reference.m - stepper.m).abs().max()) < 2e-5


def test_heun_and_the_adaptive_method_agree_to_second_order() -> None:
    """Against a tolerance of 1e-8 a step, errors of Heun's method fall with the square of the step."""
    system, m = example(dtype=torch.float64)
    exact = DormandPrince(system, m * _filled(system), tolerance=1e-8)
    # Piece by piece between the knots of the drive, lest error control miss a pulse.
    for before, after in ((0, 3), (3, 7), (7, 14), (14, 15), (15, 32), (32, 36), (36, 44), (44, 64)):
        exact.advance(before * STEP, after * STEP)
    errors = []
    for halvings in (2, 3):
        stepper = start(Heun, system, m, dt=STEP / 2**halvings, temperature=0.0)
        stepper.advance(0.0, 64 * STEP)
        errors.append(float((stepper.m - exact.m).norm()))
    assert errors[1] < 1e-2
    # Steps of the drive inside fall between the two stages of a step, which is right to second order only for ramps.
    assert 3.0 < errors[0] / errors[1] < 5.0


@each
def test_a_part_of_a_step_is_refused(kind: HeunClass) -> None:
    system, m = example()
    with pytest.raises(ValueError, match="is not a whole number of steps of"):
        start(kind, system, m).advance(0.0, 2.5 * STEP)
    with pytest.raises(ValueError, match="must be two times in s, the later one second"):
        start(kind, system, m).advance(0.0, -STEP)


# Breaking down.


@either
def test_a_step_too_long_is_stopped_with_replica_time_and_cause(kind: HeunClass) -> None:
    system, m = example()
    dt = 16 * STEP
    advice = advise_step(system.film, system.drive, temperature=300.0, dt=dt)
    assert dt > advice.stable
    stepper = start(kind, system, m, dt=dt, advice=advice, replicas=torch.arange(40, 40 + REPLICAS))
    with pytest.raises(IntegrationError) as caught:
        stepper.advance(0.0, 1000 * dt)
    assert 40 <= caught.value.replica < 40 + REPLICAS
    # The kernel stops in the very step; torch looks every 512.
    assert 0 <= caught.value.time <= 512 * dt
    text = str(caught.value)
    assert f"replica {caught.value.replica} at t = {caught.value.time:.6g} s: " in text
    assert "|m|² changed by" in text
    assert f"the step is too long for this cell and material; dt = {dt:g} s is unstable" in text
    assert f"use {advice.recommended:g} s" in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("lost", [0, 7, 8, 17])
@each
def test_a_replica_that_is_no_number_is_named(kind: HeunClass, lost: int) -> None:
    system, m = example()
    m = m.clone()
    m[lost, 1, 3, 2] = math.nan  # a filled cell of all replicas
    stepper = start(kind, system, m, replicas=100 + torch.arange(REPLICAS))
    with pytest.raises(
        IntegrationError, match=rf"^replica {100 + lost} at t = .*: the magnetisation is not a number; "
    ):
        stepper.advance(0.0, 4 * STEP)


@pytest.mark.parametrize("lost", [2, 9])
@either
def test_a_replica_driven_too_hard_is_named_and_the_drive_blamed(kind: HeunClass, lost: int) -> None:
    film = Film(Grid(6, 4, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=0.5))
    field = torch.zeros(10)
    field[lost] = 400.0
    drive = Drive(field_x=Waveform([8 * STEP], field[None]))
    system = System(film, drive, replicas=10, dtype=torch.float32)
    advice = advise_step(film, Drive(field_x=30.0), dt=STEP)
    m = random_state(film, 10, torch.Generator().manual_seed(0))
    stepper = kind(system, m, dt=STEP, advice=advice)
    with pytest.raises(IntegrationError) as caught:
        stepper.advance(0.0, 16 * STEP)
    assert caught.value.replica == lost
    assert caught.value.time <= 16 * STEP
    assert str(caught.value).endswith(f"the drive reaches 30 T, too much for dt = {STEP:g} s")


@pytest.mark.parametrize("lost", [0, 5])
def test_the_adaptive_method_names_a_replica_that_is_no_number(lost: int) -> None:
    system, m = example(dtype=torch.float64)
    m = m.clone()
    m[lost, 0, 3, 2] = math.nan
    stepper = DormandPrince(system, m * _filled(system), replicas=16 + torch.arange(REPLICAS))
    with pytest.raises(IntegrationError, match=rf"^replica {16 + lost} at t = 0 s: the magnetisation is not a number;"):
        stepper.advance(0.0, 1e-12)


@pytest.mark.parametrize("tolerance", [0.0, -1e-5, 1.0, math.nan, math.inf])
def test_impossible_tolerance_is_refused(tolerance: float) -> None:
    system, m = example(dtype=torch.float64)
    with pytest.raises(InputError, match=f"^tolerance = {tolerance}: must lie between 0 and 1$"):
        DormandPrince(system, m, tolerance=tolerance)


def test_adaptive_error_follows_the_tolerance() -> None:
    system, m = example(dtype=torch.float64)

    def end(tolerance: float) -> tuple[Tensor, int]:
        stepper = DormandPrince(system, m * _filled(system), tolerance=tolerance)
        stepper.advance(0.0, 3 * STEP)  # before the field's step
        return stepper.m, stepper.evaluations

    (exact, _), (coarse, few), (fine, many) = end(1e-12), end(1e-4), end(1e-7)
    errors = [float((value - exact).norm(dim=1).max()) for value in (coarse, fine)]
    assert few < many
    # Three steps or so, each within its tolerance.
    assert errors[0] < 1e-3
    assert errors[1] < 1e-6


@needs_kernel
def test_the_kernel_says_what_it_cannot_do() -> None:
    system, m = example(dtype=torch.float64)
    with pytest.raises(
        InputError, match=r"^the compiled kernel cannot be used: it computes in float32, not in float64$"
    ):
        CompiledHeun(system, m, dt=STEP)


@pytest.mark.parametrize("kind", [Heun, DormandPrince])
def test_cells_that_one_replica_lacks_are_emptied(kind: type[Heun] | type[DormandPrince]) -> None:
    """A start that suits the family as a whole is cut to each replica's own shape."""
    fill = torch.ones(2, 12, 6, dtype=torch.float64)
    fill[0, :, 0] = 0.0
    fill[1, :, 5] = 0.0
    film = Film(Grid(12, 6, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"), fill)
    system = System(film, replicas=2)
    start = domain_wall(film)
    stepper = Heun(system, start, dt=5e-14) if kind is Heun else DormandPrince(system, start)
    stepper.advance(0.0, 1e-12)
    length = torch.linalg.vector_norm(stepper.m, dim=1)
    assert torch.allclose(length, (fill > 0).to(torch.float64), atol=1e-12)
    rest = torch.linalg.vector_norm(minimize(system, start, torque=1e-3), dim=1)
    assert torch.allclose(rest, (fill > 0).to(torch.float64), atol=1e-9)
