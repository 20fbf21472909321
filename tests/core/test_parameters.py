"""Tables built in Python: the constructor says in one line which key, which value, what is allowed."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError, model_validator

from barkhausen.core.config import Parameters, Positive, validated
from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.experiment.recipe import Recipe
from barkhausen.micromagnetics import EdgeRoughness, Material, Notch, StrainGate, TrackOutline

SOUND: dict[str, Any] = {"saturation_magnetisation": 1e6, "exchange_stiffness": 1e-11, "damping": 0.1}

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Material(**SOUND | {"damping": -1}), "Material: damping = -1: input should be greater than or equal to 0"),
    (lambda: Material(**SOUND | {"damping": "high"}), "Material: damping = 'high': input should be a valid number"),
    (lambda: Material(**SOUND | {"gilbert": 1}), "Material: unknown key 'gilbert'; known: "),
    (lambda: Material(**SOUND, anisotopy=1e6), "Material: unknown key 'anisotopy'; did you mean 'anisotropy'?"),
    (lambda: Material(damping=0.1), "Material: saturation_magnetisation: must be given (and 1 more)"),
    (lambda: Material(**SOUND, easy_axis=(0, 0, 0)), "Material: easy_axis = (0, 0, 0): must be three finite numbers"),
    (lambda: Material(**SOUND, cubic_axis_1=(1, 1, 0)), "Material: cubic_axis_1 and cubic_axis_2 must be"),
    (lambda: TrackOutline(length=320), "TrackOutline: length = 320 m is no track length; 320e-9 (320 nm)?"),
    (lambda: TrackOutline(notches=3), "TrackOutline: notches = 3: input should be a valid tuple"),
    (lambda: TrackOutline(notches=({"position": 1e-9, "depth": -1, "half_length": 1e-8},)),
     "TrackOutline: notches.0.depth = -1: input should be greater than 0"),
    (lambda: Notch(position=1e-7, depth=8e-9, half_length=-1e-8), "Notch: half_length = -1e-08: input should be"),
    (lambda: EdgeRoughness(rms=-1e-9), "EdgeRoughness: rms = -1e-09: input should be"),
    (lambda: StrainGate(transfer=1.5), "StrainGate: transfer = 1.5: input should be less than or equal to 1"),
    (lambda: DeviceParameters(material={"damping": -1}), "DeviceParameters: material.damping = -1: input should be"),
    (lambda: DeviceParameters(matrial={}), "DeviceParameters: unknown key 'matrial'; did you mean 'material'?"),
    (lambda: Recipe(network={"hiden": []}), "Recipe: unknown key 'network.hiden'; did you mean 'network.hidden'?"),
]  # fmt: skip


@pytest.mark.parametrize(("construct", "line"), REFUSED)
def test_constructor_tells_the_key_the_value_and_what_is_allowed(construct: Callable[[], object], line: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(line)}") as caught:
        construct()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


class Inner(Parameters):
    width: Positive = 1.0

    @model_validator(mode="after")
    def _below_ten(self) -> Inner:
        if self.width > 10:
            raise ValueError("width must be below 10")
        return self


class Outer(Parameters):
    """A table of tables."""

    inner: Inner = Inner()
    count: Annotated[int, Field(ge=1)] = 1


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"inner": {"width": -1}}, "inner.width = -1: input should be greater than 0"),
        ({"inner": {"width": 11}}, "inner: width must be below 10"),
        ({"inner": {"width": -1}, "count": 0}, "inner.width = -1: input should be greater than 0 (and 1 more)"),
        ({"inner": {"with": 1}}, "unknown key 'inner.with'; did you mean 'inner.width'?"),
    ],
)
def test_tables_in_tables_are_named_by_their_whole_key_in_files_and_in_python(given: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(f'file.toml: {line}')}$"):
        validated(Outer, given, "file.toml")
    with pytest.raises(InputError, match=f"^{re.escape(f'Outer: {line}')}$"):
        Outer(**given)
    with pytest.raises(ValidationError):
        Outer.model_validate(given)


def test_tables_are_copied_and_pickled() -> None:
    outer = Outer(inner=Inner(width=2.0), count=3)
    assert pickle.loads(pickle.dumps(outer)) == copy.deepcopy(outer) == outer.model_copy() == outer
    assert Outer.model_validate_json(outer.model_dump_json()) == outer
