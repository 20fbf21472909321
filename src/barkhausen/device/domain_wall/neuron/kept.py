"""Unfinished work of a simulation of neurons: the state of the ensemble, and the records up to it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.core.files import atomic_write
from barkhausen.micromagnetics import Simulation
from barkhausen.micromagnetics.checkpoints import OtherSimulationError

EVERY = 4
"""Periods from one state that is kept to the next."""

COLUMNS = ("wall_position", "wall_count", "m")


class Kept:
    """A directory in which work is kept.

    Args:
        directory: Where; None for nowhere.
        about: Text that tells the simulation from others.
    """

    def __init__(self, directory: Path | None, about: str) -> None:
        self.directory, self.about = directory, about
        self.last: Path | None = None

    def save(self, run: Simulation, records: list[xr.Dataset], done: int, *, last: bool) -> None:
        """Write the state after some periods, then the records up to it; the older state is deleted last."""
        if self.directory is None or not (last or done % EVERY == 0):
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        state = self.directory / f"state-{done}.safetensors"
        run.save(state)
        content = io.BytesIO()
        values: dict[str, Any] = {name: np.stack([record[name].values for record in records]) for name in COLUMNS}
        values |= {"done": np.array(done), "about": np.array(self.about)}
        np.savez(content, **values)
        atomic_write(self.directory / "records.npz", content.getvalue())
        if self.last is not None:
            self.last.unlink(missing_ok=True)
        self.last = state

    def resumed(self, run: Simulation, observe: xr.Dataset) -> tuple[int, list[xr.Dataset]]:
        """Load unfinished work into the simulation; number of periods that it holds, and their records.

        Args:
            run: Simulation before its first step.
            observe: A record of it, for names and dimensions.

        Raises:
            OtherSimulationError: The directory holds another simulation.
        """
        path = None if self.directory is None else self.directory / "records.npz"
        if path is None or not path.is_file():
            return 0, []
        try:
            with np.load(path, allow_pickle=False) as kept:
                done, other = int(kept["done"]), str(kept["about"])
                values = {name: kept[name] for name in COLUMNS}
        except (OSError, ValueError, KeyError) as error:
            raise OtherSimulationError(path, f"holds no records of neurons ({error})") from None
        if other != self.about:
            raise OtherSimulationError(path, "holds the records of other neurons")
        self.last = path.parent / f"state-{done}.safetensors"
        run.load(self.last)
        records = [observe.copy(data={name: values[name][number] for name in COLUMNS}) for number in range(done)]
        return done, records
