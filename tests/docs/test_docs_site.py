"""The documentation site: it builds without a warning, loads nothing from elsewhere, and its links lead somewhere."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("properdocs", "material", "mkdocstrings", "mkdocstrings_handlers", "nbconvert")
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
LAYERS = ("micromagnetics", "device", "synapse", "learning", "results", "sweep")


@dataclass
class Page(HTMLParser):
    """Anchors, links and loaded files of a page."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.anchors.update(values[key] for key in ("id", "name") if key in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") in ("canonical", "prev", "next"):
            pass
        else:
            self.loaded += [values[key] for key in ("src", "href", "data", "poster", "srcset") if key in values]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the site needs the extra docs: no {', '.join(missing)} here")
    out = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "properdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {}
    for file in sorted(site.rglob("*.html")):
        page = found[file] = Page()
        page.feed(file.read_text(encoding="utf-8"))
    return found


def test_the_site_has_a_page_for_every_page(site: Path, pages: dict[Path, Page]) -> None:
    sources = {file.relative_to(ROOT / "docs").with_suffix(".html") for file in (ROOT / "docs").rglob("*.md")}
    notebooks = {Path("notebooks", file.name).with_suffix(".html") for file in NOTEBOOKS}
    assert len(notebooks) == 6
    assert {file.relative_to(site) for file in pages} == sources | notebooks | {Path("404.html")}
    assert (site / "examples" / "moving_wall.py").is_file()


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        assert page.loaded, file
        assert [address for address in page.loaded if urlsplit(address).netloc] == [], file
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text, style
        assert "url(http" not in text.replace('"', "").replace("'", ""), style


def test_links_lead_to_a_file_and_to_a_place_in_it(site: Path, pages: dict[Path, Page]) -> None:
    followed = 0
    # The 404 page is served for any address, so its links start at the server's root.
    for file, page in pages.items():
        if file.name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.is_file(), f"{file.relative_to(site)} links to {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{file.relative_to(site)} links to {link}"
                followed += 1
    assert followed > 1000


@pytest.mark.parametrize("layer", LAYERS)
def test_every_public_name_is_in_the_reference(site: Path, pages: dict[Path, Page], layer: str) -> None:
    anchors = pages[site / "api" / f"{layer}.html"].anchors
    names = {anchor.rpartition(".")[2] for anchor in anchors if anchor.startswith("barkhausen.")}
    # Constants have no docstring to show.
    public = [name for name in importlib.import_module(f"barkhausen.{layer}").__all__ if not name.isupper()]
    assert [name for name in public if name not in names] == []


def test_the_main_table_of_the_readme_is_on_the_page_of_results(site: Path) -> None:
    results = (site / "results.html").read_text(encoding="utf-8")
    assert results.count("98.55</strong> ± 0.05") == 1
    assert "README.md" not in results


def test_docstrings_are_shown_with_their_arguments_and_without_leftovers_of_sphinx(site: Path) -> None:
    learning = (site / "api" / "learning.html").read_text(encoding="utf-8")
    for word in ("write-verify", "Parameters:", "Raises:", "generator"):
        assert word in learning
    for file in sorted((site / "api").glob("*.html")):
        text = file.read_text(encoding="utf-8")
        for role in (":class:", ":func:", ":meth:", ":mod:"):
            assert role not in text, f"{file.name}: {role}"
