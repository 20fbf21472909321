"""The file ``candidates.csv``: all evaluated candidates of a search, from which an interrupted search resumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.device.domain_wall.design import SCORES, Candidate, DesignSpace, Family, Score


class CsvArchive:
    """An archive in a file of comma-separated values, with one row for each candidate.

    The columns are family, generation, all variables of all families (empty where a family lacks one), and the parts of
    the score. Numbers are written with all their digits. The file is always replaced as a whole.

    Args:
        path: File, which is read if it exists.
        spaces: Design spaces of the families that are or were searched.

    Raises:
        InputError: The file is not such an archive.
    """

    def __init__(self, path: Path, spaces: Mapping[Family, DesignSpace]) -> None:
        self.path, self.spaces = path, spaces
        self.columns = list(dict.fromkeys(name for space in spaces.values() for name in space.names))
        self.candidates: list[Candidate] = self._read() if path.exists() else []
        self._places = {(c.family, c.vector): number for number, c in enumerate(self.candidates)}

    def find(self, family: Family, vector: tuple[float, ...]) -> Candidate | None:
        """The candidate at exactly this point, if it has been evaluated."""
        place = self._places.get((family, vector))
        return None if place is None else self.candidates[place]

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Store further candidates: all of them or, on failure, none.

        Raises:
            InputError: The file cannot be written.
        """
        self._write([*self.candidates, *candidates])
        for candidate in candidates:
            self._places[candidate.family, candidate.vector] = len(self.candidates)
            self.candidates.append(candidate)

    def of(self, family: Family) -> list[Candidate]:
        """The candidates of a family in the order in which they were evaluated."""
        return [candidate for candidate in self.candidates if candidate.family == family]

    def _write(self, candidates: Sequence[Candidate]) -> None:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["family", "generation", *self.columns, *SCORES])
        for candidate in candidates:
            value = dict(zip(self.spaces[candidate.family].names, candidate.vector, strict=True))
            score = asdict(candidate.score)
            rows.writerow(
                [
                    candidate.family,
                    candidate.generation,
                    *(repr(value[name]) if name in value else "" for name in self.columns),
                    *(repr(score[name]) for name in SCORES),
                ]
            )
        atomic_write(self.path, text.getvalue())

    def _read(self) -> list[Candidate]:
        rows = csv.DictReader(io.StringIO(read_text(self.path)))
        found = []
        try:
            for row in rows:
                space = self.spaces[row["family"]]  # type: ignore[index]
                vector = tuple(float(row[name]) for name in space.names)
                score = Score(**{name: float(row[name]) for name in SCORES})
                found.append(Candidate(space.family, int(row["generation"]), vector, score))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{self.path}: line {rows.line_num} is not a candidate of this search ({error}); delete the file to "
                "search anew"
            ) from None
        return found
