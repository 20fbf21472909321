"""Two coupled layers against closed forms: saturation, spin flop, canting, resonances; results by layer."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Drive,
    Energies,
    Energy,
    Film,
    Grid,
    InterlayerExchange,
    JunctionConductance,
    Layer,
    LayerJunction,
    Material,
    MeanMagnetisation,
    Simulation,
    Stack,
    StackMagnetisation,
    System,
    WallPosition,
    compiled,
    hysteresis,
    minimize,
    simulate,
    stability,
    uniform,
)
from linear_modes import frequencies

if TYPE_CHECKING:
    from tests.conftest import Report

MS = 8e5

PLAIN = Material(saturation_magnetisation=MS, exchange_stiffness=1.3e-11, damping=1e-6)

SPOT = Grid(1, 1, 10e-9, 10e-9, 1e-9)


def pair(
    *, thickness: tuple[float, float] = (2e-9, 2e-9), bilinear: float = -1e-3, biquadratic: float = 0.0,
    anisotropy: float = 0.0,
) -> Stack:  # fmt: skip
    """Two macrospins that are coupled, without a stray field."""
    constants = PLAIN.model_copy(update={"anisotropy": anisotropy})
    films = [Film(dataclasses.replace(SPOT, dz=t), constants) for t in thickness]
    return Stack(films, [1e-9], [InterlayerExchange(0, 1, bilinear, biquadratic)], demag=False)


def states(*directions: tuple[float, float, float]) -> Tensor:
    m = torch.tensor(directions, dtype=torch.float64)
    return (m / m.norm(dim=1, keepdim=True))[:, :, None, None]


def across(m: Tensor) -> list[Tensor]:
    """Two rotations of each layer, perpendicular to its magnetisation."""
    patterns = []
    for row, spin in enumerate(m[:, :, 0, 0]):
        helper = torch.tensor([0.0, 0.0, 1.0] if abs(spin[2]) < 0.9 else [1.0, 0.0, 0.0], dtype=torch.float64)
        first = torch.linalg.cross(spin, helper)
        for vector in (first / first.norm(), torch.linalg.cross(spin, first / first.norm())):
            pattern = torch.zeros_like(m)
            pattern[row, :, 0, 0] = vector
            patterns.append(pattern)
    return patterns


# ---- equilibria -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thickness", [(2e-9, 2e-9), (1e-9, 3e-9)])
def test_saturation_of_coupled_layers(report: Report, thickness: tuple[float, float]) -> None:
    """Antiparallel coupling gives way to the field |J| (1/(Ms1 t1) + 1/(Ms2 t2)): there the stiffness vanishes."""
    stack = pair(thickness=thickness)
    model = 1e-3 / MS * sum(1 / t for t in thickness)
    up = states((0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
    curvature = [float(stability(System(stack, Drive(field_z=b)), up).curvature[0]) for b in (1.1 * model, 1.2 * model)]
    ours = 1.1 * model - curvature[0] * 0.1 * model / (curvature[1] - curvature[0])
    name = " and ".join(f"{1e9 * t:g}" for t in thickness)
    report(f"coupled layers of {name} nm: saturation, T", ours, model, 1e-4 * model)


@pytest.mark.parametrize("biquadratic", [0.0, -2e-4])
def test_curve_of_coupled_layers_in_the_plane(report: Report, biquadratic: float) -> None:
    """B = (2 cos/(Ms t)) (|J1| + 2 |J2| cos 2 theta), theta the angle of each layer to the field."""
    stack = pair(biquadratic=biquadratic)
    cosine = 0.6
    double = 2 * cosine**2 - 1
    field = -2 * cosine / (MS * 2e-9) * (-1e-3 + 2 * biquadratic * double)
    m = minimize(System(stack, Drive(field_x=field)), states((0.5, 0.8, 0.0), (0.5, -0.8, 0.0)), torque=1e-7)
    report(f"coupled layers: m along the field, J2 = {biquadratic:g} J/m2", float(m[0, 0]), cosine, 1e-5)
    assert float(m[0, 1]) == pytest.approx(-float(m[1, 1]), abs=1e-5)


def test_biquadratic_coupling_cants(report: Report) -> None:
    """Without a field cos(angle) = −J1/(2 J2)."""
    stack = pair(bilinear=-1e-4, biquadratic=-2e-4)
    m = minimize(System(stack), states((1.0, 0.1, 0.0), (0.1, 1.0, 0.0)), torque=1e-8)
    cosine = float((m[0] * m[1]).sum())
    report("coupled layers: canting by J2, cos", cosine, -1e-4 / (2 * 2e-4), 1e-5)


def test_spin_flop_of_perpendicular_layers(report: Report) -> None:
    """Antiparallel layers lose their stability at sqrt(B_K (B_K + 2 B_E)) along the axis, B_E = |J|/(Ms t)."""
    stack = pair(bilinear=-0.2e-3, anisotropy=1e5)
    exchange, anisotropy = 0.2e-3 / (MS * 2e-9), 2e5 / MS
    model = math.sqrt(anisotropy * (anisotropy + 2 * exchange))
    m = states((0.0, 0.0, 1.0), (0.0, 0.0, -1.0))

    def curvature(field: float) -> float:
        return float(stability(System(stack, Drive(field_z=field)), m).curvature[0])

    low, high = 0.5 * model, 1.5 * model
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if curvature(middle) > 0 else (low, middle)
    report("coupled layers: field at which antiparallel ends, T", low, model, 1e-4 * model)


# ---- resonances -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_acoustic_and_optical_resonance(report: Report, share: float) -> None:
    """Two equal layers in their plane, in a field B below saturation at 2 B_E (B_E = |J|/(Ms t)):

    f_ac = (gamma/2 pi) (B/(2 B_E)) sqrt(2 B_E (2 B_E + mu0 Ms)) and f_op = (gamma/2 pi) sqrt(2 B_E mu0 Ms (1 − (B/(2
    B_E))²)); the demagnetising field of a thin film stands as the anisotropy −mu0 Ms²/2.
    """
    stack = pair(anisotropy=-0.5 * VACUUM_PERMEABILITY * MS**2)
    full, thin = 2e-3 / (MS * 2e-9), VACUUM_PERMEABILITY * MS
    system = System(stack, Drive(field_x=share * full))
    m = minimize(system, states((share, 1.0, 0.0), (share, -1.0, 0.0)), torque=1e-9)
    ours = frequencies(system, m, across(m))
    acoustic = share * math.sqrt(full * (full + thin))
    optical = math.sqrt(full * thin * (1 - share**2))
    model = torch.tensor(sorted((acoustic, optical))) * GYROMAGNETIC_RATIO / (2 * math.pi)
    name = f"coupled layers: resonances, GHz, B = {share:g} of saturation"
    report(name, (ours / 1e9).tolist(), (model / 1e9).tolist(), (1e-4 * model / 1e9).tolist())


def test_resonances_of_antiparallel_layers(report: Report) -> None:
    """f = (gamma/2 pi) (sqrt(B_K (B_K + 2 B_E)) ± B), as an antiferromagnet."""
    stack = pair(bilinear=-0.2e-3, anisotropy=1e5)
    exchange, anisotropy, field = 0.2e-3 / (MS * 2e-9), 2e5 / MS, 0.1
    m = states((0.0, 0.0, 1.0), (0.0, 0.0, -1.0))
    ours = frequencies(System(stack, Drive(field_z=field)), m, across(m))
    middle = math.sqrt(anisotropy * (anisotropy + 2 * exchange))
    model = torch.tensor([middle - field, middle + field]) * GYROMAGNETIC_RATIO / (2 * math.pi)
    report("antiparallel layers: resonances, GHz", (ours / 1e9).tolist(), (model / 1e9).tolist(), 1e-3)


# ---- results --------------------------------------------------------------------------------------------------------


def small() -> Stack:
    constants = PLAIN.model_copy(update={"damping": 0.1, "anisotropy": 6e5, "spin_hall_angle": 0.1})
    films = [Film(Grid(12, 4, 3e-9, 3e-9, t), constants) for t in (1e-9, 2e-9)]
    return Stack([Layer(films[0], "fixed", current=0.0), Layer(films[1], "free")], [1e-9],
                 [InterlayerExchange(0, 1, -1e-4)])  # fmt: skip


def test_results_have_a_dimension_for_the_layers() -> None:
    stack = small()
    observe = [MeanMagnetisation(), Energy(), Energies(), StackMagnetisation(), LayerJunction(1e-12, 1.0),
               JunctionConductance(1e-12, 1.0), WallPosition()]  # fmt: skip
    result = simulate(stack, duration=2e-13, every=1e-13, replicas=3, observe=observe, backend="torch")
    assert result["m"].dims == ("time", "replica", "layer", "component")
    assert result["layer"].values.tolist() == ["fixed", "free"]
    assert result["energy"].dims == ("time", "replica")
    assert result["wall_position"].sizes["layer"] == 2
    total = result["energies"].sum(("layer", "term")).values
    assert torch.allclose(torch.as_tensor(total), torch.as_tensor(result["energy"].values), rtol=1e-5)
    weighted = (result["m"].sel(layer="fixed") + 2 * result["m"].sel(layer="free")) / 3
    assert abs(weighted - result["net_m"]).max() < 1e-6
    # Coupled antiparallel, they start so.
    assert result["m"].isel(time=0, replica=0).sel(component="z").prod("layer") <= 0


def test_a_junction_between_layers_sees_their_angle() -> None:
    stack = small()
    area = stack.grid.length * stack.grid.width
    for angle in (0.0, 1.0, math.pi):
        tilted = (math.sin(angle), 0.0, math.cos(angle))
        m = stack.join([uniform(stack.layers[0].film, (0.0, 0.0, 1.0)), uniform(stack.layers[1].film, tilted)])
        g = LayerJunction(1e-12, 1.5).of(stack, m)
        share = (1 + 0.75 * (1 + math.cos(angle))) / 2.5
        assert float(g[0]) == pytest.approx(area * share / 1e-12)
        free = JunctionConductance(1e-12, 1.5).of(stack, m)
        assert float(free[1]) == pytest.approx(float(g[0]))


def test_a_simulation_of_a_stack_resumes_and_keeps_its_noise() -> None:
    stack = small()
    drive = Drive(current_density=1e11)

    def made() -> Simulation:
        return Simulation(stack, drive, replicas=2, temperature=300.0, seed=3, dt=5e-14)

    whole, parts = made(), made()
    whole.advance(1e-12)
    parts.advance(4e-13)
    resumed = made()
    resumed.load_state_dict(parts.state_dict())
    resumed.advance(6e-13)
    assert torch.equal(whole.m, resumed.m)
    assert whole.m.shape == (4, 3, 12, 4)


def test_replicas_of_a_relaxation_do_not_depend_on_each_other() -> None:
    """Steps of the descent are those of a whole stack, and of no other replica."""
    stack = small()
    lean = [stack.join([uniform(layer.film, (x, 0.1, 1.0)) for layer in stack.layers]) for x in (0.4, -0.7)]
    both = minimize(System(stack, replicas=2), torch.cat(lean), torque=1e-6)
    alone = minimize(System(stack), lean[0], torque=1e-6)
    assert torch.allclose(both[:2], alone, atol=1e-4)


def test_devices_of_a_stack() -> None:
    """Two stacks that differ in the anisotropy of one layer, assigned to three replicas."""
    grid = Grid(4, 3, 2e-9, 2e-9, 1e-9)
    values = torch.tensor([3e5, 7e5], dtype=torch.float64)[:, None, None].expand(2, 4, 3)
    stack = Stack([Film(grid, PLAIN), Film(grid, PLAIN, anisotropy=values)]).assign([1, 0, 1])
    assert stack.devices == 2
    film = System(stack, replicas=3).film
    assert film.anisotropy is not None
    assert film.anisotropy[:, 0, 0].tolist() == [0.0, 7e5, 0.0, 3e5, 0.0, 7e5]


def test_inputs_are_checked() -> None:
    film = Film(SPOT, PLAIN)
    with pytest.raises(InputError, match="needs 2 or more"):
        Stack([film])
    with pytest.raises(InputError, match="gaps are given"):
        Stack([film, film], [1e-9, 1e-9])
    with pytest.raises(InputError, match=r"spacers\[0\]"):
        Stack([film, film], [-1e-9])
    with pytest.raises(InputError, match="lies on"):
        Stack([film, Film(Grid(2, 1, 10e-9, 10e-9, 1e-9), PLAIN)])
    with pytest.raises(InputError, match="no layer 2"):
        Stack([film, film], couplings=[InterlayerExchange(0, 2, 1e-3)])
    with pytest.raises(InputError, match="with itself"):
        Stack([film, film], couplings=[InterlayerExchange(1, 1, 1e-3)])
    with pytest.raises(InputError, match="implausible"):
        InterlayerExchange(0, 1, bilinear=-6.0)
    torques = [PLAIN.model_copy(update={"spin_hall_angle": 0.1, "field_like_ratio": r}) for r in (0.0, 1.0)]
    with pytest.raises(InputError, match="field_like_ratio"):
        Stack([Film(SPOT, constants) for constants in torques])
    with pytest.raises(InputError, match="hysteresis: takes single films"):
        hysteresis(Stack([film, film]), torch.linspace(-1.0, 1.0, 3))
    if compiled.available():
        with pytest.raises(InputError, match="single films, not stacks"):
            simulate(Stack([film, film], demag=False), duration=1e-13, every=1e-13, backend="compiled")


def test_what_people_see() -> None:
    stack = small()
    assert "fixed (1 nm), free (2 nm)" in repr(stack)
    assert "InterlayerExchange" in stack._repr_html_()
    result = simulate(stack, duration=2e-13, every=1e-13, backend="torch")
    with pytest.raises(InputError, match="one of fixed, free"):
        result.barkhausen.plot()
    assert result.sel(layer="free").barkhausen.plot() is not None
    assert len(stack.plot()) == 2
    axes = stack.plot(torch.zeros(2, 3, 12, 4))
    assert [panel.get_title(loc="left") for panel in axes] == ["free", "fixed"]
