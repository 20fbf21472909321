"""Write-verify: devices are programmed until they are within a margin of their level, up to a number of attempts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypedDict

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.synapse.faults import FAULT_FREE, Faults

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class AttemptSettings(TypedDict, total=False):
    """Keyword arguments for the fields of a :class:`WriteVerify` other than its margin."""

    max_attempts: int
    faults: Faults
    count_writes: bool
    verify_noise: float


class WriteSettings(AttemptSettings, total=False):
    """Keyword arguments for the fields of a :class:`WriteVerify`."""

    margin: float


@dataclass(frozen=True)
class WriteVerify:
    """Write-verify settings of the devices of a layer.

    Args:
        margin: Tolerance margin in weight units. A device whose weight is within the margin of its level is not
            programmed.
        attempts: Largest number of programming attempts of one event. With 1 the first result is accepted.
        faults: Faults of the devices.
        count_writes: Whether every synapse counts the attempts made on it (4 bytes each).
        verify_noise: Standard deviation of a verify read in weight units: noise and offset of the comparator or the
            converter (:attr:`.Chip.verify_noise`). Default: the read is exact.

    Raises:
        InputError: The margin or the noise is negative or no number, or there is no attempt.
    """

    margin: float
    attempts: int = 1
    faults: Faults = FAULT_FREE
    count_writes: bool = False
    verify_noise: float = 0.0

    def __post_init__(self) -> None:
        margin, attempts = self.margin, self.attempts
        # Real and Integral: numbers of NumPy too.
        if isinstance(margin, bool) or not isinstance(margin, Real) or not margin >= 0:
            raise InputError(f"margin = {margin!r}: must be a number, zero or positive")
        noise = self.verify_noise
        if isinstance(noise, bool) or not isinstance(noise, Real) or not 0 <= noise < math.inf:
            raise InputError(f"verify_noise = {noise!r}: must be a number, zero or positive")
        if isinstance(attempts, bool) or not isinstance(attempts, Integral) or attempts < 1:
            raise InputError(f"max_attempts = {attempts!r}: must be a whole number, 1 or more")
        if not isinstance(self.faults, Faults):
            raise InputError(f"faults = {self.faults!r}: must be a barkhausen.synapse.Faults")
        if not isinstance(self.count_writes, bool):
            raise InputError(f"count_writes = {self.count_writes!r}: must be true or false")

    @classmethod
    def given(cls, write: WriteVerify | None = None, **settings: Unpack[WriteSettings]) -> WriteVerify:
        """The object itself, or one made of keyword arguments.

        Raises:
            InputError: Neither is given, both are, or a value is wrong.
            TypeError: An unknown keyword argument.
        """
        _known(settings)
        if write is not None:
            if settings:
                raise InputError(f"{next(iter(settings))}: is part of write; give one of them")
            if not isinstance(write, cls):
                raise InputError(f"write = {write!r}: must be a WriteVerify, such as WriteVerify(margin)")
            return write
        if "margin" not in settings:
            raise InputError("margin: is missing; give it, or write = WriteVerify(margin)")
        return cls(**_fields(settings))

    def changed(self, **settings: Unpack[WriteSettings]) -> WriteVerify:
        """The same with some other values.

        Raises:
            InputError: A value is wrong.
            TypeError: An unknown keyword argument.
        """
        _known(settings)
        return replace(self, **_fields(settings))


class WrittenKind:
    """Base of kinds of synapses that are written with verification. A kind never changes."""

    write: WriteVerify

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Copies of a network can share it.
        return self

    @property
    def margin(self) -> float:
        """Tolerance margin in weight units."""
        return self.write.margin

    @property
    def max_attempts(self) -> int:
        """Largest number of attempts, or rounds of pulses, of one event."""
        return self.write.attempts

    @property
    def faults(self) -> Faults:
        """Faults of the devices."""
        return self.write.faults


def _known(settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in WriteSettings.__annotations__:
            # A TypeError, as Python raises for an unknown argument: the caller passes on keyword arguments of a
            # function.
            hint = did_you_mean(name, WriteSettings.__annotations__)
            raise TypeError(f"unexpected keyword argument {name!r}{hint}")


def _fields(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"attempts" if name == "max_attempts" else name: value for name, value in settings.items()}
