"""Doubts about a device: what a user should know before relying on its numbers."""

from __future__ import annotations

import json
import re

import numpy as np

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.drives import drives_of
from barkhausen.device.statistics.states import coinciding, is_monotonic
from barkhausen.device.technology import TECHNOLOGIES


def doubts_of(device: CharacterisedDevice) -> list[tuple[str, str]]:
    """Doubts about the states of a device: a title and a sentence each.

    They are states in another order than their drive or their labels, states that coincide, hot pulses, and constants
    that nobody has reported.
    """
    checks = (_about_drives, _about_labels, _about_coinciding, _about_heat)
    found = [(title, text) for title, text in (check(device) for check in checks) if text]
    return found + [("Beyond reports", text) for text in _beyond_reports(device)]


def _about_drives(device: CharacterisedDevice) -> tuple[str, str]:
    """States are numbered by their mean; the drive of an ordinary device rises or falls with them."""
    varying = [drive for drive in drives_of(device) if drive.varies and not drive.assumed]
    if not varying or any(is_monotonic(drive.values.tolist()) for drive in varying):
        return "", ""
    drive = varying[0]
    listed = ", ".join(f"{drive.factor * value:.4g}" for value in drive.values)
    return (
        f"Order of the {drive.label}s",
        f"states are numbered by their mean {device.coordinate.name}, which does not follow the {drive.label}: "
        f"from state 0 on it is {listed} {drive.shown_unit}",
    )


def _about_labels(device: CharacterisedDevice) -> tuple[str, str]:
    """Labels of measured states, such as S1 to S4, in the order of the means."""
    labels = json.loads(str(device.data.attrs.get("attributes", "{}"))).get("state_labels")
    if not isinstance(labels, list) or len(labels) != device.states:
        return "", ""
    numbers = [_number(str(label)) for label in labels]
    if None in numbers or is_monotonic([float(number) for number in numbers if number is not None]):
        return "", ""
    return (
        "Order of the states",
        f"states are numbered by their mean {device.coordinate.name}, and this is not the order of their labels: "
        f"from state 0 on they are {', '.join(map(str, labels))}",
    )


def _number(label: str) -> float | None:
    """The number that a label ends with, such as 2 of ``S2`` and −0.5 of ``V=-0.5``."""
    match = re.search(r"(?:(?<![\w.])-)?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$", label.strip().replace("\N{MINUS SIGN}", "-"))
    return None if match is None else float(match.group())


def _about_coinciding(device: CharacterisedDevice) -> tuple[str, str]:
    mean, sigma_device, sigma_cycle = device.moments
    pairs = coinciding(mean.tolist(), np.hypot(sigma_device, sigma_cycle).tolist())
    if not pairs:
        return "", ""
    factor, shown = device.coordinate.factor, device.coordinate.shown_unit
    unit = "" if shown == "1" else f" {shown}"
    named = ", ".join(f"{k} and {k + 1} ({factor * mean[k]:.4g} and {factor * mean[k + 1]:.4g}{unit})" for k in pairs)
    return (
        "Coinciding states",
        f"the means of states {named} are no farther apart than the standard deviation of one of them, so one read "
        "cannot tell them apart",
    )


def _about_heat(device: CharacterisedDevice) -> tuple[str, str]:
    """Pulses that heat the device more than its parameters let pass."""
    rises = temperature_rises(device)
    table = json.loads(str(device.data.attrs.get("parameters", "{}"))).get("heat")
    limit = table.get("simulated_above") if isinstance(table, dict) else None
    if not rises or not isinstance(limit, int | float) or max(rises.values()) <= limit:
        return "", ""
    hottest = max(rises, key=lambda pulse: rises[pulse])
    return (
        "Heat",
        f"the {hottest} pulse heats the track by up to {rises[hottest]:.3g} K, more than {limit:g} K, so that the "
        "events were simulated at the temperature of their pulses",
    )


def temperature_rises(device: CharacterisedDevice) -> dict[str, float]:
    """Greatest rise in K of the temperature in each pulse over all states; empty if the file does not say."""
    if "temperature_rise" not in device.data:
        return {}
    found = device.data["temperature_rise"].max("state")
    return {str(pulse): float(value) for pulse, value in zip(found["pulse"].values, found.values, strict=True)}


def _beyond_reports(device: CharacterisedDevice) -> list[str]:
    """Constants that nobody has reported, by the technology of the device."""
    entry = TECHNOLOGIES.get(device.technology)
    stored = json.loads(str(device.data.attrs.get("parameters", "{}")))
    if entry is None or entry.doubts is None or not stored:
        return []
    try:
        return entry.doubts(entry.parameters.model_validate(stored))
    # Parameters of another version, or of an extension that is not loaded, are no reason to hide the rest.
    except ValueError:
        return []
