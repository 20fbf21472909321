from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from barkhausen.core.registry import Registry
from barkhausen.data import DATASETS
from barkhausen.device import TECHNOLOGIES
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.tasks import TASKS
from barkhausen.learning.networks import NETWORKS
from barkhausen.learning.rules import RULES

REGISTRIES: tuple[Registry, ...] = (TECHNOLOGIES, RULES, NETWORKS, DATASETS, TASKS, JOBS)
ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs/recipes-and-runs.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


WITH_PYTHON = [page for page in PAGES if "```python\n" in page.read_text(encoding="utf-8")]


@pytest.fixture
def registries() -> Iterator[None]:
    """Registries that forget the entries of a page."""
    before = [dict(registry) for registry in REGISTRIES]
    yield
    for registry, entries in zip(REGISTRIES, before, strict=True):
        registry.clear()
        registry.update(entries)


@pytest.mark.usefixtures("registries")
@pytest.mark.filterwarnings("error:.*the old name still works:DeprecationWarning")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_python_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # for the files that a page saves
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(block, str(page), "exec", dont_inherit=True), names)


def definitions(code: str) -> dict[str, str]:
    """Classes, functions and registrations of a module by name."""
    found = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = ast.dump(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found[ast.unparse(node.value).partition(",")[0]] = ast.dump(node)
    return found


def test_the_examples_of_extending_are_those_that_the_tests_run_from_outside() -> None:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    shown = definitions("\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)))
    for file in (ROOT / "tests" / "extending").glob("made_up_*.py"):
        run = definitions(file.read_text(encoding="utf-8"))
        assert {name for name in shown if name.partition("(")[0].endswith(".register")} & set(run), file
        for name in set(shown) & set(run):
            assert shown[name] == run[name], f"{file.name}: {name}"


def test_links_within_the_repository_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", link):
                assert (page.parent / link).exists(), f"{name(page)} links to {link}"


def test_nothing_is_left_to_be_filled_in() -> None:
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        pattern = r"^(?:\(table follows\)|[A-Z]{4,}(?:_[A-Z]+)*|TODO.*)$"
        assert not re.search(pattern, text, flags=re.MULTILINE), name(page)


def test_the_readme_has_at_most_1000_words() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1000


@pytest.mark.parametrize("mode", ["stochastic-read", "quantised", "level-change", "last-verified", "periodic"])
def test_the_table_of_keys_has_those_of_the_rule(mode: str) -> None:
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `rule.")]
    own = [row for row in rows if f"`{mode}`" in row]
    named = {key for row in own for key in re.findall(r"`rule\.(\w+)`", row.split(" | ")[0])}
    # Digests of files are written by runs, not by users.
    assert named == {key for key in RULES.named(mode).options.model_fields if not key.endswith("_sha256")}
