"""Arguments of the wrong kind, told by the annotations of a function: one line in place of an error from deep inside.

Only what has one obvious kind is looked at: plain numbers, and instances of the package's own classes. Ranges, and
values that are not finite, are the business of the function.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import numbers
import operator
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch

from barkhausen.core.errors import InputError, shortened

P = ParamSpec("P")
R = TypeVar("R")


def checks_arguments(*classes: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator of a function: refuse numbers that are none, and objects of another class, in one line.

    Args:
        classes: Names of classes. A parameter annotated ``NAME`` or ``NAME | None`` must be an instance of a class of
            that name; one annotated ``float`` a real number, ``int`` a whole one.

    The module of the function must have ``from __future__ import annotations``.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        kinds = {name: {*str(p.annotation).split(" | ")} for name, p in signature.parameters.items()}
        kinds = {name: kind for name, kind in kinds.items() if kind <= {"float", "int", "None", *classes}}

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:
                return function(*args, **kwargs)  # Python's own error, which names the function
            for name, value in given.items():
                if name in kinds:
                    _check(name, value, kinds[name])
            return function(*args, **kwargs)

        return checked

    return decorate


def check_fields(item: Any, *classes: str) -> None:
    """Refuse fields of a dataclass that are numbers by their annotations and others by their values, in one line.

    Args:
        item: Instance of a dataclass of a module with ``from __future__ import annotations``.
        classes: Names of classes, as for :func:`checks_arguments`.
    """
    for field in dataclasses.fields(item):
        kinds = {*str(field.type).split(" | ")}
        if kinds <= {"float", "int", "None", *classes}:
            _check(f"{type(item).__name__}.{field.name}", getattr(item, field.name), kinds)


def _check(name: str, value: Any, kinds: set[str]) -> None:
    if value is None and "None" in kinds:
        return
    if not kinds.isdisjoint(kind.__name__ for kind in type(value).__mro__):
        return
    if "float" in kinds:
        if not _is_number(value):
            raise InputError(f"{name} = {value!r}: must be a number")
    elif "int" in kinds:
        try:
            operator.index(value)
        except TypeError:
            raise InputError(f"{name} = {value!r}: must be a whole number") from None
    else:
        raise InputError(f"{name}: {type(value).__name__} is not a {min(kinds - {'None'})}")


def _is_number(value: Any) -> bool:
    """Whether it is a real number, or an array or tensor of no dimension that holds one."""
    if isinstance(value, numbers.Real):
        return True
    try:
        return getattr(value, "shape", None) == () and isinstance(value.item(), numbers.Real)
    except (AttributeError, TypeError, ValueError):
        return False


def as_tensor_of_numbers(name: str, value: object, dtype: torch.dtype | None = torch.float64) -> torch.Tensor:
    """Numbers, a nested list of them or an array as a tensor.

    Raises:
        InputError: It is none of these.
    """
    try:
        return torch.as_tensor(value, dtype=dtype)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        text = shortened(f"{value}" if isinstance(value, (str, int, float)) else type(value).__name__)
        raise InputError(f"{name} = {text}: must be a number or an array of numbers") from None
