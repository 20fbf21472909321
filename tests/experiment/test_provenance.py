"""Every result says which code, on which processor, made it; the record changes no number."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from barkhausen.core import provenance
from barkhausen.experiment.summary import software
from barkhausen.micromagnetics import compiled
from barkhausen.version import __version__


@pytest.fixture
def fresh() -> None:
    """A process that has not looked yet."""
    provenance.commit.cache_clear()


def test_the_record_names_version_commit_kernel_and_processor() -> None:
    record = software()
    assert record["barkhausen"] == __version__
    assert record["kernel"] == (compiled.variant() if compiled.available() else "torch")
    assert record["processor"]
    assert all(isinstance(value, str | int) for value in record.values())
    assert json.loads(json.dumps(record)) == record


def test_a_kernel_that_cannot_be_used_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARKHAUSEN_KERNEL", "nonsense")
    assert software()["kernel"] == "torch"


@pytest.mark.usefixtures("fresh")
def test_the_commit_is_that_of_the_repository() -> None:
    root = Path(provenance.__file__).resolve().parents[3]
    if not (root / ".git").exists():
        pytest.skip("not run from a repository")
    head = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?", provenance.commit())
    assert head.startswith(provenance.commit()[:12])


@pytest.mark.usefixtures("fresh")
def test_an_installed_package_knows_the_commit_that_it_was_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "built_from.txt").write_text("0123456789ab\n", encoding="utf-8")
    monkeypatch.setattr(provenance, "BUILT_FROM", tmp_path / "built_from.txt")
    assert provenance.commit() == "0123456789ab"
    provenance.commit.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_the_repository_of_another_project_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    packages = tmp_path / "venv" / "lib" / "python3" / "site-packages" / "barkhausen" / "core"
    monkeypatch.setattr(provenance, "__file__", str(packages / "provenance.py"))
    monkeypatch.setattr(provenance, "BUILT_FROM", packages / "none")
    assert provenance.commit() == "unknown"
    provenance.commit.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if not provenance.BUILT_FROM.is_file():
        assert provenance.commit() == "unknown"
    provenance.commit.cache_clear()
