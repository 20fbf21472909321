"""Numbers in comparisons of devices."""

from __future__ import annotations

from barkhausen.cli.terminal import device_tables
from barkhausen.device.file_statistics import Estimate
from barkhausen.report.device import comparison


def test_nothing_has_no_sign() -> None:
    tiny = Estimate(-1e-9, -2e-9, -1e-9)
    assert device_tables.with_ends(tiny, 2) == "0.00 [0.00, 0.00]"
    assert comparison.with_ends(tiny, 2) == ("0.00", "0.00 to 0.00")
    assert comparison.with_ends(Estimate(-0.5, -0.75, -0.25), 2) == ("−0.50", "−0.75 to −0.25")
