"""Terms of stacks: stray field across layers, couplings and their energies, torques and noise of each layer."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Film,
    Grid,
    InterlayerExchange,
    Layer,
    Material,
    ParameterMaps,
    SpinOrbitTorque,
    Stack,
    StackDemag,
    SublatticeExchange,
    System,
    Term,
    ThermalNoise,
    ZhangLi,
    antiferromagnet,
    random_state,
    simulate,
)
from barkhausen.micromagnetics.geometry import newell_layers
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor
from barkhausen.micromagnetics.geometry.newell_layers import interlayer_tensor
from barkhausen.micromagnetics.stack.coupling import Coupling

MATERIAL = Material(saturation_magnetisation=8e5, exchange_stiffness=1.3e-11, damping=0.1, anisotropy=5e5, dmi=1e-3)

GRID = Grid(6, 4, 3e-9, 2e-9, 1e-9)


def film(thickness: float = 1e-9, grid: Grid = GRID, fill: Tensor | None = None, **changes: float) -> Film:
    return Film(dataclasses.replace(grid, dz=thickness), MATERIAL.model_copy(update=changes), fill)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def some_fill() -> Tensor:
    fill = torch.rand(GRID.shape, dtype=torch.float64, generator=generator())
    fill[0, 0] = 0.0
    return fill


# ---- stray field ----------------------------------------------------------------------------------------------------


def test_the_tensor_of_one_layer_on_itself_is_that_of_a_film() -> None:
    own = interlayer_tensor(12, 5, 4.0, 3.0, target=1.0, source=1.0, height=0.0)
    assert torch.allclose(own[:4], demagnetisation_tensor(12, 5, 4.0, 3.0, 1.0), atol=1e-9, rtol=0)
    assert float(own[4:].abs().max()) < 1e-9


@pytest.mark.parametrize(("target", "source", "height"), [(1.0, 3.0, 4.0), (0.5, 2.0, -1.5)])
def test_action_and_reaction_of_layers_of_two_thicknesses(target: float, source: float, height: float) -> None:
    there = interlayer_tensor(7, 6, 2.0, 3.0, target=target, source=source, height=height)
    back = interlayer_tensor(7, 6, 2.0, 3.0, target=source, source=target, height=-height)
    assert torch.allclose(there * target, back.flip((1, 2)) * source, atol=1e-10, rtol=0)


def test_the_near_and_the_far_form_meet() -> None:
    """Closed form and quadrature agree where one takes over from the other, ten cells away."""
    x = torch.tensor([9.0, 8.0, 7.0], dtype=torch.float64)
    y = torch.tensor([0.0, 4.0, -6.0], dtype=torch.float64)
    edges, levels = (1.0, 0.8), (0.7, 0.4, 1.5)
    near = newell_layers._closed_form(x, y, edges, levels)
    far = newell_layers._averaged_dipole(x, y, edges, levels)
    assert torch.allclose(near, far, atol=1e-9, rtol=0)
    assert float(near[4].abs().min()) > 1e-6


def block(thicknesses: list[float]) -> tuple[System, Tensor]:
    """A uniform block, cut into touching layers, and its stray field."""
    pieces = [film(thickness) for thickness in thicknesses]
    stack = Stack(pieces)
    m = random_state(pieces[0], 1, generator()).repeat(len(pieces), 1, 1, 1)
    system = System(stack, terms=(StackDemag(),))
    return system, m


@pytest.mark.parametrize("thicknesses", [[1e-9, 1e-9], [0.5e-9, 1.5e-9], [0.6e-9, 1e-9, 0.4e-9]])
def test_a_block_cut_into_layers_has_the_field_of_the_block(thicknesses: list[float]) -> None:
    system, m = block(thicknesses)
    field = system.field(system.start(m))
    weights = torch.tensor(thicknesses, dtype=torch.float64) / 2e-9
    mean = (field * weights[:, None, None, None]).sum(0)
    whole = System(film(2e-9), terms=(Demag(),))
    assert torch.allclose(mean, whole.field(whole.start(m[:1]))[0], atol=1e-9)
    energy = system.energy(system.start(m))
    assert float(energy[0]) == pytest.approx(float(whole.energy(m[:1])[0]), rel=1e-9)


def test_far_layers_act_on_each_other_as_dipoles() -> None:
    """Two single cells 60 nm apart: B = mu0/(4 pi r³) (3 (M·r) r − M) V."""
    one = film(1e-9, Grid(1, 1, 2e-9, 2e-9, 1e-9))
    stack = Stack([one, film(2e-9, Grid(1, 1, 2e-9, 2e-9, 1e-9))], [60e-9])
    m = torch.tensor([[0.6, 0.0, 0.8], [0.0, 0.0, 0.0]], dtype=torch.float64)[:, :, None, None]
    field = System(stack, terms=(StackDemag(),)).field(m)[1, :, 0, 0]
    r = 0.5e-9 + 60e-9 + 1e-9
    moment = MATERIAL.saturation_magnetisation * 4e-27
    expected = torch.tensor([-0.6, 0.0, 2 * 0.8]) * VACUUM_PERMEABILITY * moment / (4 * math.pi * r**3)
    assert torch.allclose(field, expected.double(), rtol=2e-3, atol=1e-15)


def test_the_stray_field_of_one_layer_lies_in_the_plane_beside_its_edge() -> None:
    """xz has its sign: above the right edge of a film magnetised up the field points outwards."""
    wide = Grid(12, 4, 3e-9, 3e-9, 1e-9)
    stack = Stack([film(1e-9, wide), film(1e-9, wide)], [3e-9])
    m = torch.zeros(2, 3, 12, 4, dtype=torch.float64)
    m[0, 2] = 1.0
    field = System(stack, terms=(StackDemag(),)).field(m)[1]
    assert float(field[0, -1].min()) > 0
    assert torch.allclose(field[0], -field[0].flip(0), atol=1e-12)
    assert torch.allclose(field[1], -field[1].flip(1), atol=1e-12)


def test_half_precision_of_the_stray_field_and_orientation_of_the_grid_agree() -> None:
    """The transforms take the longer axis first, whichever it is."""
    m = torch.randn(2, 3, 6, 9, dtype=torch.float64, generator=generator())
    tall, wide = Grid(6, 9, 2e-9, 3e-9, 1e-9), Grid(9, 6, 3e-9, 2e-9, 1e-9)
    terms = (StackDemag(),)
    one = System(Stack([film(1e-9, tall), film(2e-9, tall)], [1e-9]), terms=terms).field(m)
    turned = m[:, [1, 0, 2]].transpose(2, 3)
    other = System(Stack([film(1e-9, wide), film(2e-9, wide)], [1e-9]), terms=terms).field(turned)
    assert torch.allclose(one[:, [1, 0, 2]].transpose(2, 3), other, atol=1e-12)


def test_a_stack_without_stray_field_and_a_periodic_one() -> None:
    periodic = dataclasses.replace(GRID, periodic=(True, False))
    stack = Stack([film(grid=periodic), film(grid=periodic)], demag=False)
    assert StackDemag not in {type(term) for term in System(stack).terms}
    with pytest.raises(InputError, match="demag=False"):
        StackDemag().spectra(Stack([film(grid=periodic), film(grid=periodic)]))
    with pytest.raises(InputError, match="single film takes Demag"):
        System(film(), terms=(StackDemag(),)).field(random_state(film(), 1, generator()))


# ---- every field is the derivative of its energy --------------------------------------------------------------------


def stacks() -> dict[str, Stack]:
    """Stacks in which everything differs between the layers."""
    heavy = film(2e-9, saturation_magnetisation=6e5, anisotropy=3e5, exchange_stiffness=2e-11, dmi=-0.5e-3)
    cut = film(1.5e-9, fill=some_fill(), cubic_anisotropy=0.0)
    couplings = (InterlayerExchange(0, 1, bilinear=-1e-3), InterlayerExchange(2, 0, bilinear=3e-4, biquadratic=-5e-4))
    exchange = SublatticeExchange(-5e-12, 1e-9, inhomogeneous=-4e-12)
    strength = torch.rand(GRID.shape, dtype=torch.float64, generator=generator())
    weak = Film(GRID, MATERIAL, maps=ParameterMaps(bond_x=strength, bond_y=strength))
    unlike = [film(fill=some_fill()), film(fill=some_fill(), saturation_magnetisation=3e5)]
    return {
        "three layers": Stack([film(), heavy, cut], [1e-9, 2e-9], couplings),
        "two alike": Stack([film(), film()], [1e-9], [InterlayerExchange(0, 1, bilinear=-1e-3, biquadratic=2e-4)]),
        "antiferromagnet": antiferromagnet(film(), exchange),
        "ferrimagnet": antiferromagnet(unlike, exchange),
        "weak bonds": antiferromagnet(weak, exchange),
    }


@pytest.mark.parametrize("name", ["three layers", "two alike", "antiferromagnet", "ferrimagnet", "weak bonds"])
def test_fields_are_derivatives_of_energies(name: str) -> None:
    stack = stacks()[name]
    for term in System(stack).terms:
        system = System(stack, Drive(field_x=0.1, field_z=-0.2), terms=(term,), replicas=2)
        m = system.start(random_state(stack, 2 * stack.layer_count, generator()))
        change = torch.randn(m.shape, dtype=torch.float64, generator=generator()) * (m != 0)
        small = 1e-5
        up, down = system.energy(m + small * change), system.energy(m - small * change)
        moment = stack.moment * (torch.ones(1) if system.film.relative_moment is None else system.film.relative_moment)
        work = (moment[:, None] * change * system.field(m)).sum((1, 2, 3)).reshape(2, -1).sum(1)
        assert torch.allclose(-(up - down) / (2 * small), work, rtol=1e-6, atol=1e-28), type(term).__name__


@pytest.mark.parametrize("name", ["three layers", "antiferromagnet", "ferrimagnet"])
def test_the_stiffest_field_of_a_coupling_bounds_its_modes(name: str) -> None:
    """Largest eigenvalue of the coupling for small rotations about a uniform state, by power iterations."""
    stack = stacks()[name]
    for term in stack.couplings:
        system = System(stack, terms=(term,))
        up = torch.zeros(stack.layer_count, 3, *GRID.shape, dtype=torch.float64)
        up[:, 2] = 1.0
        m = system.start(up)
        radius = largest_curvature(system, m)
        assert isinstance(term, Coupling)
        bound = term.stiffest_field(stack)
        assert bound is not None
        assert radius <= bound * (1 + 1e-9)
        if not isinstance(term, InterlayerExchange) or not term.biquadratic:
            assert radius > 0.5 * bound


def largest_curvature(system: System, m: Tensor) -> float:
    base = system.field(m)
    held = (m * base).sum(1, keepdim=True)
    v = torch.randn(m.shape, dtype=torch.float64, generator=generator())
    radius = 0.0
    for _ in range(60):
        v[:, 2] = 0.0
        v *= m[:, 2:]
        v /= v.norm()
        change = (system.field(m + 1e-4 * v) - base) / 1e-4
        v = held * v - change
        v[:, 2] = 0.0
        radius = float(v.norm())
    return radius


# ---- the layers keep what they are ----------------------------------------------------------------------------------


def test_in_layer_terms_are_those_of_each_film_alone() -> None:
    """Thickness, Ms, A, D, Ku, damping and maps of each layer act as in a film of its own."""
    stack = stacks()["three layers"]
    plain: tuple[Term, ...] = tuple(
        term for term in System(stack).terms if not isinstance(term, (StackDemag, Coupling))
    )
    drive = Drive(field_x=0.3)
    m = random_state(stack, 3, generator())
    system = System(stack, drive, plain)
    m = system.start(m)
    for number, layer in enumerate(stack.layers):
        alone = System(layer.film, drive, plain)
        one = alone.start(m[number : number + 1])
        assert torch.allclose(system.field(m)[number], alone.field(one)[0], atol=1e-12)
        rate = system.rate(m, system.field(m))[number]
        assert torch.allclose(rate, alone.rate(one, alone.field(one))[0], rtol=1e-9, atol=1e-3)
    energies = sum(System(layer.film, drive, plain).energy(m[k : k + 1])[0] for k, layer in enumerate(stack.layers))
    assert float(system.energy(m)[0]) == pytest.approx(float(energies), rel=1e-12)


def test_torques_of_layers_of_two_thicknesses_and_angles() -> None:
    """Spin-orbit field of each layer: hbar theta J/(2 e Ms t) with its own theta, Ms, t and share of the current."""
    thick = film(2e-9, spin_hall_angle=0.1, saturation_magnetisation=5e5, spin_polarisation=0.4, non_adiabaticity=0.1)
    thin = film(1e-9, spin_hall_angle=-0.3, spin_polarisation=0.2, non_adiabaticity=0.1)
    stack = Stack([Layer(thick, current=0.5), Layer(thin, magnet_current=2.0), film(1e-9)])
    drive = Drive(current_density=1e12, magnet_current_density=1e12)
    terms = (SpinOrbitTorque(), ZhangLi())
    m = random_state(stack, 3, generator())
    field = System(stack, drive, terms).field(m)
    for number, (layer, shares) in enumerate(((thick, (0.5, 1.0)), (thin, (1.0, 2.0)))):
        own = Drive(current_density=shares[0] * 1e12, magnet_current_density=shares[1] * 1e12)
        alone = System(layer, own, terms).field(m[number : number + 1])[0]
        assert torch.allclose(field[number], alone, rtol=1e-9, atol=1e-15)
    assert not field[2].any()


def test_thermal_noise_of_each_layer_follows_its_own_moment() -> None:
    """A free layer half as thick gets sqrt(2) times the field; the ensemble does not depend on its chunks."""
    stack = Stack([film(2e-9), film(1e-9, damping=0.2, saturation_magnetisation=4e5)])
    factor = System(stack).film.thermal_factor
    assert factor is not None
    assert torch.allclose(factor[:, 0, 0], torch.tensor([1.0, math.sqrt(2 * 2 * 2)], dtype=torch.float64))

    def ensemble(chunk: int) -> Tensor:
        result = simulate(
            stack, duration=4e-14, every=2e-14, replicas=20, temperature=300.0, seed=5, chunk=chunk, backend="torch"
        )
        return torch.as_tensor(result.m.values)

    assert torch.equal(ensemble(8), ensemble(24))


def test_layers_have_streams_of_their_own() -> None:
    rows = Stack([film(), film(), film()]).row_numbers(torch.tensor([0, 1, 5]))
    assert rows.tolist() == [0, 1, 2, 3, 4, 5, 15, 16, 17]
    noise = ThermalNoise(rows, 0, torch.zeros(1, dtype=torch.float64)).draw((3, 3))
    assert len({float(row[0, 0, 0]) for row in noise}) == 9
