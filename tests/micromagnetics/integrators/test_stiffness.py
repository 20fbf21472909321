"""Steps follow the terms in use: what each says of itself against what it does, and films without damping."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    DormandPrince,
    Drive,
    Exchange,
    Film,
    Grid,
    Heun,
    InterfacialDMI,
    ParameterMaps,
    PerpendicularAnisotropy,
    State,
    StrainGate,
    System,
    Term,
    Zeeman,
    advise_step,
    material,
    random_state,
    simulate,
    standard_terms,
    uniform,
)
from barkhausen.micromagnetics.integrators.stiffness import estimated_field
from barkhausen.micromagnetics.terms import QuadraticTerm

pytestmark = pytest.mark.usefixtures("one_thread")

COFEB = material("cofeb-tantalum")
FILM = Film(Grid(32, 8, 4e-9, 4e-9, 1e-9), COFEB)


def one_spin(damping: float) -> Film:
    return Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=damping))


def test_a_spin_in_a_field_alone_may_take_long_steps() -> None:
    """B = 0.1 T, alpha = 1e-4: stable to (8 alpha)^(1/3)/(gamma B) = 5.3 ps, whatever the anisotropy would allow."""
    film, drive, terms = one_spin(1e-4), Drive(field_z=0.1), (Zeeman(),)
    advice = advise_step(film, drive, dt=5e-13, terms=terms)
    assert "is fine" in advice.verdict
    assert advice.stable == pytest.approx((8e-4) ** (1 / 3) / (GYROMAGNETIC_RATIO * 0.1), rel=0.01)
    result = simulate(film, drive, duration=1e-10, every=1e-11, dt=5e-13, terms=terms, dtype=torch.float64,
                      initial=uniform(film, (1, 0, 0)))  # fmt: skip
    turned = result["m"].values[-1, 0]
    phase = GYROMAGNETIC_RATIO * 0.1 * 1e-10 / (1 + 1e-8)
    assert turned[0] == pytest.approx(math.cos(phase), abs=1e-3)
    assert turned[1] == pytest.approx(math.sin(phase), abs=1e-3)
    # And the limit is one: beyond it the angle grows.
    film = one_spin(1e-2)
    limit = advise_step(film, drive, terms=terms).stable
    for factor in (0.9, 1.1):
        stepper = Heun(System(film, drive, terms), uniform(film, (1e-6, 0, 1)), dt=factor * limit)
        stepper.advance(0.0, 1000 * factor * limit)
        angle = float(torch.hypot(stepper.m[0, 0], stepper.m[0, 1]))
        assert angle < 0.5e-6 if factor < 1 else angle > 2e-6


def test_terms_left_out_do_not_shorten_the_step() -> None:
    whole = advise_step(FILM, terms=standard_terms(COFEB))
    assert whole == advise_step(FILM)
    assert advise_step(FILM, terms=(PerpendicularAnisotropy(), Zeeman())).stiffest_field == pytest.approx(1.6)
    # 2 D/Ms (1/dx + 1/dy) counts where there is no exchange to exceed it.
    assert advise_step(FILM, terms=(InterfacialDMI(),)).stiffest_field == pytest.approx(0.6)
    assert advise_step(FILM, terms=(InterfacialDMI(), Exchange())).stiffest_field == pytest.approx(15.0)


def test_bonds_of_unlike_cells_count() -> None:
    stiffness = torch.full((32, 8), COFEB.exchange_stiffness)
    stiffness[5:7] *= 4
    film = Film(FILM.grid, COFEB, maps=ParameterMaps(exchange_stiffness=stiffness))
    assert advise_step(film, terms=(Exchange(),)).stiffest_field == pytest.approx(60.0)
    damping = torch.full((32, 8), 0.3)
    damping[0] = 0.01
    assert advise_step(Film(FILM.grid, COFEB, maps=ParameterMaps(damping=damping))).damping == pytest.approx(0.01)


@pytest.mark.parametrize("term", standard_terms(material("cofeb-tantalum", cubic_anisotropy=1e5)))
def test_what_a_term_says_of_itself_is_what_power_iterations_find(term: Term) -> None:
    """Never below the estimate (raised by a tenth), never far above: a factor of two for the DMI, whose bound adds x
    and y, and for demagnetisation, of which a film of this size holds nine tenths."""
    film = Film(Grid(32, 16, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", cubic_anisotropy=1e5))
    drive = Drive(field_x=0.3, field_z=-0.4, gate=StrainGate(), gate_voltage=-1.0, current_density=-3e11)
    said = term.stiffest_field(film)
    assert said is not None
    estimate = estimated_field(film, drive, term) / 1.1
    assert 0.98 * estimate <= said + term.driven_field(film, drive) <= 2.1 * estimate


@dataclass(frozen=True)
class Spring(QuadraticTerm):
    """Easy axis along y, as from outside the package."""

    tesla: float

    def add_field(self, out: Tensor, state: State) -> None:
        out[:, 1] += self.tesla * state.m[:, 1]


def test_a_stiff_term_of_ones_own_gets_advice() -> None:
    film = one_spin(0.1)
    advice = advise_step(film, terms=(Spring(200.0),))
    assert advice.stiffest_field == pytest.approx(220.0, rel=1e-6)
    with pytest.raises(InputError, match="is unstable"):
        simulate(film, duration=1e-12, every=1e-13, dt=1e-13, terms=(Spring(200.0),))
    system = System(film, terms=(Spring(200.0),))
    for dt, calm in ((advice.recommended, True), (1.5 * advice.stable, False)):
        stepper = Heun(system, uniform(film, (1e-3, 1, 0)), dt=dt)
        stepper.advance(0.0, 400 * dt)
        assert (float(stepper.m[0, 1]) > 1 - 1e-6) == calm


def test_nothing_that_precesses_asks_nothing_of_the_step() -> None:
    assert "is fine" in advise_step(one_spin(0.1), terms=(), dt=1e-12).verdict


# ---- without damping ------------------------------------------------------------------------------------------------


def test_energy_is_conserved_without_damping() -> None:
    """Of a film in disorder with every term that has an energy; the error follows the tolerance."""
    film = Film(Grid(8, 8, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=0.0))
    generator = torch.Generator().manual_seed(0)
    start = 0.3 * random_state(film, 1, generator) + uniform(film, (0.2, 0.3, 1.0))
    system = System(film, Drive(field_x=0.1))
    start = start / torch.linalg.vector_norm(start, dim=1, keepdim=True)
    before = float(system.energy(start))
    drifts = []
    for tolerance in (1e-6, 1e-9):
        stepper = DormandPrince(system, start, tolerance=tolerance)
        stepper.advance(0.0, 5e-12)
        assert float((stepper.m - start).abs().max()) > 0.3
        drifts.append(abs(float(system.energy(stepper.m)) / before - 1))
    assert drifts[0] < 1e-4
    assert drifts[1] < min(1e-7, 1e-2 * drifts[0])


def test_a_spin_without_damping_goes_round_for_ever() -> None:
    film = one_spin(0.0)
    turn = 2 * math.pi / (GYROMAGNETIC_RATIO * 0.5)
    result = simulate(film, Drive(field_z=0.5), duration=10 * turn, every=turn, terms=(Zeeman(),), tolerance=1e-9,
                      integrator="dormand-prince", dtype=torch.float64, initial=uniform(film, (1, 0, 0.5)))  # fmt: skip
    m = result["m"].values[:, 0]
    assert abs(m - m[0]).max() < 1e-6


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"integrator": "heun"},
            r"^damping = 0: explicit Heun has no stable step .*; take integrator = 'splitting' or 'dormand-prince'",
        ),
        ({"integrator": "heun", "dt": 1e-15}, r"^damping = 0: explicit Heun has no stable step without damping"),
        ({"temperature": 300.0}, r"^damping = 0: with a temperature above 0 there must be damping"),
    ],
)
def test_what_needs_damping_says_so(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        simulate(one_spin(0.0), duration=1e-12, initial=uniform(one_spin(0.0), (1, 0, 0)), **changes)
    assert len(str(caught.value).splitlines()) == 1
