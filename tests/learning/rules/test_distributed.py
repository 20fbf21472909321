"""Training on two processes: gradients are averaged, and both program the same devices to the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import forked
from barkhausen.device import PulsedDevice, gaussian_device
from barkhausen.learning import (
    BlindPulse,
    InSitu,
    Learner,
    LevelChange,
    PulsedLearner,
    PulsedSGD,
    convert,
    synapse_layers,
)
from barkhausen.synapse import Faults, Phase

RANKS, STEPS, SHARE = 2, 6, 8
DEVICE = gaussian_device(5)
PULSED: dict[str, type[PulsedLearner]] = {"pulsed-sgd": PulsedSGD, "blind-pulse": BlindPulse}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(seed: int = 0, rule: str = "in-situ") -> nn.Module:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 8), nn.Tanh(), nn.Linear(8, 3))
    if rule in PULSED:
        return convert(plain, PulsedDevice.soft_bounds(2 / 64), generator=seeded(seed))
    how = {"max_attempts": 2, "faults": Faults(stuck=0.05, annihilated_walls=0.02), "count_writes": True}
    return convert(plain, DEVICE, 0.3, **how, generator=seeded(seed))  # type: ignore[arg-type]


def batch(step: int) -> tuple[Tensor, Tensor]:
    """The data of all ranks."""
    x = torch.randn((RANKS * SHARE, 1, 10), generator=seeded(100 + step))
    return x, x[:, 0, :3].argmax(dim=1)


def train(wrapped: nn.Module, learner: Learner, rows: slice) -> None:
    for step in range(STEPS):
        x, y = batch(step)
        F.cross_entropy(wrapped(x[rows]), y[rows]).backward()
        learner.step()
        learner.zero_grad()


def learner_of(model: nn.Module, rule: str) -> Learner:
    if rule in PULSED:
        rate = 5.0 if rule == "blind-pulse" else 0.5
        return PULSED[rule](torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9), model, seeded(7))
    if rule == "level-change":
        # Latent weights must cross a threshold within a few steps.
        return LevelChange(torch.optim.SGD(model.parameters(), lr=5.0, momentum=0.9), model, seeded(7), hysteresis=0.02)
    return InSitu(torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9), model, seeded(7))


TRAININGS = (
    (False, 0, "in-situ"),
    (True, 1, "in-situ"),
    (False, 0, "level-change"),
    (True, 1, "level-change"),
    (True, 1, "pulsed-sgd"),
    (True, 1, "blind-pulse"),
)
"""Whether the learner is made before the wrapper, whether the models begin different, and the rule."""


def worker(rank: int, meeting: Path, out: Path) -> None:
    """What each process does: all trainings."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=RANKS)
    saved = []
    for learner_first, different, rule in TRAININGS:
        model = network(different * rank, rule)
        # What is wrapped first takes the tensors of the model; the other must find them.
        if learner_first:
            learner = learner_of(model, rule)
            wrapped = DistributedDataParallel(model)
        else:
            wrapped = DistributedDataParallel(model)
            learner = learner_of(wrapped, rule)
        train(wrapped, learner, slice(rank * SHARE, (rank + 1) * SHARE))
        saved.append(model.state_dict())
    torch.save(saved, out / f"rank{rank}")
    dist.destroy_process_group()


RANK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_distributed import worker
worker(int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Tensor]]]:
    """State dicts of both ranks, of each training."""
    out = tmp_path_factory.mktemp("ranks")
    ranks = [forked.start(Path(__file__).parent, rank, out / "meeting", out, code=RANK) for rank in range(RANKS)]
    for process in ranks:
        ended = process.result()
        assert ended.returncode == 0, ended.stderr[-2000:]
    return [torch.load(out / f"rank{rank}", weights_only=True) for rank in range(RANKS)]


@pytest.mark.parametrize("training", range(len(TRAININGS)))
def test_both_processes_end_with_the_same_network(training: int, trained: list[list[dict[str, Tensor]]]) -> None:
    first, second = (saved[training] for saved in trained)
    rule = TRAININGS[training][2]
    held = {f"{name}.held_state" for name, _ in synapse_layers(network())}
    start = network(0, rule).state_dict()
    assert set(first) == set(start) | (held if rule == "level-change" else set())
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key]), key
    for name, _ in synapse_layers(network()):
        least, counted = 10 if rule == "in-situ" else 0, "pulses" if rule in PULSED else "outcomes"
        assert int(first[f"{name}.synapses.counters.{counted}"][Phase.TRAINING].sum()) > least
        assert not torch.equal(first[f"{name}.latent_weight"], start[f"{name}.latent_weight"])


@pytest.mark.parametrize("training", range(len(TRAININGS)))
def test_the_network_is_that_of_one_process_with_all_the_data(
    training: int, trained: list[list[dict[str, Tensor]]]
) -> None:
    # Models that begin different are made those of the first process.
    model = network(0, TRAININGS[training][2])
    learner = learner_of(model, TRAININGS[training][2])
    train(model, learner, slice(None))
    # Averages of halves and of the whole round differently; no device is so near its margin that it matters here.
    for key, tensor in model.state_dict().items():
        torch.testing.assert_close(trained[0][training][key], tensor, rtol=1e-4, atol=1e-5, msg=key)
