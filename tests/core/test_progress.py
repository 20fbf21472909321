"""Progress in logs: one line a minute; bars on terminals and in notebooks."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from rich.console import Console

from barkhausen.core import progress
from barkhausen.core.progress import Log, Notebook, Silent, Terminal, automatic, display_of


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 0.0
    lines: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def log(self) -> Log:
        return Log(self.lines.append, clock=self)


def test_a_log_has_one_line_a_minute_however_often_work_is_reported() -> None:
    clock = Clock()
    with clock.log().task("training", total=1000) as advance:
        for _ in range(300):  # 300 steps of one second
            clock.now += 1.0
            advance(1)
        assert clock.lines == [
            "training: 60 of 1000 (6 %), 0:01:00 elapsed, about 0:15:40 left",
            "training: 120 of 1000 (12 %), 0:02:00 elapsed, about 0:14:40 left",
            "training: 180 of 1000 (18 %), 0:03:00 elapsed, about 0:13:40 left",
            "training: 240 of 1000 (24 %), 0:04:00 elapsed, about 0:12:40 left",
            "training: 300 of 1000 (30 %), 0:05:00 elapsed, about 0:11:40 left",
        ]
    assert clock.lines[-1] == "training: finished after 0:05:00"


def test_work_of_less_than_a_minute_leaves_no_line() -> None:
    clock = Clock()
    with clock.log().task("training", total=10) as advance:
        for _ in range(10):
            clock.now += 5.9
            advance(1)
    assert clock.lines == []


def test_what_an_earlier_process_has_done_does_not_shorten_the_time_left() -> None:
    clock = Clock()
    with clock.log().task("training", total=100, done=80) as advance:
        clock.now = 60.0
        advance(10)
    assert clock.lines[0] == "training: 90 of 100 (90 %), 0:01:00 elapsed, about 0:01:00 left"


def test_work_that_fails_is_not_reported_as_finished() -> None:
    clock = Clock()
    with pytest.raises(RuntimeError), clock.log().task("training", total=2) as advance:
        clock.now = 61.0
        advance(1)
        raise RuntimeError
    assert len(clock.lines) == 1


def test_a_console_that_is_no_terminal_gets_the_lines_of_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(Log.__init__, "__kwdefaults__", {"every": 60.0, "clock": clock})
    out = io.StringIO()
    with Terminal(Console(file=out, width=30)).task("in-situ [5 states]", total=4) as advance:
        advance(1)
        clock.now = 70.0
        advance(1)
    assert out.getvalue().splitlines() == [
        "in-situ [5 states]: 2 of 4 (50 %), 0:01:10 elapsed, about 0:01:10 left",
        "in-situ [5 states]: finished after 0:01:10",
    ]


def test_a_terminal_gets_a_bar() -> None:
    out = io.StringIO()
    with Terminal(Console(file=out, force_terminal=True, width=90)).task("training", total=4) as advance:
        advance(2)
    assert "training" in out.getvalue()
    assert "2/4" in out.getvalue()


def test_a_notebook_gets_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Notebook().task("training", total=4) as advance:
        advance(4)
    assert "training" in capsys.readouterr().err


def test_true_is_a_bar_in_a_notebook_and_a_terminal_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell:
        pass

    assert isinstance(automatic(), Terminal)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell))
    assert isinstance(display_of(True), Notebook)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert isinstance(display_of(True), Terminal)


def test_false_and_none_show_nothing_and_a_display_is_itself() -> None:
    own = Silent()
    assert isinstance(display_of(False), Silent)
    assert isinstance(display_of(None), Silent)
    assert display_of(own) is own


def test_durations_of_days_are_written_in_hours() -> None:
    assert progress._duration(90061.4) == "25:01:01"
