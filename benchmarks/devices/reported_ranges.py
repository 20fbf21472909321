"""Ranges that are reported for stacks of layers, as the tables of docs/stacks.md.

python benchmarks/devices/reported_ranges.py
"""

from __future__ import annotations

from barkhausen.device.domain_wall.interfaces import QUANTITIES, STACKS

for name, stack in STACKS.items():
    print(f"### `{name}`: {stack.label}\n\n| | reported | source |\n| --- | --- | --- |")
    for quantity, known in stack.ranges.items():
        symbol, factor, unit = QUANTITIES[quantity]
        low, high = (f"{factor * value:.4g}" for value in (known.low, known.high))
        reported = low if known.low == known.high else f"{low} to {high}"
        print(f"| {symbol.replace('|', '')} | {f'{reported} {unit}'.strip()} | {known.source} |")
    print()
