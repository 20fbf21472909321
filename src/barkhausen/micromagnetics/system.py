"""Film, terms and drive of one batch of replicas, ready to be integrated."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.state import Inputs, State
from barkhausen.micromagnetics.terms import EnergyTerm, Term, terms_of


class System:
    """Effective field and torque of a batch of replicas.

    Args:
        film: Grid, material and devices.
        drive: Currents, fields and voltages. Default: none.
        terms: Terms of the effective field. Default: :func:`terms_of` the film.
        replicas: Number of replicas in the batch.
        dtype, device: Precision and device of the computation.

    Raises:
        InputError: Film or drive do not fit that number of replicas.
    """

    def __init__(
        self,
        film: Film,
        drive: Drive | None = None,
        terms: tuple[Term, ...] | None = None,
        *,
        replicas: int = 1,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        drive = Drive() if drive is None else drive
        if not isinstance(film, Film):
            raise InputError(f"film: {type(film).__name__} is not a Film")
        if not isinstance(drive, Drive):
            raise InputError(f"drive: {type(drive).__name__} is not a Drive")
        if not isinstance(replicas, int) or replicas < 1:
            raise InputError(f"replicas = {replicas!r}: must be a whole number, 1 or more")
        film.check_replicas(replicas)
        drive.check_replicas(replicas)
        self.film = film.select(torch.arange(replicas)).to(dtype, device)
        self.drive = drive
        self.terms = terms_of(film) if terms is None else tuple(terms)
        self.replicas = replicas
        self.dtype = dtype
        self.device = torch.device(device)
        self.gate_profile: Float[Tensor, "nx ny"] | None = None
        self.field_profile: Float[Tensor, "3 nx ny"] | None = None
        self.take_profiles(drive)

    def take_profiles(self, drive: Drive) -> None:
        """Set the strengths of the gate and of the local field in each cell.

        Raises:
            InputError: It has another shape than the grid.
        """
        for name in ("gate_profile", "field_profile"):
            profile = getattr(drive, name)
            shape = None if profile is None else tuple(profile.shape[-2:])
            if shape is not None and shape != self.film.grid.shape:
                raise InputError(f"drive.{name}: shape {shape} is not the grid's {self.film.grid.shape}")
            setattr(self, name, None if profile is None else profile.to(device=self.device, dtype=self.dtype))

    def table(self, times: Float[Tensor, " time"]) -> Float[Tensor, "time column replica"]:
        """Drive at these times (s) in the precision and on the device of the computation, for each row of the batch."""
        return self.film.row_inputs(self.drive.table(times, self.replicas)).to(self.device, self.dtype)

    def inputs(self, time: float) -> Inputs:
        """Drive at one instant (s)."""
        return self.drive.inputs(self.table(torch.tensor([time], dtype=torch.float64))[0])

    def state(self, m: Float[Tensor, "replica 3 nx ny"], inputs: Inputs | float = 0.0) -> State:
        """State that terms and observables read; ``inputs`` may be a time in s."""
        if not isinstance(inputs, Inputs):
            inputs = self.inputs(inputs)
        return State(self.film, m, inputs, self.gate_profile, self.field_profile)

    def start(self, m: Float[Tensor, "any 3 nx ny"]) -> Float[Tensor, "replica 3 nx ny"]:
        """Copy of m for every replica, in the precision and on the device of the system, zero in empty cells."""
        m = as_tensor_of_numbers("magnetisation", m, None).to(self.device, self.dtype, copy=True)
        layers = self.film.layer_count
        rows = self.replicas * layers
        if m.shape[1:] != (3, *self.film.grid.shape) or len(m) not in (1, layers, rows):
            nx, ny = self.film.grid.shape
            raise InputError(f"magnetisation: shape {tuple(m.shape)} is not ({rows} or 1, 3, {nx}, {ny})")
        if layers > 1 and len(m) == layers:
            m = m.repeat(self.replicas, 1, 1, 1)
        m = m.expand(self.replicas * layers, -1, -1, -1)
        return m.clone() if self.film.filled is None else m * self.film.filled[:, None]

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the whole effective field in T to ``out``."""
        for term in self.terms:
            term.add_field(out, state)

    def field(self, m: Float[Tensor, "replica 3 nx ny"], inputs: Inputs | float = 0.0) -> Tensor:
        """Effective field in T without its thermal part, ``[replica, 3, nx, ny]``."""
        out = torch.zeros_like(m)
        self.add_field(out, self.state(m, inputs))
        return out

    def energy(self, m: Float[Tensor, "replica 3 nx ny"], inputs: Inputs | float = 0.0) -> Float[Tensor, " replica"]:
        """Total energy in J, summed over the terms that define an energy."""
        state = self.state(m, inputs)
        total = torch.zeros(m.shape[0], dtype=torch.float64, device=m.device)
        for term in self.terms:
            if isinstance(term, EnergyTerm):
                total = total + term.energy(state)
        layers = self.film.layer_count
        return total.reshape(-1, layers).sum(1) if layers > 1 else total

    def over_layers(self, values: Float[Tensor, " row"], how: str = "sum") -> Float[Tensor, " row"]:
        """Sum (or ``amax``) over the layers of each replica, given back to each of its rows."""
        layers = self.film.layer_count
        if layers == 1:
            return values
        grouped = values.reshape(-1, layers)
        total = grouped.amax(1) if how == "amax" else grouped.sum(1)
        return total.repeat_interleave(layers)

    def rate(
        self,
        m: Float[Tensor, "replica 3 nx ny"],
        field: Float[Tensor, "replica 3 nx ny"],
        out: Float[Tensor, "replica 3 nx ny"] | None = None,
    ) -> Float[Tensor, "replica 3 nx ny"]:
        """dm/dt in 1/s: the Landau-Lifshitz-Gilbert equation in explicit form.

        dm/dt = −gamma/(1 + alpha²) [m × B + alpha m × (m × B)]. ``field`` is overwritten.
        """
        alpha = self.film.damping
        if isinstance(alpha, float):
            precession = cross(m, field.mul_(-GYROMAGNETIC_RATIO / (1 + alpha * alpha)), out)
            precession.add_(cross(m, precession, field), alpha=alpha)
        else:
            alpha = alpha[:, None]
            precession = cross(m, field.mul_(-GYROMAGNETIC_RATIO / (1 + alpha * alpha)), out)
            precession.addcmul_(cross(m, precession, field), alpha)
        # Frozen cells act on the others and do not move themselves.
        return precession if self.film.moving is None else precession.mul_(self.film.moving[:, None])
