"""Draw a simulated device: for each state a typical wall at rest, and the distribution of all wall positions.

    python examples/draw_states.py nonvolatile-5 docs/images/states.png

Takes a shipped device or a device file of ``barkhausen characterize``. Its positions are those of the file. The walls
are simulated again: 8 programming events for each state with maps of the magnetisation, of which the picture shows the
one whose wall rests nearest to the median of the file (some minutes).
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from rich.console import Console

from barkhausen.core.progress import Terminal
from barkhausen.device import CharacterisedDevice, DeviceParameters, preset, preset_names, read_device
from barkhausen.device.domain_wall.characterise import at_rest
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.micromagnetics import PerpendicularMap, WallCount, WallPosition, domain_wall, simulate

EVENTS = 8
"""Events simulated for each state; on as many devices."""


def simulated(parameters: DeviceParameters) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Resting positions in m (one row a state), maps of m_z [state, event, x, y], and the size of a cell in m."""
    how, protocol = parameters.characterisation, parameters.protocol
    fewer = how.model_copy(update={"devices": EVENTS, "cycles": 1})
    ensemble = Ensemble(parameters.model_copy(update={"characterisation": fewer}))
    result = simulate(
        ensemble.film.assign(ensemble.device_of_replica),
        ensemble.drive,
        duration=ensemble.event.duration,
        every=ensemble.every,
        replicas=ensemble.replicas,
        seed=how.seed,
        temperature=ensemble.temperature(ensemble.replicas // ensemble.shape[0]),
        integrator=how.integrator,
        dt=ensemble.dt,
        initial=domain_wall(ensemble.film, ensemble.starts),
        observe=(WallPosition(), WallCount(), PerpendicularMap()),
        progress=Terminal(Console(stderr=True)),
    )
    times = result["time"].values
    read = min(parameters.junction.read_time, protocol.relaxation) * (1 - 1e-9)
    walls, counts = (
        result[name].transpose("time", "replica").values.reshape(len(times), *ensemble.shape)
        for name in ("wall_position", "wall_count")
    )
    positions, _ = at_rest(walls, counts, times >= times[-1] - read)
    maps = result["mz"].isel(time=-1).transpose("replica", "x", "y").values
    cell = tuple(float(result[axis][1] - result[axis][0]) for axis in ("x", "y"))
    return positions[:, :, 0], maps.reshape(*ensemble.shape[:2], *maps.shape[1:]), cell


def outline(cells: np.ndarray, dx: float, dy: float) -> LineCollection:
    """Lines between cells with and without material."""
    framed = np.pad(cells, 1)
    upright, level = np.argwhere(framed[1:] != framed[:-1]) - (0, 1), np.argwhere(framed[:, 1:] != framed[:, :-1])
    level -= (1, 0)
    lines = [[(i * dx, j * dy), (i * dx, (j + 1) * dy)] for i, j in upright]
    lines += [[(i * dx, j * dy), ((i + 1) * dx, j * dy)] for i, j in level]
    return LineCollection(lines, colors="black", linewidths=0.8, capstyle="projecting")


def main(device: CharacterisedDevice, picture: Path) -> None:
    """Simulate and draw."""
    parameters = DeviceParameters.model_validate_json(device.data.attrs["parameters"])
    positions = 1e9 * device.state_values.reshape(device.states, -1)
    walls, maps, cell = simulated(parameters)
    dx, dy = 1e9 * cell[0], 1e9 * cell[1]
    length, width = maps.shape[2] * dx, maps.shape[3] * dy
    colours = plt.get_cmap("viridis")(np.linspace(0.05, 0.85, device.states))
    figure, axes = plt.subplots(
        device.states, 2, figsize=(10, 1.05 * device.states + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    bins = np.linspace(0, length, 81)
    for state, (left, right) in enumerate(axes):
        median = float(np.nanmedian(positions[state]))
        typical = int(np.nanargmin(np.abs(1e9 * walls[state] - median)))
        cells = maps[state, typical]
        left.imshow(cells.T, origin="lower", extent=(0, length, 0, width), cmap="RdBu_r", vmin=-1, vmax=1)
        left.add_collection(outline(np.isfinite(cells), dx, dy))
        left.set_yticks([])
        left.set_xlim(-1, length + 1)
        left.set_ylim(-1, width + 1)
        voltage = f"{float(device.data['gate_voltage'][state]):+.2f} V".replace("-", "−")
        left.set_ylabel(voltage, rotation=0, ha="right", va="center")
        right.hist(positions[state], bins=bins, color=colours[state])
        right.axvline(median, color="black", linewidth=0.8)
        right.set_yticks([])
        for axis, sides in ((left, ("top", "right", "left", "bottom")), (right, ("top", "right", "left"))):
            for side in sides:
                axis.spines[side].set_visible(False)
        print(f"{voltage}: median {median:.1f} nm, wall shown {1e9 * walls[state, typical]:.1f} nm")
    seed = parameters.characterisation.seed
    axes[0, 0].set_title(f"wall nearest to the median, of {EVENTS} events (red: up)", fontsize=10)
    axes[0, 1].set_title(
        f"positions of {positions.shape[1]} walls for each state, seed {seed}; line: median", fontsize=10
    )
    for axis in axes[-1]:
        axis.set_xlabel("x (nm)")
    figure.savefig(picture, dpi=130)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source = sys.argv[1]
    main(preset(source) if source in preset_names() else read_device(Path(source)), Path(sys.argv[2]))
