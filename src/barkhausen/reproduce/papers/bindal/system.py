"""Antiferromagnetic skyrmion neurons, leaky (Bindal et al. 2022) and without leak (Bindal et al. 2024)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from barkhausen.core.units import FEMTO, NANO
from barkhausen.device.antiferromagnet.law import threshold_place
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.device.file import read_device_of_kind
from barkhausen.device.neuron.device import NeuronDevice
from barkhausen.device.neuron.schema import KIND
from barkhausen.experiment.work.characterize import DEVICE_FILE
from barkhausen.report.panels import Panel
from barkhausen.reproduce.papers.bindal import figures as plots
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Conclusion, Measured, Reading, System
from barkhausen.results.published import figures_of

PAPER: Final = "bindal-2022"
ENERGY, TMR = "energy of a leaky-integrate-fire operation", "largest TMR difference"
WITHIN = 0.2
"""Relative difference within which the leak agrees with Thiele's equation."""

CHOICE: Final = "a choice of geometry and current, not physics"


def conclude(measured: Sequence[Measured]) -> Conclusion:
    """Table, comparisons and page."""
    folders = [task.directory for task in measured if task.directory is not None]
    devices = [read_device_of_kind(folder / DEVICE_FILE, KIND) for folder in folders]
    readings: list[Reading] = []
    panels: list[Panel] = []
    for device in devices:
        parameters, found = parameters_of(device), figures_in(device)
        readings += _readings(device, parameters, found)
        panels += _panels(device, parameters, found)
    return Conclusion(
        table=[dict(task.row) for task in measured],
        readings=readings,
        panels=panels,
        spread="Means over thermal replicas with 95 % intervals (normal); shares with Wilson's; figures at 0 K are "
        "those of single trajectories.",
    )


def parameters_of(device: NeuronDevice) -> AntiferromagnetParameters:
    """Parameters that the device file carries."""
    return AntiferromagnetParameters.model_validate_json(str(device.data.attrs["parameters"]))


def figures_in(device: NeuronDevice) -> dict[str, Any]:
    """Figures that the device file carries."""
    found: dict[str, Any] = json.loads(str(device.data.attrs["attributes"]))["figures"]
    return found


def _published(quantity: str) -> float | None:
    return next((item.value for item in figures_of(PAPER) if item.quantity == quantity), None)


def _text(mean: float, half: float, form: str) -> str:
    if not math.isfinite(mean):
        return "none"
    return f"{mean:{form}}" + (f" ± {half:{form}}" if math.isfinite(half) else "")


def _readings(device: NeuronDevice, parameters: AntiferromagnetParameters, found: Mapping[str, Any]) -> list[Reading]:
    leaky = parameters.track.anisotropy_gradient > 0
    readings = []
    if leaky and math.isfinite(found["leak_velocity"]):
        ratio = found["leak_velocity"] / found["leak_thiele"]
        readings += [
            Reading(
                "leak, 0 K", "velocity beside Thiele's equation",
                f"{found['leak_velocity']:.1f} m/s, estimate {found['leak_thiele']:.1f} m/s: ratio {ratio:.3f}", "",
                "within 20 %" if abs(ratio - 1) <= WITHIN else "not within 20 %",
            ),
            Reading(
                "leak, 0 K", "the same beside that of a much larger skyrmion, −2 Δ² γ (dKu/dx)/(α Ms)",
                f"{found['leak_large']:.1f} m/s: ratio {found['leak_velocity'] / found['leak_large']:.3f}", "",
                f"it does not hold for a radius of {NANO * found['radius']:.1f} nm, no more than two wall widths",
            ),
        ]  # fmt: skip
    if leaky and "thermal_leak_velocity" in found:
        velocity = _text(found["thermal_leak_velocity"], found["thermal_leak_interval"], ".1f")
        readings.append(Reading("leak, thermal", "mean velocity from the threshold", f"{velocity} m/s"))
    if math.isfinite(found["driven_velocity"]):
        readings.append(
            Reading(
                "drive, 0 K", "velocity in a pulse of the largest input beside Thiele's equation",
                f"{found['driven_velocity']:.1f} m/s, estimate {found['driven_thiele']:.1f} m/s", "",
                f"ratio {found['driven_velocity'] / found['driven_thiele']:.3f}",
            )
        )  # fmt: skip
    if "sideways" in found:
        angle = math.degrees(math.atan2(found["sideways"], max(found["distance"], 1e-12)))
        readings.append(
            Reading(
                "drive, 0 K", "largest distance from the middle of the track on the way",
                f"{NANO * found['sideways']:.3f} nm in {NANO * found['distance']:.0f} nm ({angle:.3f}°)",
                "straight path" if leaky else "", "straight" if angle < 1 else "not straight",
            )
        )  # fmt: skip
    readings += _cycle_readings(device, parameters, found)
    beside = _published(TMR)
    readings.append(
        Reading(
            "read", "largest change of the resistance of the window by a skyrmion",
            f"{100 * found['tmr_change']:.1f} %", "" if beside is None or not leaky else f"at most {100 * beside:g} %",
            "of our window and TMR, without the coupled soft layer of the paper",
        )
    )  # fmt: skip
    if "operation" in found:
        one, energy = found["operation"], _published(ENERGY)
        readings.append(
            Reading(
                "energy", "one operation, ρ J² V τ of its pulses and its reset",
                f"{FEMTO * one['writing']:.2f} fJ, {FEMTO * one['total']:.2f} fJ with reads",
                "" if energy is None or not leaky else f"{FEMTO * energy:g} fJ", CHOICE,
            )
        )  # fmt: skip
    return readings


def _cycle_readings(
    device: NeuronDevice, parameters: AntiferromagnetParameters, found: Mapping[str, Any]
) -> list[Reading]:
    readings, cycles = [], device.cycles
    for drive in device.drives[1:]:
        value = drive / parameters.train.current_density
        name = f"pulses_{value:g}"
        if name in found and math.isfinite(found[name]):
            text = _text(found[name], found[f"{name}_interval"], ".2f")
            readings.append(Reading("fire", f"pulses until the neuron fires at {1e-12 * drive:.3g} TA/m²", text))
    if cycles is not None:
        low, high = cycles.failure_interval
        share = f"{cycles.failed} of {cycles.fired} ({100 * low:.1f} to {100 * high:.1f} %)" if cycles.fired else "none"
        readings += [
            Reading("cycles", "fired; lost the skyrmion before", f"{cycles.fired} of {cycles.tried}; {cycles.lost}"),
            Reading("reset", "failed", share),
        ]
    return readings


def _panels(device: NeuronDevice, parameters: AntiferromagnetParameters, found: Mapping[str, Any]) -> list[Panel]:
    data = device.data
    marks = {"threshold": threshold_place(parameters), "rest": parameters.track.rest}
    panels = [_trajectories(device, parameters, marks)]
    if "still_velocity" in data and parameters.track.anisotropy_gradient > 0:
        panels.append(_leak(found, device))
    panels += [_law(device), _firing(device)]
    if "operation" in found:
        panels.append(_energy(found, parameters))
    return panels


def _trajectories(device: NeuronDevice, parameters: AntiferromagnetParameters, marks: Mapping[str, float]) -> Panel:
    data = device.data
    pictures = [("at 0 K", plots.trajectories(data, "still", dict(marks)))]
    if "thermal_x" in data:
        kelvin = parameters.characterisation.temperature
        pictures.append((f"single replicas at {kelvin:g} K", plots.trajectories(data, "thermal", dict(marks))))
    reset = "the skyrmion leaks back" if parameters.reset.current_density == 0 else "a reversed current drives it back"
    rows = []
    for value, place in zip(data["still_input"].values, NANO * data["still_x"].values.T, strict=True):
        drive = 1e-12 * parameters.train.current_density * float(value)
        rows.append([f"{drive:.3g}", *(f"{x:.1f}" for x in (place[0], place.max(), place[-1]))])
    return Panel(
        "Trajectories",
        "Place of the skyrmion along the track, and the current density of one of the inputs. Pulses integrate; when "
        "the junction finds its threshold after a pulse, the neuron has fired, and "
        f"{reset} for {parameters.reset.periods} periods. A line that ends has lost its skyrmion.",
        pictures,
        ["input (TA/m²), 0 K", "first record (nm)", "farthest (nm)", "last (nm)"],
        rows,
    )


def _leak(found: Mapping[str, Any], device: NeuronDevice) -> Panel:
    rows = [
        [name, f"{found[key]:.2f}"]
        for name, key in (
            ("simulated", "leak_velocity"),
            ("Thiele's equation", "leak_thiele"),
            ("a much larger skyrmion", "leak_large"),
        )
    ]
    return Panel(
        "Leak",
        "Velocity at 0 K without current, beside −γ (dKu/dx) S/(α Ms 𝒟) with S = ∫(1 − m_z²) dA and "
        "𝒟 = ∫(∂m/∂x)² dA of the texture at that moment, and beside the limit of a skyrmion much larger than its "
        "wall, S/𝒟 = 2 Δ² with Δ² = A/Ku. The texture of the first 0.2 ns still relaxes, and near the left end the "
        "edge pushes back. Means are over the way between.",
        [("leak", plots.leak(device.data))],
        ["mean velocity (m/s)", ""],
        rows,
    )


def _law(device: NeuronDevice) -> Panel:
    tables, places = device.tables, device.data["place"].values
    rows = [
        [f"{1e-12 * drive:.3g}", f"{NANO * place:.1f}", f"{NANO * tables.mean[d, p]:.2f}",
         f"{NANO * tables.spread[d, p]:.2f}", f"{tables.count[d, p]}"]
        for d, drive in enumerate(device.drives)
        for p, place in enumerate(places)
    ]  # fmt: skip
    return Panel(
        "Law",
        "Step of the skyrmion in a period, pulse and pause, by drive and place: what the device file holds, and what "
        "networks of such neurons are made of. Bars are standard deviations of single steps.",
        [("law", plots.law(device))],
        ["drive (TA/m²)", "place (nm)", "mean step (nm)", "standard deviation (nm)", "steps"],
        rows,
    )


def _firing(device: NeuronDevice) -> Panel:
    fired_at = device.data["fired_at"].transpose("drive", "track", "cycle").values
    rows = []
    for number, drive in enumerate(device.drives):
        found = fired_at[number][fired_at[number] > 0]
        if len(found):
            rows.append(
                [f"{1e-12 * drive:.3g}", f"{len(found)}", f"{found.mean():.2f}", f"{found.min()} to {found.max()}"]
            )
    return Panel(
        "Firing",
        "Pulses until the junction finds its threshold, of all cycles whose reset ended before the train did.",
        [("pulses", plots.firing(device))],
        ["drive (TA/m²)", "cycles", "mean", "range"],
        rows,
    )


def _energy(found: Mapping[str, Any], parameters: AntiferromagnetParameters) -> Panel:
    one, track, conductor = found["operation"], parameters.track, parameters.conductor
    sizes = " x ".join(f"{NANO * value:g}" for value in (track.length, track.width, conductor.thickness))
    rows = [
        ["resistivity ρ", f"{1e8 * one['resistivity']:.4g} µΩ cm"],
        ["current density J of a pulse", f"{1e-12 * one['current_density']:.4g} TA/m²"],
        ["volume V of the heavy metal", f"{1e27 * one['volume']:.5g} nm³: {conductor.strips} strip(s) of {sizes} nm"],
        ["duration of a pulse", f"{NANO * one['width']:.4g} ns"],
        ["pulses until the neuron fires", f"{one['pulses']:.3g}"],
        ["integrating, ρ J² V τ", f"{FEMTO * one['integrating']:.3f} fJ"],
        ["current density and duration of the reset",
         f"{1e-12 * one['reset_current_density']:.4g} TA/m², {NANO * one['reset_time']:.4g} ns"],
        ["resetting, ρ J² V τ", f"{FEMTO * one['resetting']:.3f} fJ"],
        ["reads", f"{one['reads']:.3g} of {FEMTO * one['read']:.4f} fJ"],
        ["total", f"{FEMTO * one['total']:.3f} fJ"],
    ]  # fmt: skip
    leaky = parameters.track.anisotropy_gradient > 0
    parts = {"integrating": one["integrating"], "resetting": one["resetting"], "reads": one["reading"]}
    return Panel(
        "Energy",
        "Every factor of one integrate-fire-reset operation. Geometry, resistivity, current density and pulse length "
        "are ours: the published energy can be reached by many choices and says nothing about physics. Circuits are "
        "not included.",
        [("energy", plots.energy(parts, _published(ENERGY) if leaky else None))],
        ["factor", ""],
        rows,
    )


COMMON: Final = (
    "the skyrmion lies in a synthetic antiferromagnet of two layers, which takes steps 15 times as long as two "
    "sublattices do; that of two sublattices is computed at 0 K alone (parameter file neuron-afm-leaky)",
    "track, material, current, pulses, detector and temperature are ours: the paper's are not known",
    "a current in heavy metals under both layers drives by spin-orbit torque; its density is the same everywhere",
    "a tunnel junction over a window of the track reads the upper layer; the soft layer of the paper is not simulated",
    "all tracks are alike, without grains or rough edges",
)

QUICK: Final = {
    "set.characterisation.replicas": 4,
    "set.train.inputs": [1.0],
    "set.train.periods": 5,
    "set.characterisation.still": 5,
    "set.characterisation.cell": 3e-9,
    "set.track.length": 120e-9,
    "set.track.width": 48e-9,
    "set.detector.position": 90e-9,
}
"""A short track on cells of 3 nm, few pulses and replicas."""

BINDAL_2022 = SYSTEMS.register(
    "bindal-2022",
    System(
        name="bindal-2022",
        title="a leaky-integrate-fire neuron: an antiferromagnetic skyrmion on a track with a gradient of Ku",
        status="after",
        sweep=FOLDER / "bindal-2022.toml",
        assumptions=(*COMMON, "after firing, the skyrmion leaks back without a current"),
        quick=QUICK,
        conclude=conclude,
    ),
)

BINDAL_2024 = SYSTEMS.register(
    "bindal-2024",
    System(
        name="bindal-2024",
        title="an integrate-fire neuron: an antiferromagnetic skyrmion on a track without a gradient of Ku, reset by a "
        "reversed current",
        statement="an integrate-fire neuron, by its title",
        status="after",
        sweep=FOLDER / "bindal-2024.toml",
        assumptions=(
            "only the title of the paper is known: that it has no gradient and resets by a reversed current is assumed",
            *COMMON,
        ),
        quick=QUICK,
        conclude=conclude,
    ),
)
