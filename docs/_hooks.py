"""Hooks of the site: notebooks, the files and the table that pages link to, options of API entries, Sphinx roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from properdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOWNLOADS = ("examples/*.py", "examples/*.sh", "examples/film/*.py", "recipes/*.toml", "benchmarks/results/*")
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>([^<]+)</code>")
ENTRY = re.compile(r"^::: barkhausen(?:\.\w+){2,}$", flags=re.MULTILINE)
ENTRY_OPTIONS = """
    options:
      show_root_heading: true
      show_root_toc_entry: true
      show_root_full_path: false
      summary: false
      heading_level: 3
"""
NOTEBOOKS = "examples/notebooks"
MAIN_TABLE = re.compile(r"^\[[^]]+\]\(\.\./README\.md#results\)$", flags=re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Files that pages link to as ``../examples/…`` and ``../recipes/…`` are downloads of the site."""
    for path in sorted(path for pattern in DOWNLOADS for path in ROOT.glob(pattern)):
        where = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, where, content=path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / NOTEBOOKS).glob("*.ipynb")):
        files.append(File.generated(config, f"notebooks/{path.name}", content=path.read_bytes()))
        text, pictures = page_of(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def page_of(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with its outputs as a page, and its pictures by name."""
    from nbconvert import MarkdownExporter  # noqa: PLC0415 (only where the site is built)

    resources = {"unique_key": notebook.stem, "output_files_dir": notebook.stem}
    text, found = MarkdownExporter().from_filename(str(notebook), resources=resources)
    # A picture has the words of its section as its description; nbconvert has only "png".
    title = text.lstrip("# ").partition("\n")[0]
    text = text.replace("![png](", f"![Figure of the notebook: {title}](")
    head, _, rest = text.lstrip().partition("\n")
    link = f"[Download this notebook]({notebook.name})"
    return f"{head}\n\n{link}\n{rest}", found["outputs"]


def main_table() -> str:
    """The table in the README's section of results."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Results\n")[2].partition("\n## ")[0]
    return "\n".join(line for line in section.splitlines() if line.startswith("|"))


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Put in the README's table and the options of API entries; downloads are beside the pages on the site."""
    markdown = MAIN_TABLE.sub(lambda _: main_table(), markdown)
    # A layer is shown whole; a name within it under a heading of its own.
    markdown = ENTRY.sub(lambda found: found.group() + ENTRY_OPTIONS, markdown)
    markdown = re.sub(r"\]\((?:\.\./)+examples/notebooks/([\w-]+)\.ipynb\)", _to_notebook(page), markdown)
    # In the repository these folders are beside ``docs``, one step further up than on the site.
    beside = re.compile(r"\]\(" + re.escape(_up(page)) + r"\.\./(benchmarks|examples|recipes)/")
    return beside.sub(rf"]({_up(page)}\1/", markdown)


def _to_notebook(page: Any) -> str:
    """Link to the page of a notebook, from that page."""
    return f"]({_up(page)}" + r"notebooks/\1.md)"


def _up(page: Any) -> str:
    """The way from the folder of a page up to that of all pages."""
    return "../" * page.file.src_uri.count("/")


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """A role becomes a link where its target is on the site, and code elsewhere."""

    def link(found: re.Match[str]) -> str:
        target = found.group(1)
        name = target.lstrip("~.")
        shown = name.rpartition(".")[2] if target.startswith(("~", ".")) else name
        return f'<autoref optional identifier="{name}"><code>{shown}</code></autoref>'

    return ROLE.sub(link, html)
