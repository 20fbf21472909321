"""Seconds an epoch of the in-situ rule, plain torch, Brevitas (ternary and 3-bit weights) and aihwkit.

The default perceptron (784-256-128-64-10, batch normalisation, batch 100, the same fused Adam) on MNIST, or on random
data of its shape where there is no MNIST, for ten epochs. Ours runs the in-situ rule on 5-state racetracks; Brevitas
trains the same network with quantised weights (straight-through, per-tensor scale, no noise, no devices); aihwkit,
where it is installed, with constant-step devices. All run in this process, blocks of steps in turn, so all meet the
same disturbances.

    python benchmarks/networks/quantised_peers.py [--steps 50] [--blocks 120]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from in_situ_step import SAMPLES, mnist_or_random
from torch import nn

import barkhausen
from barkhausen.learning import multilayer_perceptron

SIZES = [784, 256, 128, 64, 10]
BATCH = 100


def float_linear(inputs: int, outputs: int, bias: bool) -> nn.Module:
    """Torch's own."""
    return nn.Linear(inputs, outputs, bias=bias)


def adam(model: nn.Module) -> torch.optim.Optimizer:
    """The same for all."""
    return torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)


def ours() -> tuple[nn.Module, torch.optim.Optimizer]:
    """In-situ on 5-state racetracks, rates and margin of the recipes."""
    noise = torch.Generator().manual_seed(0)
    model = barkhausen.convert(
        multilayer_perceptron(SIZES, float_linear), "racetrack-5", 0.4, start="fresh", generator=noise
    )
    latent = [p for name, p in model.named_parameters() if name.endswith("latent_weight")]
    digital = [p for name, p in model.named_parameters() if not name.endswith("latent_weight")]
    groups = [{"params": digital, "lr": 1e-3}, {"params": latent, "lr": 6e-3}]
    return model, barkhausen.InSitu(torch.optim.Adam(groups, fused=True), model, noise)


def float_baseline() -> tuple[nn.Module, torch.optim.Optimizer]:
    """The float baseline."""
    model = multilayer_perceptron(SIZES, float_linear)
    return model, adam(model)


def brevitas(bits: int | None) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Brevitas' quantised layers: ternary (None), or integers of so many bits."""
    import brevitas.nn as qnn  # noqa: PLC0415  # an extra
    from brevitas.quant import Int8WeightPerTensorFloat, SignedTernaryWeightPerTensorConst  # noqa: PLC0415

    def linear(inputs: int, outputs: int, bias: bool) -> nn.Module:
        if bits is None:
            return qnn.QuantLinear(inputs, outputs, bias=bias, weight_quant=SignedTernaryWeightPerTensorConst)
        return qnn.QuantLinear(inputs, outputs, bias=bias, weight_quant=Int8WeightPerTensorFloat, weight_bit_width=bits)

    model = multilayer_perceptron(SIZES, linear)
    return model, adam(model)


def aihwkit() -> tuple[nn.Module, torch.optim.Optimizer]:
    """Analogue layers with constant-step devices and their own update."""
    from aihwkit.nn import AnalogLinear  # noqa: PLC0415  # an extra
    from aihwkit.optim import AnalogSGD  # noqa: PLC0415
    from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig  # noqa: PLC0415

    config = SingleRPUConfig(device=ConstantStepDevice())
    model = multilayer_perceptron(SIZES, lambda i, o, bias: AnalogLinear(i, o, bias=bias, rpu_config=config))
    optimizer = AnalogSGD(model.parameters(), lr=0.05)
    optimizer.regroup_param_groups(model)
    return model, optimizer


def stepper(made: tuple[nn.Module, torch.optim.Optimizer], steps: int) -> Callable[[int], float]:
    """A function that trains one block of steps and returns the seconds that a step took."""
    model, optimizer = made
    data = mnist_or_random()
    inputs, labels = data.train_inputs, data.train_labels

    def block(number: int) -> float:
        start = number * steps * BATCH % (len(inputs) - steps * BATCH)
        begin = time.perf_counter()
        for step in range(steps):
            part = slice(start + step * BATCH, start + (step + 1) * BATCH)
            F.cross_entropy(model(inputs[part]), labels[part]).backward()
            optimizer.step()
            optimizer.zero_grad()
        return (time.perf_counter() - begin) / steps

    return block


def main() -> None:
    """Print seconds an epoch and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--blocks", type=int, default=120)
    given = parser.parse_args()
    torch.manual_seed(0)
    makers: dict[str, Callable[[], tuple[nn.Module, torch.optim.Optimizer]]] = {
        "ours, in-situ, 5 states": ours,
        "torch, float": float_baseline,
    }
    if importlib.util.find_spec("brevitas"):
        makers |= {"Brevitas, ternary": lambda: brevitas(None), "Brevitas, 3 bits": lambda: brevitas(3)}
    if importlib.util.find_spec("aihwkit"):
        makers["aihwkit, constant step"] = aihwkit
    blocks = {name: stepper(make(), given.steps) for name, make in makers.items()}
    for run in blocks.values():
        run(0)
    times = [[run(number) for run in blocks.values()] for number in range(1, given.blocks + 1)]
    print(f"{torch.get_num_threads()} threads, medians of {given.blocks} blocks of {given.steps} steps in turn")
    for place, name in enumerate(blocks):
        seconds = statistics.median(row[place] for row in times) * SAMPLES / BATCH
        ratio = statistics.median(row[place] / row[0] for row in times)
        print(f"{name:26s} {seconds:7.2f} s an epoch of 60 000, {ratio:5.2f} times ours")
    for missing in ("brevitas", "aihwkit"):
        if importlib.util.find_spec(missing) is None:
            print(f"{missing}: not installed")


if __name__ == "__main__":
    main()
