"""One film whose devices are the layers of a stack: constants that differ become maps and factors of the drive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.maps import COMPONENTS, ParameterMaps
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.stack.layer import Layer

OF_CELLS = ("saturation_magnetisation", "exchange_stiffness", "dmi", "damping", "easy_axis")
"""Constants of a material that become maps where layers differ (so does the anisotropy)."""

WITH_TORQUE = {"field_like_ratio": "spin_hall_angle", "non_adiabaticity": "spin_polarisation"}
"""Constants that must be the same in all layers on which a torque acts, and the constant that says whether it does."""

ALIKE = ("cubic_anisotropy", "cubic_axis_1", "cubic_axis_2")
"""Constants that must be the same in all layers."""

DEFAULTS = {"temperature": 1.0, "bond_x": 1.0, "bond_y": 1.0, "current": (1.0, 0.0), "frozen": False}
"""Values of the maps that stand for no constant of a material."""


def shared_grid(layers: Sequence[Layer]) -> Grid:
    """Grid of all layers, as thick as the thickest.

    Raises:
        InputError: The layers lie on different grids.
    """
    first = layers[0].film.grid
    for number, layer in enumerate(layers):
        grid = replace(layer.film.grid, dz=first.dz)
        if grid != first:
            raise InputError(f"stack.layers[{number}]: lies on {grid}, the first layer on {first}")
    return replace(first, dz=max(layer.thickness for layer in layers))


def shares(layers: Sequence[Layer], thickness: float) -> tuple[float, float, list[list[float]]]:
    """Largest spin Hall angle and spin polarisation that act, and the share of each layer in the six inputs.

    The spin-orbit field of a layer is that of a film with the thickness of the grid and the spin Hall angle returned,
    times its share; likewise the drift of its Zhang-Li torque.
    """
    angles, drifts = [], []
    for layer in layers:
        material = layer.film.material
        angles.append(material.spin_hall_angle * layer.current * thickness / layer.thickness)
        drifts.append(material.spin_polarisation * layer.magnet_current)
    angle, drift = max(angles, key=abs), max(drifts, key=abs)
    rows = [
        [
            value / angle if angle else 0.0,
            moved / drift if drift else 0.0,
            1.0, 1.0, 1.0,
            layer.gate,
        ]
        for value, moved, layer in zip(angles, drifts, layers, strict=True)
    ]  # fmt: skip
    return angle, drift, rows


def shared_material(layers: Sequence[Layer], angle: float, drift: float) -> Material:
    """Constants of the first layer, with the torques of those on which they act.

    Raises:
        InputError: Layers differ in constants that only all of them can have.
    """
    materials = [layer.film.material for layer in layers]
    changes: dict[str, object] = {"spin_hall_angle": angle, "spin_polarisation": drift}
    for name, needs in WITH_TORQUE.items():
        values = {getattr(material, name) for material in materials if getattr(material, needs)}
        if len(values) > 1:
            raise InputError(
                f"stack: layers differ in {name} ({_listed(values)}); all with a {needs} must have the same"
            )
        changes[name] = values.pop() if values else 0.0
    for name in ALIKE:
        values = {getattr(material, name) for material in materials}
        if len(values) > 1:
            raise InputError(f"stack: layers differ in {name} ({_listed(values)}); all must have the same")
    sources = list(dict.fromkeys(material.source for material in materials if material.source))
    return Material.model_validate(materials[0].model_dump() | changes | {"source": "; ".join(sources)})


def _listed(values: set[object]) -> str:
    return ", ".join(sorted(map(str, values)))


def stacked(films: Sequence[Film], material: Material) -> dict[str, Tensor | ParameterMaps | None]:
    """Tensors of a film whose device ``device × layers + layer`` is that layer; none where all layers are alike."""
    devices = max(film.devices for film in films)
    if any(film.devices not in (1, devices) for film in films):
        raise InputError(f"stack: layers have different numbers of devices {sorted({film.devices for film in films})}")

    def joined(values: Sequence[Tensor]) -> Tensor:
        each = [value.expand(devices, *value.shape[1:]) for value in values]
        return torch.stack(each, 1).flatten(0, 1).clone()

    def own(name: str) -> Tensor | None:
        values = [getattr(film, name) for film in films]
        if all(value is None for value in values):
            return None
        shape = films[0].grid.shape
        if name == "fill":
            empty = torch.ones(1, *shape, dtype=torch.float64)
        else:
            empty = torch.zeros(1, 3, *shape, dtype=torch.float64)
        return joined([empty if value is None else value.to(torch.float64) for value in values])

    anisotropies = [film.material.anisotropy for film in films]
    anisotropy = None
    if any(film.anisotropy is not None for film in films) or len(set(anisotropies)) > 1:
        anisotropy = joined([
            torch.full((1, *film.grid.shape), film.material.anisotropy, dtype=torch.float64)
            if film.anisotropy is None else film.anisotropy.to(torch.float64)
            for film in films
        ])  # fmt: skip
    maps = {}
    for name in ParameterMaps.__dataclass_fields__:
        values = [_map_of(film, name) for film in films]
        given = any(film.maps is not None and getattr(film.maps, name) is not None for film in films)
        if given or (name in OF_CELLS and len({getattr(film.material, name) for film in films}) > 1):
            maps[name] = joined(values)
    return {
        "fill": own("fill"),
        "anisotropy": anisotropy,
        "edge_demag": own("edge_demag"),
        "maps": ParameterMaps(**maps) if maps else None,
    }


def _map_of(film: Film, name: str) -> Tensor:
    """Map of a film, made of the constant of its material where it has none."""
    given: Tensor | None = None if film.maps is None else getattr(film.maps, name)
    if given is not None:
        return given if given.dtype == torch.bool else given.to(torch.float64)
    value = getattr(film.material, name) if name in OF_CELLS else DEFAULTS[name]
    kind = torch.bool if name == "frozen" else torch.float64
    tensor = torch.as_tensor(value, dtype=kind)
    shape = film.grid.shape
    if name in COMPONENTS:
        return tensor[None, :, None, None].expand(1, COMPONENTS[name], *shape)
    return tensor.expand(1, *shape)
