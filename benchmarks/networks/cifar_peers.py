"""Seconds an epoch of CIFAR-10 on the airbench network: in-situ rule, float, Brevitas with ternary and 3-bit weights.

All are trained by the same loop with the same augmentation, loss, optimiser and precision of products, on random images
of CIFAR-10's shape. Brevitas has quantised weights in every layer that is on devices in ours (straight-through, one
scale a layer, no noise, no devices); the whitening is plain in all. Steps are made in turn, in one process, so that all
meet the same disturbances: the ratios are medians over rounds, the times medians scaled to 50 000 images.

    python benchmarks/networks/cifar_peers.py  # the network of recipes/cifar10.toml, 120 rounds
    python benchmarks/networks/cifar_peers.py --channels 64 256 256  # that of cifar10-large
    python benchmarks/networks/cifar_peers.py --append  # also appends to benchmarks/results/cifar_peers.jsonl
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
from datetime import datetime, timezone
from pathlib import Path

import torch
from cifar_epoch import IMAGES, random_images, step_of, training_of
from torch import nn

from barkhausen.core.provenance import commit, processor
from barkhausen.experiment.training import Training

RESULTS = Path(__file__).parents[1] / "results" / "cifar_peers.jsonl"
OURS = "ours, in-situ, 5 states"


def quantised(model: nn.Module, bits: int | None) -> nn.Module:
    """The float network with Brevitas' layers in place of its convolutions and linear layers, in place.

    Args:
        model: Network of float layers.
        bits: Bits of integer weights. None: ternary ones.
    """
    import brevitas.nn as qnn  # noqa: PLC0415  # an extra
    from brevitas.quant import Int8WeightPerTensorFloat, SignedTernaryWeightPerTensorConst  # noqa: PLC0415

    how = {"weight_quant": SignedTernaryWeightPerTensorConst if bits is None else Int8WeightPerTensorFloat}
    if bits is not None:
        how["weight_bit_width"] = bits
    for name, layer in list(model.named_children()):
        if name == "whitening":
            continue
        bias = getattr(layer, "bias", None) is not None
        made: nn.Module
        if type(layer) is nn.Conv2d:
            sizes = layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride
            made = qnn.QuantConv2d(*sizes, padding=layer.padding, bias=bias, **how)
        elif type(layer) is nn.Linear:
            made = qnn.QuantLinear(layer.in_features, layer.out_features, bias=bias, **how)
        else:
            continue
        with torch.no_grad():
            made.weight.copy_(layer.weight)
        setattr(model, name, made)
    return model


def trainings(arguments: argparse.Namespace) -> dict[str, Training]:
    """A training of each kind, of one step an epoch."""
    lowered, steps = not arguments.float32, 1
    found = {
        OURS: training_of(arguments, "in-situ", lowered=lowered, steps=steps),
        "float": training_of(arguments, "float", lowered=lowered, steps=steps),
    }
    if importlib.util.find_spec("brevitas") is None:
        print("brevitas: not installed (make an environment with the extra 'peers')")
        return found
    for name, bits in (("Brevitas, ternary", None), ("Brevitas, 3 bits", 3)):
        plain = training_of(arguments, "float", lowered=lowered, steps=steps)
        model = quantised(plain.model, bits)
        assert sum("Quant" in type(layer).__name__ for layer in model.children()) > 1
        found[name] = Training(plain.recipe, random_images(steps * arguments.batch), None, model=model)
    return found


def main() -> None:
    """Print CPU-seconds of an epoch for each kind, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 128, 128])
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=120, help="steps of each kind")
    parser.add_argument("--float32", action="store_true", help="products in float32, not bfloat16")
    parser.add_argument("--append", action="store_true", help="append to benchmarks/results/cifar_peers.jsonl")
    arguments = parser.parse_args()
    arguments.vgg = False
    torch.set_num_threads(1)
    steps = {name: step_of(subject) for name, subject in trainings(arguments).items()}
    for step in steps.values():
        step()
    rows = [{name: step() for name, step in steps.items()} for _ in range(arguments.rounds)]
    seconds = {name: statistics.median(row[name] for row in rows) * IMAGES / arguments.batch for name in steps}
    ratios = {name: statistics.median(row[name] / row[OURS] for row in rows) for name in steps}
    network = "-".join(map(str, arguments.channels))
    products = "float32" if arguments.float32 else "bfloat16"
    print(f"{network}, batch {arguments.batch}, {products}, one thread, {processor()}, torch {torch.__version__}")
    print(f"medians of {arguments.rounds} rounds of one step each, in turn")
    for name in steps:
        print(f"{name:26s} {seconds[name]:8.1f} CPU-s an epoch of 50 000 images, {ratios[name]:6.3f} times ours")
    in_situ = statistics.median(row[OURS] / row["float"] for row in rows)
    print(f"in-situ / float: {in_situ:.3f}")
    if arguments.append:
        row = {
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "processor": processor(),
            "torch": str(torch.__version__),
            "network": network,
            "batch": arguments.batch,
            "products": products,
            "rounds": arguments.rounds,
            "cpu_seconds_an_epoch": seconds,
            "times_ours": ratios,
            "in_situ_over_float": in_situ,
        }
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
