"""CPU-seconds of an epoch of a spiking network on one thread: ours, Norse and snnTorch.

The network of the system cui-2024 (784-100-100-10, batch normalisation at every step, leaky read-out, maximum over
time, Adam, batch 100) on Fashion-MNIST, or on random data of its shape where there is none. Norse's network is built of
its own encoder and cells, with the same neurons as ours; snnTorch's of its ``Leaky`` cells, whose synapse has no
memory, on the same spike trains, and ours with such cells stands beside it. All run in this process, a step of each in
turn; process time, the smallest of several steps, scaled to 60 000 images.

    python benchmarks/networks/spiking_epoch.py [--steps 400] [--rounds 5] [--append]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.provenance import commit, processor
from barkhausen.data import load_dataset
from barkhausen.experiment.network import float_network
from barkhausen.learning.networks import Shapes
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.spiking import ConstantCurrent, kernel

RESULTS = Path(__file__).parents[1] / "results" / "spiking_epoch.jsonl"
IMAGES, BATCH, SIZES = 60_000, 100, (784, 100, 100, 10)


def images() -> tuple[Tensor, Tensor]:
    """A few thousand images as rows, shifted and scaled as in the system, and their labels."""
    try:
        data = load_dataset("fashion-mnist", None, allow_download=False)
        rows, labels = data.train_inputs[:5000], data.train_labels[:5000]
    except InputError:
        generator = torch.Generator().manual_seed(0)
        rows, labels = torch.rand((5000, 784), generator=generator), torch.arange(5000) % 10
        rows *= torch.rand((5000, 784), generator=generator) < 0.5
    return (rows - 0.1307) / 0.3081, labels


def ours(steps: int, cell: str, **options: Any) -> nn.Module:
    """Our network."""
    recipe = NetworkRecipe(
        kind="spiking", hidden=list(SIZES[1:-1]), options={"steps": steps, "cell": cell, "cell_options": options}
    )
    shapes = Shapes("fashion-mnist", SIZES[0], SIZES[-1], (28, 28), samples=IMAGES)
    return float_network(recipe, shapes, torch.Generator().manual_seed(0), BATCH)


class Stepped(nn.Module):
    """What the peers have in common: layers and normalisations that are called step after step.

    Args:
        steps: Time steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.first, self.second = nn.Linear(*SIZES[:2]), nn.Linear(*SIZES[1:3])
        self.norm1, self.norm2 = nn.BatchNorm1d(SIZES[1]), nn.BatchNorm1d(SIZES[2])

    def forward(self, x: Tensor) -> Tensor:
        """Greatest potential of each class."""
        potentials, states = [], self.start()
        for spikes in self.encode(x):
            out, states = self.step(spikes, states)
            potentials.append(out)
        return torch.stack(potentials).amax(0)

    def start(self) -> tuple[Any, ...]:
        """States before the first step."""
        raise NotImplementedError

    def encode(self, x: Tensor) -> Tensor:
        """Spike trains of the inputs."""
        raise NotImplementedError

    def step(self, spikes: Tensor, states: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """Potentials of the read-out, and states."""
        raise NotImplementedError


class OfNorse(Stepped):
    """Norse's encoder, cells and read-out."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        import norse.torch as norse  # noqa: PLC0415  # an extra

        self.encoder = norse.ConstantCurrentLIFEncoder(steps)
        self.cell1, self.cell2, self.read_out = norse.LIFCell(), norse.LIFCell(), norse.LILinearCell(*SIZES[2:])

    def start(self) -> tuple[Any, ...]:
        """None yet."""
        return None, None, None

    def encode(self, x: Tensor) -> Tensor:
        """Norse's spike trains."""
        return self.encoder(x)

    def step(self, spikes: Tensor, states: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """A step."""
        out, one = self.cell1(self.first(spikes), states[0])
        out, two = self.cell2(self.second(self.norm1(out)), states[1])
        out, three = self.read_out(self.norm2(out), states[2])
        return out, (one, two, three)


class OfSnntorch(Stepped):
    """snnTorch's leaky cells, and one that never fires as read-out."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        import snntorch  # noqa: PLC0415  # an extra

        curve = snntorch.surrogate.fast_sigmoid(slope=100)
        self.cell1, self.cell2 = (snntorch.Leaky(beta=0.9, spike_grad=curve, reset_mechanism="zero") for _ in range(2))
        self.output = nn.Linear(*SIZES[2:], bias=False)
        self.read_out = snntorch.Leaky(beta=0.9, reset_mechanism="none", spike_grad=curve)
        self.encoder = ConstantCurrent(steps)

    def start(self) -> tuple[Any, ...]:
        """Potentials of zero."""
        return self.cell1.init_leaky(), self.cell2.init_leaky(), self.read_out.init_leaky()

    def encode(self, x: Tensor) -> Tensor:
        """Our spike trains, since it has no such encoder."""
        return self.encoder(x)

    def step(self, spikes: Tensor, states: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """A step."""
        out, one = self.cell1(self.first(spikes), states[0])
        out, two = self.cell2(self.second(self.norm1(out)), states[1])
        _, three = self.read_out(self.output(self.norm2(out)), states[2])
        return three, (one, two, three)


def stepper(model: nn.Module, data: tuple[Tensor, Tensor]) -> Callable[[int], float]:
    """A function that trains one step and returns its CPU-seconds."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step(number: int) -> float:
        part = slice(number * BATCH % len(data[0]), number * BATCH % len(data[0]) + BATCH)
        begin = time.process_time()
        optimizer.zero_grad()
        F.cross_entropy(model(data[0][part]), data[1][part]).backward()
        optimizer.step()
        return time.process_time() - begin

    return step


def main() -> None:
    """Print CPU-seconds of an epoch and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="time steps of a sample")
    parser.add_argument("--rounds", type=int, default=5, help="training steps of each network")
    parser.add_argument("--append", action="store_true", help="append to benchmarks/results/spiking_epoch.jsonl")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    makers: dict[str, Callable[[], nn.Module]] = {
        "ours, LIF": lambda: ours(given.steps, "lif"),
        "ours, LIF without a synapse": lambda: ours(given.steps, "lif", gain=1.0, decay=0.0),
        "ours, domain wall with noise": lambda: ours(given.steps, "domain-wall", spread=0.3),
    }
    peers: dict[str, tuple[str, Callable[[int], nn.Module]]] = {
        "Norse": ("norse", OfNorse),
        "snnTorch": ("snntorch", OfSnntorch),
    }
    there = {name: make for name, (package, make) in peers.items() if importlib.util.find_spec(package)}
    data = images()
    steps = {name: stepper(make(), data) for name, make in makers.items()}
    steps |= {name: stepper(make(given.steps), data) for name, make in there.items()}
    for step in steps.values():
        step(0)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(1, given.rounds + 1):
        for name, step in steps.items():
            times[name].append(step(number))
    seconds = {name: min(values) * IMAGES / BATCH for name, values in times.items()}
    fastest = min((seconds[name] for name in there), default=None)
    kind = "compiled" if kernel.library() is not None else "not compiled"
    print(f"{given.steps} time steps, one thread, {kind}, {processor()}, torch {torch.__version__}")
    for name, value in seconds.items():
        ratio = "" if fastest is None else f", {value / fastest:5.2f} times the faster peer"
        print(f"{name:30s} {value:8.0f} CPU-s an epoch of 60 000 images{ratio}")
    for name in peers.keys() - there.keys():
        print(f"{name}: not installed")
    if given.append:
        row = {
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "processor": processor(),
            "torch": str(torch.__version__),
            "steps": given.steps,
            "compiled": kernel.library() is not None,
            "cpu_seconds_an_epoch": seconds,
        }
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
