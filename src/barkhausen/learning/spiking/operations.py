"""Operations of the neurons of a device file: pulses, steps without one, reads and resets, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.device.neuron import Joules

INTEGRATE, LEAK, RESET, READ = "integrate", "leak", "reset", "read"
CAUSES = {INTEGRATE: "integrating pulses", LEAK: "leak, without a pulse", RESET: "resets", READ: "reads"}
"""What the energy of neurons is spent for, with labels."""

OF_OPERATION = {"pulse": INTEGRATE, "reset": RESET, "read": READ}
"""What each operation of a device file is for."""


@dataclass(frozen=True)
class Operations:
    """Operations of all neurons of a layer in all steps of some samples.

    Attributes:
        drives: Drive of each pulse relative to the largest of the device, above 0.
        leaks: Steps without a pulse; None for neurons without a leak.
        resets, reads: Numbers of them.
    """

    drives: Float[Tensor, " pulse"]
    leaks: int | None
    resets: int
    reads: int

    @property
    def numbers(self) -> dict[str, int]:
        """Number of operations for each purpose."""
        leak = {} if self.leaks is None else {LEAK: self.leaks}
        return {INTEGRATE: len(self.drives), **leak, RESET: self.resets, READ: self.reads}

    def energy(self, energies: Mapping[str, Joules]) -> dict[str, float]:
        """Energy in J by cause of the device file.

        Args:
            energies: Energies of single operations by cause.
        """
        counts = {"read": self.reads, "reset": self.resets}
        return {
            cause: item.joule
            * (float((self.drives**item.power).sum()) if item.operation == "pulse" else counts[item.operation])
            for cause, item in energies.items()
        }

    def by_purpose(self, spent: Mapping[str, float], energies: Mapping[str, Joules]) -> dict[str, float]:
        """Energy in J for each purpose; a leak takes none, since nothing drives it. Empty without energies.

        Args:
            spent: Energy in J by cause of the device file, as :meth:`energy` gives it.
            energies: Energies of single operations by cause.
        """
        if not spent:
            return {}
        found = dict.fromkeys(self.numbers, 0.0)
        for cause, joule in spent.items():
            found[OF_OPERATION[energies[cause].operation]] += joule
        return found
