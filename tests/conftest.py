"""What tests share: the table of physics checks that is printed after the tests, and a fixture for small tensors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("barkhausen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("barkhausen")

Numbers = float | Iterable[float]
Report = Callable[[str, Numbers, Numbers, Numbers], None]
"""``report(check, ours, reference, tolerance)``: records a row and asserts that the two agree."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    check: str
    ours: np.ndarray
    reference: np.ndarray
    tolerance: np.ndarray

    @property
    def holds(self) -> bool:
        """Whether every component agrees within its tolerance (NaN does not)."""
        return bool((np.abs(self.ours - self.reference) <= self.tolerance).all())

    def cells(self) -> tuple[str, str, str, str]:
        """The line as text; what is out of tolerance is marked."""
        mark = "" if self.holds else "  FAILS"
        values = _shown(self.ours, self.tolerance), _shown(self.reference, self.tolerance)
        return self.check, *values, _shown(self.tolerance, None) + mark


Command = Callable[..., tuple[int, str, str]]
"""``command(argument, …)``: exit code, stdout, stderr."""


@pytest.fixture
def command(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The command of barkhausen that the test module names in ``COMMAND``, run within this process."""

    def run(*arguments: object) -> tuple[int, str, str]:
        from barkhausen.cli.app import main  # noqa: PLC0415  # few tests need it

        monkeypatch.setattr(sys, "argv", ["barkhausen", request.module.COMMAND, *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), *capfd.readouterr()

    return run


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tensors as small as these a second thread gains nothing, and stalls where the other core is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Record a row of the validation table and assert |ours − reference| <= tolerance, component by component."""
    rows = request.config.stash.setdefault(ROWS, [])

    def record(check: str, ours: Numbers, reference: Numbers, tolerance: Numbers) -> None:
        values = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (ours, reference, tolerance)]
        row = Row(check, *values)
        rows.append(row)
        assert row.holds, f"{check}: ours {row.ours}, reference {row.reference}, tolerance {row.tolerance}"

    return record


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the rows recorded, if any, as an aligned table."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    lines = [("check", "ours", "reference", "tolerance"), *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(3)]
    terminalreporter.section("physics validation")
    for line in lines:
        padded = "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=False))
        terminalreporter.write_line(f"{padded}  {line[3]}")


def _shown(values: np.ndarray, tolerance: np.ndarray | None) -> str:
    """Numbers with a digit more than the tolerance resolves."""
    texts = []
    for k, value in enumerate(values):
        digits = 2
        if tolerance is not None and np.isfinite(value) and value != 0:
            limit = tolerance[min(k, len(tolerance) - 1)]
            resolved = np.log10(abs(value) / limit) if limit > 0 else 14
            digits = int(np.clip(np.ceil(resolved) + 2, 2, 15))
        texts.append(f"{value:.{digits}g}")
    return texts[0] if len(texts) == 1 else "(" + ", ".join(texts) + ")"
