"""What the site needs beyond its pages: the example scripts, and Sphinx's roles in docstrings as links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).parents[1] / "examples"
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>([^<]+)</code>")


def on_files(files: Files, config: Any) -> Files:
    """The scripts that pages link to as ``../examples/…`` are downloads of the site."""
    for script in sorted(EXAMPLES.glob("*.py")):
        files.append(File.generated(config, f"examples/{script.name}", content=script.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """On the site the examples lie beside the pages, in the repository beside ``docs``."""
    return markdown.replace("](../examples/", "](examples/") if "/" not in page.file.src_uri else markdown


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """A role becomes a link where its target is on the site, and code elsewhere."""

    def link(found: re.Match[str]) -> str:
        target = found.group(1)
        name = target.lstrip("~.")
        shown = name.rpartition(".")[2] if target.startswith(("~", ".")) else name
        return f'<autoref optional identifier="{name}"><code>{shown}</code></autoref>'

    return ROLE.sub(link, html)
