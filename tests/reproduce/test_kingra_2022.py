"""The short version of the networks on resistive devices, on Fashion-MNIST itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.errors import DataNotFoundError
from barkhausen.data import load_dataset
from barkhausen.reproduce.run import reproduce

pytestmark = pytest.mark.slow


def test_the_short_version_writes_table_and_pages(tmp_path: Path) -> None:
    try:
        load_dataset("fashion-mnist", allow_download=False)
    except DataNotFoundError as error:
        pytest.skip(str(error))
    rows = reproduce(tmp_path, "kingra-2022", quick=True)
    kinds = {(row["network"], row["weights"], row["device"], row["scheme"], row["spread"]): row for row in rows}
    for network in ("784-512-10", "784-256-128-10"):
        for weights, device in (("binary", "oxram-2"), ("ternary", "oxram-3-even")):
            none, wide = (kinds[network, weights, device, "two-reads", spread] for spread in (0.0, 2.0))
            assert none["software_accuracy"] > 0.75
            assert abs(none["change_points"]) < 1.5
            assert wide["change_points"] < none["change_points"] + 0.5
    two, pair = (kinds["784-512-10", "binary", "oxram-2", scheme, 1.0] for scheme in ("two-reads", "differential-pair"))
    assert two["latency_nanoseconds"] == pytest.approx(2 * pair["latency_nanoseconds"])
    assert two["area_square_millimetre"] < pair["area_square_millimetre"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "a quick look" in page.lower() and "Two reads against a pair" in page
    assert (tmp_path / "table.csv").exists() and (tmp_path / "sweep.html").exists()
