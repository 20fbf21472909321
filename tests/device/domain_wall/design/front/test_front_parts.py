"""Parts of a search for a front: devices at points, choice of voltages, merits, corrected barriers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design.front import (
    Conditions,
    FrontSpace,
    Limits,
    VoltageScan,
    appraise,
    chosen,
    corrected,
    merits_of,
    shares,
)
from barkhausen.device.domain_wall.design.front.appraisal import kept, landscapes_of
from barkhausen.device.domain_wall.design.front.space import checked_bounds
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.gates import gate_from
from barkhausen.device.domain_wall.retention import retention
from barkhausen.micromagnetics import Notch, material

BASE = DeviceParameters(material=material("cofeb-tungsten", anisotropy=0.86e6, constants_at=300.0))
BOUNDS: dict[str, Any] = {
    "track.width": (48e-9, 96e-9, 16e-9),
    "track.thickness": (1e-9, 2e-9),
    "notch_depth": (0.1, 0.3),
}


def middle(space: FrontSpace) -> tuple[float, ...]:
    return space.point([0.5] * len(space.names))


def test_a_point_is_a_device_with_its_values() -> None:
    space = FrontSpace(BASE, 3, BOUNDS, VoltageScan(range=(-1.0, 2.0), levels=7))
    vector = space.point([k / len(space.names) for k in range(len(space.names))])
    value = dict(zip(space.names, vector, strict=True))
    device = space.decode(vector)
    assert device.protocol.program.current_density == value["protocol.program.current_density"]
    assert device.protocol.reset.width == value["protocol.reset.width"]
    assert device.track.width == value["track.width"]
    assert any(math.isclose(value["track.width"], width) for width in (48e-9, 64e-9, 80e-9, 96e-9))
    depths = [notch.depth / device.track.width for notch in device.shape.notches]
    assert depths == pytest.approx([value[f"notch_depth_{k}"] for k in range(3)])
    assert device.track.thickness == value["track.thickness"]
    # What was not given stays known as assumed.
    assert "track.piezoelectric_thickness = 1e-07 (default)" in device.assumed()


def test_voltages_end_where_the_gate_leaves_the_least_anisotropy() -> None:
    scan = VoltageScan(range=(-1.0, 2.0), levels=5, least_anisotropy=1e5)
    device = FrontSpace(BASE, 2, {}, scan).decode(middle(FrontSpace(BASE, 2, {}, scan)))
    voltages = device.protocol.gate_voltages or ()
    per_volt = device.gate.on(device.track).anisotropy_per_volt
    assert voltages[0] == -1.0
    assert device.material.effective_anisotropy + per_volt * voltages[-1] == pytest.approx(1e5)
    assert device.protocol.reset_voltage == voltages[-1]
    with pytest.raises(InputError, match=r"search.scan.least_anisotropy = 1e\+06: no voltage"):
        FrontSpace(BASE, 2, {}, VoltageScan(least_anisotropy=1e6)).voltages(BASE)


def test_impossible_devices_and_ranges_are_named() -> None:
    long = FrontSpace(BASE, 5, {"notch_half_length": (60e-9, 61e-9)}, VoltageScan())
    with pytest.raises(InputError, match=r"notch_half_length = 6.05e-08: 5 notches fit"):
        long.decode(middle(long))
    deep = FrontSpace(BASE, 2, {"notch_depth": (0.49, 0.5)}, VoltageScan())
    with pytest.raises(InputError, match="cut the track"):
        deep.decode(middle(deep))
    for bounds, text in (
        ({"track.colour": (1.0, 2.0)}, "track.colour: is no quantity"),
        ({"track.width": (2.0, 1.0)}, "must not be greater"),
        ({"track.width": (0.0, 1.0)}, "must be positive"),
        ({"track.width": (48e-9, 96e-9, 64e-9)}, "longer than the range"),
        ({"track.width": (48.0, 96.0)}, "48 m is no width; 48e-9"),
        ({"notch_depth": (10e-9, 20e-9)}, "a share of the width of the track"),
    ):
        with pytest.raises(ValueError, match=text):
            checked_bounds(bounds)


def test_voltages_are_chosen_in_order_and_from_the_middle_of_their_windows() -> None:
    windows = np.zeros((3, 12))
    windows[0, 0:3] = windows[1, 4:7] = windows[2, 9:12] = 1.0
    # At an edge of the scan the window may go on, so its outermost voltage counts as its middle.
    assert chosen(windows)[1] == 5
    assert windows[0, chosen(windows)[0]] == windows[2, chosen(windows)[2]] == 1.0
    # One voltage cannot stand for two states.
    assert chosen(np.ones((3, 3))) == [0, 1, 2]
    swapped = windows[::-1]
    assert chosen(swapped) == sorted(set(chosen(swapped)))


def test_shares_count_walls_near_a_place_only() -> None:
    positions = np.array([[[10e-9, 14e-9, 26e-9, np.nan]]])
    assert shares(positions, [10e-9, 30e-9]).tolist() == [[0.5], [0.25]]


def device_of(places: list[float]) -> DeviceParameters:
    shape = BASE.shape.model_copy(
        update={"notches": tuple(Notch(position=x, depth=8e-9, half_length=10e-9) for x in places)}
    )
    protocol = BASE.protocol.model_copy(update={"gate_voltages": tuple(np.linspace(-0.5, 0.5, len(places)).tolist())})
    return BASE.model_copy(update={"shape": shape, "protocol": protocol})


def held(times: list[list[float]], barriers: list[list[float]]) -> xr.Dataset:
    both = ("state", "device")
    heat = BOLTZMANN * 300
    return xr.Dataset(
        {"retention_time": (both, np.array(times)), "barrier": (both, heat * np.array(barriers)),
         "attempt_frequency": (both, np.exp(np.array(barriers)) / np.array(times))},
        attrs={"temperature": 300.0},
    )  # fmt: skip


def test_merits_of_known_walls() -> None:
    device = device_of([60e-9, 100e-9, 140e-9])
    # A quarter of the middle state's walls rest in the last notch; one event of the last state fails.
    positions = np.array([[60e-9] * 4, [100e-9] * 3 + [140e-9], [140e-9] * 3 + [np.nan]])[..., None]
    kept = held([[1e3] * 4, [5.0, 1e3, 1e3, 1e3], [1e9] * 4], [[20.0] * 4, [15.0, 20, 20, 20], [30.0] * 4])
    found = merits_of(device, positions, np.array([50e-9, 90e-9]), kept)
    event = ProgrammingEvent(device.protocol, device.protocol.gate_voltages or ())
    energy = event.sot_energy(device.track) + event.gate_energy(device.track, device.gate, device.junction)
    assert found.energy == pytest.approx(float(np.mean(energy)))
    assert (found.overlap, found.misplaced, found.failures, found.not_home) == (0.25, 0.25, pytest.approx(1 / 12), 0.5)
    assert (found.retention, found.barrier) == (5.0, pytest.approx(15.0))
    joint = np.array([[4, 0, 0], [0, 3, 1], [0, 0, 4]]) / 12
    outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    assert found.bits == pytest.approx((joint[seen] * np.log2(joint[seen] / outer[seen])).sum())
    assert Limits(overlap=0.25, misplaced=0.25, lost=0.5, retention=5.0, energy=1e-9).kept_by(found)
    broken = Limits(retention=50.0).violations(found)
    assert broken["overlap"] == pytest.approx(0.2)
    assert found.displaced == pytest.approx(0.5 / 3)
    assert broken["misplaced"] == pytest.approx(0.2 + 0.5 / 3)
    assert broken["retention"] == pytest.approx(0.1)


def test_a_state_without_walls_overlaps_and_keeps_nothing() -> None:
    positions = np.array([[60e-9] * 2, [np.nan] * 2])[..., None]
    kept = held([[1e3] * 2, [np.nan] * 2], [[20.0] * 2, [np.nan] * 2])
    found = merits_of(device_of([60e-9, 100e-9]), positions, np.array([50e-9]), kept)
    assert (found.overlap, found.misplaced, found.retention, found.barrier) == (1.0, 1.0, 0.0, 0.0)


def test_corrected_barriers_change_times_by_their_exponential() -> None:
    before = held([[1e3, np.nan]], [[20.0, np.nan]])
    after = corrected(before, 0.9)
    heat = BOLTZMANN * 300
    assert float(after["barrier"][0, 0]) == pytest.approx(18 * heat)
    assert float(after["retention_time"][0, 0]) == pytest.approx(1e3 * math.exp(-2))
    assert np.isnan(after["retention_time"][0, 1])
    assert corrected(before, 1.0) is before


def test_appraised_devices_of_different_tracks_are_those_of_their_own_run() -> None:
    bounds: dict[str, Any] = BOUNDS | {
        "protocol.program.width": (0.5e-9, 0.6e-9), "protocol.reset.width": (0.5e-9, 0.6e-9),
    }  # fmt: skip
    space = FrontSpace(BASE, 2, bounds, VoltageScan(levels=3))
    devices = [space.decode(space.point(share)) for share in space.first_generation(2, 1)]
    how = Conditions(2, 1, 5, 300.0, 300.0, CompactParameters(), 0.9)
    found = appraise(devices, how)
    assert len({(device.track.width, device.track.thickness) for device in devices}) == 2
    for device, appraisal in zip(devices, found, strict=True):
        assert appraisal is not None
        assert appraisal == appraise([device], how)[0]
        voltages = appraisal.parameters.protocol.gate_voltages or ()
        assert len(voltages) == 2
        assert set(voltages) < set(device.protocol.gate_voltages or ())
        assert math.isfinite(appraisal.merits.barrier)


def test_a_film_by_its_interfaces_has_the_anisotropy_of_its_thickness() -> None:
    base = validated(
        DeviceParameters, {"material": {"interfacial_anisotropy": 1.6e-3}, "track": {"thickness": 2e-9}}, "device"
    )
    space = FrontSpace(base, 2, {"track.thickness": (1.7e-9, 2.1e-9)}, VoltageScan(least_anisotropy=1e3))
    device = space.decode(space.point([0.25] * len(space.names)))
    assert device.track.thickness == pytest.approx(1.8e-9)
    assert device.material.anisotropy == pytest.approx(1.6e-3 / 1.8e-9)


def test_a_known_device_begins_the_search() -> None:
    space = FrontSpace(BASE, 3, BOUNDS | {"notch_depth": (0.02, 0.3)}, VoltageScan())
    known = space.decode(space.point([0.4, 0.5, 0.6, 0.5, 0.6, 0.7, 0.8, 0.5, 0.6, 0.3][: len(space.names)]))
    first = [space.decode(space.point(share)) for share in space.first_generation(8, 1, [known])]
    assert first[0].protocol.program == known.protocol.program
    assert [n.depth for n in first[0].shape.notches] == pytest.approx([n.depth for n in known.shape.notches])
    assert first[1].shape.notches[2].depth < 0.3 * known.shape.notches[2].depth
    other = FrontSpace(BASE, 2, BOUNDS, VoltageScan()).shares_of(known)
    depth = 0.1 + 0.2 * other[4]
    assert depth * first[0].track.width == pytest.approx(known.shape.notches[0].depth)
    with pytest.raises(InputError, match="without notches"):
        space.shares_of(BASE)


@pytest.mark.parametrize("coefficient", [-60e-15, 60e-15])
def test_a_vcma_gate_scans_towards_the_lowest_anisotropy(coefficient: float) -> None:
    base = BASE.model_copy(update={"gate": gate_from({"kind": "vcma", "coefficient": coefficient})})
    space = FrontSpace(base, 2, {}, VoltageScan(range=(-2.5, 2.5), levels=4))
    device = space.decode(middle(space))
    largest = base.gate.largest_voltage(base.track)
    assert largest is not None
    assert max(map(abs, device.protocol.gate_voltages or ())) == pytest.approx(largest)
    per_volt = device.gate.on(device.track).anisotropy_per_volt
    changes = [per_volt * voltage for voltage in device.protocol.gate_voltages or ()]
    assert per_volt != 0
    assert changes == sorted(changes, reverse=True)
    assert device.material.effective_anisotropy + changes[-1] >= 1e5 * (1 - 1e-9)


def test_barriers_of_a_search_are_those_of_a_device_file() -> None:
    space = FrontSpace(BASE, 2, {"notch_depth": (0.1, 0.3)}, VoltageScan(levels=3))
    weak, strong = (space.decode(space.point([share] * len(space.names))) for share in (0.3, 0.7))
    how = Conditions(2, 1, 5, 300.0, 300.0, CompactParameters(), 1.0)
    places = np.array([[[notch.position], [notch.position]] for notch in strong.shape.notches])
    found = landscapes_of([weak, strong], how)[1]
    assert found is not None
    held = kept(strong, places, found, how)
    numbers = strong.characterisation.model_copy(update={"devices": 2, "seed": 5})
    own = retention(strong.model_copy(update={"characterisation": numbers}), places[:, :, 0])
    # The same edges fill the cells a little differently.
    np.testing.assert_allclose(held["barrier"], own["barrier"], rtol=5e-3)
    assert float(held["barrier"].min()) > 5 * BOLTZMANN * 300


def test_of_many_voltages_with_few_walls_those_in_the_middle_of_a_window_are_chosen() -> None:
    # Two windows with strays at their edges, and a lucky voltage at the edge of the second one.
    first = np.array([1, 1, 1, 1, 1, 1, 0.8, 0.5, 0.2, 0.1, 0, 0, 0, 0, 0, 0, 0, 0])
    second = 1 - first
    second[9], second[11], second[13] = 1.0, 0.9, 0.9
    near, wide = chosen(np.stack([first, second])), chosen(np.stack([first, second]), 3)
    assert near[0] == wide[0] == 0
    assert wide[1] > near[1]
    assert wide[1] >= 15
