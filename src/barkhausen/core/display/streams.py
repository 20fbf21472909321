"""Output streams that can print any text: also signs and paths that their encoding lacks."""

from __future__ import annotations

import codecs
import io
import sys

_HANDLER = "barkhausen"
_INSTEAD = {
    "−": "-", "–": "-", "—": "-", "…": "...", "×": "x", "·": "*", "±": "+-", "≤": "<=", "≥": ">=", "≈": "~", "→": "->",
    "σ": "sigma", "µ": "u", "μ": "u", "Ω": "ohm", "°": " deg", "²": "^2", "³": "^3", "½": "1/2", "“": '"', "”": '"',
    "‘": "'", "’": "'", "≠": "!=", "√": "sqrt", "Δ": "Delta", "ä": "ae", "ö": "oe", "ü": "ue", "é": "e",
    "│": "|", "┃": "|", "─": "-", "━": "-",
}  # fmt: skip


def print_anything() -> None:
    """Let stdout and stderr print what their encoding cannot represent, in other signs or as an escape.

    Bytes of paths in another encoding, which Python holds as surrogates, are printed as they are.
    """
    codecs.register_error(_HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors != _HANDLER:
            stream.reconfigure(errors=_HANDLER)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if 0xDC80 <= ord(sign) <= 0xDCFF:
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    return _INSTEAD.get(sign, sign.encode("ascii", "backslashreplace").decode("ascii")), error.start + 1
