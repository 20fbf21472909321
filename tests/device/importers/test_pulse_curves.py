"""Import of LTP and LTD in the layouts people have, and export to the formats of other simulators."""

import json

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.device.importers.pulse_curves import import_pulse_curves
from barkhausen.device.pulses.exchange import (
    aihwkit_settings,
    crosssim_files,
    neurosim_parameters,
)

DEVICE = PulsedDevice.soft_bounds((2 / 20, 2 / 30), cycle_sd=0.2)
CURVE = 1e6 * DEVICE.value_of(DEVICE.curve(20, 20))
UP, DOWN = CURVE[:21], CURVE[20:]


def two_columns(separator=",", comma=False, header=""):
    rows = [f"{a:.5f}{separator}{b:.5f}" for a, b in zip(UP, DOWN, strict=True)]
    text = header + "\n".join(rows)
    return text.replace(".", ",") if comma else text


def numbered(header):
    return header + "".join(f"{k},{value:.6f}\n" for k, value in enumerate(CURVE))


LAYOUTS = {
    "pulse and value": (numbered("pulse,conductance_uS\n"), {}),
    "no header, a unit of the user": (numbered(""), {"unit": "uS"}),
    "aihwkit's two columns without header": (two_columns(), {}),
    "semicolons, decimal commas and a byte-order mark": (
        "\ufeff" + two_columns(";", comma=True, header="LTP (µS);LTD (µS)\n"),
        {},
    ),
    "up and down beside numbers": (
        "Pulse No,potentiation_uS,depression_uS\n"
        + "".join(f"{k},{a},{b}\n" for k, (a, b) in enumerate(zip(UP, DOWN, strict=True))),
        {},
    ),
    "resistances": (
        "pulse,direction,resistance_kohm\n"
        + "".join(f"{k},{'set' if k <= 20 else 'reset'},{1e3 / v:.9f}\n" for k, v in enumerate(CURVE)),
        {},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_give_the_same_device(name, tmp_path):
    text, how = LAYOUTS[name]
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    device = import_pulse_curves(path, **how)
    low, high = device.state_range
    scale = 1.0 if device.coordinate.unit == "1" else 1e6
    assert (scale * low, scale * high) == pytest.approx((CURVE.min(), CURVE.max()), rel=1e-4)
    middle = (low + high) / 2
    for sign in (1, -1):
        wanted = DEVICE.step(DEVICE.weight_of(middle / (1e6 / scale)), sign) * 9e-6 * 1e6 / scale
        step = device.step(0.0, sign) * (high - low)
        assert step == pytest.approx(wanted, rel=0.05), name


def test_several_devices_and_cycles(tmp_path):
    path = tmp_path / "curve.csv"
    rows = [
        f"{device};{cycle};{k};{'up' if k <= 20 else 'down'};{value * (1 + 0.1 * device):.6f}".replace(".", ",")
        for device in range(4)
        for cycle in range(2)
        for k, value in enumerate(CURVE)
        if k or device != 3
    ]
    path.write_text("Device;Cycle;Pulse;Direction;G (uS)\n" + "\n".join(rows))
    with pytest.raises(InputError, match="different sequences"):
        import_pulse_curves(path)
    path.write_text("Device;Cycle;Pulse;Direction;G (uS)\n" + "\n".join(rows[: 3 * 2 * 41]))
    device = import_pulse_curves(path, resamples=20)
    assert device.data["curve"].shape == (3, 2, 41)
    assert device.bound_sd[1] > 0.1
    assert device.data["nonlinearity_interval"].shape == (2, 2)


def test_runs_in_columns_of_two_files(tmp_path):
    up, down = tmp_path / "set.csv", tmp_path / "reset.csv"
    for path, curve in ((up, UP), (down, DOWN)):
        rows = [f"{value},{1.01 * value},{0.99 * value}" for value in curve]
        path.write_text("run 1,run 2,run 3\n" + "\n".join(rows))
    device = import_pulse_curves(up, down, unit="uS", resamples=10)
    assert device.data["curve"].shape == (1, 3, 42)
    assert any("over its cycles" in line for line in device.assumed)
    down.write_text("run 1,run 2\n1,2\n2,3\n")
    with pytest.raises(InputError, match=r"holds 3 runs of pulses up, .* 2 of pulses down"):
        import_pulse_curves(up, down)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pulse,current_uA\n1,2\n2,3\n", "holds currents: divide them by the read voltage"),
        ("a,b,c\n1,2,3\n", "the header must hold one column of conductances"),
        ("1,2,3,4\n1,2,3,4\n3,4,5,6\n", "columns of numbers without a header: name them"),
        ("pulse,direction,conductance_uS\n1,sideways,2\n", "line 2: direction 'sideways': must be up or down"),
        ("pulse,conductance_uS\n1,2\n2,x\n", "line 3: 'x' is not a number"),
        (numbered("pulse,conductance_uS\n")[:160], "does not rise and then fall"),
        ("pulse,resistance\n1,2\n2,3\n", "has no unit: name it resistance_kohm"),
        ("pulse,conductance_uS\n", "holds no rows below the header"),
        ("pulse,conductance_uS\n" + "1,nan\n2,nan\n", "the curve holds no values"),
        ("pulse,conductance_uS\n" + "1,5\n2,5\n", "all 2 values are equal"),
        ("pulse,conductance_uS\n-1,5\n", "line 2: pulse number must be a whole number, 0 or more, got '-1'"),
        (numbered("pulse,conductance_S\n"), "check the unit"),
        ("label,pulse,conductance_uS\n" + "A,1,2\nB,1,2\nB,2,3\n", "column 'label' holds 2 labels"),
        ("device,pulse,conductance_uS\n,1,2\n", "line 2: no device is given"),
        (
            "direction,conductance_uS\n" + "".join(f"{'down' if k <= 20 else 'up'},{v}\n" for k, v in enumerate(CURVE)),
            "are they exchanged",
        ),
    ],
)
def test_other_tables_are_refused_by_name(text, message, tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        import_pulse_curves(path)


def test_look_up_tables_of_crosssim_there_and_back(tmp_path):
    files = crosssim_files(DEVICE)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    up, down = (tmp_path / f"dG_{word}.txt" for word in ("increasing", "decreasing"))
    found = import_pulse_curves(up, down, points=65)
    grid = found.grid
    assert found.state_range == pytest.approx(DEVICE.state_range)
    for sign in (1, -1):
        np.testing.assert_allclose(found.step(grid, sign), DEVICE.step(grid, sign), atol=1e-6)
        # Between the outermost levels the quantile function is that of the normal distribution: 1 % of its width.
        np.testing.assert_allclose(found.step_sd(grid, sign), DEVICE.step_sd(grid, sign), rtol=0.04, atol=1e-9)
    with pytest.raises(InputError, match="give that of the other sign too"):
        import_pulse_curves(up)


def stepped(settings, weight, sign):
    """Mean step of a device of aihwkit, by the formulas of its documentation."""
    scale = settings["dw_min"] * (1 - max(-settings["up_down"] if sign == 1 else settings["up_down"], 0))
    if settings["class"] == "SoftBoundsDevice":
        return sign * scale * (1 - sign * weight)
    nodes = settings["piecewise_up" if sign == 1 else "piecewise_down"]
    return sign * scale * np.interp(weight, np.linspace(-1, 1, len(nodes)), nodes)


@pytest.mark.parametrize(
    "device", [DEVICE, PulsedDevice.exponential(2.0, 0.08, cycle_sd=0.2, scale_sd=(0.2, 0.2), scale_correlation=1.0)]
)
def test_settings_of_aihwkit_give_the_same_steps(device):
    settings = json.loads(json.dumps(aihwkit_settings(device)))
    weight = np.linspace(-1, 1, 9)
    for sign in (1, -1):
        np.testing.assert_allclose(stepped(settings, weight, sign), device.step(weight, sign), rtol=0.01, atol=1e-12)
    assert settings["dw_min_std"] == pytest.approx(0.2)
    assert settings["dw_min_dtod"] == pytest.approx(device.scale_sd[0])
    assert settings["up_down_dtod"] == pytest.approx(0, abs=1e-9)


def test_parameters_of_neurosim():
    device = PulsedDevice.neurosim((2.0, 3.0), (40, 50), energies={"write": (1e-12, 2e-12)})
    found = neurosim_parameters(device)
    # A in pulses does not depend on where the curve is cut.
    assert found["paramALTP"] == pytest.approx(40 / 2, rel=0.02)
    assert found["paramALTD"] == pytest.approx(50 / 3, rel=0.02)
    assert found["writeEnergyLTD"] == 2e-12


PAIRS = "".join(f"{a},{1e3 * b}\n" for a, b in zip(UP, DOWN, strict=True))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Device ID,pulse,G_uS\n" + "".join(f"{d},{k},{v}\n" for d in "AB" for k, v in enumerate(CURVE)), (2, 1, 41)),
        ("pulse,D1_uS,D2_uS\n" + "".join(f"{k},{v},{1.1 * v}\n" for k, v in enumerate(CURVE)), (2, 1, 41)),
        ("pulse,G_uS\n" + "".join(f"{k},{v}\n" for k, v in enumerate([*CURVE, *CURVE])), (1, 2, 42)),
        ("LTP (uS),LTD (nS)\n" + PAIRS, (1, 1, 42)),
        ("Pulse,LTP (uS),LTD (nS)\n" + 2 * "".join(f"{k},{r}\n" for k, r in enumerate(PAIRS.split())), (1, 2, 42)),
    ],
)
def test_devices_and_cycles_that_laboratories_write_otherwise(text, shape, tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text(text)
    device = import_pulse_curves(path, resamples=2)
    assert device.data["curve"].shape == shape
    # A later cycle begins after a pulse down of the one before, so that its lowest value is higher.
    assert 1e6 * device.state_range[0] == pytest.approx(CURVE.min(), rel=0.5)
    assert 1e6 * device.state_range[1] == pytest.approx(CURVE.max(), rel=0.1)
    # Fewer than those of the device, whose bounds lie beyond the curves.
    assert device.states == pytest.approx(20.6, rel=0.15)


def test_a_unit_that_contradicts_the_heading_is_refused(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text(numbered("pulse,conductance_uS\n"))
    with pytest.raises(InputError, match="is in uS, but the unit given is nS"):
        import_pulse_curves(path, unit="nS")
