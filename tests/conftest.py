"""What tests share: the table of physics checks that is printed after the tests, and a fixture for small tensors."""

from __future__ import annotations

import os
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

# Workers of pytest-xdist share the cores: one thread each, and one for each process that they start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)

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

    @classmethod
    def of(cls, check: str, ours: Numbers, reference: Numbers, tolerance: Numbers) -> Row:
        """Row of numbers or sequences of numbers."""
        return cls(
            check, *(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (ours, reference, tolerance))
        )

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


ROW = "row of the validation table"
"""Name of the user property that carries a row from the test, which may run in a worker process, to the summary."""


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Record a row of the validation table and assert |ours − reference| <= tolerance, component by component."""

    def record(check: str, ours: Numbers, reference: Numbers, tolerance: Numbers) -> None:
        row = Row.of(check, ours, reference, tolerance)
        record_property(ROW, [check, row.ours.tolist(), row.reference.tolist(), row.tolerance.tolist()])
        assert row.holds, f"{check}: ours {row.ours}, reference {row.reference}, tolerance {row.tolerance}"

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the rows recorded, if any, as an aligned table."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    properties = [each for report in reports if report.when == "call" for each in report.user_properties]
    rows = [Row.of(*value) for name, value in properties if name == ROW]
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
