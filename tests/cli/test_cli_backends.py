"""``barkhausen backends``: what can compute micromagnetics here."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from barkhausen.cli.app import app
from barkhausen.micromagnetics import compiled


def test_names_the_kernel_in_use() -> None:
    output = CliRunner().invoke(app, ["backends"]).output
    assert "torch" in output
    if compiled.available():
        assert compiled.variant() in output
    else:
        assert str(compiled.unavailable_reason())[:30] in output


def test_says_why_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    monkeypatch.setattr(compiled, "unavailable_reason", lambda: "no compiler was there")
    result = CliRunner().invoke(app, ["backends"])
    assert result.exit_code == 0
    assert "no compiler was there" in result.output
