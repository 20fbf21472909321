"""Hysteresis loops: states at rest along a sequence of fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.core.progress import Progress, display_of
from barkhausen.micromagnetics.display import accessor  # noqa: F401 (results have .barkhausen.plot())
from barkhausen.micromagnetics.equilibrium.minimize import minimize
from barkhausen.micromagnetics.equilibrium.relax import relax
from barkhausen.micromagnetics.equilibrium.rest import TORQUE, OnMaximum, check_on_maximum, check_torque
from barkhausen.micromagnetics.equilibrium.sphere_paths import Metric, angles
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.rows import check_single
from barkhausen.micromagnetics.states import for_replicas
from barkhausen.micromagnetics.states.placing import tensor_of_state
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Term, Zeeman

Descent = Literal["relax", "minimize"]
"""Way to the next state at rest: damped motion, which decides between minima as a film does, or steepest descent."""

JUMP = 0.05
"""Rotation in rad (root mean square over the cells) above which a step may be a switch, and is tried backwards."""


@checks_arguments("Drive", "Film")
def hysteresis(
    film: Film,
    field: Float[Tensor, " step"] | Sequence[float],
    direction: tuple[float, float, float] | Float[Tensor, "replica 3"] = (0.0, 0.0, 1.0),
    *,
    initial: Float[Tensor, "any 3 nx ny"] | None = None,
    replicas: int | None = None,
    bias: Drive | None = None,
    terms: Sequence[Term] | None = None,
    descent: Descent = "relax",
    torque: float = TORQUE,
    on_maximum: OnMaximum = "perturb",
    seed: int = 0,
    keep: bool = False,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Hysteresis loop at zero temperature: the state at rest at each field, reached from that at the field before.

    A field exactly along a symmetry axis would leave the magnetisation on its maximum of the energy for ever, since
    nothing turns it aside. Every state is therefore checked for being a minimum; one that is not is disturbed along
    its softest mode and falls (``on_maximum``), as a real film does.

    Args:
        film: Film; each replica has its own device.
        field: Values of the field in T, in the order they are applied: for a loop down and up again.
        direction: Direction of the field, one for all replicas or ``[replica, 3]`` (normalised).
        initial: State before the first field. Default: saturated along the first field.
        replicas: Number of replicas. Default: that of the devices, directions or initial states.
        bias: Further constant field and gate voltage. Default: none.
        terms: Terms of the effective field. Default: all that the material has constants for.
        descent: ``relax``: damped motion, which comes to the minimum that the state falls into; ``minimize``: faster,
            but a state that switches may end in another minimum.
        torque: Largest |m × B| in T at which a cell counts as at rest.
        on_maximum: What to do with a state that is a maximum or saddle: ``perturb`` it, ``warn``, or ``ignore``.
        seed: Seed of the disturbance, which chooses its side.
        keep: Whether the magnetisation at every field is part of the result.
        dtype, device: Precision and device of the computation.
        progress: Display of the progress.

    Returns:
        A data set with the dimensions ``step`` and ``replica``: ``m_along`` (<m> along the field), ``m`` (<m>),
        ``rotation`` (distance from the state before in rad, root mean square over the cells), ``switched`` (whether
        that cannot be undone: one step back in the field brings back neither the state nor a mirror image of it), and
        for each replica ``coercive_field`` (T; mean of the magnitudes of all fields where <m> along the field crosses
        zero, linear between steps, NaN without one) and ``remanence`` (mean magnitude of <m> along the field where the
        field crosses zero, NaN if it does not);
        ``applied_field`` (T) is the coordinate.

    Raises:
        InputError: An argument is wrong, or a torque without energy acts.
        NotConvergedError: A state does not come to rest.
    """
    values, directions = _checked_field(field, direction)
    check_on_maximum(on_maximum)
    check_torque(torque)
    if descent not in get_args(Descent):
        raise InputError(f"descent = '{descent}': must be one of {', '.join(get_args(Descent))}")
    check_single(film, "hysteresis")
    if replicas is not None and replicas < 1:
        raise InputError(f"replicas = {replicas}: must be a whole number, 1 or more")
    initial = None if initial is None else tensor_of_state(initial)
    replicas = _replicas(film, directions, initial, replicas)
    directions = directions.expand(replicas, 3)
    bias = Drive() if bias is None else bias
    system = System(film, bias, None if terms is None else tuple(terms), replicas=replicas, dtype=dtype, device=device)
    if Zeeman not in {type(term) for term in system.terms}:
        raise InputError("terms: a hysteresis loop needs Zeeman, the term of the applied field")
    start = directions[:, :, None, None] * float(torch.sign(values[0]) or 1.0)
    m = system.start(
        for_replicas(film, start.expand(-1, -1, *film.grid.shape) if initial is None else initial, replicas)
    )
    metric = Metric(system.film.weights[:, None, None])
    find = relax if descent == "relax" else minimize
    records: dict[str, list[Tensor]] = {"m": [], "rotation": [], "switched": [], "magnetisation": []}
    offsets = torch.stack([bias.waveform(f"field_{axis}")(torch.zeros(1))[0].expand(replicas) for axis in "xyz"])

    def at_rest(value: Tensor, m: Tensor, number: int) -> Tensor:
        total = offsets + value * directions.T
        # What rounding leaves of a component is no field.
        total = torch.where(total.abs() < 1e-12 * total.abs().max(), 0.0, total)
        system.drive = replace(bias, field_x=total[0], field_y=total[1], field_z=total[2])
        return find(system, m, torque=torque, on_maximum=on_maximum, seed=seed + number)

    def rotation(a: Tensor, b: Tensor) -> Tensor:
        return metric.norm(angles(a, b)[:, None])[:, 0].double().cpu()

    def along(m: Tensor) -> Tensor:
        return ((m.double() * system.film.weights[:, None]).sum((2, 3)).cpu() * directions).sum(1)

    with display_of(progress).task("fields", len(values)) as made:
        for number, value in enumerate(values):
            found = at_rest(value, m, number)
            turned = rotation(m, found)
            switched = turned > JUMP
            # The first state comes from no field.
            if number == 0:
                switched = torch.zeros_like(switched)
            elif bool(switched.any()):
                back = at_rest(values[number - 1], found, number)
                # A mirror image of the state before is as good: which of the two it is was left to chance.
                alike = (along(back) - along(m)).abs() < 1e-3
                alike &= (system.energy(back) - system.energy(m)).abs().cpu() < 1e-6 * system.energy(m).abs().cpu()
                switched &= (rotation(m, back) > 0.5 * turned) & ~alike
            m = found
            records["m"].append((m.double() * system.film.weights[:, None]).sum((2, 3)).cpu())
            records["rotation"].append(turned)
            records["switched"].append(switched)
            if keep:
                records["magnetisation"].append(m.cpu())
            made(1)
    return _dataset(film, values, directions, records, {
        "descent": descent, "torque": torque, "on_maximum": on_maximum, "seed": seed, "bias": bias.describe(),
        "terms": [repr(term) for term in system.terms], **film.describe(),
    })  # fmt: skip


def _dataset(
    film: Film, values: Tensor, directions: Tensor, records: dict[str, list[Tensor]], attributes: dict[str, object]
) -> xr.Dataset:
    m = torch.stack(records["m"])
    along = (m * directions).sum(2)
    data = {
        "m_along": (("step", "replica"), along.numpy(), {"units": "1"}),
        "m": (("step", "replica", "component"), m.numpy(), {"units": "1"}),
        "rotation": (("step", "replica"), torch.stack(records["rotation"]).numpy(), {"units": "rad"}),
        "switched": (("step", "replica"), torch.stack(records["switched"]).numpy()),
        "coercive_field": ("replica", _coercive_field(values, along).numpy(), {"units": "T"}),
        "remanence": ("replica", _remanence(values, along).numpy(), {"units": "1"}),
    }
    coordinates = {
        "applied_field": ("step", values.numpy(), {"units": "T"}),
        "replica": np.arange(len(directions)),
        "component": ["x", "y", "z"],
        "direction": (("replica", "component"), directions.numpy()),
    }
    if records["magnetisation"]:
        cells = ("component", "x", "y")
        kept = torch.stack(records["magnetisation"])
        data["magnetisation"] = (("step", "replica", *cells), kept.numpy(), {"units": "1"})
        coordinates |= {
            "x": ("x", film.grid.x.numpy(), {"units": "m"}),
            "y": ("y", film.grid.y.numpy(), {"units": "m"}),
        }
    return xr.Dataset(data, coords=coordinates, attrs=attributes)


def _crossings(values: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
    """Share of each step at which ``of`` crosses zero, and whether it does."""
    before, after = of[:-1], of[1:]
    crosses = (before * after < 0) | ((after == 0) & (before != 0))
    share = torch.where(crosses, before / torch.where(before == after, 1.0, before - after), 0.0)
    return share, crosses


def _coercive_field(values: Tensor, along: Tensor) -> Tensor:
    share, crosses = _crossings(values, along)
    field = values[:-1, None] + share * (values[1:] - values[:-1])[:, None]
    return _mean(field.abs(), crosses)


def _remanence(values: Tensor, along: Tensor) -> Tensor:
    share, crosses = _crossings(along, values[:, None])
    remaining = along[:-1] + share * (along[1:] - along[:-1])
    return _mean(remaining.abs(), crosses.expand_as(remaining))


def _mean(values: Tensor, of: Tensor) -> Tensor:
    count = of.sum(0)
    total = torch.where(of, values, 0.0).sum(0)
    return torch.where(count > 0, total / count.clamp_min(1), torch.nan)


def _checked_field(field: Tensor | Sequence[float], direction: object) -> tuple[Tensor, Tensor]:
    values = as_tensor_of_numbers("field", field)
    if values.dim() != 1 or len(values) < 1 or not bool(torch.isfinite(values).all()):
        raise InputError(f"field: must be a sequence of finite numbers in T, got shape {tuple(values.shape)}")
    plausible("field", float(values.abs().max()), "field")
    directions = as_tensor_of_numbers("direction", direction)
    directions = directions[None] if directions.dim() == 1 else directions
    if directions.dim() != 2 or directions.shape[1] != 3:
        raise InputError(f"direction: shape {tuple(directions.shape)} is not (3) or (replicas, 3)")
    norm = torch.linalg.vector_norm(directions, dim=1, keepdim=True)
    if not bool((torch.isfinite(norm) & (norm > 0)).all()):
        raise InputError("direction: needs a direction")
    return values, directions / norm


def _replicas(film: Film, directions: Tensor, initial: Tensor | None, replicas: int | None) -> int:
    states = 1 if initial is None or initial.dim() != 4 else len(initial)
    own = film.devices if film.device_of_replica is None else len(film.device_of_replica)
    counts = {own, len(directions), states, replicas or 1} - {1}
    if len(counts) > 1:
        raise InputError(
            f"film, direction, initial and replicas are for different numbers of replicas: {sorted(counts)}"
        )
    return max(counts, default=1)
