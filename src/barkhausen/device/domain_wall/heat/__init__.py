"""Heat of the pulses: rise of the temperature of a track on its substrate."""

from barkhausen.device.domain_wall.heat.event import EventHeating, event_heating
from barkhausen.device.domain_wall.heat.strip import HeatedStrip, Layer
from barkhausen.device.domain_wall.heat.table import SUBSTRATES, Heat

__all__ = ["SUBSTRATES", "EventHeating", "Heat", "HeatedStrip", "Layer", "event_heating"]
