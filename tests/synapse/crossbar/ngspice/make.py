"""Netlist of a crossbar for ngspice, and its answer as the effective matrix that the tests compare with.

    python tests/synapse/crossbar/ngspice/make.py

writes crossbar.cir.gz beside itself, runs ``ngspice -b crossbar.cir`` on it (ngspice 39.3), and writes crossbar.txt:
one line for each row, with the currents (A) into the read-out of every column for 1 V on that row and 0 V on all
others.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SIZE = 32
WORD_LINE, BIT_LINE = 0.5, 1.5
"""Ohm of a segment: different, so that the two cannot be mistaken for each other."""
LOWEST, HIGHEST = 3.5e-4, 8.8e-4
"""Conductances (S) from antiparallel to parallel of the default junction, about."""
ABSENT = 0.05
"""Share of crossings without a device."""


def netlist(conductance: np.ndarray, word_line: float, bit_line: float) -> str:
    """The circuit, and commands that put 1 V on each row in turn and print the currents of the read-outs."""
    rows, columns = conductance.shape
    lines = [f"* crossbar of {rows} x {columns}: {word_line} ohm along word lines, {bit_line} ohm along bit lines"]
    for i in range(rows):
        lines.append(f"Vin{i} s{i} 0 dc 0")
        for j in range(columns):
            left = f"w{i}_{j - 1}" if j else f"s{i}"
            below = f"b{i + 1}_{j}" if i < rows - 1 else f"g{j}"
            lines += [f"Rw{i}_{j} {left} w{i}_{j} {word_line!r}", f"Rb{i}_{j} b{i}_{j} {below} {bit_line!r}"]
            if conductance[i, j] > 0:
                lines.append(f"Rd{i}_{j} w{i}_{j} b{i}_{j} {float(1 / conductance[i, j])!r}")
    lines += [f"Vout{j} g{j} 0 dc 0" for j in range(columns)]
    lines += [".control", "set numdgt=15"]
    for i in range(rows):
        lines += [f"alter Vin{i} dc = 1", "op"]
        lines += [f"print i(vout{j})" for j in range(columns)]
        lines += [f"alter Vin{i} dc = 0"]
    return "\n".join([*lines, "quit", ".endc", ".end", ""])


def main() -> None:
    """Make the circuit, run it, keep both."""
    generator = np.random.default_rng(0)
    conductance = generator.uniform(LOWEST, HIGHEST, (SIZE, SIZE))
    conductance[generator.random((SIZE, SIZE)) < ABSENT] = 0
    text = netlist(conductance, WORD_LINE, BIT_LINE)
    # No time of writing in it: the same circuit is the same file.
    (HERE / "crossbar.cir.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "crossbar.cir").write_text(text, encoding="ascii")
        command = ["ngspice", "-b", "crossbar.cir"]
        answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    currents = [float(value) for value in re.findall(r"i\(vout\d+\) = (\S+)", answer)]
    np.savetxt(HERE / "crossbar.txt", np.reshape(currents, (SIZE, SIZE)), fmt="%.15e")


if __name__ == "__main__":
    main()
