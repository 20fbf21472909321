"""A window that follows a texture, against the whole track."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    Exchange,
    Film,
    FollowingWindow,
    Grid,
    InterfacialDMI,
    Material,
    PerpendicularAnisotropy,
    Simulation,
    SpinOrbitTorque,
    WallAngle,
    WallPosition,
    Waveform,
    Zeeman,
    compiled,
    domain_wall,
    simulate,
)

CELL = 2e-9
STUFF = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.3e-3,
                 spin_hall_angle=0.15)  # fmt: skip
LOCAL = (Exchange(), PerpendicularAnisotropy(), InterfacialDMI(), SpinOrbitTorque(), Zeeman())
"""Without the stray field the window and the whole track are the same but for the tails of the wall."""

CURRENTS = [6e11, 3e11, -6e11]
WINDOW = Film(Grid(48, 1, CELL, CELL, 1e-9), STUFF)
TRACK = Film(Grid(240, 1, CELL, CELL, 1e-9), STUFF)
LEFT = 96
"""Cells of the whole track to the left of the window at the start."""

KERNEL = pytest.mark.skipif(not compiled.available(), reason="the kernel is not built")


def barrier(x: Tensor, y: Tensor) -> Tensor:
    """Ku that rises along the window's track, with a step."""
    return 0.8e6 + 2e11 * (x - 48e-9) + torch.where(x > 60e-9, 1e4, 0.0) + 0 * y


def window_of(backend: str = "auto", **more: object) -> FollowingWindow:
    drive = Drive(current_density=CURRENTS)
    simulation = Simulation(
        WINDOW, drive, replicas=3, terms=LOCAL, dt=1e-13, initial=domain_wall(WINDOW), backend=backend,
        dtype=torch.float64 if backend == "torch" else torch.float32,
    )  # fmt: skip
    return FollowingWindow(simulation, **more)  # type: ignore[arg-type]  # of each test


@pytest.mark.parametrize(
    ("backend", "graded"),
    [("torch", True), pytest.param("compiled", False, marks=KERNEL), pytest.param("compiled", True, marks=KERNEL)],
)
def test_window_sees_what_the_whole_track_sees(backend: str, graded: bool) -> None:
    """Positions on the track to a hundredth of a nanometre; the tails of the wall reach the ends with exp(−48/4.3)."""
    film = TRACK
    if graded:
        map_ = barrier(TRACK.grid.x[:, None] - LEFT * CELL, TRACK.grid.y[None])
        film = Film(TRACK.grid, STUFF, anisotropy=map_)
    every = 0.2e-9 if backend == "compiled" else 0.03e-9
    whole = simulate(
        film, Drive(current_density=CURRENTS), duration=3 * every, every=every, replicas=3, terms=LOCAL, dt=1e-13,
        initial=domain_wall(TRACK, LEFT * CELL + 48e-9, width=domain_width()), observe=[WallPosition(), WallAngle()],
        backend=backend, dtype=torch.float32 if backend == "compiled" else torch.float64,
    )  # fmt: skip
    window = window_of(backend, anisotropy=barrier if graded else None)
    window.simulation.m = domain_wall(WINDOW, width=domain_width())
    found = window.advance(3 * every, observe=[WallAngle()], every=every)
    reference = whole.wall_position.values[1:] - LEFT * CELL
    np.testing.assert_allclose(found.track_position.values, reference, atol=1e-11)
    np.testing.assert_allclose(found.wall_angle.values, whole.wall_angle.values[1:], atol=2e-3)
    assert np.abs(reference[-1] - reference[0]).max() > (20e-9 if backend == "compiled" else 1e-9)
    assert window.offset.tolist()[0] > 0 > window.offset.tolist()[2]
    assert (window.position / CELL - window.offset - 24).abs().max() <= 1.5
    assert found.time.values == pytest.approx([every, 2 * every, 3 * every])


def domain_width() -> float:
    return (STUFF.exchange_stiffness / STUFF.anisotropy) ** 0.5


def test_it_goes_on_from_a_state_to_the_last_bit() -> None:
    straight = window_of(anisotropy=barrier)
    first = window_of(anisotropy=barrier)
    first.advance(0.2e-9)
    second = window_of(anisotropy=barrier)
    second.load_state_dict(first.state_dict())
    ahead, on = straight.advance(0.4e-9, every=0.1e-9), second.advance(0.2e-9, every=0.1e-9)
    np.testing.assert_array_equal(ahead.track_position.values[2:], on.track_position.values)
    assert torch.equal(straight.simulation.m, second.simulation.m)
    assert torch.equal(straight.offset, second.offset)
    with pytest.raises(InputError, match="holds no offsets of 3 windows"):
        second.load_state_dict(first.simulation.state_dict())


def test_a_wall_at_rest_is_left_alone_and_its_noise_too() -> None:
    """Not a bit differs from the simulation itself while the window stands still."""
    parts = [
        Simulation(WINDOW, replicas=3, terms=LOCAL, dt=1e-13, initial=domain_wall(WINDOW), temperature=20.0, seed=4)
        for _ in range(2)
    ]
    window = FollowingWindow(parts[0], interval=2e-12)
    window.advance(2e-11)
    parts[1].advance(2e-11)
    assert torch.equal(window.offset, torch.zeros(3, dtype=torch.int64))
    assert torch.equal(parts[0].m, parts[1].m)


def test_a_pulse_of_one_piece_counts_from_its_start() -> None:
    """Cut into looks, the pulse is still the one pulse."""
    pulse = Drive(current_density=Waveform.pulse(6e11, width=2e-11, start=1e-11))
    found = []
    for interval in (4e-11, 1e-11):
        simulation = Simulation(WINDOW, replicas=1, terms=LOCAL, dt=1e-13, initial=domain_wall(WINDOW))
        window = FollowingWindow(simulation, interval=interval)
        window.advance(4e-11)
        found.append(window.advance(4e-11, pulse).track_position.values)
    assert abs(found[0][0, 0] - 48e-9) > 0.05e-9
    np.testing.assert_allclose(found[0], found[1], atol=1e-13)


def test_a_skyrmion_is_followed() -> None:
    """Set aside by hand, in two replicas to different sides: the window moves by whole cells, and the place stays."""
    film = Film(Grid(40, 24, CELL, CELL, 1e-9), STUFF)
    x, y = torch.meshgrid(film.grid.x, film.grid.y, indexing="ij")

    def texture(q: float) -> Tensor:
        r = torch.hypot(x - q, y - 24e-9)
        theta = 2 * torch.atan2(torch.tensor(11.0, dtype=torch.float64), torch.sinh(r / 4e-9))
        return torch.stack((theta.sin() * (x - q) / r, theta.sin() * (y - 24e-9) / r, theta.cos()))

    places = torch.tensor([30.3e-9, 51.6e-9, 40.5e-9], dtype=torch.float64)
    simulation = Simulation(film, replicas=3, dtype=torch.float64, backend="torch",
                            initial=torch.stack([texture(float(q)) for q in places]))  # fmt: skip
    window = FollowingWindow(simulation, "skyrmion")
    assert torch.allclose(window.position, places, atol=0.02 * CELL)
    window.follow()
    assert window.offset.tolist() == [-5, 6, 0]
    assert torch.allclose(window.position, places, atol=0.02 * CELL)
    inside = window.position - window.offset * CELL
    assert float((inside - 40e-9).abs().max()) <= 1.01 * CELL
    # What comes in continues the outermost column.
    m = simulation.m
    assert torch.equal(m[0, :, :5], m[0, :, 5:6].expand(-1, 5, -1))
    assert torch.equal(m[1, :, -6:], m[1, :, -7:-6].expand(-1, 6, -1))


def test_what_a_window_cannot_follow_is_refused() -> None:
    simulation = window_of().simulation
    with pytest.raises(InputError, match="what = 'vortex': must be 'wall' or 'skyrmion'"):
        FollowingWindow(simulation, "vortex")
    with pytest.raises(InputError, match="component = 'mz'"):
        FollowingWindow(simulation, component="mz")
    with pytest.raises(InputError, match="interval = 0"):
        FollowingWindow(simulation, interval=0.0)
    graded = Film(WINDOW.grid, STUFF, anisotropy=barrier(WINDOW.grid.x[:, None], WINDOW.grid.y[None]))
    with pytest.raises(InputError, match=r"film\.anisotropy: must be the same all along x .* function of the position"):
        FollowingWindow(Simulation(graded, initial=domain_wall(graded)))
    ring = Film(Grid(48, 1, CELL, CELL, 1e-9, (True, False)), STUFF)
    with pytest.raises(InputError, match="cannot be periodic along x"):
        FollowingWindow(Simulation(ring, terms=LOCAL, initial=domain_wall(WINDOW), backend="torch"))
