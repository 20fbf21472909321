"""Some hundred damaged inputs, always the same; ``make fuzz`` tries many more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).with_name("fuzz.py")


def test_damaged_and_mistaken_inputs_end_in_one_line() -> None:
    # In a process of its own: workers are forked, and what commands do in the end is replaced there.
    words = [sys.executable, str(FUZZ), "--seed", "20", "--inputs", "120", "--workers", "1", "--no-total"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert '"inputs": 120' in done.stdout
