"""Warnings on the page about a device, before its numbers are used."""

from __future__ import annotations

from barkhausen.device import file_statistics as statistics
from barkhausen.device.doubts import doubts_of
from barkhausen.device.schema import AT_REST, OUTCOMES
from barkhausen.report.device.numbers import DeviceNumbers, outcomes_of

OVERLAP_TO_WARN_OF = 0.05


def warnings_of(numbers: DeviceNumbers) -> list[tuple[str, str]]:
    """Warnings before the numbers are used: a title and a sentence each."""
    found = []
    if numbers.failed:
        found.append(("Failures", _about_failures(numbers)))
    completed = numbers.attributes.get("completed_resets")
    if isinstance(completed, (int, float)) and completed < 1:
        found.append(
            (
                "Resets",
                f"{100 * (1 - completed):.3g} % of the resets annihilated the wall or left it nearer to the second "
                "state than to the first. The result of such an event depends on the previous position of the wall.",
            )
        )
    pairs = [
        f"{lower} and {lower + 1} ({overlap.value:.2f})"
        for lower, overlap in enumerate(numbers.neighbour_overlaps)
        if overlap.value > OVERLAP_TO_WARN_OF
    ]
    if pairs:
        found.append(
            (
                "Overlap",
                f"These neighbouring states overlap by more than {OVERLAP_TO_WARN_OF:g}, so one read cannot always "
                f"distinguish them: {', '.join(pairs)}.",
            )
        )
    found += [(title, _sentence(text)) for title, text in doubts_of(numbers.device)]
    devices, cycles = numbers.device.state_values.shape[1:]
    if not numbers.device.declared:
        if cycles == 1 or devices == 1:
            found.append(("Split", _about_split(devices, cycles)))
        reason = statistics.why_no_intervals(numbers.device.data)
        if reason and devices * cycles > 1:
            found.append(("Few devices", _sentence(reason)))
    return found


def _sentence(text: str) -> str:
    """A doubt as a sentence; one that begins with a symbol keeps it."""
    return f"{text}." if " =" in text[:24] else f"{text[0].upper()}{text[1:]}."


def _about_failures(numbers: DeviceNumbers) -> str:
    outcome = outcomes_of(numbers.device)
    why = [
        f"{int((outcome == value).sum())} with {meaning.replace('_', ' ')}"
        for value, meaning in zip(OUTCOMES.values, OUTCOMES.meanings, strict=True)
        if value > AT_REST and (outcome == value).any()
    ]
    worst = max(numbers.states, key=lambda state: state.failed)
    return (
        f"{numbers.failed} of {numbers.events} programming events failed: {', '.join(why)}. Worst is state "
        f"{worst.number} with {worst.failed} of {worst.events}. They are excluded from all statistics on this page."
    )


def _about_split(devices: int, cycles: int) -> str:
    if devices == cycles == 1:
        return "The spread of a state cannot be estimated from a single event."
    if cycles == 1:
        return "With one cycle per device, the spread cannot be split and all of it is counted as device-to-device."
    return "The spread between devices cannot be estimated from a single device."
