"""VGG8 beside the figures that the manual of DNN+NeuroSim 1.3 prints (fig. 24), with the same arrays and counts.

Of the example the manual says 8-bit weights in cells of 2 bits, 100 kOhm to 10 MOhm, read in parallel. The rest follows
from what it prints: 22 nm by the area of the cells, positions of convolutions without padding by the time of the
converters, 8 outputs a converter of 5 bits by the shipped parameters.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import pytest

from barkhausen.synapse.crossbar import LayerLoad, inference_costs, load_chip

if TYPE_CHECKING:
    from tests.conftest import Report

FEATURE = 22e-9
CELLS = 4
PLANES = 8
MAPPED_TWICE = (16, 4, 4, 2, 2, 1, 1, 8)
"""Copies of the weights of each layer, which work at the same time ("speed-up")."""
KERNEL_TILE, LINEAR_TILE = 9 * 512 * 512, 1024 * 1024
ARRAYS = (13 * KERNEL_TILE + 34 * LINEAR_TILE) // 128**2
"""Its arrays: 13 tiles of convolutions, 34 of the first and the last two layers."""
CHIP = load_chip(
    settings=[
        "tile.columns=129",  # 128 outputs and a reference
        "inputs.signed=false",
        "inputs.mode=bit-serial",
        "inputs.read_voltage=0.5",
        "adc.bits=5",
        f"constants.cell_area={4 * 12 * FEATURE**2}",
    ],
    node="22",
)
VGG8 = [
    LayerLoad(
        CELLS * outputs,
        inputs,
        mean_conductance=(1e-5 + 1e-7) / 2,
        mean_square_voltage=0.1 * 0.5**2,
        uses=positions,
    )
    for inputs, outputs, positions in [
        (27, 128, 900),
        (1152, 128, 900),
        (1152, 256, 196),
        (2304, 256, 196),
        (2304, 512, 36),
        (4608, 512, 36),
        (8192, 1024, 1),
        (1024, 10, 1),
    ]
]


def test_counts_are_those_of_the_manual() -> None:
    # Area of its arrays and time of its converters: 8 turns of 2.05 ns for each read, copies at the same time.
    cells = ARRAYS * 128**2 * 4 * 12 * FEATURE**2
    assert cells == pytest.approx(1.5408e-6, rel=1e-4)
    turns = sum(PLANES * 8 * each.uses / copies for each, copies in zip(VGG8, MAPPED_TWICE, strict=True))
    assert turns * 2.05141e-9 == pytest.approx(63462.3e-9, rel=1e-5)
    operations = 2 * sum(
        prod(size) for size in [(1024, 27, 128), (1024, 1152, 128), (256, 1152, 256), (256, 2304, 256)]
    ) + 2 * sum(prod(size) for size in [(64, 2304, 512), (64, 4608, 512), (8192, 1024), (1024, 10)])
    # TOPS/W with the increase of 1.23 after layout, which the breakdown has not.
    assert operations / (1.23 * (37.7518e-6 + 1.19011e-6)) == pytest.approx(25.7176e12, rel=1e-4)


def test_our_figures_beside_it(report: Report) -> None:
    found = inference_costs(CHIP, VGG8)
    tiles = sum(prod(CHIP.tile.blocks(each.outputs, each.inputs)) for each in VGG8)
    assert tiles == 3176
    each = {part: value / tiles for part, value in found.area.items()}
    published = {"ADC": 1.46062e-5 / ARRAYS, "accumulate": 3.13322e-6 / ARRAYS}
    for part, factor in {"ADC": 2.99, "accumulate": 0.697}.items():
        report(f"area of {part}, times NeuroSim's", each[part] / published[part], factor, 0.005)
    report("area of an array with all", found.area_total / tiles / (4.5554e-5 / ARRAYS), 1.051, 0.002)
    for cause, joule, factor in (
        ("ADC", 18.274e-6, 2.019),
        ("accumulate", 5.16853e-6, 0.749),
        ("buffer", 0.412969e-6, 7.12),
        ("network", 8.94262e-6, 0.485),
    ):
        report(f"energy of {cause}, times NeuroSim's", found.energy[cause] / joule, factor, 0.005)
    report("energy, times NeuroSim's", found.total / (37.7518e-6 + 1.19011e-6), 2.945, 0.005)
    once = CHIP.sense.time + 8 * CHIP.constants.adc_time.value
    report("time of a read, times NeuroSim's", once / (8 * 2.05141e-9), 1.0155, 0.001)
