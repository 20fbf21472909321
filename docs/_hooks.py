"""What the site needs beyond its pages: the files that they link to, and Sphinx's roles in docstrings as links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from properdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOWNLOADS = ("examples/*.py", "examples/*.sh", "recipes/*.toml")
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>([^<]+)</code>")


def on_files(files: Files, config: Any) -> Files:
    """What pages link to as ``../examples/…`` and ``../recipes/…`` are downloads of the site."""
    for path in sorted(path for pattern in DOWNLOADS for path in ROOT.glob(pattern)):
        where = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, where, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """On the site the downloads lie beside the pages, in the repository beside ``docs``."""
    return re.sub(r"\]\(\.\./(examples|recipes)/", r"](\1/", markdown) if "/" not in page.file.src_uri else markdown


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """A role becomes a link where its target is on the site, and code elsewhere."""

    def link(found: re.Match[str]) -> str:
        target = found.group(1)
        name = target.lstrip("~.")
        shown = name.rpartition(".")[2] if target.startswith(("~", ".")) else name
        return f'<autoref optional identifier="{name}"><code>{shown}</code></autoref>'

    return ROLE.sub(link, html)
