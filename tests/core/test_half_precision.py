"""Products in bfloat16 where the processor has instructions for it."""

from __future__ import annotations

import pytest
import torch

from barkhausen.core import half_precision
from barkhausen.core.half_precision import choice_of_machine, has_bfloat16, lowered_products

CPU = torch.device("cpu")


def product(autocast: half_precision.Autocast) -> torch.dtype:
    with lowered_products(autocast, CPU):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize("fast", [True, False])
def test_auto_is_bfloat16_only_where_it_is_fast(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(half_precision, "has_bfloat16", lambda where: fast)
    assert product("auto") is (torch.bfloat16 if fast else torch.float32)
    assert product("bfloat16") is torch.bfloat16
    assert product("none") is torch.float32
    (line,) = choice_of_machine("auto", CPU)
    assert ("bfloat16 on this" if fast else "single precision on this") in line
    assert choice_of_machine("bfloat16", CPU) == []


@pytest.mark.parametrize(
    ("capabilities", "fast"), [({"avx2": True}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)]
)
def test_a_processor_is_asked_for_its_instructions(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert has_bfloat16(CPU) is fast
