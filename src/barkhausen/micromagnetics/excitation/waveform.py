"""Piecewise-linear functions of time, one for each replica: pulses with rise and fall, ramps, sampled signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError

Values = float | Sequence[float] | Tensor
"""Number for all replicas, or one number for each."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """Values at given times, linear in between, constant before the first and after the last.

    A step is two equal times; at that instant the later value holds. Times and values are float64.

    Args:
        times: ``[knot, replica]`` in s, not decreasing along ``knot``; second axis 1 if common to all replicas.
        values: ``[knot, replica]`` in the unit of the driven quantity; second axis 1 likewise.

    Raises:
        InputError: Shapes that do not fit, times that decrease, or numbers that are not finite.
    """

    times: Float[Tensor, "knot replica"]
    values: Float[Tensor, "knot replica"]

    def __post_init__(self) -> None:
        for name in ("times", "values"):
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64)
            value = value[:, None] if value.dim() == 1 else value
            if value.dim() != 2 or not value.numel():
                raise InputError(f"waveform: {name} must have the shape (knots, replicas), not {tuple(value.shape)}")
            if not bool(torch.isfinite(value).all()):
                raise InputError(f"waveform: not all {name} are finite")
            object.__setattr__(self, name, value)
        if len(self.times) != len(self.values):
            raise InputError(f"waveform: {len(self.times)} times but {len(self.values)} values")
        if len({self.times.shape[1], self.values.shape[1]} - {1}) > 1:
            raise InputError("waveform: times and values are given for different numbers of replicas")
        if bool((self.times.diff(dim=0) < 0).any()):
            raise InputError("waveform: times must not decrease")

    @staticmethod
    def constant(value: Values) -> Waveform:
        """Waveform of one constant value."""
        row = torch.atleast_1d(as_tensor_of_numbers("waveform", value))
        return Waveform(torch.zeros(1, 1, dtype=torch.float64), row[None])

    @staticmethod
    def pulse(
        amplitude: Values, width: Values, *, start: Values = 0.0, rise: Values = 0.0, fall: Values = 0.0
    ) -> Waveform:
        """Trapezoidal pulse from and to zero.

        Args:
            amplitude: Height of the plateau.
            width: Duration of the plateau in s, without rise and fall.
            start: Start of the rise in s.
            rise, fall: Durations of the linear flanks in s; 0 is a step.

        Raises:
            InputError: A negative duration, or different numbers of replicas.
        """
        named = {"amplitude": amplitude, "width": width, "start": start, "rise": rise, "fall": fall}
        rows = {key: torch.atleast_1d(as_tensor_of_numbers(f"pulse.{key}", value)) for key, value in named.items()}
        for key, row in rows.items():
            if not bool(torch.isfinite(row).all()):
                raise InputError(f"pulse.{key}: not all values are finite")
        for key in ("width", "rise", "fall"):
            if not bool((rows[key] >= 0).all()):
                raise InputError(f"pulse.{key} = {_shown(rows[key])}: must be zero or positive")
        if len({len(row) for row in rows.values()} - {1}) > 1:
            raise InputError("pulse: " + ", ".join(f"{key} for {len(row)}" for key, row in rows.items()) + " replicas")
        up = rows["start"] + rows["rise"]
        down = up + rows["width"]
        times = torch.broadcast_tensors(rows["start"], up, down, down + rows["fall"])
        values = torch.broadcast_tensors(0 * rows["amplitude"], rows["amplitude"], rows["amplitude"], 0.0 * down)
        size = max(times[0].shape[0], values[0].shape[0])
        return Waveform(torch.stack(times).expand(4, -1), torch.stack(values).expand(4, size))

    def __add__(self, other: Waveform) -> Waveform:
        """Sum of two waveforms: a train of pulses, a pulse on a bias."""
        width = max(self.replicas, other.replicas)
        knots = torch.cat((self.times.expand(-1, width), other.times.expand(-1, width))).sort(dim=0).values
        # Each knot twice, with the limits from the left and from the right, so that steps stay steps.
        limits = [self._interpolate(knots, left) + other._interpolate(knots, left) for left in (True, False)]
        return Waveform(knots.repeat_interleave(2, dim=0), torch.stack(limits, dim=1).flatten(0, 1))

    def _interpolate(self, times: Float[Tensor, "time replica"], left: bool = False) -> Float[Tensor, "time replica"]:
        """Values at these times; at a step the later value, or the earlier one if ``left``."""
        width = max(times.shape[1], self.replicas)
        knots, values = self.times.expand(-1, width), self.values.expand(-1, width)
        wanted = times.expand(-1, width)
        passed = torch.searchsorted(knots.T.contiguous(), wanted.T.contiguous(), right=not left).T
        low, high = (passed - 1).clamp_min(0), passed.clamp_max(len(knots) - 1)
        t0, t1 = knots.gather(0, low), knots.gather(0, high)
        v0, v1 = values.gather(0, low), values.gather(0, high)
        share = torch.where(t1 > t0, (wanted - t0) / torch.where(t1 > t0, t1 - t0, 1.0), 0.0).clamp(0.0, 1.0)
        return v0 + share * (v1 - v0)

    def __call__(self, times: Float[Tensor, " time"]) -> Float[Tensor, "time replica"]:
        """Values at these times (s), ``[time, replica]`` or ``[time, 1]``."""
        if len(self.times) == 1:
            return self.values.expand(len(torch.atleast_1d(torch.as_tensor(times))), self.replicas)
        return self._interpolate(torch.atleast_1d(torch.as_tensor(times, dtype=torch.float64))[:, None])

    @property
    def replicas(self) -> int:
        """Number of replicas with values of their own; 1 if the waveform is common to all."""
        return max(self.times.shape[1], self.values.shape[1])

    @cached_property
    def peak(self) -> float:
        """The value of the greatest magnitude, with its sign."""
        flat = self.values.flatten()
        return float(flat[flat.abs().argmax()])

    @cached_property
    def is_zero(self) -> bool:
        """Whether the waveform is zero at all times."""
        return not bool(self.values.any())

    def describe(self) -> dict[str, list[list[float]]]:
        """Knots as plain lists, for the attributes of a result."""
        return {"times": self.times.tolist(), "values": self.values.tolist()}

    @property
    def end(self) -> float:
        """Time in s of the last knot."""
        return float(self.times.max())

    def select(self, replicas: Int[Tensor, " replica"]) -> Waveform:
        """Waveform of the selected replicas."""

        def pick(value: Tensor) -> Tensor:
            return value if value.shape[1] == 1 else value[:, replicas]

        return Waveform(pick(self.times), pick(self.values))

    def integral_of_square(self, until: float) -> Float[Tensor, " replica"]:
        """Exact integral of the square from 0 to ``until`` (s), to which Joule heat is proportional."""
        inside = self.times.clamp(0.0, until)
        edge = torch.tensor([[0.0], [until]], dtype=torch.float64)
        width = self.replicas
        times = torch.cat((edge[:1].expand(1, width), inside.expand(-1, width), edge[1:].expand(1, width)))
        # Two values inside each piece, where no step can be, give the line through it.
        middle = self._interpolate(0.5 * (times[1:] + times[:-1]))
        quarter = self._interpolate(0.75 * times[:-1] + 0.25 * times[1:])
        slope = 4.0 * (middle - quarter)
        return ((times[1:] - times[:-1]) * (middle**2 + slope**2 / 12.0)).sum(0)


def _shown(row: Tensor) -> str:
    return f"{float(row.min()):g}" if len(row) > 1 else f"{float(row):g}"
