"""A few kills of commands that write; ``make chaos`` makes many more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import samples as made_samples
from subjects import SUBJECTS, clear

import chaos

SUBJECT = {subject.name: subject for subject in SUBJECTS}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["devices --out", "train", "train on images"])
def test_killed_command_resumes_to_the_same_outputs(name: str, tmp_path: Path) -> None:
    samples = made_samples.of_text(tmp_path / "samples")
    kills = chaos.trouble(SUBJECT[name], samples, clear(tmp_path / "work"), random.Random(1), 1)
    assert kills == 1
