"""What version 0.1.0 computed comes out again, whatever it is called now.

The kept files are of one machine. Where sums are rounded as there, every number has the same bits. Elsewhere a training
soon takes another way, so that its numbers say nothing; what does not depend on the way agrees within rounding.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.renamed import DEVICE_DIMENSIONS, DEVICE_VARIABLES, STATE_KEYS
from barkhausen.device import read_device
from barkhausen.device.schema import ESCAPE_DIRECTION, STABILITY
from barkhausen.experiment.characterisation.states import characterise_to_file, history_file
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.recipe import load_recipe
from barkhausen.experiment.run import Run
from barkhausen.experiment.summary import upgraded
from barkhausen.synapse.crossbar.chip import load_chip
from machines import as_kept, rounding

OLD = Path(__file__).parents[1] / "old_versions" / "0.1.0"

NOT_COMPUTED = {"wall_seconds", "seconds", "software", "schema"}
"""Keys of what differs from run to run, or says which version it was."""

OF_THE_WHOLE = (
    "/total_joule",
    "/float32",
    "/dominant",
    "/training/",
    "/constants",
    "/chip/",
    "/energy_joule/",
    "/assumed",
)
"""Beginnings of the keys of an inference that changed when more causes of energy were counted."""

OF_BARRIERS = {*STABILITY, ESCAPE_DIRECTION, "read_disturb"}
"""Variables that follow from barriers, which are those of walls that may tilt since 0.2.0."""

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def same_bits() -> bool:
    """Whether this machine rounds as one on which the kept numbers have been seen to the last bit."""
    return as_kept(OLD / "machine.json")


def equal(new: Any, old: Any, name: str, same_bits: bool) -> None:
    """Assert that arrays have the same bits, or agree within rounding."""
    if same_bits or not np.issubdtype(np.asarray(old).dtype, np.floating):
        np.testing.assert_array_equal(new, old, name)
    else:
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=0, err_msg=name)


def values_of(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested tables, lists and tensors as one dictionary of plain values under their present names."""
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, item in value.items():
            *layer, last = str(key).split(".")
            if key not in NOT_COMPUTED:
                found |= values_of(item, f"{prefix}/{'.'.join([*layer, STATE_KEYS.get(last, last)])}")
        return found
    if isinstance(value, torch.Tensor):
        return {prefix: (str(value.dtype), tuple(value.shape), value.numpy().tobytes())}
    if isinstance(value, (list, tuple)):
        return {
            key: item for place, part in enumerate(value) for key, item in values_of(part, f"{prefix}/{place}").items()
        }
    return {prefix: None if isinstance(value, float) and math.isnan(value) else value}


def changed(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """Values of before that are missing or others now; what is new besides does not matter."""
    before, after = values_of(old), values_of(new)
    return {
        key: (value, after.get(key, "missing")) for key, value in before.items() if after.get(key, "missing") != value
    }


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ"])
def test_a_run_gives_the_same_numbers(mode: str, tmp_path: Path, same_bits: bool) -> None:
    if not same_bits:
        pytest.skip(f"sums are rounded otherwise on this machine ({rounding()}); add it to machine.json if this passes")
    old, new = OLD / f"run-{mode}", tmp_path / "run"
    summary = Run(load_recipe(OLD / f"recipe-{mode}.toml"), new).execute()
    kept = upgraded(json.loads((old / "summary.json").read_text(encoding="utf-8")))
    assert len(values_of(kept)) > 100
    assert changed(kept, json.loads(json.dumps(summary))) == {}
    checkpoints = [load_checkpoint(run / "checkpoint.safetensors") for run in (old, new)]
    assert len(values_of(checkpoints[0])) > 20
    assert changed(*checkpoints) == {}
    for name in ("metrics.jsonl", "histograms.json"):
        lines = [[json.loads(line) for line in (run / name).read_text().splitlines()] for run in (old, new)]
        assert changed(*lines) == {}, name


def test_a_characterisation_gives_the_same_numbers(tmp_path: Path, same_bits: bool) -> None:
    out = tmp_path / "device.nc"
    # Constants of the cells, as they were; a file that does not say means averages at 300 K now.
    characterise_to_file(OLD / "characterisation.toml", out, settings=("material.constants_at=0",), threads=1)
    kept = read_device(OLD / "characterisation.nc").data
    new = read_device(out).data
    for name, variable in kept.data_vars.items():
        if name in OF_BARRIERS:
            continue
        equal(new[name].transpose(*variable.dims).values, variable.values, str(name), same_bits)
    with xr.open_dataset(OLD / "characterisation.nc", engine="h5netcdf") as old:
        for name in set(old.data_vars) & set(DEVICE_VARIABLES):
            if DEVICE_VARIABLES[str(name)] in OF_BARRIERS:
                continue
            dims = [DEVICE_DIMENSIONS.get(str(dim), str(dim)) for dim in old[name].dims]
            now = new[DEVICE_VARIABLES[str(name)]].transpose(*dims)
            equal(now.values, old[name].values, str(name), same_bits)
    with (
        xr.open_dataset(OLD / "characterisation.history.nc", engine="h5netcdf") as old,
        xr.open_dataset(history_file(out), engine="h5netcdf") as history,
    ):
        assert set(old.data_vars) >= {"wall_position", "wall_count", "perpendicular"}
        for name, variable in old.data_vars.items():
            equal(history[name].values, variable.values, str(name), same_bits)


def infer(mode: str, chip: int | None, epochs: int, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Kept and present summaries of an inference on a chip."""
    shutil.copytree(OLD / f"run-{mode}", folder / f"run-{mode}")
    found = infer_on_chip(
        folder / f"run-{mode}", load_chip(OLD / "chip.toml", ()), number=chip, fine_tuning_epochs=epochs
    )
    kept = json.loads((OLD / f"infer-{mode}.json").read_text(encoding="utf-8"))
    assert len(values_of(kept)) > 50
    return kept, json.loads(json.dumps(found.summary()))


@pytest.mark.parametrize(("mode", "chip", "epochs"), [("in-situ", None, 1), ("ex-situ", 1, 0)])
def test_an_inference_on_a_chip_gives_the_same_numbers(
    mode: str, chip: int | None, epochs: int, tmp_path: Path, same_bits: bool
) -> None:
    differ = changed(*infer(mode, chip, epochs, tmp_path))
    differ = {key: pair for key, pair in differ.items() if not key.startswith(OF_THE_WHOLE)}
    if not same_bits:
        # Fine-tuning is a training.
        differ = {key: pair for key, pair in differ.items() if not key.startswith("/fine_tuning")}
        for key, (before, after) in differ.items():
            assert isinstance(before, float), key
            equal(after, before, key, same_bits)
    else:
        assert differ == {}
