"""Identity of a device: a hash of the statistics that synapses are drawn from."""

from __future__ import annotations

import hashlib

import numpy as np

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.schema import BANDWIDTHS, LOGARITHMIC, MIXTURE, MOMENTS

CATEGORIES = ("category_state", "category_value", "category_sigma", "transition_count", "pulse_of")
"""Variables that decide how a device whose states are categories is programmed."""

HASH_BYTES = 16
"""Length of the hash: 128 bits."""


def statistics_hash(device: CharacterisedDevice) -> bytes:
    """Hash (16 bytes) of everything that decides the distribution of programmed weights.

    That is the range of the state coordinate, the declared moments and, unless the distribution is normal, the values
    of the states with their bandwidths or mixtures; for states that are categories, what pulses make of them. Energies,
    barriers, drives and metadata are left out: they do not change what a saved state means. Numbers count in single
    precision, so that the same device has the same hash on every machine.
    """
    data = device.data
    names = ["state_range", *MOMENTS]
    distribution = str(data.attrs.get("distribution", "empirical"))
    if distribution == "lognormal":
        names += LOGARITHMIC
    elif distribution != "gaussian":
        names += ["state_value", *BANDWIDTHS, *MIXTURE]
    names += CATEGORIES
    found = hashlib.sha256(f"{distribution} {data.attrs.get('noise_pool', 'state')}".encode())
    for name in names:
        if name not in data:
            continue
        variable = data[name]
        values = variable.transpose(*sorted(map(str, variable.dims))).values.astype("<f4")
        # One bit pattern for each missing value and for zero.
        values = np.where(np.isnan(values), np.float32(np.nan), values) + np.float32(0.0)
        found.update(f"{name} {values.shape}".encode() + values.astype("<f4").tobytes())
    return found.digest()[:HASH_BYTES]
