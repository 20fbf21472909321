"""Weight matrices on tiles: which device stands where, and what the tiles compute with."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.device.conductance import ConductanceMap
from barkhausen.synapse.crossbar import CrossbarTiles, Tiling, Wires, effective_conductance, tiles

MAP = ConductanceMap(low=3e-4, high=9e-4, reference=6e-4, unit=2.5e-4)
SCHEMES = ["reference column", "differential pair"]
WIRES = Wires(2.0, 5.0)

pytestmark = pytest.mark.usefixtures("one_thread")


def weights(outputs: int, inputs: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(outputs, inputs, generator=generator, dtype=torch.float64) * 2 - 1


def made(weight: Tensor, scheme: Any, **given: Any) -> CrossbarTiles:
    return CrossbarTiles(weight, MAP, scheme=scheme, **{"rows": 6, "columns": 7, **given})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 6), (6, 6), (7, 13), (20, 5)])
def test_ideal_wires_give_the_weights_back(scheme: str, shape: tuple[int, int]) -> None:
    weight = weights(*shape)
    ours = made(weight, scheme).effective_weight()
    assert ours.dtype == torch.float64
    torch.testing.assert_close(ours, weight, rtol=0, atol=1e-14)


def test_map_of_a_device() -> None:
    device = gaussian_device(5)
    weight = weights(4, 9)
    ours = CrossbarTiles(weight.float(), ConductanceMap.of(device)).effective_weight()
    torch.testing.assert_close(ours, weight.float().double(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_against_currents_of_tiles_put_together_by_hand(scheme: str) -> None:
    # 7 outputs and 11 inputs on tiles of 6 x 7: inputs 6 + 5; outputs 4 + 3 beside a reference, 3 + 2 + 2 pairs.
    weight, x = weights(7, 11), weights(4, 11, seed=1)
    shares = [4, 3] if scheme == "reference column" else [3, 2, 2]
    expected = torch.zeros(4, 7, dtype=torch.float64)
    for inputs in (slice(0, 6), slice(6, 11)):
        start = 0
        for share in shares:
            outputs = slice(start, start + share)
            start += share
            block = MAP.reference + MAP.unit * weight[outputs, inputs].T
            tile = torch.zeros(6, 7, dtype=torch.float64)
            live = tile[6 - len(block) :]
            if scheme == "reference column":
                middle = share // 2
                live[:, :middle], live[:, middle], live[:, middle + 1 : share + 1] = (
                    block[:, :middle],
                    MAP.reference,
                    block[:, middle:],
                )
            else:
                live[:, 0 : 2 * share : 2] = block
                live[:, 1 : 2 * share : 2] = 2 * MAP.reference - block
            voltage = torch.zeros(4, 6, dtype=torch.float64)
            voltage[:, 6 - len(block) :] = x[:, inputs]
            current = voltage @ effective_conductance(tile, WIRES)
            if scheme == "reference column":
                signal = torch.cat([current[:, :middle], current[:, middle + 1 : share + 1]], 1) - current[:, [middle]]
                expected[:, outputs] += signal / MAP.unit
            else:
                expected[:, outputs] += (current[:, 0 : 2 * share : 2] - current[:, 1 : 2 * share : 2]) / (2 * MAP.unit)
    ours = made(weight, scheme, wires=WIRES)
    torch.testing.assert_close(x @ ours.effective_weight().T, expected, rtol=1e-11, atol=1e-11)
    assert float((ours.effective_weight() - weight).abs().max()) > 1e-3


def test_signed_inputs_in_two_phases() -> None:
    w, x = made(weights(5, 9), "reference column", wires=WIRES).effective_weight(), weights(3, 9, seed=2)
    torch.testing.assert_close(x.clamp_min(0) @ w.T - (-x).clamp_min(0) @ w.T, x @ w.T, rtol=0, atol=1e-13)


def test_absent_devices_and_shared_reference() -> None:
    alone = made(weights(3, 8), "reference column").conductances
    assert alone.shape == (2, 1, 6, 7)
    # 4 inputs on each of two tiles, in the rows next to the read-out; 3 outputs and their reference.
    assert (alone[:, :, :2] == 0).all()
    assert (alone[..., 4:] == 0).all()
    assert (alone[:, :, 2:, :4] > 0).all()
    assert (alone[:, :, 2:, 1] == MAP.reference).all()


def test_pairs_load_every_word_line_alike() -> None:
    devices = made(weights(3, 6), "differential pair").conductances
    loads = devices.sum(-1)
    torch.testing.assert_close(loads, torch.full_like(loads, 6 * MAP.reference), rtol=1e-14, atol=0)


def test_second_devices_of_pairs() -> None:
    first, second = weights(4, 6), weights(4, 6, seed=3)
    ours = made(first, "differential pair", minus=second).effective_weight()
    torch.testing.assert_close(ours, (first - second) / 2, rtol=0, atol=1e-14)
    with pytest.raises(InputError, match="minus"):
        made(first, "reference column", minus=second)


def test_only_changed_tiles_are_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = []

    def counted(conductance: Tensor, wires: Wires) -> Tensor:
        solved.append(len(conductance))
        return effective_conductance(conductance, wires)

    monkeypatch.setattr(tiles, "effective_conductance", counted)
    weight = weights(12, 18)
    ours = made(weight, "reference column", wires=WIRES)
    before = ours.effective_weight()
    ours.effective_weight()
    assert solved == [6]
    assert torch.equal(before, ours.effective_weight())

    held = ours.effective()
    kept = held.clone()
    weight = weight.clone()
    weight[7, 13] = -weight[7, 13]
    ours.program(weight)
    assert ours.stale.tolist() == [[False, False], [False, False], [False, True]]
    after = ours.effective_weight()
    assert solved == [6, 1]
    assert torch.equal(held, kept)
    torch.testing.assert_close(after, made(weight, "reference column", wires=WIRES).effective_weight())
    ours.program(weight)
    ours.effective()
    assert solved == [6, 1, 6]  # the last 6 by the tiles made to compare with


def test_replaced_conductances() -> None:
    ours = made(weights(3, 6), "reference column")
    devices = ours.conductances.clone()
    ours.effective()
    devices[..., 1] -= 0.5e-4
    ours.replace(devices)
    kept = ours.conductances.clone()
    devices.zero_()
    assert torch.equal(ours.conductances, kept)
    torch.testing.assert_close(ours.effective_weight(), weights(3, 6) + 0.2, rtol=0, atol=1e-13)
    for bad in (-1e-4, float("nan")):
        with pytest.raises(InputError, match="conductances"):
            ours.replace(torch.full_like(devices, bad))
    with pytest.raises(InputError, match="shape"):
        ours.replace(devices[0])


@pytest.mark.parametrize("count", [1, 5, 6, 7, 784])
def test_lines_are_shared_out_evenly(count: int) -> None:
    tiling = Tiling(3, count, rows=6, columns=7)
    tile, row = tiling.rows_of_inputs()
    sizes = torch.bincount(tile)
    assert len(sizes) == tiling.shape[0] == -(-count // 6)
    assert int(sizes.max() - sizes.min()) <= 1
    assert int(row.min()) >= 0
    assert int(row.max()) == 5
    assert len(set(zip(tile.tolist(), row.tolist(), strict=True))) == count


def test_outputs_per_tile() -> None:
    assert [Tiling(1, 1, scheme=scheme).outputs_per_tile for scheme in SCHEMES] == [127, 64]
    assert Tiling(1, 1, scheme="two reads").outputs_per_tile == 128
    assert Tiling(128, 784).shape == (7, 2)
    assert Tiling(128, 784, scheme="two reads").shape == (7, 1)
    assert Tiling(128, 784, scheme="differential pair").shape == (7, 2)
    assert Tiling(1, 1, columns=5, scheme="differential pair").outputs_per_tile == 2


def test_tiles_of_two_reads_hold_weights_in_every_column() -> None:
    weight = weights(7, 6)
    ours = made(weight, "two reads")
    assert torch.equal(ours.conductances[0, 0], MAP.reference + MAP.unit * weight.T)
    torch.testing.assert_close(ours.effective_weight(), weight)
    with pytest.raises(InputError, match="a 'two reads' has no second devices"):
        ours.program(weight, minus=weight)


def test_bad_input() -> None:
    for scheme, what in zip(SCHEMES, ["reference", "pair"], strict=True):
        made(weights(3, 2), scheme, rows=1, columns=2)
        for small in ({"columns": 1}, {"rows": 0}):
            with pytest.raises(InputError, match=f"too small.*{what}"):
                made(weights(3, 2), scheme, **small)
    with pytest.raises(InputError, match="did you mean 'differential pair'"):
        made(weights(3, 2), "diferential pair")
    with pytest.raises(InputError, match="empty"):
        made(torch.zeros(0, 3), "reference column")
    with pytest.raises(InputError, match="outputs, inputs"):
        made(torch.zeros(3), "reference column")
    with pytest.raises(InputError, match="a device of weight -3 "):
        made(torch.tensor([[0.5, -3.0]]), "reference column")
    with pytest.raises(InputError, match="a device of weight -3 "):
        made(torch.tensor([[0.5, 3.0]]), "differential pair")
    with pytest.raises(InputError, match="finite"):
        made(torch.tensor([[0.5, float("nan")]]), "reference column")
    with pytest.raises(InputError, match="the tiles hold 2 x 3"):
        made(weights(2, 3), "reference column").program(weights(3, 2))


def test_rounding_of_an_ideal_junction_is_no_error() -> None:
    ideal = ConductanceMap(0.0, 1e-3, 5e-4, 5e-4)
    weight = torch.tensor([[-1.0 - 1e-12, 1.0]], dtype=torch.float64)
    ours = CrossbarTiles(weight, ideal)
    assert float(ours.conductances.min()) == 0
    torch.testing.assert_close(ours.effective_weight(), weight, rtol=0, atol=1e-11)
