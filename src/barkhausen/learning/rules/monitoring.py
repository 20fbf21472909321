"""What a learning rule reads of its devices at a step and stores beside them: its part of the energy of learning.

Numbers are means for one synapse. An energy account multiplies them by the synapses, the steps, the programming events
and its own prices of an analogue read and of a digital access.
"""

from __future__ import annotations

from dataclasses import dataclass

from barkhausen.core.errors import InputError


@dataclass(frozen=True)
class Monitoring:
    """Reads of devices, and accesses to digital copies of them, that a learning rule needs.

    Attributes:
        reads_per_step: Analogue reads of a device at each step, apart from verify reads. 1: every device is read at
            every step.
        copy_bits: Bits of the digital copy that is kept of each device; 0 if there is none.
        copy_reads_per_step: Reads of the copy at each step.
        copy_writes_per_event: Writes of the copy at each programming event.
        verify_bits: Resolution in bits of a verify read; 1: a comparison with the margin.
        verifies_last_attempt: Whether the last attempt that an event may make is verified too. If not, an event of n
            attempts has n − 1 verify reads where n is the largest number allowed, and n otherwise; with one attempt
            allowed there are none.
        latent_bits: Bits of the digital sum of the updates that is kept of each device; 0: none. Default: the
            latent weight, with the bits of the recipe.
        comparisons_per_step: Digital comparisons of a synapse at each step that decide whether its device gets a pulse.
        second_arrays: Arrays of devices beside those of the weights, as large as these.
        columns_per_step: Columns of a second array of each layer that are read at each step: a device for each output.
            As many digital words are read, compared and written.
        column_bits: Bits of such a word.
        operand_bits: Bits of the inputs and errors that gradients are made of, where the rule itself makes integers of
            them. Default: those of the recipe.
    """

    reads_per_step: float = 0.0
    copy_bits: int = 0
    copy_reads_per_step: float = 0.0
    copy_writes_per_event: float = 0.0
    verify_bits: int = 1
    verifies_last_attempt: bool = True
    latent_bits: int | None = None
    comparisons_per_step: float = 0.0
    second_arrays: int = 0
    columns_per_step: float = 0.0
    column_bits: int = 0
    operand_bits: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not value >= 0:
                raise InputError(f"{name} = {value}: must be zero or positive")
        if self.verify_bits < 1:
            raise InputError(f"verify_bits = {self.verify_bits}: must be 1 or more")


def bits_of(states: int) -> int:
    """Bits of a number that names one of the states."""
    return max(1, (states - 1).bit_length())
