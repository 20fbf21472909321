"""Registry entry of skyrmion memories: three states of a disc, written by voltage pulses, read by a tunnel junction."""

from __future__ import annotations

from barkhausen.device.skyrmion.characterise import characterise
from barkhausen.device.skyrmion.labelled import CAUSES, SENSED, skyrmion_device
from barkhausen.device.skyrmion.parameters import NAME, SkyrmionParameters
from barkhausen.device.technology import TECHNOLOGIES, Technology


def state_range(parameters: SkyrmionParameters) -> tuple[float, float]:
    """Smallest and greatest mean m_z, or state."""
    return -1.0, 1.0


SKYRMION = TECHNOLOGIES.register(
    NAME,
    Technology(
        name=NAME,
        label="skyrmion memory",
        coordinate=SENSED,
        parameters=SkyrmionParameters,
        causes=CAUSES,
        labelled=skyrmion_device,
        state_range=state_range,
        assumed=SkyrmionParameters.assumed,
        characterise=characterise,
        size=SkyrmionParameters.size,
    ),
)
