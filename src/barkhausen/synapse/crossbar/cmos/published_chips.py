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
        source: Publication, with the figures that the ratio is made of where it is not printed there.
        checked: What the figures were checked against.
    """

    name: str
    tera_operations: float
    kind: str
    source: str
    checked: str


PUBLISHED_CHIPS = (
    PublishedChip(
        "ISAAC",
        479e-3 * 85.4 / 65.8,
        "resistive cells, 16 bits, 32 nm, designed, peak",
        "Shafiee et al., ISCA 2016: 479 GOPS/s/mm2 on 85.4 mm2 at 65.8 W",
        "a summary of the article",
    ),
    PublishedChip(
        "HERMES core",
        10.5,
        "phase-change cells, 8-bit inputs, 14 nm, measured",
        "Khaddam-Aljameh et al., JSSC 57, 1027 (2022)",
        "its abstract",
    ),
    PublishedChip(
        "64 HERMES cores, one phase",
        9.76,
        "the same, low precision, with network and activations, peak",
        "Le Gallo et al., Nature Electronics (2023), arXiv:2212.02872",
        "its abstract",
    ),
    PublishedChip(
        "64 HERMES cores, four phases",
        2.48,
        "the same, high precision, peak",
        "Le Gallo et al., Nature Electronics (2023), arXiv:2212.02872",
        "its abstract",
    ),
    PublishedChip(
        "TPU v1",
        92 / 75,
        "digital, 8 bits, 28 nm, peak over thermal design power",
        "Jouppi et al., ISCA 2017: 92 TOPS, 75 W",
        "summaries of the article",
    ),
    PublishedChip(
        "DNN+NeuroSim 1.3, VGG8",
        25.7,
        "resistive cells of 2 bits, 8-bit weights and inputs, 22 nm, simulated, one network",
        "its manual, fig. 24",
        "the manual",
    ),
)
"""Peak figures, but for the last; ours are those of one network, all its memories included."""
