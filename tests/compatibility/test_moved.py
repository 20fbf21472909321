"""Modules of version 0.1.0 are found under their old names."""

from __future__ import annotations

import importlib
import sys

import pytest

from barkhausen.core.moved import MODULES

NAMED = {
    "errors": ["InputError", "DataNotFoundError"],
    "device.characterise": ["characterise"],
    "device.mumax3_tables": ["import_mumax3_tables"],
    "device.retention": ["retention"],
    "experiment.chip_inference": ["infer_on_chip", "ChipInference"],
    "experiment.dataset": ["Dataset"],
    "experiment.datasets": ["load_dataset"],
    "experiment.mlflow_log": ["Mlflow"],
    "experiment.report": ["write_report"],
    "experiment.reproduce": ["reproduce"],
    "experiment.run_log": ["Destination", "RunLog"],
    "experiment.sweep": ["load_table", "load_chips", "to_xarray", "load_sweep", "run_sweep", "Sweep", "Counts"],
    "experiment.sweep.summarise": ["summarise"],
    "learning.transfer": ["transfer", "fresh_chip", "evaluate"],
    "micromagnetics.anisotropy_map": ["anisotropy_map"],
}
"""What the documentation of 0.1.0 named in them."""


@pytest.mark.parametrize("module", MODULES)
def test_an_old_module_is_found_with_a_warning(module: str) -> None:
    name = f"barkhausen.{module}"
    sys.modules.pop(name, None)
    with pytest.warns(DeprecationWarning, match=rf"{name} is now barkhausen\.") as caught:
        found = importlib.import_module(name)
    assert [warning.filename for warning in caught if name in str(warning.message)]
    for wanted in NAMED.get(module, []):
        assert callable(getattr(found, wanted))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        found.nothing  # noqa: B018  # looked up


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("barkhausen.experiment.nothing")


@pytest.mark.parametrize("name", ["export_onnx", "export_safetensors", "export_npz", "export_csv"])
def test_packages_that_were_modules_keep_their_names(name: str) -> None:
    assert callable(getattr(importlib.import_module("barkhausen.experiment.export"), name))


def test_the_design_search_keeps_its_name() -> None:
    assert callable(importlib.import_module("barkhausen.experiment.design").design_to_directory)


@pytest.mark.parametrize("name", ["learning.transfer", "micromagnetics.anisotropy_map", "device.retention"])
def test_a_function_with_the_name_of_an_old_module_stays_in_its_package(name: str) -> None:
    parent, _, own = f"barkhausen.{name}".rpartition(".")
    package = importlib.import_module(parent)
    function = getattr(package, own)
    sys.modules.pop(f"{parent}.{own}", None)
    with pytest.warns(DeprecationWarning):
        old = importlib.import_module(f"{parent}.{own}")
    assert getattr(old, own) is function
    assert getattr(package, own) is function
