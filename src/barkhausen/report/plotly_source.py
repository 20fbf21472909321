"""Where pages have plotly.js from. Kept apart so that the command line can name it without importing plotly."""

from __future__ import annotations

from contextvars import ContextVar

from barkhausen.core.errors import InputError

EMBED, LINK = "embed", "link"
"""In the page itself, or from :data:`CDN`."""

CDN = "https://cdn.plot.ly"

_source: ContextVar[str] = ContextVar("plotly_source", default=EMBED)


def choose_source(source: str) -> None:
    """Set where the pages written from now on have plotly.js from.

    Raises:
        InputError: It is neither ``"embed"`` nor ``"link"``.
    """
    if source not in (EMBED, LINK):
        raise InputError(f"plotly = {source!r}: must be {EMBED} or {LINK}")
    _source.set(source)


def chosen_source() -> str:
    """``"embed"`` or ``"link"``."""
    return _source.get()
