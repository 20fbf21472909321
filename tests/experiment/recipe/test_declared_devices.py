"""Device files of devices whose states a parameter file declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import declared_file, read_device
from barkhausen.experiment.characterisation.states import declare_to_file, is_declared
from barkhausen.report.device.page import write_device_report


def test_a_parameter_file_with_states_becomes_a_device_file_and_a_page(tmp_path: Path) -> None:
    source, out = declared_file("oxram-3"), tmp_path / "oxram.nc"
    assert is_declared(source)
    declare_to_file(source, out, settings=["spread=2"])
    device = read_device(out)
    assert (device.source, device.states) == ("declared", 3)
    assert "--set spread=2" in device.data.attrs["attributes"]
    # The same again is no mistake, another device is.
    declare_to_file(source, out, settings=["spread=2"])
    with pytest.raises(InputError, match=r"spread = 2\.0, this one has 1\.0"):
        declare_to_file(source, out)
    declare_to_file(source, out, overwrite=True)
    with pytest.raises(InputError, match=r"must end in \.nc"):
        declare_to_file(source, tmp_path / "oxram.txt")
    page = tmp_path / "oxram.html"
    write_device_report(read_device(out), page)
    text = page.read_text(encoding="utf-8")
    assert "drawn from lognormal distributions whose moments are declared" in text
    assert "technology.declare(parameters)" in text
