"""Time to solve a 128 x 128 tile with its wires (claim: at most 1 s on two cores), and of inference with the result.

Inference with the effective weights is a matrix product of the same size as without wires (claim: at most 1.1 times the
time). Conductances are random between those of the default junction; segments have 0.5 ohm. badcrossbar, where it is
installed, computes the same matrix in the same process from a unit voltage on each row, in turn with ours, and so does
a sparse factorisation (SuperLU, minimum degree) of the same nodal equations.

    python benchmarks/networks/crossbar_wires.py [--size 128] [--rounds 5] [--threads 2]
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar import CrossbarTiles, Wires, effective_conductance

OHM = 0.5
MAP = ConductanceMap(low=3.5e-4, high=8.8e-4, reference=6e-4, unit=2e-4)
BATCH, LAYER = 100, (256, 784)
PRODUCTS = 100


def sparse(conductance: Tensor) -> np.ndarray:
    """One sparse factorisation of the nodal matrix, and an adjoint solution for each column."""
    devices = conductance.numpy()
    rows, columns = devices.shape
    word = np.arange(rows * columns).reshape(rows, columns)
    bit = word + word.size
    branches = [
        (word[:, :-1], word[:, 1:], 1 / OHM),
        (bit[:-1], bit[1:], 1 / OHM),
        (word, bit, devices),
    ]
    diagonal = np.zeros(2 * word.size)
    diagonal[word[:, 0]] += 1 / OHM
    diagonal[bit[-1]] += 1 / OHM
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for one, other, value in branches:
        one_end, other_end, size = one.ravel(), other.ravel(), np.broadcast_to(value, one.shape).ravel()
        np.add.at(diagonal, one_end, size)
        np.add.at(diagonal, other_end, size)
        entries += [(one_end, other_end, -size), (other_end, one_end, -size)]
    every = np.arange(diagonal.size)
    entries.append((every, every, diagonal))
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    nodal = coo_matrix((value, (row, column)), shape=(diagonal.size,) * 2).tocsc()
    options = {"SymmetricMode": True}
    factor = splu(nodal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    unit = np.zeros((diagonal.size, columns))
    unit[bit[-1], np.arange(columns)] = 1 / OHM
    return np.asarray(factor.solve(unit)[word[:, 0]] / OHM)


def peer(conductance: Tensor) -> np.ndarray:
    """badcrossbar: a unit voltage on each row."""
    import badcrossbar  # noqa: PLC0415  # an extra

    resistances = 1 / conductance.numpy()
    solution = badcrossbar.compute(np.eye(len(resistances)), resistances, OHM, node_voltages=False, all_currents=False)
    return np.asarray(solution.currents.output)


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def matrices(size: int, rounds: int) -> None:
    """Time of an effective matrix, solvers in turn."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.rand(size, size, generator=generator, dtype=torch.float64)
    conductance = MAP.low + (MAP.high - MAP.low) * spread
    solvers: dict[str, Callable[[], object]] = {
        "ours": lambda: effective_conductance(conductance, Wires(OHM, OHM)).numpy(),
        "SuperLU, same equations": lambda: sparse(conductance),
    }
    if importlib.util.find_spec("badcrossbar"):
        solvers["badcrossbar"] = lambda: peer(conductance)
    answers = {name: np.asarray(run()) for name, run in solvers.items()}
    times = [[seconds(run) for run in solvers.values()] for _ in range(rounds)]
    print(f"{size} x {size}, {OHM} ohm, {torch.get_num_threads()} threads, medians of {rounds} rounds in turn")
    for place, name in enumerate(solvers):
        wall, processor = (statistics.median(row[place][kind] for row in times) for kind in (0, 1))
        ratio = statistics.median(row[place][0] / row[0][0] for row in times)
        off = np.abs(answers[name] / answers["ours"] - 1).max()
        took = f"{wall:7.3f} s (processor {processor:.3f} s), {ratio:5.1f} times ours"
        print(f"{name:24s} {took}, differs from ours by {off:.0e}")
    if "badcrossbar" not in solvers:
        print("badcrossbar: not installed")


def inference(rounds: int) -> None:
    """Time of a layer with effective weights, compared with plain weights."""
    generator = torch.Generator().manual_seed(1)
    weight = torch.rand(LAYER, generator=generator) * 2 - 1
    x = torch.rand(BATCH, LAYER[1], generator=generator)
    tiles = CrossbarTiles(weight, MAP, wires=Wires(OHM, OHM))
    wall, processor = seconds(tiles.effective)
    print(f"{LAYER[1]} x {LAYER[0]} on {tiles.stale.numel()} tiles: {wall:.2f} s (processor {processor:.2f} s)")
    wired = tiles.effective_weight().to(weight.dtype)

    def products(matrix: Tensor) -> float:
        begin = time.perf_counter()
        for _ in range(PRODUCTS):
            torch.nn.functional.linear(x, matrix)
        return time.perf_counter() - begin

    products(weight)
    pairs = [(products(wired), products(weight)) for _ in range(20 * rounds)]
    ratio = statistics.median(ours / plain for ours, plain in pairs)
    print(f"inference, batch {BATCH}: {ratio:.3f} times a plain matmul (median of {len(pairs)} pairs in turn)")


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")  # that badcrossbar's pictures need cairo
    logging.disable(logging.WARNING)  # and its progress
    matrices(given.size, given.rounds)
    inference(given.rounds)


if __name__ == "__main__":
    main()
