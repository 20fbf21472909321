"""The energy of a wall along a track against closed forms, and the order of linear spin waves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.compact.wall_energy import thermal_order
from barkhausen.micromagnetics import (
    Film,
    Grid,
    Material,
    MeanMagnetisation,
    Notch,
    System,
    TrackOutline,
    material,
    minimize,
    simulate,
    track_film,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, THICKNESS = 64e-9, 1e-9
COBALT = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.5e-3)
PLAIN = CompactParameters(demag_factor=1.0, neel_cost=0.0, edge_cost=0.0, twist_factor=1.0)


def strip(constants: Material = COBALT) -> Film:
    """A track one cell wide: only its width counts."""
    return Film(Grid(128, 1, 4e-9, WIDTH, THICKNESS), constants)


@pytest.mark.parametrize("dmi", [0.5e-3, -0.5e-3])
def test_plain_wall_has_the_textbook_energy(dmi: float) -> None:
    film = strip(COBALT.model_copy(update={"dmi": dmi}))
    own = COBALT.anisotropy - 0.9 * 0.5 * VACUUM_PERMEABILITY * 1e12
    unit = VACUUM_PERMEABILITY * 1e12 * THICKNESS * math.log(2) / math.pi
    for change in (0.0, -4e4, 4e4):
        neel = (0.7 - 3 * math.sqrt(1.5e-11 / (own + change)) / WIDTH) * unit
        sigma = 4 * math.sqrt(1.5e-11 * (own + change)) + neel - math.pi * 0.5e-3
        parameters = CompactParameters(demag_factor=0.9, neel_cost=0.7, edge_cost=3.0)
        _, energy = CompactModel(film, parameters).landscape(change)
        assert energy[0, 0].numpy() == pytest.approx(sigma * WIDTH * THICKNESS, rel=1e-12, abs=0)


def test_order_softens_every_constant_by_its_power() -> None:
    m = 0.94
    own = m**3 * (COBALT.anisotropy + 3e4) - m**2 * 0.5 * VACUUM_PERMEABILITY * 1e12
    sigma = 4 * math.sqrt(m**2 * 1.5e-11 * own) - math.pi * m**2 * 0.5e-3
    _, energy = CompactModel(strip(), PLAIN.model_copy(update={"order": m})).landscape(3e4)
    assert energy[0, 0].numpy() == pytest.approx(sigma * WIDTH * THICKNESS, rel=1e-12, abs=0)


@pytest.mark.validation
@pytest.mark.parametrize("name", ["cofeb-tantalum", "cobalt-platinum"])
def test_order_of_linear_spin_waves_is_that_of_micromagnetics(name: str, report: Report) -> None:
    """The next order, of spin waves that meet, is about (1 − m)², 0.003; the tilt at the edges is in both states."""
    film = Film(Grid(32, 32, 4e-9, 4e-9, THICKNESS), material(name))
    cold = minimize(System(film), uniform(film, (0.0, 0.0, 1.0)))
    run = simulate(
        film, duration=0.3e-9, every=0.02e-9, replicas=2, temperature=300.0, seed=1, initial=cold,
        observe=(MeanMagnetisation(),),
    )  # fmt: skip
    found = float(run["m"].sel(component="z").isel(time=slice(5, None)).mean()) / float(cold[:, 2].mean())
    report(f"mean magnetisation of {name} at 300 K, spin waves", thermal_order(film, 300.0), found, 0.005)
    assert 1 - found > 0.03


def test_landscape_is_the_stated_integral() -> None:
    """Against a midpoint sum on a fiftieth of a cell: its error is (h/Delta)²/24 = 4e-6 of the part that varies."""
    notch = Notch(position=128e-9, depth=16e-9, half_length=32e-9)
    shape = track_film(TrackOutline(length=256e-9, width=WIDTH, notches=(notch,)), COBALT, cell=4e-9)
    ku = COBALT.anisotropy + 2e11 * shape.grid.x
    film = Film(shape.grid, COBALT, shape.fill, ku[None, :, None].expand(1, *shape.grid.shape))
    change = -3e4
    model = CompactModel(film, CompactParameters(neel_cost=0.5, edge_cost=0.0, pinning_factor=0.8))
    places, energy = model.landscape(change)
    delta = float(model.energy(change).wall_width[0, 0])
    demag = 0.5 * VACUUM_PERMEABILITY * 1e12
    assert delta == pytest.approx(math.sqrt(1.5e-11 / (float(ku.median()) + change - 0.95 * demag)), rel=1e-12)
    fine = (np.arange(film.grid.nx * 50) + 0.5) * film.grid.dx / 50
    assert film.fill is not None
    width = np.repeat(film.fill[0].sum(1).numpy() * film.grid.dy, 50)
    keff = np.repeat(ku.numpy() + change - 0.95 * demag, 50)
    neel = 0.5 * demag * THICKNESS * math.log(2) / (math.pi * delta)
    density = width * (2 * 1.5e-11 / delta + 2 * delta * (keff + neel) - math.pi * 0.5e-3)
    for q in (80e-9, 115e-9, 128e-9, 150e-9):
        # Far from the ends, beyond which the film goes on in the model and not in this sum: exp(−2 × 80/8) = 2e-9.
        profile = 1 / (2 * delta * np.cosh((fine - q) / delta) ** 2)
        by_hand = 0.8 * THICKNESS * float((density * profile).sum()) * film.grid.dx / 50
        assert float(energy[0, 0, round(q / 1e-9)]) == pytest.approx(by_hand, rel=1e-5, abs=0)
        assert float(places[round(q / 1e-9)]) == pytest.approx(q)


def test_change_of_anisotropy_that_lays_the_magnetisation_down_is_refused() -> None:
    with pytest.raises(InputError, match=r"change of Ku by -300000 J/m3 leaves no perpendicular anisotropy"):
        CompactModel(strip()).landscape(-3e5)


def test_wall_width_is_that_of_the_own_device() -> None:
    ku = COBALT.anisotropy + torch.tensor([0.0, 1e5, 0.0], dtype=torch.float64)[:, None, None].expand(3, 32, 1)
    film = Film(Grid(32, 1, 4e-9, WIDTH, THICKNESS), COBALT, anisotropy=ku)
    tables = CompactModel(film, PLAIN).energy(torch.tensor([0.0, 2e4]))
    keff = COBALT.effective_anisotropy + np.array([[0.0, 1e5, 0.0], [2e4, 1.2e5, 2e4]])
    assert tables.wall_width.numpy() == pytest.approx(np.sqrt(1.5e-11 / keff), rel=1e-6)
    sigma = 4 * np.sqrt(1.5e-11 * keff) - math.pi * 0.5e-3
    assert tables.energy[..., 64].numpy() == pytest.approx(sigma * WIDTH * THICKNESS, rel=1e-6, abs=0)
