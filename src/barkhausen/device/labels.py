"""What device files of all kinds say in the same words: technology, source, assumptions, read-out, causes of energy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import xarray as xr

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.schema import READ_OUT
from barkhausen.micromagnetics.material import source_in_words
from barkhausen.version import __version__


def provenance(
    parameters: Parameters | None, assumed: Sequence[str], attributes: Mapping[str, Any] | None
) -> dict[str, str]:
    """Attributes of every device file: parameters, assumptions, version of the code, and further metadata."""
    return {
        "parameters": "{}" if parameters is None else parameters.model_dump_json(),
        "assumed": json.dumps(list(assumed)),
        "code_version": __version__,
        "attributes": json.dumps(dict(attributes or {}), sort_keys=True),
    }


class LabelledDevice:
    """Base of devices that are a labelled data set, the content of a device file."""

    data: xr.Dataset
    free: ClassVar[str] = "the device file gives no energies: programming is counted as free"
    """Assumption behind a file without energies."""

    @property
    def technology(self) -> str:
        """Name of the technology."""
        return str(self.data.attrs["technology"])

    @property
    def source(self) -> str:
        """``micromagnetics``, ``simulated`` (with another program), ``measured``, ``gaussian`` (a textbook law) or
        ``declared``."""
        return str(self.data.attrs["source"])

    @property
    def assumed(self) -> list[str]:
        """The assumptions behind the numbers, a line each."""
        lines = [source_in_words(str(line)) for line in json.loads(str(self.data.attrs.get("assumed", "[]")))]
        return lines if self.energy_causes else [*lines, self.free]

    @property
    def read_out(self) -> ReadOut:
        """Voltage and duration of a read.

        Raises:
            InputError: The device file does not give them.
        """
        for name in READ_OUT[:2]:
            if name not in self.data or not float(self.data[name]) > 0:
                raise InputError(f"the device file gives no read-out (no variable {name!r})")
        area = float(self.data[READ_OUT[2]]) if READ_OUT[2] in self.data else None
        return ReadOut(float(self.data[READ_OUT[0]]), float(self.data[READ_OUT[1]]), area)

    @property
    def energy_causes(self) -> dict[str, str]:
        """Causes of energy, with the label of each."""
        if "energy" not in self.data:
            return {}
        causes = [str(cause) for cause in self.data["cause"].values]
        labels = self.data["energy_label"].values if "energy_label" in self.data.variables else causes
        return dict(zip(causes, map(str, labels), strict=True))

    def _coordinate_of(self, variable: str) -> StateCoordinate:
        """The state coordinate that a variable is labelled with."""
        words = self.data[variable].attrs
        name = str(words.get("coordinate", "state coordinate"))
        return StateCoordinate(name, str(words.get("units", "1")), str(words.get("long_name", name)))
