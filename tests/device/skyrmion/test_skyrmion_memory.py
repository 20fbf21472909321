from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import SKYRMION, SkyrmionParameters, load_technology, read_device, write_device
from barkhausen.device.skyrmion.labelled import read_error, skyrmion_device
from barkhausen.device.skyrmion.parameters import Disc, Oxide, SkyrmionEnsemble, WritePulse, Writing
from barkhausen.device.skyrmion.textures import CATEGORIES, MIRRORED, STATES, start
from barkhausen.device.skyrmion.transitions import (
    ALL,
    BOTH,
    COLLAPSE,
    COUNTED,
    HOLD,
    NUCLEATE,
    POLICY,
    Measured,
    energies,
    measure,
    succeeded,
)
from barkhausen.device.skyrmion.writing import Outcomes
from barkhausen.micromagnetics import classify
from barkhausen.micromagnetics.observables.texture import CORE_UP, OTHER, UP

SMALL = SkyrmionParameters(
    disc=Disc(diameter=96e-9),
    writing=Writing(
        nucleate=WritePulse(voltage=-1.5, width=0.3e-9), collapse=WritePulse(voltage=1.5, width=0.3e-9), rest=0.2e-9
    ),
    characterisation=SkyrmionEnsemble(replicas=16, chunk=8, cell=8e-9, hold=0.2e-9),
)


def test_a_pulse_costs_the_charge_of_the_plate_and_what_leaks() -> None:
    area = math.pi / 4 * (96e-9) ** 2
    found = SMALL.pulse_energy(WritePulse(voltage=-1.5, width=0.3e-9))
    assert found == {"gate": pytest.approx(8.8541878128e-12 * 7 * area / 1e-9 * 1.5**2)}
    leaking = SMALL.model_copy(update={"oxide": Oxide(leaks=True)})
    # The integral of V² over a trapezoid: the plateau and a third of each edge.
    wanted = area / 1e-7 * 1.5**2 * (0.3e-9 + 2 * 0.1e-9 / 3)
    assert SMALL.oxide.usual_resistance_area == pytest.approx(10e-12)
    assert leaking.pulse_energy(WritePulse(voltage=-1.5, width=0.3e-9))["leakage"] == pytest.approx(wanted)
    table = energies(SMALL)["gate"]
    assert table[ALL] == pytest.approx(table[NUCLEATE] + 2 * table[COLLAPSE])
    assert table[BOTH] == pytest.approx(table[NUCLEATE] + table[COLLAPSE]) and table[HOLD] == 0


def test_starts_are_the_textures_that_they_are_named_after() -> None:
    film = SMALL.film()
    for category in range(4):
        assert classify(start(film, category), film).tolist() == [category]
    assert classify(start(film, OTHER), film).tolist() == [OTHER]


def test_an_ensemble_resumes_with_the_same_numbers(tmp_path: Path) -> None:
    first = measure(SMALL, names=("skyrmion",), checkpoint=tmp_path, threads=1)
    kept = sorted(tmp_path.glob("*.npz"))
    assert len(kept) == 2  # one chunk of each polarity
    kept[0].unlink()
    again = measure(SMALL, names=("skyrmion",), checkpoint=tmp_path, threads=1)
    for key, outcomes in first.outcomes.items():
        for name, values in outcomes.plain().items():
            np.testing.assert_array_equal(values, again.outcomes[key].plain()[name])
    counts = first.counts(pooled=False)
    assert counts[COLLAPSE].sum() == counts[ALL].sum() == 16
    with pytest.raises(InputError, match=r"3 V is no gate voltage"):
        wild = SMALL.model_copy(update={"writing": Writing(collapse=WritePulse(voltage=3.0, width=0.3e-9))})
        measure(wild, names=("skyrmion",))


def _outcomes(before: list[int], after: list[list[int]]) -> Outcomes:
    number = len(before)
    table = np.array(after)
    return Outcomes(
        np.array(before), table, np.zeros(table.shape), np.zeros(1), np.zeros((1, 1)), np.zeros(1), np.zeros(number)
    )


def test_mirror_images_share_their_events() -> None:
    found = Measured({
        ("uniform", 0): _outcomes([0, 0, 0], [[3, 3, 4], [1, 1, 1]]),
        ("uniform", 1): _outcomes([1, 1], [[2, 2], [0, 4]]),
        ("clear", 4): _outcomes([4, 4], [[0, 1]]),
    })  # fmt: skip
    alone, pooled = found.counts(pooled=False), found.counts()
    assert alone[NUCLEATE, 0].tolist() == [0, 0, 0, 2, 1]
    assert pooled[NUCLEATE, 0].tolist() == [0, 0, 0, 4, 1] and pooled[NUCLEATE, 1].tolist() == [0, 0, 4, 0, 1]
    assert pooled[COLLAPSE, OTHER].tolist() == [1, 1, 0, 0, 0]
    assert succeeded(pooled, 0, 0) == (4, 5) == succeeded(pooled, 1, 2)
    assert [MIRRORED[category] for category in MIRRORED] == list(range(5))


def test_every_state_is_reached_from_every_category() -> None:
    for category, row in POLICY.items():
        for state, sequence in enumerate(row):
            assert (sequence < 0) == (STATES[category] == state)
    assert list(COUNTED)[NUCLEATE] == "nucleate" and len(COUNTED["collapse, nucleate, collapse"]) == 3


def memory_of(parameters: SkyrmionParameters, good: int = 995) -> object:
    counts = np.zeros((len(COUNTED), 5, 5), np.int64)
    ends = {NUCLEATE: {0: 3, 1: 2}, BOTH: {0: 1, 1: 0}, COLLAPSE: {2: 0, 3: 1}, ALL: {2: 1, 3: 0}}
    for sequence, table in ends.items():
        for before, after in table.items():
            counts[sequence, before, [after, OTHER]] = good, 1000 - good
    counts[COLLAPSE, OTHER, [0, 1]] = 50, 50
    mz = np.array([0.9, -0.9, 0.5, -0.5, 0.2])
    return skyrmion_device(counts, parameters, mz=mz, mz_sigma=np.full(5, 0.05), assumed=parameters.assumed())


def test_the_memory_is_a_device_of_three_states(tmp_path: Path) -> None:
    device = memory_of(SMALL)
    write_device(device, tmp_path / "memory.nc")  # type: ignore[arg-type]
    found = read_device(tmp_path / "memory.nc")
    assert found.weight_of(found.moments[0]).tolist() == [-1, 0, 1]
    assert found.transitions is not None and found.transitions.pulses == len(COUNTED)
    # Thresholds at |m_z| = 0.7, 0.2 from both: erfc(z/sqrt 2)/2.
    sigma = math.hypot(0.05, SMALL.read_noise(0.9))
    assert read_error(found)[0] == pytest.approx(0.5 * math.erfc(0.2 / sigma / math.sqrt(2)))  # type: ignore[arg-type]
    # 0.2 V on 78.5 nS for 50 ns: shot noise of 15.7 nA, a little more by temperature, over the slope 0.3 G V.
    conductance = math.pi / 4 * (96e-9) ** 2 / 1e-7
    noise = math.sqrt(1.602e-19 * 0.2 * conductance / math.tanh(0.2 / (2 * 0.025852)) / 50e-9)
    assert SMALL.read_noise(1.0) == pytest.approx(noise / (0.3 * conductance * 0.2), rel=1e-3)
    analogue = memory_of(SMALL.model_copy(update={"read": "analogue"}))
    weights = analogue.category_weights  # type: ignore[attr-defined]
    np.testing.assert_allclose(weights, np.array([0.9, -0.9, 0.5, -0.5, 0.2]) / 0.9)


def test_a_parameter_file_names_the_technology(tmp_path: Path) -> None:
    path = tmp_path / "memory.toml"
    path.write_text('technology = "skyrmion"\n[disc]\ndiameter = 80e-9\n[material]\ndmi = 1.7e-3\n')
    entry, parameters = load_technology(path)
    assert entry is SKYRMION and isinstance(parameters, SkyrmionParameters)
    assert parameters.material.dmi == 1.7e-3 and parameters.material.constants_at == 300
    assert any("80 nm x 1 nm" in line for line in parameters.assumed()) and parameters.size() == "80 nm disc"
    assert len(CATEGORIES) == 5 and UP == 0 and CORE_UP == 3
