"""Published chips and accelerators, for operations per joule beside ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedChip:
    """One chip.

    Attributes:
        name: Name.
        tera_operations: Operations per joule in 10¹² (TOPS/W).
        kind: What it is, and how it was obtained.
        source: Publication.
    """

    name: str
    tera_operations: float
    kind: str
    source: str


PUBLISHED_CHIPS = (
    PublishedChip(
        "ISAAC", 0.3807, "resistive cells, 16 bits, 32 nm, designed", "Shafiee et al., ISCA 2016: 380.7 GOPS/W"
    ),
    PublishedChip(
        "HERMES core", 10.5, "phase-change cells, 8-bit inputs, 14 nm, measured", "Khaddam-Aljameh et al., JSSC 2022"
    ),
    PublishedChip(
        "TPU v1",
        1.23,
        "digital, 8 bits, 28 nm, peak over thermal design power",
        "Jouppi et al., ISCA 2017: 92 TOPS, 75 W",
    ),
)
"""Peak figures; ours are those of one network, all its memories included."""
