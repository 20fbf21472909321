"""Two-sublattice antiferromagnet."""

from __future__ import annotations

from collections.abc import Sequence

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.stack.layer import Layer
from barkhausen.micromagnetics.stack.stack import Stack
from barkhausen.micromagnetics.stack.sublattice_exchange import SublatticeExchange


@checks_arguments("SublatticeExchange")
def antiferromagnet(film: Film | Sequence[Film], exchange: SublatticeExchange, *, origin: str = "") -> Stack:
    """Two magnetic sublattices in the same cells, coupled by exchange, without a stray field.

    A stack of two "layers", ``A`` and ``B``, that lie in the same place. Ms, A, Ku and D of the film's material are
    those of *one* sublattice. Start from :meth:`Stack.join` of a state and its reverse, the default does.

    Args:
        film: Film of both sublattices, or one film for each (a ferrimagnet), of the same thickness.
        exchange: Exchange between the two.
        origin: Description of how it was made, stored with every result.

    Raises:
        InputError: Two films that differ in their grids or in what is filled.
    """
    films = (film, film) if isinstance(film, Film) else tuple(film)
    if len(films) != 2:
        raise InputError(f"film: {len(films)} are given, an antiferromagnet has 2 sublattices")
    first, second = films
    if first.grid != second.grid:
        raise InputError(f"film: sublattices lie on {first.grid} and {second.grid}; they fill the same cells")
    if (first.fill is None) != (second.fill is None) or (
        first.fill is not None and second.fill is not None and not first.fill.equal(second.fill)
    ):
        raise InputError("film.fill: differs between the sublattices; they fill the same cells")
    return Stack([Layer(first, "A"), Layer(second, "B")], couplings=(exchange,), demag=False, origin=origin)
