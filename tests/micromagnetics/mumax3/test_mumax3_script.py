"""The exported scripts, interpreted here as mumax3 3.11.1 would and compared with film, drive and terms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.mumax3.script import mumax3_script

NS = 1e-9
COFEB = mm.material("cofeb-tantalum")
BOTH = mm.material("cofeb-tantalum", spin_polarisation=0.4, non_adiabaticity=0.1, field_like_ratio=0.3)
OUTLINE = mm.TrackOutline(
    length=128e-9, width=48e-9, roughness=mm.EdgeRoughness(rms=1e-9),
    notches=(mm.Notch(position=64e-9, depth=6e-9, half_length=10e-9),),
)  # fmt: skip

DECLARED = {
    "script/stdlib.go": ["true", "cosh", "tanh", "min", "max", "heaviside"],
    "engine/mesh.go": ["SetGridSize", "SetCellSize"],
    "engine/geom.go": ["SetGeom", "EdgeSmooth"],
    "engine/shape.go": ["Universe", "XRange", "YRange", "Add", "Intersect", "Sub", "Inverse"],
    "engine/regions.go": ["DefRegion"],
    "engine/parameter.go": ["SetRegion"],
    "engine/demag.go": ["Msat"],
    "engine/exchange.go": ["Aex", "Dind", "OpenBC"],
    "engine/anisotropy.go": ["Ku1", "anisU"],
    "engine/torque.go": [
        "GammaLL", "alpha", "xi", "Pol", "Lambda", "EpsilonPrime", "FixedLayer", "J", "DisableZhangLiTorque",
        "DisableSlonczewskiTorque",
    ],
    "engine/zeeman.go": ["B_ext"],
    "engine/temperature.go": ["Temp", "ThermSeed"],
    "engine/util.go": ["vector"],
    "engine/config.go": ["Uniform"],
    "engine/magnetization.go": ["m", "SetInShape", "LoadFile", "Comp"],
    "engine/outputquantities.go": ["Average"],
    "engine/run.go": ["t", "SetSolver", "FixDt", "Run"],
    "engine/table.go": ["TableAddVar", "TableAutoSave", "TableSave"],
    "engine/autosave.go": ["AutoSave"],
    "engine/save.go": ["SaveAs"],
}  # fmt: skip
"""Which file of mumax3 declares each word that a script may use."""

Predicate = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass
class Shape:
    inside: Predicate

    def add(self, other: Shape) -> Shape:
        return Shape(lambda x, y: self.inside(x, y) | other.inside(x, y))

    def intersect(self, other: Shape) -> Shape:
        return Shape(lambda x, y: self.inside(x, y) & other.inside(x, y))

    def sub(self, other: Shape) -> Shape:
        return Shape(lambda x, y: self.inside(x, y) & ~other.inside(x, y))

    def inverse(self) -> Shape:
        return Shape(lambda x, y: ~self.inside(x, y))


@dataclass
class Mumax3:
    """Just enough of mumax3 to say what a script sets."""

    text: str
    names: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    regional_ku: dict[int, str] = field(default_factory=dict)
    column: str = ""

    def __post_init__(self) -> None:
        record = lambda key: lambda *values: self.names.update({key: values})  # noqa: E731
        self.names = {
            "universe": lambda: Shape(lambda x, y: np.ones_like(x, dtype=bool)),
            "xrange": lambda a, b: Shape(lambda x, y: (x >= a) & (x < b)),
            "yrange": lambda a, b: Shape(lambda x, y: (y >= a) & (y < b)),
            "heaviside": lambda x: float(np.heaviside(x, 0.5)),
            "vector": lambda *v: v, "uniform": lambda *v: v, "min": min, "max": max, "cosh": math.cosh,
            "tanh": math.tanh, "true": True, "setgeom": self._set_geometry, "defregion": self._define_region,
            "setgridsize": lambda x, y, z: self.names.update(grid=(x, y), geometry=None), "m": self,
            "setcellsize": lambda *c: self.names.update(cell=c),
            **{name: record(f"{name}()") for name in ("run", "setsolver", "thermseed", "tableautosave", "autosave")},
            **{name: record(f"{name}()") for name in ("saveas", "tablesave")},
        }  # fmt: skip
        lines = iter(self.text.splitlines())
        for line in lines:
            code = _lower(line.split("//")[0].rstrip())
            if loop := re.fullmatch(r"for i := 0; i < (\d+); i\+\+ \{", code):
                body = [_lower(inner.strip()) for inner in iter(lambda: next(lines), "}")]
                for self.names["i"] in range(int(loop[1])):
                    for inner in body:
                        self._execute(inner)
            elif code:
                self._execute(code)

    def _execute(self, code: str) -> None:
        if assignment := re.fullmatch(r"(\w+) (:?)= (.*)", code):
            name, new, value = assignment.groups()
            if new or name in self.names:
                self.names[name] = self._value(value)
            else:
                self.parameters[name] = value
        elif region := re.fullmatch(r"ku1\.setregion\((\d+), (.*)\)", code):
            self.regional_ku[int(region[1])] = region[2]
        elif column := re.fullmatch(r'tableaddvar\((.*), "wall_position", "m"\)', code):
            self.column = column[1]
        else:
            self._value(code)

    def _value(self, code: str, **names: Any) -> Any:
        fixdt = {"fixdt": float(self.parameters["fixdt"])} if "fixdt" in self.parameters else {}
        return eval(code, {"__builtins__": {}}, self.names | fixdt | names)

    def at(self, name: str, times: torch.Tensor) -> torch.Tensor:
        """A parameter at these times."""
        values = [self._value(self.parameters[name], t=t) for t in times.tolist()]
        return torch.tensor(values, dtype=torch.float64)

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = (
            c * (np.arange(n) - 0.5 * (n - 1)) for n, c in zip(self.names["grid"], self.names["cell"], strict=False)
        )
        return np.meshgrid(x, y, indexing="ij")

    def _set_geometry(self, shape: Shape) -> None:
        """engine/geom.go: full or empty if centre and corners are, or else counted at EdgeSmooth² places."""
        (x, y), (cx, cy, _), n = self.centres(), self.names["cell"], int(self.parameters["edgesmooth"])
        known = np.stack([shape.inside(x, y)] + [
            shape.inside(x + a * cx / 2, y + b * cy / 2) for a in (-1, 1) for b in (-1, 1)
        ])  # fmt: skip
        offsets = (np.arange(n) + 0.5) / n - 0.5
        counted = sum(shape.inside(x + a * cx, y + b * cy).astype(float) for a in offsets for b in offsets) / n**2
        self.names["geometry"] = np.where(known.all(0), 1.0, np.where(known.any(0), counted, 0.0))

    def _define_region(self, label: int, shape: Shape) -> None:
        regions = self.names.setdefault("regions", np.zeros(self.names["grid"], dtype=int))
        regions[shape.inside(*self.centres())] = label

    def setinshape(self, shape: Shape, direction: tuple[float, float, float]) -> None:
        m = self.names.setdefault("state", np.zeros((3, *self.names["grid"])))
        m[:, shape.inside(*self.centres())] = np.array(direction)[:, None]

    def loadfile(self, path: str) -> None:
        self.names["loaded"] = path

    @property
    def fill(self) -> torch.Tensor:
        geometry = self.names["geometry"]
        return torch.ones(self.names["grid"], dtype=torch.float64) if geometry is None else torch.tensor(geometry)

    def anisotropy(self, times: torch.Tensor) -> torch.Tensor:
        """Ku1 of each cell at these times, ``[time, nx, ny]``."""
        regions = self.names.get("regions", np.zeros(self.names["grid"], dtype=int))
        table = [self.regional_ku.get(k, self.parameters["ku1"]) for k in range(regions.max() + 1)]
        values = [[self._value(text, t=t) for text in table] for t in times.tolist()]
        return torch.tensor(values, dtype=torch.float64)[:, torch.tensor(regions)]

    def wall_position(self, mean_mz: float) -> float:
        return float(eval(self.column, {}, {"m": _Mean(mean_mz)}))


@dataclass
class _Mean:
    mz: float

    def comp(self, component: int) -> _Mean:
        assert component == 2
        return self

    def average(self) -> float:
        return self.mz


def _lower(code: str) -> str:
    """mumax3's names have no case; texts have."""
    return "".join(part if part.startswith('"') else part.lower() for part in re.split(r'("[^"]*")', code))


def rough(cell: float, devices: int = 2, seed: int = 3, material: mm.Material = COFEB) -> mm.Film:
    return mm.track_film(OUTLINE, material, cell=cell, devices=devices, seed=seed)


def words(text: str) -> set[str]:
    code = "\n".join(line.split("//")[0] for line in text.splitlines())
    code = re.sub(r"\b\d[\d.]*(e[+-]?\d+)?", "", re.sub(r'"[^"]*"', "", code))
    return set(re.findall(r"[A-Za-z_]\w*", code))


def test_every_word_of_a_script_is_one_of_mumax3() -> None:
    film = mm.track_film(OUTLINE, BOTH, anisotropy=mm.grains(OUTLINE.grid(1e-9, 4e-9), 8e5, size=20e-9, spread=0.1))
    everything = mm.Drive(
        mm.Waveform.pulse(1e10, width=0.1 * NS, start=0.1 * NS, fall=0.1 * NS), 1e11, 0.01, gate_voltage=0.1,
        gate=mm.StrainGate(),
    )  # fmt: skip
    more: dict[str, Any] = {"temperature": 300.0, "snapshots_every": 0.1 * NS}
    used = words(mumax3_script(film, everything, duration=NS, **more))
    for drive in (mm.Drive(1e10), mm.Drive(magnet_current_density=1e11)):
        used |= words(mumax3_script(film, drive, duration=NS, initial="start.ovf"))
    own = {"for", "i", "u", "column", "track", "missing"}
    assert used - own == {word for file in DECLARED.values() for word in file}
    assert not {word.lower() for word in own} & {word.lower() for file in DECLARED.values() for word in file}


@pytest.mark.parametrize("cell", [4e-9, 2e-9])
def test_cells_are_filled_as_the_film_says_to_the_places_that_are_counted(cell: float) -> None:
    film = rough(cell)
    for device in (0, 1):
        script = Mumax3(mumax3_script(film, duration=NS, replica=device))
        assert film.fill is not None
        assert float((script.fill - film.fill[device]).abs().max()) <= 1 / 128 + 1e-9


@pytest.mark.parametrize("smooth", [2, 6, 8])
def test_any_filled_fractions_are_met_to_half_a_place(smooth: int) -> None:
    noise = torch.Generator().manual_seed(smooth)
    fill = torch.rand(13, 9, dtype=torch.float64, generator=noise)
    fill[torch.rand(13, 9, generator=noise) < 0.2] = 0.0
    fill[torch.rand(13, 9, generator=noise) < 0.2] = 1.0
    film = mm.Film(mm.Grid(13, 9, 500e-9 / 128, 3.3e-9, 1e-9), COFEB, fill)
    script = Mumax3(mumax3_script(film, duration=NS, edge_smooth=smooth))
    torch.testing.assert_close(script.fill, (fill * smooth**2).round() / smooth**2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", [4e-9, 2e-9])
def test_the_outline_in_metres_fills_cells_of_any_size_as_the_film_does(cell: float) -> None:
    text = mumax3_script(rough(4e-9), duration=NS, replica=1, outline=OUTLINE, devices_seed=3)
    film = rough(cell)
    grid = film.grid
    text = re.sub(r"SetGridSize.*", f"SetGridSize({grid.nx}, {grid.ny}, 1)", text)
    script = Mumax3(re.sub(r"SetCellSize.*", f"SetCellSize({grid.dx}, {grid.dy}, {grid.dz})", text))
    assert film.fill is not None
    fill = film.fill[1]
    # Each edge through a cell is found to half of eight places; cells below 5 % are emptied here and not there.
    assert float((script.fill - fill).abs().max()) <= 1 / 16 + 0.01
    assert float((script.fill - fill).mean().abs()) < 1e-3


DRIVES = {
    "a pulse for each replica": mm.Drive(
        mm.Waveform.pulse([6e10, -7e10], width=0.2 * NS, rise=0.05 * NS, fall=[0.07 * NS, 0.1 * NS], start=0.03 * NS),
        gate_voltage=[0.3, -0.4], gate=mm.StrainGate(),
    ),
    "steps and trains": mm.Drive(
        mm.Waveform.pulse(5e10, width=0.2 * NS) + mm.Waveform.pulse(-2e10, width=0.3 * NS, start=0.15 * NS),
        3e11, mm.Waveform.pulse(0.1, width=0.5 * NS, start=0.123 * NS), [0.01, -0.02], -0.05,
        mm.Waveform([-0.1 * NS, 0.3 * NS, 0.3 * NS, 2 * NS], [-1.0, 1.0, -0.5, 0.7]), mm.StrainGate(),
    ),
    "sampled": mm.Drive(
        mm.Waveform(np.linspace(0, NS, 60), 4e10 * np.sin(np.linspace(0, 20, 60))),
        gate_voltage=mm.Waveform(np.linspace(-0.2 * NS, 1.2 * NS, 30), np.cos(np.linspace(0, 5, 30))),
        gate=mm.VoltageControlledAnisotropy(coefficient=80e-15, oxide_thickness=1e-9, film_thickness=1e-9),
    ),
}  # fmt: skip


@pytest.mark.parametrize("drive", DRIVES.values(), ids=DRIVES.keys())
@pytest.mark.parametrize("replica", [0, 1])
def test_currents_fields_and_anisotropy_at_any_time_are_those_of_the_drive(drive: mm.Drive, replica: int) -> None:
    film = mm.Film(mm.Grid(8, 4, 4e-9, 4e-9, 1e-9), BOTH)
    script = Mumax3(mumax3_script(film, drive, duration=NS, replica=replica))
    times = torch.cat((torch.zeros(1), torch.rand(200, generator=torch.Generator().manual_seed(1)) * NS))
    # Also right after each knot, where a step has been taken.
    knots = torch.cat([wave.times.flatten() for wave in drive.waveforms.values()])
    times = torch.cat((times.to(torch.float64), knots[(knots >= 0) & (knots < 0.99 * NS)]))
    table = drive.table(times, 2)[:, :, replica]
    scale = table.abs().amax(0).clamp_min(1e-30)
    current, polarisation = script.at("j", times), script.at("pol", times)[:, None]
    ours = torch.stack((BOTH.spin_polarisation * table[:, 1], 0 * table[:, 0], BOTH.spin_hall_angle * table[:, 0]), 1)
    assert float(((polarisation * current - ours) / ours.abs().amax(0).clamp_min(1e-30)).abs().max()) < 1e-9
    if "b_ext" in script.parameters:
        assert float(((script.at("b_ext", times) - table[:, 2:5]) / scale[2:5]).abs().max()) < 1e-9
    else:
        assert not bool(table[:, 2:5].any())
    ku = script.anisotropy(times)[:, 3, 2]
    assert float((ku - BOTH.anisotropy - table[:, 5]).abs().max()) < 1e-9 * float(scale[5]) + 1e-5


@pytest.mark.parametrize("limit", [200, 16])
def test_anisotropy_from_place_to_place_is_that_of_the_film(limit: int) -> None:
    grid = OUTLINE.grid(1e-9, 4e-9)
    film = mm.track_film(
        OUTLINE, COFEB, devices=2, seed=3, anisotropy=mm.grains(grid, 8e5, size=12e-9, spread=0.05, devices=2)
    )
    assert film.anisotropy is not None
    assert film.fill is not None
    profile = torch.ones(grid.shape, dtype=torch.float64)
    profile[: grid.nx // 2] = 0.25
    ramp = mm.Waveform([0.0, NS], [0.0, 0.5])
    gated = mm.Drive(gate_voltage=ramp, gate=mm.StrainGate(), gate_profile=profile)
    times = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64) * NS
    text = mumax3_script(film, gated, duration=NS, replica=1, maximal_regions=limit)
    change = gated.table(times, 2)[:, 5, 1]
    off = (Mumax3(text).anisotropy(times) - film.anisotropy[1] - change[:, None, None] * profile)[:, film.fill[1] > 0]
    values = film.anisotropy[1][film.fill[1] > 0]
    assert len(values.unique()) * 2 > 16
    rounded = re.search(r"in (\d+) regions is rounded by up to (.*) J/m3", text)
    if limit == 200:
        assert rounded is None
        assert float(off.abs().max()) < 1e-5
    else:
        assert rounded is not None
        assert int(rounded[1]) <= limit
        bound = float(values.max() - values.min()) / 8 / 2  # two values of the profile leave eight intervals for Ku
        assert 0.1 * bound < float(off.abs().max()) <= bound * (1 + 1e-9)
        assert float(off.abs().max()) == pytest.approx(float(rounded[2]), rel=5e-3)


def test_where_anisotropy_and_profile_both_vary_the_regions_are_shared_out_between_them() -> None:
    grid = mm.Grid(40, 10, 4e-9, 4e-9, 1e-9)
    ku = mm.anisotropy_map(grid, 8e5, gradient=1e12)
    profile = torch.linspace(0, 1, grid.cells, dtype=torch.float64).view(grid.shape)
    drive = mm.Drive(gate_voltage=mm.Waveform([0.0, NS], [0.0, 1.0]), gate=mm.StrainGate(), gate_profile=profile)
    text = mumax3_script(mm.Film(grid, COFEB, anisotropy=ku), drive, duration=NS, maximal_regions=101)
    script = Mumax3(text)
    assert len(script.regional_ku) + 1 <= 101
    at_rest, driven = script.anisotropy(torch.tensor([0.0, NS], dtype=torch.float64))
    # Ten intervals for each: half of one is a twentieth of the range.
    assert float((at_rest - ku).abs().max()) <= float(ku.max() - ku.min()) / 20 * (1 + 1e-9)
    part = (driven - at_rest) / mm.StrainGate().anisotropy_per_volt
    assert 0.04 < float((part - profile).abs().max()) <= 0.05 + 1e-9


def random_state(film: mm.Film) -> mm.State:
    m = mm.random_state(film, 1, torch.Generator().manual_seed(4))
    drive = mm.Drive(current_density=-7e10, magnet_current_density=4e11)
    return mm.System(film, drive, dtype=torch.float64).state(m, 0.0)


def landau_lifshitz(m: torch.Tensor, field: torch.Tensor, alpha: float) -> torch.Tensor:
    """cuda/lltorque2.cu: the torque over gamma, in T."""
    turn = torch.linalg.cross(m, field, dim=1)
    return -(turn + alpha * torch.linalg.cross(m, turn, dim=1)) / (1 + alpha**2)


def central(m: torch.Tensor) -> torch.Tensor:
    """cuda/zhangli2.cu: twice the change of m a cell along x, by the two neighbours; a missing one is a mirror."""
    return torch.cat((m[:, :, 1:], m[:, :, -1:]), 2) - torch.cat((m[:, :, :1], m[:, :, :-1]), 2)


def fourth_order(m: torch.Tensor) -> torch.Tensor:
    """The same by four neighbours, which the two columns at either end lack."""
    twice = central(m)
    twice[:, :, 2:-2] = 4 / 3 * (m[:, :, 3:-1] - m[:, :, 1:-3]) - (m[:, :, 4:] - m[:, :, :-4]) / 6
    return twice


@pytest.mark.parametrize("which", ["spin-orbit", "Zhang-Li", "both"])
def test_torques_of_mumax3_are_ours(which: str) -> None:
    """The formulas of cuda/slonczewski2.cu and cuda/zhangli2.cu, with mumax3's constants, for random m. The slope of
    m that the Zhang-Li torque takes differs, but not in the two columns at either end."""
    film = mm.Film(mm.Grid(9, 5, 4e-9, 3e-9, 1.2e-9), BOTH)
    state, alpha = random_state(film), BOTH.damping
    m = state.m
    spin_orbit, zhang_li = mm.SpinOrbitTorque().field(state), mm.ZhangLi().field(state)
    ours = {"spin-orbit": spin_orbit, "Zhang-Li": zhang_li, "both": spin_orbit + zhang_li}[which]
    drive = mm.Drive(
        current_density=0.0 if which == "Zhang-Li" else -7e10,
        magnet_current_density=0.0 if which == "spin-orbit" else 4e11,
    )
    script = Mumax3(mumax3_script(film, drive, duration=NS))
    value = {name: float(text) for name, text in script.parameters.items() if re.fullmatch(r"-?[\d.e+-]+", text)}
    jx, _, jz = script.at("j", torch.zeros(1))[0].tolist()
    torque, own_slope = torch.zeros_like(m), torch.zeros_like(m)
    if "disableslonczewskitorque" not in script.parameters:
        p = torch.tensor(script._value(script.parameters["fixedlayer"]), dtype=torch.float64)[:, None, None].expand_as(
            m
        )
        beta = 1.05457173e-34 / 1.60217646e-19 * jz / (script.names["cell"][2] * value["msat"])
        a, b = beta * value["pol"] * value["lambda"] ** 2 / (value["lambda"] ** 2 + 1), beta * value["epsilonprime"]
        across = torch.linalg.cross(p, m, dim=1)
        torque += ((a + alpha * b) * torch.linalg.cross(m, across, dim=1) + (b - alpha * a) * across) / (1 + alpha**2)
    if "disablezhanglitorque" not in script.parameters:
        drift = 9.2740091523e-24 / (2 * 1.60217646e-19 * 1.7595e11) / value["msat"] / (1 + value["xi"] ** 2)
        # mumax3 then multiplies by GammaLL, but divides by its own ratio here: 0.08 %, as the head says.
        scale = drift / script.names["cell"][0] * value["pol"] * jx * (1.7595e11 / GYROMAGNETIC_RATIO)

        def zhang_li_torque(change: torch.Tensor) -> torch.Tensor:
            turn = torch.linalg.cross(m, scale * change, dim=1)
            along = (1 + value["xi"] * alpha) * torch.linalg.cross(m, turn, dim=1)
            return -(along + (value["xi"] - alpha) * turn) / (1 + alpha**2)

        own_slope = zhang_li_torque(central(m)) - zhang_li_torque(fourth_order(m))
        torque += zhang_li_torque(fourth_order(m))
    expected = landau_lifshitz(m, ours, alpha)
    assert float((torque - expected).abs().max() / expected.abs().max()) < 5e-7
    assert not own_slope[:, :, [0, 1, -2, -1]].any()


@pytest.mark.parametrize("turn", [0.05, 0.1, 0.2])
def test_slopes_differ_from_those_of_mumax3_by_the_square_of_the_turn_a_cell(turn: float) -> None:
    """A helix that turns by k dx a cell: sin(k dx)/(k dx) there, less by (k dx)²/6; ours by (k dx)⁴/30."""
    angle = turn * torch.arange(12, dtype=torch.float64)
    m = torch.stack((torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)))[None, :, :, None]
    rates = [0.5 * change(m)[0, :, 2:-2, 0].norm(dim=0) / turn for change in (central, fourth_order)]
    for rate, expected in zip(rates, (1 - turn**2 / 6, 1 - turn**4 / 30), strict=True):
        torch.testing.assert_close(rate, torch.full_like(rate, expected), rtol=0, atol=turn**4 / 100)


@pytest.mark.parametrize("left", [1, -1])
@pytest.mark.parametrize("dmi", [0.6e-3, 0.0, -0.6e-3])
def test_it_starts_from_the_wall_of_domain_wall_and_the_table_finds_it(left: int, dmi: float) -> None:
    film = mm.Film(mm.Grid(100, 4, 4e-9, 4e-9, 1e-9), mm.material("cofeb-tantalum", dmi=dmi))
    script = Mumax3(mumax3_script(film, duration=NS, initial=150e-9, left=left))
    start = mm.domain_wall(film, 150e-9, left=left)[0]
    m = torch.tensor(script.names["state"])
    torch.testing.assert_close(m / m.norm(dim=0), start, rtol=0, atol=1e-9)
    assert script.wall_position(float(start[2].mean())) == pytest.approx(150e-9, abs=1e-13)


def test_the_table_counts_a_wall_from_the_left_end_of_a_track_that_ends_within_a_cell() -> None:
    film = mm.track_film(mm.TrackOutline(length=401e-9, width=32e-9), COFEB)
    script = Mumax3(mumax3_script(film, duration=NS))
    start = mm.domain_wall(film, 150e-9)[0]
    weighted = float((start[2] * film.weights[0]).sum())
    assert film.grid.length == pytest.approx(404e-9)
    assert script.wall_position(weighted) == pytest.approx(150e-9, abs=0.05e-9)


def test_material_solver_and_step_are_those_of_the_ensemble() -> None:
    film = rough(4e-9)
    drive = mm.Drive(current_density=mm.Waveform.pulse([2e10, 9e10], width=0.02 * NS))
    text = mumax3_script(film, drive, duration=0.01 * NS, every=0.005 * NS, temperature=300.0, seed=5)
    script = Mumax3(text)
    result = mm.simulate(film, drive, duration=0.01 * NS, every=0.005 * NS, temperature=300.0, replicas=2)
    assert float(script.parameters["fixdt"]) == pytest.approx(result.attrs["dt"], rel=1e-10)
    assert script.names["setsolver()"] == (2,)
    assert script.names["tableautosave()"] == (pytest.approx(0.005 * NS),)
    expected = {
        "msat": COFEB.saturation_magnetisation, "aex": COFEB.exchange_stiffness, "alpha": COFEB.damping,
        "dind": COFEB.dmi, "gammall": GYROMAGNETIC_RATIO, "temp": 300.0, "pol": COFEB.spin_hall_angle,
    }  # fmt: skip
    assert {name: float(script.parameters[name]) for name in expected} == pytest.approx(expected)
    assert script._value(script.parameters["anisu"]) == (0, 0, 1)
    assert script.names["grid"] == film.grid.shape
    assert script.names["cell"] == (4e-9, 4e-9, 1e-9)


@pytest.mark.parametrize("duration", [0.7 * NS, 1.0 * NS, 1.3 * NS, 1.9 * NS])
def test_run_ends_with_the_last_step_of_the_duration_although_mumax3_adds_its_steps_up(duration: float) -> None:
    script = Mumax3(mumax3_script(mm.Film(mm.Grid(8, 4, 4e-9, 4e-9, 1e-9), COFEB), duration=duration))
    dt, time, steps = float(script.parameters["fixdt"]), 0.0, 0
    while time < script.names["run()"][0]:
        time, steps = time + dt, steps + 1
    assert steps == round(duration / dt)
    assert time == pytest.approx(duration, rel=1e-9)


def test_it_is_the_same_text_each_time_and_other_noise_for_each_replica() -> None:
    def text(replica: int, seed: int = 5) -> str:
        return mumax3_script(rough(4e-9), duration=NS, replica=replica, seed=seed, temperature=300.0)

    def noise(text: str) -> tuple[int, ...]:
        return tuple(Mumax3(text).names["thermseed()"])

    assert text(0) == text(0)
    assert len({noise(text(0)), noise(text(1)), noise(text(0, seed=6))}) == 3
    assert "replica 1 (device 1), seed 5" in text(1)


def test_replicas_are_the_devices_that_the_film_assigns() -> None:
    film = rough(4e-9)
    assert film.fill is not None
    script = Mumax3(mumax3_script(film.assign([1, 1, 0]), duration=NS, replica=2))
    assert float((script.fill - film.fill[0]).abs().max()) <= 1 / 128 + 1e-9
    assert float((script.fill - film.fill[1]).abs().max()) > 0.1


def test_a_track_that_fills_its_cells_needs_no_geometry_and_no_warning_of_it() -> None:
    straight = mm.track_film(mm.TrackOutline(length=64e-9, width=32e-9), COFEB)
    text = mumax3_script(straight, duration=NS)
    assert "SetGeom" not in text
    assert "illed fractions" not in text
    assert "illed fractions" in mumax3_script(rough(4e-9), duration=NS)


@pytest.mark.parametrize(
    ("initial", "expected"),
    [(Path("runs") / "start.ovf", "runs/start.ovf"), ("start.ovf", "start.ovf")],
)
def test_it_can_start_from_a_file(initial: Path | str, expected: str) -> None:
    script = Mumax3(mumax3_script(mm.Film(mm.Grid(8, 4, 4e-9, 4e-9, 1e-9), COFEB), duration=NS, initial=initial))
    assert script.names["loaded"] == expected


def test_it_can_start_uniform_without_perpendicular_anisotropy() -> None:
    film = mm.Film(mm.Grid(8, 4, 4e-9, 4e-9, 1e-9), mm.material("permalloy"))
    script = Mumax3(mumax3_script(film, duration=NS, initial=(1, 0.1, 0)))
    assert script.names["m"] == (1, 0.1, 0)
    # By default too, along the track.
    assert Mumax3(mumax3_script(film, duration=NS)).names["m"] == (1, 0, 0)
    with pytest.raises(InputError, match="no perpendicular domain wall"):
        mumax3_script(film, duration=NS, initial=10e-9)


WHAT_DOES_NOT_FIT: list[tuple[dict[str, Any], str]] = [
    ({"duration": 0.0}, "duration = 0.0"),
    ({"every": -1.0}, "every = -1.0"),
    ({"dt": 1e-12}, "unstable"),
    ({"replica": 2}, "replica = 2: must be a whole number, 0 to 1"),
    ({"replica": -1}, "replica = -1"),
    ({"temperature": -1.0}, "temperature = -1.0"),
    ({"seed": -1}, "seed = -1"),
    ({"edge_smooth": 7}, "edge_smooth = 7: must be even"),
    ({"edge_smooth": 0}, "edge_smooth = 0"),
    ({"maximal_regions": 257}, "maximal_regions = 257"),
    ({"left": 0}, "left = 0"),
    ({"initial": 1e-6}, "a wall must lie within the film"),
    ({"initial": (0, 0, 0)}, "not all zero"),
    ({"initial": 'a".ovf'}, "without quotation marks"),
    ({"outline": OUTLINE, "devices_seed": 4}, "was not made from it with devices_seed = 4"),
    ({"outline": mm.TrackOutline(length=128e-9, width=40e-9)}, "was not made from it"),
    ({"drive": mm.Drive(magnet_current_density=1e10)}, "does nothing here"),
    ({"drive": mm.Drive(current_density=[1e10, 2e10, 3e10])}, "for 3 replicas|replicas = 3"),
]


def test_what_does_not_fit_is_refused_in_one_line() -> None:
    for arguments, message in WHAT_DOES_NOT_FIT:
        with pytest.raises(InputError, match=message) as caught:
            mumax3_script(rough(4e-9), **({"duration": NS} | arguments))
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("film", "message"),
    [
        (mm.Film(mm.Grid(4, 4, 2e-9, 2e-9, 1e-9, (True, False)), COFEB), r"grid.periodic = \(True, False\)"),
        (mm.Film(mm.Grid(4, 4, 2e-9, 2e-9, 1e-9), COFEB, maps=mm.ParameterMaps(dmi=torch.zeros(4, 4))),
         "film.maps: maps of dmi"),
        (mm.Film(mm.Grid(4, 4, 2e-9, 2e-9, 1e-9), COFEB.model_copy(update={"cubic_anisotropy": 1e4})),
         "material.cubic_anisotropy = 10000"),
    ],
)  # fmt: skip
def test_film_that_the_script_cannot_describe_is_refused(film: mm.Film, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}: the mumax3 script does not write that$"):
        mumax3_script(film, duration=1e-12)
