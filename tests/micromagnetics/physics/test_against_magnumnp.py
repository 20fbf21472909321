"""Fields and energies against those of magnum.np on random states, in float64."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.units import BOHR_MAGNETON, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Demag,
    DormandPrince,
    Drive,
    EnergyTerm,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    SkyrmionRadius,
    SpinOrbitTorque,
    System,
    Term,
    TopologicalCharge,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
    material,
    minimize,
    random_state,
    skyrmion,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = [
    pytest.mark.validation,
    pytest.mark.skipif(importlib.util.find_spec("magnumnp") is None, reason="magnum.np is not installed"),
]

GRIDS = [
    Grid(32, 8, 4e-9, 4e-9, 1e-9),
    Grid(5, 23, 2e-9, 3e-9, 5e-9),
    Grid(128, 16, 4e-9, 4e-9, 1e-9),
    Grid(2, 2, 3e-9, 1e-9, 2e-9),
]
MATERIAL = material("cofeb-tantalum", dmi=1.1e-3, field_like_ratio=-0.4, spin_polarisation=0.6, non_adiabaticity=0.07)
DRIVE = Drive(current_density=0.8e12, magnet_current_density=-1.3e12, field_x=0.03, field_y=-0.02, field_z=0.05)

TOLERANCE = 1e-6
"""Relative. Both compute in float64 from the same constants where magnum.np takes them as parameters; what is left are
its own CODATA values inside the code (hbar 2e-9, e 9e-8 off ours) and the rounding of Newell's closed form far away
(below 1e-10 of the field)."""

FIELDS = r"""
import os, sys
import numpy as np
import torch
import magnumnp
from magnumnp import *

for k in range(int(sys.argv[3])):
    given = np.load(f"{sys.argv[1]}-{k}.npz")
    n = [int(k) for k in given["n"]] + [1]
    state = State(Mesh(n, [float(d) for d in given["d"]]))
    p = {key[2:]: float(given[key]) for key in given.files if key.startswith("p_")}
    state.material = {
        "Ms": p["Ms"], "A": p["A"], "Ku": p["Ku"], "Ku_axis": [0.0, 0.0, 1.0], "Di": p["D"], "xi": p["xi"],
        # Its field is minus ours for the same polarisation: the polarisation is turned round.
        "p": [float(-x) for x in given["polarisation"]], "je": p["J_hm"], "d": float(given["d"][2]),
        "eta_damp": p["theta"], "eta_field": p["theta"] * p["ratio"], "b": p["b"],
    }
    state.j = state.Constant([p["J_fm"], 0.0, 0.0])
    state.m = torch.tensor(given["m"]).permute(1, 2, 0)[:, :, None, :].contiguous()
    field = [float(b / constants.mu_0) for b in given["B"]]
    terms = {
        "Exchange": ExchangeField(), "Demag": DemagField(p=1000), "UniaxialAnisotropy": UniaxialAnisotropyField(),
        "InterfacialDMI": InterfaceDMIField(), "Zeeman": ExternalField(field),
        "SpinOrbitTorque": SpinOrbitTorque(), "ZhangLi": SpinTorqueZhangLi(),
    }
    result = {"gamma": constants.gamma / constants.mu_0}
    for name, term in terms.items():
        h = constants.mu_0 * term.h(state)
        result["field_" + name] = h.expand(*n, 3)[:, :, 0].permute(2, 0, 1).cpu().numpy()
        if not isinstance(term, (SpinOrbitTorque, SpinTorqueZhangLi)):
            result["energy_" + name] = float(term.E(state))
    np.savez(f"{sys.argv[2]}-{k}.npz", **result)
"""

MOTION = r"""
import sys
import numpy as np
import torch
from magnumnp import *

given = np.load(f"{sys.argv[1]}-0.npz")
state = State(Mesh([int(k) for k in given["n"]] + [1], [float(d) for d in given["d"]]))
state.material = {"Ms": float(given["Ms"]), "A": float(given["A"]), "alpha": float(given["alpha"])}
state.m = torch.tensor(given["m"]).permute(1, 2, 0)[:, :, None, :].contiguous()
external = ExternalField([float(b / constants.mu_0) for b in given["B"]])
llg = LLGSolver([ExchangeField(), DemagField(p=1000), external], atol=1e-6, rtol=1e-6)
# Our time, so that gamma t is the same.
llg.step(state, float(given["gamma_t"]) / (constants.gamma / constants.mu_0))
np.savez(f"{sys.argv[2]}-0.npz", m=state.m[:, :, 0].permute(2, 0, 1).cpu().numpy())
"""


SKYRMION = r"""
import sys
import numpy as np
import torch
from magnumnp import *

given = np.load(f"{sys.argv[1]}-0.npz")
state = State(Mesh([int(k) for k in given["n"]] + [1], [float(d) for d in given["d"]]))
p = {key[2:]: float(given[key]) for key in given.files if key.startswith("p_")}
state.material = {"Ms": p["Ms"], "A": p["A"], "Ku": p["Ku"], "Ku_axis": [0.0, 0.0, 1.0], "Di": p["D"]}
state.m = torch.tensor(given["m"]).permute(1, 2, 0)[:, :, None, :].contiguous()
minimizer = MinimizerBB([ExchangeField(), DemagField(p=1000), UniaxialAnisotropyField(), InterfaceDMIField()])
# In A/m: 1e-5 T.
done = minimizer.minimize(state, maxiter=20000, dm_tol=p["torque"] / constants.mu_0)
np.savez(f"{sys.argv[2]}-0.npz", m=state.m[:, :, 0].permute(2, 0, 1).cpu().numpy(), done=done)
"""


def peer(script: str, folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, np.ndarray]]:
    """Run a script of magnum.np on these cases, in a process of its own: it changes torch's global settings.

    Its demag is asked for Newell's closed form at every distance (``p=1000`` cell diagonals), since its default goes
    over to a point dipole at 20. ``torch.compile`` and a search for GPUs are switched off.
    """
    for k, case in enumerate(cases):
        np.savez(folder / f"given-{k}.npz", **case)
    run = subprocess.run(
        [sys.executable, "-c", script, str(folder / "given"), str(folder / "result"), str(len(cases))],
        env={**os.environ, "TORCHDYNAMO_DISABLE": "1", "CUDA_DEVICE": "-1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    results = []
    for k in range(len(cases)):
        with np.load(folder / f"result-{k}.npz") as result:
            results.append(dict(result))
    return results


def random_films() -> list[tuple[Film, Tensor]]:
    """A random state on each grid."""
    films = [Film(grid, MATERIAL) for grid in GRIDS]
    return [(film, random_state(film, 1, torch.Generator().manual_seed(film.grid.nx))) for film in films]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    """Fields and energies of magnum.np on each grid."""
    scale = BOHR_MAGNETON / (ELEMENTARY_CHARGE * MATERIAL.saturation_magnetisation)
    constants = {
        "Ms": MATERIAL.saturation_magnetisation, "A": MATERIAL.exchange_stiffness, "Ku": MATERIAL.anisotropy,
        "D": MATERIAL.dmi, "theta": MATERIAL.spin_hall_angle, "ratio": MATERIAL.field_like_ratio,
        "xi": MATERIAL.non_adiabaticity, "J_hm": float(DRIVE.waveform("current_density").values),
        "J_fm": float(DRIVE.waveform("magnet_current_density").values),
        "b": scale * MATERIAL.spin_polarisation / (1 + MATERIAL.non_adiabaticity**2),
    }  # fmt: skip
    cases = [
        {
            "n": film.grid.shape,
            "d": (film.grid.dx, film.grid.dy, film.grid.dz),
            "m": m[0].numpy(),
            "polarisation": SpinOrbitTorque().polarisation,
            "B": [float(DRIVE.waveform(f"field_{axis}").values) for axis in "xyz"],
            **{f"p_{key}": value for key, value in constants.items()},
        }
        for film, m in random_films()
    ]
    return peer(FIELDS, tmp_path_factory.mktemp("magnumnp"), cases)


def relative(ours: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference of any component in units of the largest component."""
    return float(np.abs(ours - reference).max() / np.abs(reference).max())


CONSERVATIVE: tuple[EnergyTerm, ...] = (Exchange(), Demag(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman())


@pytest.mark.parametrize("term", [*CONSERVATIVE, SpinOrbitTorque()], ids=lambda term: type(term).__name__)
def test_field(term: Term, theirs: list[dict[str, np.ndarray]], report: Report) -> None:
    """The field of each term on random states of four grids."""
    errors = []
    for (film, m), result in zip(random_films(), theirs, strict=True):
        ours = term.field(System(film, DRIVE).state(m))[0].numpy()
        errors.append(relative(ours, result[f"field_{type(term).__name__}"]))
    report(f"magnum.np, field of {type(term).__name__}: largest rel. difference", max(errors), 0.0, TOLERANCE)


def higher_order(film: Film, m: np.ndarray) -> np.ndarray:
    """Field of −(m × g + xi g)/gamma for g = u times the slope of the fourth order less the central difference."""
    u = ZhangLi.drift_per_current(MATERIAL) * float(DRIVE.waveform("magnet_current_density").values)
    more = np.zeros_like(m)
    if film.grid.nx >= 5:
        near, far = m[:, 3:-1] - m[:, 1:-3], m[:, 4:] - m[:, :-4]
        more[:, 2:-2] = u / film.grid.dx * (near / 6 - far / 12)
    return -(np.cross(m, more, axis=0) + MATERIAL.non_adiabaticity * more) / GYROMAGNETIC_RATIO


def test_spin_transfer_field(theirs: list[dict[str, np.ndarray]], report: Report) -> None:
    """Zhang and Li's torque; both take u against the current for positive P, by opposite signs of field and b.

    magnum.np takes one-sided differences at an end of the track where we, as mumax3, mirror: half of the one-sided
    slope. So the end columns are compared as such. Further in, its slope is a central difference and ours of the
    fourth order: what that changes is added to its field. gamma stands in the denominator of both; theirs is another.
    """
    errors = []
    for (film, m), result in zip(random_films(), theirs, strict=True):
        expected = result["field_ZhangLi"] * float(result["gamma"]) / GYROMAGNETIC_RATIO
        expected[:, [0, -1]] *= 0.5
        expected += higher_order(film, m[0].numpy())
        errors.append(relative(ZhangLi().field(System(film, DRIVE).state(m))[0].numpy(), expected))
    report("magnum.np, field of ZhangLi: largest rel. difference", max(errors), 0.0, TOLERANCE)


def test_energies(theirs: list[dict[str, np.ndarray]], report: Report) -> None:
    """The energies, in units of the largest of them (a random state's DMI energy is a sum of either sign)."""
    errors = []
    for (film, m), result in zip(random_films(), theirs, strict=True):
        state = System(film, DRIVE).state(m)
        ours = np.array([float(term.energy(state)) for term in CONSERVATIVE])
        errors.append(
            relative(ours, np.array([float(result[f"energy_{type(term).__name__}"]) for term in CONSERVATIVE]))
        )
    report("magnum.np, energies: largest rel. difference", max(errors), 0.0, TOLERANCE)


@pytest.mark.slow
def test_standard_problem_four(report: Report, tmp_path: Path) -> None:
    """The reversal of SP4 in field b, by their Runge-Kutta-Fehlberg and our Dormand-Prince, at the same gamma t.

    Unlike mumax3's, their demagnetisation is as exact as ours: at 0.2 ns the two are to agree to the errors of the
    integrators, 1e-6 a step over some hundred steps with random sign, which the reversal amplifies.
    """
    film = Film(Grid(128, 32, 500e-9 / 128, 125e-9 / 32, 3e-9), material("permalloy"))
    start = minimize(System(film), uniform(film, (1.0, 0.1, 0.0)), torque=1e-6)
    field, until = (-35.5e-3, -6.3e-3, 0.0), 0.2e-9
    constants = film.material
    case = {
        "n": film.grid.shape, "d": (film.grid.dx, film.grid.dy, film.grid.dz), "m": start[0].numpy(), "B": field,
        "Ms": constants.saturation_magnetisation, "A": constants.exchange_stiffness, "alpha": constants.damping,
        "gamma_t": GYROMAGNETIC_RATIO * until,
    }  # fmt: skip
    reference = peer(MOTION, tmp_path, [case])[0]["m"]
    ours = DormandPrince(System(film, Drive(field_x=field[0], field_y=field[1])), start, tolerance=1e-6)
    ours.advance(0.0, until)
    m = ours.m[0].numpy()
    report("magnum.np, SP4 field b at 0.2 ns, <m>", m.mean((1, 2)), reference.mean((1, 2)), 1e-5)
    report("magnum.np, SP4 field b at 0.2 ns, largest |dm|", float(np.abs(m - reference).max()), 0.0, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dmi", [2.8e-3, 3.2e-3])
def test_skyrmion_at_rest(dmi: float, report: Report, tmp_path: Path) -> None:
    """A skyrmion in a square of Pt/Co of 80 nm with its stray field and tilted edges, relaxed by each code for itself.

    Both from a skyrmion of 12 nm, by their own descents to 1e-5 T. The energy is the same function of the same cells,
    so what may differ is what that torque leaves: the softest mode, breathing, is held by some 10 mT, so by 1e-3 of
    the width of the wall.
    """
    constants = Material(
        saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=dmi
    )
    film = Film(Grid(40, 40, 2e-9, 2e-9, 0.4e-9), constants)
    start = skyrmion(film, radius=12e-9, width=5e-9)
    case = {
        "n": film.grid.shape, "d": (film.grid.dx, film.grid.dy, film.grid.dz), "m": start[0].numpy(),
        "p_Ms": constants.saturation_magnetisation, "p_A": constants.exchange_stiffness, "p_Ku": constants.anisotropy,
        "p_D": dmi, "p_torque": 1e-5,
    }  # fmt: skip
    result = peer(SKYRMION, tmp_path, [case])[0]
    assert bool(result["done"])
    ours, theirs = minimize(System(film), start, torque=1e-5), torch.from_numpy(result["m"])[None]
    radii = [float(SkyrmionRadius().of(film, m)) * 1e9 for m in (ours, theirs)]
    name = f"magnum.np, skyrmion at D = {dmi * 1e3:g} mJ/m2"
    report(f"{name}: radius (nm)", radii[0], radii[1], 5e-3)
    report(f"{name}: largest |dm|", float((ours - theirs).abs().max()), 0.0, 3e-3)
    report(f"{name}: charge", *(float(TopologicalCharge().of(film, m)) for m in (ours, theirs)), 1e-3)
