"""Crossbars with resistive wires against a dense nodal solution, badcrossbar and ngspice."""

from __future__ import annotations

import gzip
import importlib.util
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar import IDEAL, Wires, effective_conductance
from barkhausen.synapse.crossbar import wires as module

NGSPICE = Path(__file__).parent / "ngspice"
LOWEST, HIGHEST = 3.5e-4, 8.8e-4

pytestmark = pytest.mark.usefixtures("one_thread")


def some(*shape: int, absent: float = 0.0, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    value = torch.rand(shape, generator=generator, dtype=torch.float64) * (HIGHEST - LOWEST) + LOWEST
    return value * (torch.rand(shape, generator=generator) >= absent)


def nodal(conductance: Tensor, word_line: float, bit_line: float) -> np.ndarray:
    """Kirchhoff's current law at every node, the sources and read-outs among them, one dense solution for each row.

    Node numbers: word line, bit line, source, read-out; the voltages of the last two are known.
    """
    devices = conductance.numpy()
    rows, columns = devices.shape
    count = rows * columns
    word = np.arange(count).reshape(rows, columns)
    bit, source, ground = word + count, 2 * count + np.arange(rows), 2 * count + rows + np.arange(columns)
    laplacian = np.zeros((2 * count + rows + columns,) * 2)

    def branch(one: int, other: int, value: float) -> None:
        laplacian[[one, other], [one, other]] += value
        laplacian[[one, other], [other, one]] -= value

    for i in range(rows):
        for j in range(columns):
            branch(word[i, j], word[i, j - 1] if j else source[i], 1 / word_line)
            branch(bit[i, j], bit[i + 1, j] if i < rows - 1 else ground[j], 1 / bit_line)
            branch(word[i, j], bit[i, j], devices[i, j])
    inner, outer = laplacian[: 2 * count], np.zeros((rows, columns))
    for i in range(rows):
        voltage = np.linalg.solve(inner[:, : 2 * count], -inner[:, source[i]])
        # What flows from the last crossings to the read-outs at 0 V.
        outer[i] = voltage[bit[-1]] / bit_line
    return outer


def badcrossbar_effective(conductance: Tensor, word_line: float, bit_line: float) -> np.ndarray:
    """Its output currents for 1 V on one row after the other."""
    if importlib.util.find_spec("badcrossbar") is None:
        pytest.skip("badcrossbar is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its pictures need cairo
        import badcrossbar  # noqa: PLC0415  # an extra
    with np.errstate(divide="ignore"):
        resistances = 1 / conductance.numpy()
    options: dict[str, Any] = {"r_i_word_line": word_line, "r_i_bit_line": bit_line, "all_currents": False}
    solution = badcrossbar.compute(np.eye(len(resistances)), resistances, node_voltages=False, **options)
    return np.asarray(solution.currents.output)


def error(ours: Tensor, reference: np.ndarray) -> float:
    """The largest relative error of any element."""
    return float(np.abs(ours.numpy() / reference - 1).max())


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (3, 5), (7, 2), (5, 5)])
@pytest.mark.parametrize("wires", [(0.5, 0.5), (2.0, 0.25), (0.25, 40.0), (3e3, 2e3)])
def test_dense_nodal_solution(shape: tuple[int, int], wires: tuple[float, float]) -> None:
    devices = some(*shape)
    assert error(effective_conductance(devices, Wires(*wires)), nodal(devices, *wires)) < 1e-10


def test_one_device_is_three_resistors_in_series() -> None:
    ours = effective_conductance(torch.tensor([[1e-3]]), Wires(30.0, 200.0))
    torch.testing.assert_close(ours, torch.tensor([[1 / 1230]], dtype=torch.float64), rtol=1e-7, atol=0)


def test_absent_devices() -> None:
    devices = some(6, 9)
    devices[[0, 2, 2, 5], [0, 3, 4, 8]] = 0
    wires = 1.5, 7.0
    ours = effective_conductance(devices, Wires(*wires))
    assert error(ours, nodal(devices, *wires)) < 1e-9
    # What comes round through other devices: little, but not nothing.
    assert (ours[devices == 0] > 0).all()
    assert float(ours[devices == 0].max()) < 0.01 * LOWEST
    devices[4] = 0
    devices[:, 6] = 0
    ours = effective_conductance(devices, Wires(*wires))
    np.testing.assert_allclose(ours.numpy(), nodal(devices, *wires), rtol=1e-9, atol=1e-16)
    assert (ours[4] == 0).all()
    assert (ours[:, 6] == 0).all()
    assert (effective_conductance(torch.zeros(3, 3), Wires(1.0, 1.0)) == 0).all()


def test_no_resistance_is_exact() -> None:
    devices = some(4, 6, absent=0.2)
    assert torch.equal(effective_conductance(devices, IDEAL), devices)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_one_line_without_resistance(shape: tuple[int, int]) -> None:
    devices = some(*shape, absent=0.2)
    for exact, nearly in (((0.0, 7.0), (1e-7, 7.0)), ((7.0, 0.0), (7.0, 1e-7))):
        ours = effective_conductance(devices, Wires(*exact))
        np.testing.assert_allclose(ours.numpy(), nodal(devices, *nearly), rtol=0, atol=1e-7 * HIGHEST)
        assert (ours[devices == 0] == 0).all()  # nothing comes round
        assert float((ours / devices)[devices > 0].max()) < 0.999


def test_short_wires_lose_no_digits() -> None:
    # A factorisation of the nodal matrix has wires of 1e9 S beside devices of 1e-4 S, and three digits left.
    devices = some(9, 12)
    lost = {r: (1 - effective_conductance(devices, Wires(r, r)) / devices) / r for r in (1e-3, 1e-9)}
    # The loss is linear in so small a resistance; the first is resolved to 1e-13 of 1e-6, the second to 1e-4 of itself.
    torch.testing.assert_close(lost[1e-9], lost[1e-3], rtol=1e-3, atol=1e-15 / 1e-9)


def test_passive_and_falling_with_resistance() -> None:
    devices = some(17, 13, absent=0.1)
    before = devices
    for resistance in (0.1, 1.0, 10.0, 1e3, 1e5):
        now = effective_conductance(devices, Wires(resistance, resistance))
        assert (now > 0).all()
        assert (now.sum(0) < devices.sum(0)).all()
        assert (now.sum(1) < devices.sum(1)).all()
        # Rayleigh: between all sources and all read-outs, more resistance is less current.
        assert now.sum() < before.sum()
        # No source gives more than its wire alone would.
        assert (now.sum(1) < 1 / resistance).all()
        before = now


@pytest.mark.parametrize("resistance", [0.1, 2.0, 20.0])
def test_between_nothing_and_the_device(resistance: float) -> None:
    devices = some(17, 13)
    ours = effective_conductance(devices, Wires(resistance, resistance))
    assert (ours > 0).all()
    assert (ours < devices).all()


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 6)])
def test_reciprocity(shape: tuple[int, int]) -> None:
    # Sources and read-outs change places: what was the last column is now the top row.
    devices, wires = some(*shape, absent=0.1), Wires(3.0, 11.0)
    turned = effective_conductance(devices.mT.flip(0, 1), Wires(11.0, 3.0))
    torch.testing.assert_close(turned, effective_conductance(devices, wires).mT.flip(0, 1), rtol=1e-12, atol=0)


def test_which_ends_are_driven_and_read() -> None:
    # Equal devices lose more the further they are from the source, and from the read-out.
    ours = effective_conductance(torch.full((6, 7), HIGHEST), Wires(1.0, 1.0))
    assert (ours.diff(dim=1) < 0).all()
    assert (ours.diff(dim=0) > 0).all()


def test_many_tiles_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tiles, wires = some(2, 5, 4, 6), Wires(2.0, 3.0)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    ours = effective_conductance(tiles, wires)
    assert ours.shape == tiles.shape
    for tile, alone in zip(ours.flatten(0, 1), tiles.flatten(0, 1), strict=True):
        torch.testing.assert_close(tile, effective_conductance(alone, wires), rtol=1e-13, atol=0)


def test_input_is_kept_and_taken_in_any_precision() -> None:
    devices = some(4, 3).float()
    kept = devices.clone()
    ours = effective_conductance(devices, Wires(5.0, 5.0))
    assert ours.dtype == torch.float64
    assert torch.equal(devices, kept)
    ours.zero_()
    assert torch.equal(devices, kept)
    again = some(4, 3)
    effective_conductance(again, IDEAL)
    assert torch.equal(again, some(4, 3))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_bad_input(value: float) -> None:
    with pytest.raises(InputError, match="word_line"):
        Wires(value, 0.0)
    with pytest.raises(InputError, match="bit_line"):
        Wires(0.0, value)
    with pytest.raises(InputError, match="conductances"):
        effective_conductance(torch.tensor([[1e-4, value]]), IDEAL)


def test_bad_shapes() -> None:
    for shape in ((3,), (0, 4), (2, 0)):
        with pytest.raises(InputError, match="shape"):
            effective_conductance(torch.zeros(shape), IDEAL)


@pytest.mark.parametrize("wires", [(0.5, 0.5), (0.1, 2.0), (0.0, 1.0), (1.0, 0.0)])
def test_badcrossbar(wires: tuple[float, float]) -> None:
    devices = some(16, 16, absent=0.1 if min(wires) > 0 else 0.0)
    assert error(effective_conductance(devices, Wires(*wires)), badcrossbar_effective(devices, *wires)) < 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("resistance", [0.1, 0.5, 2.0])
def test_badcrossbar_at_full_size(size: int, resistance: float, report: Any) -> None:
    devices = some(size, size, absent=0.02)
    wires = resistance, resistance
    off = error(effective_conductance(devices, Wires(*wires)), badcrossbar_effective(devices, *wires))
    report(f"crossbar {size} x {size}, {resistance} ohm: largest error against badcrossbar", off, 0, 1e-9)


def test_ngspice() -> None:
    # The circuit itself is read, not what made it: see ngspice/make.py.
    circuit = gzip.decompress((NGSPICE / "crossbar.cir.gz").read_bytes()).decode()
    currents = np.loadtxt(NGSPICE / "crossbar.txt")
    devices = torch.zeros(currents.shape, dtype=torch.float64)
    for i, j, ohm in re.findall(r"^Rd(\d+)_(\d+) \S+ \S+ (\S+)$", circuit, re.MULTILINE):
        devices[int(i), int(j)] = 1 / float(ohm)
    wires = [{float(ohm) for ohm in re.findall(rf"^R{line}\d+_\d+ \S+ \S+ (\S+)$", circuit, re.M)} for line in "wb"]
    assert [len(values) for values in wires] == [1, 1]
    assert 0 < int((devices == 0).sum()) < 100
    ours = effective_conductance(devices, Wires(wires[0].pop(), wires[1].pop()))
    assert error(ours, currents) < 1e-12
