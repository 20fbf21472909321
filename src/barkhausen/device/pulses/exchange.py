"""Devices moved by pulses as other simulators take them: aihwkit, CrossSim, NeuroSim, and curves as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from barkhausen.core.errors import InputError
from barkhausen.core.registry import Registry
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.figures import nonlinearity
from barkhausen.device.pulses.sampling import DeviceSample

SEGMENTS = 21
"""Most nodes of a piecewise device of aihwkit."""
LEVELS = 51
CONDUCTANCES = 65
"""Rows (probabilities) and columns (conductances) of a look-up table of CrossSim."""
REACHED = 0.9
MOST_PULSES = 1000
"""Weight at which a curve for NeuroSim ends, and its largest number of pulses."""


def aihwkit_settings(device: PulsedDevice) -> dict[str, Any]:
    """Name and arguments of the device class of aihwkit (its ``simulator.configs.devices``).

    A device with soft bounds becomes a ``SoftBoundsDevice``, any other a ``PiecewiseStepDevice``. aihwkit draws normal,
    not log-normal factors. Its noise of cycles is relative to the step: the ratio is the mean over the weights,
    weighted by the step.
    """
    mean, sd = np.abs(device.step_means), device.step_sds
    ratio = float(np.sqrt((sd**2).sum() / (mean**2).sum()))
    up, down = device.scale_sd
    shared = max(device.scale_correlation, 0.0) * up * down
    each = max(up**2 + down**2 - 2 * shared, 0.0) / 4
    settings: dict[str, Any] = {
        "w_max": 1.0,
        "w_min": -1.0,
        "w_max_dtod": device.bound_sd[1],
        "w_min_dtod": device.bound_sd[0],
        "dw_min_dtod": float(np.sqrt(shared)),
        "up_down_dtod": float(np.sqrt(each)),
        "dw_min_std": ratio,
    }
    law = device.law
    if law.get("name") == "affine" and list(law["slope"]) == [1.0, 1.0]:
        larger = max(law["step"])
        # aihwkit makes the steps of one sign smaller by |up_down|: down if it is positive, up if it is negative.
        smaller = (law["step"][0] - law["step"][1]) / larger
        return {"class": "SoftBoundsDevice", "dw_min": larger, "up_down": smaller, **settings}
    points = min(SEGMENTS, len(device.grid))
    nodes = np.linspace(-1, 1, points)
    steps = np.abs([device.step(nodes, sign) for sign in (1, -1)])
    size = float(steps.mean())
    return {
        "class": "PiecewiseStepDevice",
        "dw_min": size,
        "up_down": 0.0,
        "piecewise_up": (steps[0] / size).tolist(),
        "piecewise_down": (steps[1] / size).tolist(),
        **settings,
    }


def aihwkit_files(device: PulsedDevice) -> dict[str, str]:
    """Settings of aihwkit as a JSON file."""
    return {"aihwkit.json": json.dumps(aihwkit_settings(device), indent=2) + "\n"}


def crosssim_files(device: PulsedDevice) -> dict[str, str]:
    """Look-up tables of CrossSim, of a typical device: noise of cycles, without differences between devices.

    Raises:
        InputError: The device gives no conductances.
    """
    low, high = device.conductance_range
    weights = np.linspace(-1, 1, CONDUCTANCES)
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    files = {}
    for name, sign in (("dG_increasing.txt", 1), ("dG_decreasing.txt", -1)):
        change = device.step(weights, sign) + norm.ppf(levels)[:, None] * device.step_sd(weights, sign)
        rows = [device.conductance(weights), levels, *(change * (high - low) / 2)]
        text = "\n".join(",".join(f"{value:.8g}" for value in row) for row in rows)
        title = "# conductances in S (columns); cumulative probabilities (rows); changes of conductance in S"
        files[name] = f"{title}\n{text}\n"
    return files


def neurosim_parameters(device: PulsedDevice) -> dict[str, float]:
    """Parameters of a ``RealDevice`` of NeuroSim, of curves from one bound to 95 % of the range.

    ``paramALTP`` and ``paramALTD`` are A in numbers of pulses, by the curve (1 − exp(−p/A)); ``sigmaCtoC`` is the mean
    standard deviation of a step relative to the range.

    Raises:
        InputError: The device gives no conductances, or its steps do not lead across its range.
    """
    low, high = device.conductance_range
    counts, values = [], []
    for sign in (1, -1):
        weight, curve = -sign * 1.0, [-sign * 1.0]
        while sign * weight < REACHED:
            weight = float(np.clip(weight + device.step(weight, sign), -1, 1))
            curve.append(weight)
            if len(curve) > MOST_PULSES:
                raise InputError(f"more than {MOST_PULSES} pulses do not lead across the range: NeuroSim has no curve")
        counts.append(len(curve) - 1)
        # A curve of less than three values has no curvature.
        nu = nonlinearity(np.array(curve)) if len(curve) > 2 else 0.0
        values.append(counts[-1] / nu if nu else 1e9)
    energy = device.energy()
    found = {
        "maxConductance": high,
        "minConductance": low,
        "maxNumLevelLTP": float(counts[0]),
        "maxNumLevelLTD": float(counts[1]),
        "paramALTP": values[0],
        "paramALTD": values[1],
        "sigmaCtoC": float(device.step_sds.mean() / 2),
        "writeEnergyLTP": energy[0],
        "writeEnergyLTD": energy[1],
    }
    if "read_voltage" in device.data and "read_time" in device.data:
        found |= {"readVoltage": device.read_out.voltage, "readPulseWidth": device.read_out.time}
    return found


def neurosim_files(device: PulsedDevice) -> dict[str, str]:
    """Parameters of NeuroSim as lines ``name = value``."""
    lines = [f"{name} = {value:.8g}" for name, value in neurosim_parameters(device).items()]
    return {"neurosim.txt": "\n".join(lines) + "\n"}


def curve_table(values: np.ndarray, signs: Sequence[int], heading: str) -> str:
    """Curves as a table with one row a pulse, as :func:`.import_pulse_curves` reads it.

    Args:
        values: Values [device, cycle, pulse]; those that are missing are left empty.
        signs: Sign of the pulse before each value.
        heading: Heading of the column of values, with its unit.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["device", "cycle", "pulse", "direction", heading])
    words = {1: "up", -1: "down", 0: "start"}
    for device, cycles in enumerate(values, start=1):
        for cycle, curve in enumerate(cycles, start=1):
            for pulse, (sign, value) in enumerate(zip(signs, curve, strict=True)):
                shown = "" if np.isnan(value) else f"{value:.7g}"
                writer.writerow([device, cycle, pulse, words[int(sign)], shown])
    return text.getvalue()


def curve_files(
    device: PulsedDevice, *, devices: int = 16, cycles: int = 4, pulses: int | None = None, seed: int = 0
) -> dict[str, str]:
    """Curves of the device as a table: those in its file, or of devices drawn from it.

    Args:
        device: Device moved by pulses.
        devices, cycles: Numbers of drawn devices and of cycles of each.
        pulses: Number of pulses up, and of pulses down, of drawn devices. Default: twice the steps of its range.
        seed: Seed of the devices and of their noise.
    """
    if "curve" in device.data:
        values = device.data["curve"].transpose("device", "cycle", "pulse").values.astype(np.float64)
        signs = device.data["curve_sign"].values.tolist()
    else:
        generator = np.random.default_rng(seed)
        count = pulses or int(np.clip(2 * device.states, 4, MOST_PULSES))
        signs = [1] * count + [-1] * count
        drawn = DeviceSample.draw(device, devices, generator)
        values, signs = device.value_of(drawn.train(signs, cycles, generator)), [0, *signs]
    name, unit = device.coordinate.name, device.coordinate.unit
    if unit == "S":
        return {"curves.csv": curve_table(1e6 * values, signs, "conductance_uS")}
    if "conductance_low" in device.data:
        values = device.conductance(device.weight_of(values))
        return {"curves.csv": curve_table(1e6 * values, signs, "conductance_uS")}
    return {"curves.csv": curve_table(values, signs, "value" if unit == "1" else f"{name} ({unit})")}


EXCHANGE: Registry[Any] = Registry("format of a device", "format")
"""Functions from a device to the contents of files by name."""

for _name, _function in {
    "aihwkit": aihwkit_files, "crosssim": crosssim_files, "neurosim": neurosim_files, "csv": curve_files
}.items():  # fmt: skip
    EXCHANGE.register(_name, _function)
