from __future__ import annotations

from pathlib import Path

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.checkpoint import load_checkpoint, save_checkpoint


def state() -> dict[str, object]:
    parameter = torch.nn.Parameter(torch.randn(3, generator=torch.Generator().manual_seed(0)))
    optimizer = torch.optim.Adam([parameter], lr=0.01)
    parameter.sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "learner": optimizer.state_dict(),
        "noise": torch.Generator().manual_seed(1).get_state(),
        "nothing": None,
        "words": ["a", 1.5, True],
        "view": torch.arange(10)[2:5],
    }


def test_what_was_saved_comes_back_with_types_and_integer_keys(tmp_path: Path) -> None:
    saved = state()
    save_checkpoint(tmp_path / "c.safetensors", saved)
    loaded = load_checkpoint(tmp_path / "c.safetensors")
    assert loaded["epoch"] == 3
    assert loaded["words"] == ["a", 1.5, True]
    assert loaded["nothing"] is None
    assert torch.equal(loaded["view"], torch.tensor([2, 3, 4]))
    assert loaded["noise"].dtype == torch.uint8
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(3))])
    optimizer.load_state_dict(loaded["learner"])
    held, original = optimizer.state_dict()["state"][0], saved["learner"]["state"][0]
    assert all(torch.equal(torch.as_tensor(held[k]), torch.as_tensor(original[k])) for k in original)


def test_same_state_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_checkpoint(tmp_path / f"{name}.safetensors", state())
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_damaged_checkpoint_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, state())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"c\.safetensors: is not a whole checkpoint"):
        load_checkpoint(path)


def test_tensor_file_of_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415

    save_file({"x": torch.zeros(1)}, tmp_path / "c.safetensors")
    with pytest.raises(InputError, match="is not a whole checkpoint"):
        load_checkpoint(tmp_path / "c.safetensors")


def test_objects_are_refused_rather_than_pickled(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"learner\.x"):
        save_checkpoint(tmp_path / "c.safetensors", {"learner": {"x": object()}})
    assert not list(tmp_path.iterdir())
