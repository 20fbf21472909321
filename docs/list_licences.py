"""Prints docs/licences.md: licences of the packages that pip installs with barkhausen, from their own metadata.

python docs/list_licences.py > docs/licences.md      (`make licences`)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

HEAD = """# Licences of dependencies

Barkhausen itself is under the MIT licence. Packages that `pip install barkhausen` installs on Linux with the torch for
CPUs, and the licence that the metadata of each gives (`make licences` writes this page). None is part of barkhausen's
wheel.

| package | version | licence |
| --- | --- | --- |
"""


def needed(requirements: Iterable[str], extras: Iterable[str], found: dict[str, Distribution]) -> None:
    """Add the distributions that satisfy the requirements, and all that these need, by normalised name."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        key = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if key in found:
            continue
        found[key] = distribution(requirement.name)
        needed(found[key].requires or (), requirement.extras, found)


def licence(package: Distribution) -> str:
    """Expression of the metadata, else the classifiers, else the first line of the free text."""
    metadata = package.metadata
    classifiers = [
        line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if line.startswith("License ::")
    ]
    text = (metadata.get("License") or "").strip().partition("\n")[0]
    return metadata.get("License-Expression") or ", ".join(classifiers) or text or "not given"


def main() -> None:
    """Print the page."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, Distribution] = {}
    needed(project["dependencies"], (), found)
    sys.stdout.write(HEAD)
    for key in sorted(found):
        package = found[key]
        sys.stdout.write(f"| {package.metadata['Name']} | {package.version} | {licence(package).replace('|', '/')} |\n")


if __name__ == "__main__":
    main()
