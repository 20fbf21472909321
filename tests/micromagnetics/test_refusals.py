"""What one part does not know of another, or cannot mean, is refused in one line where it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.mumax3.script import mumax3_script

pytestmark = pytest.mark.usefixtures("one_thread")

COFEB = mm.material("cofeb-tantalum")
PERMALLOY = mm.material("permalloy")
GRID = mm.Grid(16, 8, 4e-9, 4e-9, 1e-9)
FILM = mm.Film(GRID, COFEB)
RING = mm.Grid(16, 8, 4e-9, 4e-9, 1e-9, periodic=(True, True))
UP = mm.uniform(FILM, (0.0, 0.1, 1.0))
SHAPE = (16, 8)


def stack() -> mm.Stack:
    return mm.Stack([FILM, FILM], [1e-9], [mm.InterlayerExchange(0, 1, -1e-3)])


def simulation() -> mm.Simulation:
    return mm.Simulation(FILM, dt=5e-14)


def compiled(film: mm.Film) -> Callable[[], Any]:
    return lambda: mm.simulate(film, duration=1e-13, every=1e-13, backend="compiled")


ANYTHING: Any = object()

WHAT_IS_REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one value for periodic": (lambda: mm.Grid(4, 4, 4e-9, 4e-9, 1e-9, periodic=True), r"grid\.periodic = True: must"),  # type: ignore[arg-type]
    "direction of words": (lambda: mm.Drive(1e11, current_direction="x"), r"drive\.current_direction = x: must be"),  # type: ignore[arg-type]
    "direction of one number": (lambda: mm.Drive(1e11, current_direction=1.0), r"drive\.current_direction = 1\.0"),  # type: ignore[arg-type]
    "pulse in ns": (
        lambda: mm.Drive(mm.Waveform.pulse(1e11, width=1.0, rise=0.1, fall=0.1)),
        r"drive\.current_density: shortest time between two knots = 0\.1 s is no pulse duration; 0\.1e-9 \(0\.1 ns\)",
    ),
    "map of words": (lambda: mm.ParameterMaps(dmi="high"), r"film\.maps\.dmi: str is no map of numbers"),  # type: ignore[arg-type]
    "complex map": (
        lambda: mm.ParameterMaps(dmi=torch.zeros(SHAPE, dtype=torch.complex64)),
        r"film\.maps\.dmi: torch\.complex64 is no map of real numbers",
    ),
    "hole elsewhere": (
        lambda: mm.Polygon([[0, 0], [8e-8, 0], [4e-8, 6e-8]], holes=[[[9e-8, 0], [1e-7, 0], [9e-8, 1e-8]]]),  # type: ignore[arg-type]
        r"polygon\.holes: a hole reaches beyond the outline",
    ),
    "cell beyond the shape": (
        lambda: mm.shape_film(mm.disc(60e-9), COFEB, cell=1e-6), r"cell = 1e-06 m: is more than twice the shape of",
    ),
    "no film": (lambda: mm.simulate("film", duration=1e-12), r"film: str is not a Film"),  # type: ignore[arg-type]
    "no drive": (lambda: mm.simulate(FILM, 0.1, duration=1e-12), r"drive: 0\.1 is not a Drive"),  # type: ignore[arg-type]
    "no drive of a piece": (lambda: simulation().advance(1e-13, ANYTHING), r"drive: <object .*> is not a Drive"),
    "time in words": (lambda: simulation().advance("1 ns"), r"duration = '1 ns': must be a positive time in s"),  # type: ignore[arg-type]
    "no time": (lambda: simulation().advance(0.0), r"duration = 0\.0: must be a positive time in s"),
    "no replicas": (lambda: mm.Simulation(FILM, replicas=0), r"replicas = 0: must be a whole number, 1 or more"),
    "state in words": (
        lambda: mm.simulate(FILM, duration=1e-13, initial="up"),  # type: ignore[arg-type]
        r"initial magnetisation: str is no array of the shape \(replica, 3, nx, ny\)",
    ),
    "radii for other replicas": (
        lambda: mm.skyrmion(FILM, [[30e-9, 16e-9], [40e-9, 16e-9]], radius=[4e-9, 5e-9, 6e-9]),
        r"position for 2, radius for 3, width for 1 replicas: must be one for all or one for each",
    ),
    "temperature in words": (
        lambda: mm.Simulation(FILM, temperature="300"),  # type: ignore[arg-type]
        r"temperature = '300': must be zero or positive, in K",
    ),
    "one term": (
        lambda: mm.simulate(FILM, duration=1e-13, terms=mm.Exchange()),  # type: ignore[arg-type]
        r"terms: Exchange\(\) is one term; must be a sequence of terms, \(Exchange\(\),\)",
    ),
    "snapshots as a directory": (
        lambda: mm.simulate(FILM, duration=1e-13, every=1e-13, snapshots="out"),  # type: ignore[arg-type]
        r"snapshots: 'out' is not Snapshots; Snapshots\('out'\) saves there",
    ),
    "odd number of cells on a ring": (
        lambda: mm.Simulation(mm.Film(mm.Grid(15, 8, 4e-9, 4e-9, 1e-9, periodic=(True, False)), COFEB),
                              temperature=300.0, integrator="splitting"),
        r"integrator = 'splitting': the splitting needs an even number of cells along a periodic axis, not 15 along x",
    ),
    "magnetisation as the start of a mumax3 script": (
        lambda: mumax3_script(FILM, duration=1e-12, initial=UP),
        r"^initial: must be a place, three numbers, or the path of an OVF file; write_ovf saves a magnetisation$",
    ),
    "adaptive steps at a temperature": (
        lambda: mm.simulate(FILM, duration=1e-12, temperature=300.0, integrator="dormand-prince"),
        r"integrator = 'dormand-prince': is for temperature = 0; thermal noise needs 'splitting' or 'heun'$",
    ),
    "state of another grid": (
        lambda: mm.minimize(mm.System(FILM), torch.ones(1, 3, 8, 16)),
        r"magnetisation: shape \(1, 3, 8, 16\) is not \(1 or 1, 3, 16, 8\)",
    ),
    "states of other replicas": (
        lambda: mm.relax(mm.System(FILM, replicas=2), UP.expand(3, -1, -1, -1)),
        r"magnetisation: shape \(3, 3, 16, 8\) is not \(2 or 1, 3, 16, 8\)",
    ),
    "layer that is not there": (
        lambda: mm.NeelVector((0, 5)).of(stack(), stack().join([UP, -UP])),
        r"pair = \(0, 5\): there is no layer 5, they are 0 to 1",
    ),
    "layer with itself": (
        lambda: mm.LayerJunction(1e-12, 1.0, pair=(1, 1)).of(stack(), stack().join([UP, -UP])),
        r"pair = \(1, 1\): must be two different layers",
    ),
    "stack as a mumax3 script": (
        lambda: mumax3_script(stack(), duration=1e-12), r"the mumax3 script: takes single films, not a stack of 2",
    ),
    "loop of a stack": (lambda: mm.hysteresis(stack(), [0.1, -0.1]), r"hysteresis: takes single films, not a stack"),
    "window on a stack": (lambda: mm.FollowingWindow(mm.Simulation(stack())), r"window: takes single films, not a s"),
    "window on a gradient": (
        lambda: mm.FollowingWindow(mm.Simulation(mm.Film(
            GRID, COFEB, maps=mm.ParameterMaps(dmi=torch.linspace(0, 1e-4, 16)[:, None].expand(SHAPE))))),
        r"film\.maps\.dmi: must be the same all along x in a window that moves",
    ),
    "splitting of a stack": (
        lambda: mm.simulate(stack(), duration=1e-13, temperature=300.0, integrator="splitting"),
        r"integrator = 'splitting': the splitting takes single films, not stacks",
    ),
    "stray field of a periodic stack": (
        lambda: mm.simulate(mm.Stack([mm.Film(RING, COFEB)] * 2, [1e-9]), duration=1e-13, every=1e-13),
        r"grid\.periodic: the stray field of a periodic stack is not known here; use Stack\(\.\.\., demag=False\)",
    ),
    "shape in words": (lambda: mm.disc("100 nm"), r"diameter = '100 nm': must be a number"),  # type: ignore[arg-type]
    "material as a film": (lambda: mm.skyrmion_radius(COFEB), r"film: Material is not a Film"),  # type: ignore[arg-type]
    "torque of nothing": (lambda: mm.relax(mm.System(FILM), UP, torque=0.0), r"torque = 0: must be positive, in T"),
    "state of NaN": (lambda: mm.minimize(mm.System(FILM), UP * float("nan")), r"magnetisation: not all values are fin"),
    "negative duration": (lambda: simulation().advance(-1), r"duration = -1: must be a positive time in s"),
    "state of another material": (
        lambda: simulation().load_state_dict(mm.Simulation(mm.Film(GRID, PERMALLOY), dt=5e-14).state_dict()),
        r"state: is of a simulation with another seed",
    ),
    "vortex that does not turn": (lambda: mm.vortex(FILM, circulation=0), r"circulation = 0: must be 1"),
    "frozen by NaN": (lambda: mm.ParameterMaps(frozen=torch.full(SHAPE, torch.nan)), r"film\.maps\.frozen: must be"),
    "radius of a metre": (lambda: mm.skyrmion(FILM, radius=1.0), r"radius = 1 m: must be at most 0\.001 m"),
    "data set for one variable": (lambda: mm.spectrum(simulation().observe([mm.Energy()])), r"values: Dataset is"),  # type: ignore[arg-type]
    "dense patches": (
        lambda: mm.edge_patches(GRID, width=3e-8, pitch=1e-9, length=8e-9, depth=6e-9), r"pitch = 1e-09: must not be",
    ),
    "no list of terms": (lambda: mm.Simulation(FILM, terms=5), r"terms: int is no list of terms"),  # type: ignore[arg-type]
    "no observable": (lambda: simulation().read("m"), r"observe: m is not an Observable|observe: 'm' is not"),  # type: ignore[arg-type]
    "periodic film in the kernel": (compiled(mm.Film(RING, COFEB)), r"backend = 'compiled': the compiled kernel"),
    "stack in the kernel": (compiled(stack()), r"backend = 'compiled': the compiled kernel"),
}  # fmt: skip


SYSTEM = mm.System(FILM)
WRONG: Any = "high"

WHAT_HAS_THE_WRONG_TYPE: dict[str, tuple[Callable[[], Any], str]] = {
    "film for a stack": (lambda: mm.Stack(FILM), r"stack\.layers: Film is no list"),  # type: ignore[arg-type]
    "one gap": (lambda: mm.Stack([FILM, FILM], 1e-9), r"stack\.spacers: float is no list"),  # type: ignore[arg-type]
    "gap of words": (lambda: mm.Stack([FILM, FILM], [WRONG]), r"stack\.spacers = list: must be"),
    "one coupling": (
        lambda: mm.Stack([FILM, FILM], couplings=mm.InterlayerExchange(0, 1, -1e-3)),  # type: ignore[arg-type]
        r"stack\.couplings: InterlayerExchange is no list",
    ),
    "demag of words": (lambda: mm.Stack([FILM, FILM], demag=WRONG), r"stack\.demag = 'high': must be True or False"),
    "layer of a number": (lambda: mm.Stack([3, FILM]), r"layer\.film = int: must be a Film"),  # type: ignore[list-item]
    "share of words": (lambda: mm.Layer(FILM, current=WRONG), r"Layer\.current = 'high': must be a number"),
    "name of a number": (lambda: mm.Layer(FILM, 3), r"Layer\.name: int is not a str"),  # type: ignore[arg-type]
    "exchange of words": (
        lambda: mm.SublatticeExchange(WRONG, 3e-10), r"SublatticeExchange\.homogeneous = 'high': must be a number",
    ),
    "no pair": (
        lambda: mm.SublatticeExchange(-1e-11, 3e-10, pair=1),  # type: ignore[arg-type]
        r"SublatticeExchange\.pair = 1: must be the numbers of two layers",
    ),
    "layer by name": (lambda: mm.InterlayerExchange("A", 1), r"InterlayerExchange\.lower = 'A': must"),  # type: ignore[arg-type]
    "film for a system": (lambda: mm.Heun(FILM, UP, dt=1e-13), "system: Film is not a System"),  # type: ignore[arg-type]
    "no step": (lambda: mm.Heun(SYSTEM, UP, dt=0), r"dt = 0: must be a positive time in s"),
    "step of words": (lambda: mm.Splitting(SYSTEM, UP, dt=WRONG), r"dt = 'high': must be a number"),
    "no first step": (lambda: mm.DormandPrince(SYSTEM, UP, step=0.0), r"step = 0\.0: must be a positive time in s"),
    "state of words": (lambda: mm.DormandPrince(SYSTEM, WRONG), r"magnetisation = high: must be"),
    "negative temperature": (
        lambda: mm.Splitting(SYSTEM, UP, dt=1e-13, temperature=-3.0), r"temperature = -3\.0: must be zero or positive",
    ),
    "temperatures of others": (
        lambda: mm.Heun(SYSTEM, UP, dt=1e-13, temperature=torch.ones(2)),
        r"temperature: shape \(2,\) is not one for each of 1 replicas",
    ),
    "replicas of others": (
        lambda: mm.Heun(SYSTEM, UP, dt=1e-13, replicas=torch.arange(2)), r"replicas: shape \(2,\) is not a tensor of 1",
    ),
    "half a step": (lambda: mm.Heun(SYSTEM, UP, dt=1e-13).advance(0.0, 5e-14), "from 0 s to 5e-14 s is not a whole"),
    "time of words": (lambda: mm.DormandPrince(SYSTEM, UP).advance(WRONG, 1.0), "from 'high' s to 1\\.0 s: must"),
    "back in time": (lambda: mm.Splitting(SYSTEM, UP, dt=1e-13).advance(1e-13, 0.0), "from 1e-13 s to 0\\.0 s: must"),
    "state of nothing": (lambda: mm.Heun(SYSTEM, UP, dt=1e-13).load_state_dict({}), "state: has no tensor 'm'"),
    "state of another grid": (
        lambda: mm.DormandPrince(SYSTEM, UP).load_state_dict({"m": torch.zeros(2)}),
        r"state: m has the shape \(2,\), expected \(1, 3, 16, 8\)",
    ),
}  # fmt: skip


IN_OTHER_UNITS = [
    ({"dmi": 0.24}, "0.24 J/m2 is no DMI constant; 0.24e-3 (0.24 mJ/m2)?"),
    ({"saturation_magnetisation": 1000}, "1000 A/m is no saturation magnetisation; 1e+06 (1000 emu/cm3)?"),
    ({"exchange_stiffness": 15}, "15 J/m is no exchange stiffness; 15e-12 (15 pJ/m)?"),
    ({"anisotropy": 0.8}, "0.8 J/m3 is no anisotropy; 800000 (0.8 MJ/m3)?"),
]


@pytest.mark.parametrize(("change", "message"), IN_OTHER_UNITS)
def test_constants_in_other_units_are_told(change: dict[str, float], message: str) -> None:
    for make in (lambda: mm.material("cofeb-tantalum", **change), lambda: mm.Material(
        **({"saturation_magnetisation": 1e6, "exchange_stiffness": 1e-11, "damping": 0.1} | change))):  # fmt: skip
        with pytest.raises(InputError) as caught:
            make()
        assert str(caught.value) == f"Material: {next(iter(change))} = {message}"


def test_a_gate_of_300_volts_is_told() -> None:
    gate = mm.VoltageControlledAnisotropy(coefficient=80e-15, oxide_thickness=1e-9, film_thickness=1e-9)
    for voltage in (300.0, -300.0):
        with pytest.raises(InputError, match=rf"^drive\.gate_voltage = {voltage:g} V is no gate voltage"):
            mm.Drive(gate_voltage=voltage, gate=gate)


REFUSED = WHAT_IS_REFUSED | WHAT_HAS_THE_WRONG_TYPE


@pytest.mark.parametrize(("attempt", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_in_one_line(attempt: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        attempt()
    assert len(str(caught.value).splitlines()) == 1


def test_a_state_may_be_any_array_of_numbers() -> None:
    start = np.zeros((3, *SHAPE), dtype=np.float32)
    start[2] = 2.0
    result = mm.simulate(FILM, duration=1e-13, every=1e-13, initial=start)  # type: ignore[arg-type]
    torch.testing.assert_close(torch.from_numpy(result.m.values[0, 0]).double(), torch.tensor([0.0, 0.0, 1.0]).double())


def test_a_hole_may_touch_the_outline_however_the_shape_is_turned() -> None:
    square = mm.Polygon([[0, 0], [8e-8, 0], [8e-8, 8e-8], [0, 8e-8]], holes=[[[0, 2e-8], [2e-8, 2e-8], [2e-8, 4e-8]]])  # type: ignore[arg-type]
    assert square.rotated(0.7).area == pytest.approx(64e-16 - 2e-16)


def test_wrong_arguments_are_told_with_the_name_of_the_function() -> None:
    for call, line in (
        (mm.skyrmion, "skyrmion() missing 1 required positional argument: 'film'"),  # type: ignore[call-arg]
        (lambda: mm.skyrmion(FILM, raduis=1e-8), "skyrmion() got an unexpected keyword argument 'raduis'"),  # type: ignore[call-arg]
        (lambda: mm.grain_structure(GRID, 20e-9), "grain_structure() takes 1 positional argument but 2 were given"),  # type: ignore[misc]
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert line in str(caught.value)
