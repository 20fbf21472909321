"""Barriers of the compact model against paths of least energy: fit of its two constants, and test on what was not used.

    python benchmarks/devices/barriers.py --out DIR [--tracks 20]
    python benchmarks/devices/barriers.py --device notched-5 --devices 4 --out DIR

The first command draws tracks at random (width, thickness, Ku, D, roughness, and length and depth of four notches),
finds the paths of least energy from notch to notch, fits smoothing and factor of the calibrated model
(:mod:`barkhausen.device.domain_wall.barriers.tilted`) on the even ones, and tests the result on the odd ones. The
second draws pairs of device and notch of a shipped device by seed, over all states, and compares the barriers.

Paths are kept in DIR (some 15 s of one core for a track); the same command resumes there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.units import BOLTZMANN
from barkhausen.device import DeviceParameters, load_parameters, shipped_toml
from barkhausen.device.domain_wall.barriers import string_barriers
from barkhausen.device.domain_wall.barriers import tilted as model
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters

HEAT = BOLTZMANN * 300.0
SMOOTHINGS = (0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
NEAR = 8e-9
"""Distance in m within which a rest belongs to a notch."""

Pairs = Float[np.ndarray, "pair column"]
"""Columns: device, position in m of the notch, direction, barrier in J of the paths, then of the compact models."""


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--device", help="shipped device to compare, instead of tracks at random")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.device:
        _compare(given)
    else:
        _fit(given)


def drawn(number: int) -> DeviceParameters:
    """A track at random."""
    rng = np.random.default_rng([17, number])
    width = rng.uniform(44e-9, 100e-9)
    thickness = rng.choice([1e-9, 1.5e-9, 2e-9])
    half = rng.uniform(14e-9, 30e-9)
    gap = max(40e-9, 2.2 * half)
    depths = np.sort(rng.uniform(0.06, 0.36, 4)) * width
    return DeviceParameters.model_validate(
        {
            "track": {"length": 140e-9 + 3 * gap, "width": width, "thickness": thickness},
            "material": {
                "preset": "cofeb-tungsten",
                "anisotropy": rng.uniform(0.80e6, 0.92e6),
                "dmi": rng.uniform(0.1e-3, 0.6e-3),
                "constants_at": 300.0,
            },
            "shape": {
                "roughness": {"rms": rng.uniform(0.2e-9, 1e-9), "correlation_length": 20e-9},
                "notches": [
                    {"position": 70e-9 + gap * k, "depth": float(depth), "half_length": half}
                    for k, depth in enumerate(depths)
                ],
            },
            "characterisation": {
                "devices": 1,
                "cell": 4e-9,
                "temperature": 300.0,
                "seed": int(rng.integers(1_000_000)),
            },
        }
    )


def _fit(given: argparse.Namespace) -> None:
    tracks = []
    for number in range(given.tracks):
        parameters = drawn(number)
        tracks.append(_pairs(parameters, _paths(parameters, given.out / f"track-{number}"), SMOOTHINGS))
    fitted, tested = tracks[::2], tracks[1::2]
    print(f"{len(fitted)} tracks to fit, {len(tested)} to test")
    print("smoothing | factor | spread of the fit | test: pairs | rms error | within 10 % | largest error")
    for column, smoothing in enumerate(SMOOTHINGS, start=5):
        # Each track counts the same.
        factor = float(np.exp(np.mean([np.log(pairs[:, 3] / pairs[:, column]).mean() for pairs in fitted])))
        inner = np.sqrt(np.mean([np.mean((factor * pairs[:, column] / pairs[:, 3] - 1) ** 2) for pairs in fitted]))
        errors = np.concatenate([factor * pairs[:, column] / pairs[:, 3] - 1 for pairs in tested])
        print(
            f"{smoothing:g} | {factor:.3f} | {100 * inner:.1f} % | {len(errors)} | "
            f"{100 * np.sqrt(np.mean(errors**2)):.1f} % | {100 * np.mean(np.abs(errors) < 0.1):.0f} % | "
            f"{100 * errors[np.abs(errors).argmax()]:+.1f} %"
        )
    every = np.concatenate(tested)
    errors = every[:, 4] / every[:, 3] - 1
    print(
        f"straight walls, not calibrated: {100 * errors.mean():+.1f} % on average, "
        f"{100 * errors.std():.1f} % standard deviation"
    )
    print(f"barriers of the paths: {every[:, 3].min() / HEAT:.1f} to {every[:, 3].max() / HEAT:.1f} kB T")


def _compare(given: argparse.Namespace) -> None:
    source = given.out / f"{given.device}.toml"
    source.write_text(shipped_toml(given.device), encoding="utf-8")
    parameters = load_parameters(source, [f"characterisation.devices={given.devices}"])
    pairs = _pairs(parameters, _paths(parameters, given.out / given.device), (model.SMOOTHING,))
    rng = np.random.default_rng(given.seed)
    chosen = np.sort(rng.permutation(len(pairs))[: given.pairs])
    print("device | notch (nm) | towards | paths (kT) | calibrated (kT) | error | straight, not calibrated (kT)")
    for device, place, side, paths, straight, tilted in pairs[chosen]:
        calibrated = model.FACTOR * tilted
        print(
            f"{device:.0f} | {1e9 * place:.0f} | {'right' if side > 0 else 'left'} | {paths / HEAT:.2f} | "
            f"{calibrated / HEAT:.2f} | {100 * (calibrated / paths - 1):+.1f} % | {straight / HEAT:.2f}"
        )
    errors = model.FACTOR * pairs[chosen, 5] / pairs[chosen, 3] - 1
    print(f"rms error {100 * np.sqrt(np.mean(errors**2)):.1f} %, largest {100 * np.abs(errors).max():.1f} %")


def _paths(parameters: DeviceParameters, stem: Path) -> xr.Dataset:
    """Paths of least energy between the notches, computed once."""
    path = stem.with_suffix(".nc")
    if not path.exists():
        places = np.array([notch.position for notch in parameters.shape.notches])
        found = string_barriers(parameters, places, checkpoint=stem.with_suffix(".work"))
        found.attrs["parameters"] = json.dumps(parameters.model_dump(mode="json"))
        found.to_netcdf(path, engine="h5netcdf")
    return xr.load_dataset(path, engine="h5netcdf")


def _pairs(parameters: DeviceParameters, paths: xr.Dataset, smoothings: tuple[float, ...]) -> Pairs:
    """Both barriers of each way from notch to notch, of the paths and of the compact models."""
    film, compact = parameters.film_at(300.0), CompactParameters()
    places, straight = CompactModel(film, compact).landscape()
    landscapes = [(places.numpy(), straight[0].numpy())]
    for smoothing in smoothings:
        found = model.tilted_landscapes(film, compact, 1.0, smoothing)
        landscapes.append((found["place"].values, found["energy"].values))
    notches = np.array([notch.position for notch in parameters.shape.notches])
    rows = []
    for way in range(paths.sizes["way"]):
        row = paths.isel(way=way)
        begin, end, device = float(row["begin"]), float(row["end"]), int(row["device_of_way"])
        if int(row["end_of_way"]) or max(np.abs(notches - x).min() for x in (begin, end)) > NEAR:
            continue
        modelled = [_climbs(place, energy[device], begin, end) for place, energy in landscapes]
        for side, place, name in ((1, begin, "barrier_forward"), (-1, end, "barrier_backward")):
            rows.append([device, place, side, float(row[name]), *(m[0 if side > 0 else 1] for m in modelled)])
    return np.array(rows)


def _climbs(places: np.ndarray, energy: np.ndarray, begin: float, end: float) -> tuple[float, float]:
    """Barriers in J from the minimum near one place to that near another, and back."""
    low, high = (
        int(near[energy[near].argmin()]) for near in (np.nonzero(np.abs(places - x) < NEAR)[0] for x in (begin, end))
    )
    top = energy[low : high + 1].max()
    return float(top - energy[low]), float(top - energy[high])


if __name__ == "__main__":
    main()
