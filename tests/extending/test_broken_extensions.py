from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.errors import InputError
from barkhausen.core.registry import EXTENSIONS, load_extensions
from barkhausen.learning.rules import RULES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('boom')", r"RuntimeError: boom \(\S+broken_1\.py line 2\)"),
        ("def (", "SyntaxError"),
        ("import made_up_nowhere", "ModuleNotFoundError: No module named 'made_up_nowhere'"),
        ("from barkhausen.learning import made_up", "ImportError: cannot import name 'made_up'"),
        (
            "from dataclasses import replace; from barkhausen.learning.rules import RULES\n"
            "RULES.register('float', replace(RULES['float']))",
            "ValueError: learning rule 'float' is registered already",
        ),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_reason(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_1.py").write_text(f"# comment\n{text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(EXTENSIONS, "broken_1")
    with pytest.raises(InputError, match=rf"^{EXTENSIONS}: module 'broken_1' cannot be imported: {message}"):
        load_extensions()
    # Asked again, as by the next key of a recipe, it says the same.
    with pytest.raises(InputError, match=f"^{EXTENSIONS}: module 'broken_1'"):
        RULES.find("made-up")


@pytest.mark.parametrize("name", ["..", ".relative"])
def test_a_name_that_no_module_can_have(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EXTENSIONS, name)
    with pytest.raises(InputError, match=f"^{EXTENSIONS}: module '{name}' cannot be imported"):
        load_extensions()
