"""Published figures for comparison with results: one table for all papers.

A figure is looked up by quantity (a column of results), data set, learning rule and kind of network. The result is None
if nothing was published under these conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["abstract", "authors' code", "sister paper"]


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        citation: Authors, title, journal, year.
        url: Address of a version that anyone can read, or of the journal.
    """

    citation: str
    url: str

    @property
    def short(self) -> str:
        """First author, year, and number of the preprint where the citation has one; the citation if it has no year."""
        year = re.search(r"\((\d{4})\)", self.citation)
        if year is None:
            return self.citation
        authors = re.split(r"[:(]", self.citation)[0].strip()
        first = authors.partition(",")[0].removesuffix(" et al.")
        # A preprint that is not its own follows other words than a comma.
        number = re.search(r", (arXiv:[\d.]+|TechRxiv \d+)", self.citation)
        name = first if first == authors else f"{first} et al."
        return f"{name} {year[1]}" + (f", {number[1]}" if number else "")


YADAV_2023 = Paper(
    "Yadav, Sadashiva, Holla, Muduli, Bhowmik: Impact of edge defects on the synaptic characteristic of a "
    "ferromagnetic domain-wall device and on on-chip learning. Neuromorph. Comput. Eng. 3, 034006 (2023)",
    "https://doi.org/10.1088/2634-4386/acf0e4",
)

PAPERS = {
    "misba-2021": Paper(
        "Misba, Lozano, Querlioz, Atulasimha: Energy Efficient Learning with Low Resolution Stochastic Domain Wall "
        "Synapse Based Deep Neural Networks. IEEE Access 10, 84946 (2022), arXiv:2111.07284",
        "https://arxiv.org/abs/2111.07284",
    ),
    "dhull-2024": Paper(
        "Dhull, Misba, Nisar, Atulasimha, Kaushik (2024), TechRxiv 21982208",
        "https://doi.org/10.36227/techrxiv.21982208",
    ),
    "alam-2023": Paper("Alam, Misba, Atulasimha (2023), arXiv:2309.06449", "https://arxiv.org/abs/2309.06449"),
    "ellis-2023": Paper(
        "Ellis et al.: binary stochastic synapses (2023), arXiv:2303.01886, with the authors' public code",
        "https://arxiv.org/abs/2303.01886",
    ),
    "rajib-2023": Paper("Rajib et al. (2023), arXiv:2305.09950", "https://arxiv.org/abs/2305.09950"),
    "desai-2022": Paper(
        "Desai, Kaushik, Sharda, Bhowmik (2022), with the public code and results of its first author",
        "https://github.com/varundesai10/bit_split",
    ),
    "kingra-2022": Paper(
        "Kingra, Parmar, Sharma, Suri: Time-Multiplexed In-Memory Computation Scheme for Mapping Quantized Neural "
        "Networks on Hybrid CMOS-OxRAM Building Blocks. IEEE Transactions on Nanotechnology (2022), arXiv:2206.00250",
        "https://arxiv.org/abs/2206.00250",
    ),
    "kwon-2023": Paper(
        "Kwon et al. (2023): hybrid training of analogue memories, IEEE Transactions on Neural Networks and Learning "
        "Systems (only the abstract was read)",
        "https://pubmed.ncbi.nlm.nih.gov/37999961/",
    ),
    "cui-2024": Paper("Cui, Liu, Kwon, Incorvia (2024), arXiv:2405.14851", "https://arxiv.org/abs/2405.14851"),
    "bindal-2022": Paper("Bindal et al. (2022), arXiv:2207.10462", "https://arxiv.org/abs/2207.10462"),
    "wang-2023": Paper(
        "Wang, Zeng, Liang et al.: Stochastic spin-orbit-torque synapse and its application in uncertainty "
        "quantification (2023), arXiv:2310.10317 (only the abstract was read)",
        "https://arxiv.org/abs/2310.10317",
    ),
    "bindal-2024": Paper(
        "Bindal et al. (2024): an integrate-fire neuron, successor of arXiv:2207.10462 (only its title was known)",
        "https://arxiv.org/abs/2207.10462",
    ),
    "yadav-2023-fcnn": YADAV_2023,
    "yadav-2023-lstm": YADAV_2023,
    "misba-2023": Paper("Misba et al. (2023), arXiv:2304.03343", "https://arxiv.org/abs/2304.03343"),
}
"""Papers by the name of their system."""


@dataclass(frozen=True)
class Figure:
    """A published figure.

    Attributes:
        system: Name of the system, a key of :data:`PAPERS`.
        quantity: Column of results that it stands beside, or the name of a quantity that has no column.
        value: In the unit of that column: accuracies are fractions.
        unit: Unit of the value.
        version: Version of the paper that has it.
        status: Where it was read.
        dataset: Data set that it is of; None where there is none.
        rule: Learning rule that it is of; None where there is none.
        network: Kind of network that it is of (``network.kind`` of a recipe); None where it is not said.
        at_least: Whether it is a lower limit.
    """

    system: str
    quantity: str
    value: float
    unit: str
    version: str
    status: Status
    dataset: str | None = None
    rule: str | None = None
    network: str | None = None
    at_least: bool = False

    @property
    def paper(self) -> Paper:
        """The paper that it is from."""
        return PAPERS[self.system]


FIGURES = (
    Figure("misba-2021", "accuracy", 0.9667, "1", "IEEE Access", "abstract", "mnist", "in-situ", "mlp"),
    Figure("misba-2021", "accuracy", 0.9663, "1", "IEEE Access", "abstract", "mnist", "ex-situ", "mlp"),
    Figure("misba-2021", "accuracy", 0.971, "1", "IEEE Access", "abstract", "mnist", "float", "mlp"),
    Figure("misba-2021", "picojoule_per_inference", 13.0, "pJ", "arXiv", "abstract", "mnist", "in-situ", "mlp"),
    Figure("dhull-2024", "training accuracy", 0.924, "1", "TechRxiv", "abstract", "cifar10"),
    Figure("dhull-2024", "inference accuracy", 0.904, "1", "TechRxiv", "abstract", "cifar10"),
    Figure("dhull-2024", "area of pure CMOS over ours", 13.8, "1", "TechRxiv", "abstract", "cifar10"),
    Figure("dhull-2024", "energy of pure CMOS over ours", 9.6, "1", "TechRxiv", "abstract", "cifar10"),
    Figure("dhull-2024", "latency of pure CMOS over ours", 3.5, "1", "TechRxiv", "abstract", "cifar10"),
    Figure("alam-2023", "accuracy", 0.9098, "1", "arXiv", "abstract", "nsl-kdd", "in-situ", "autoencoder"),
    Figure(
        "alam-2023", "fewer_updates", 1e3, "1", "arXiv", "abstract", "nsl-kdd", "in-situ", "autoencoder", at_least=True
    ),
    Figure("ellis-2023", "midpoint of the probability", 4.63168, "unit of the drive", "code", "authors' code"),
    Figure("ellis-2023", "slope of the probability", 2.72741, "1/unit of the drive", "code", "authors' code"),
    Figure("ellis-2023", "amplitude of the probability", 0.97813, "1", "code", "authors' code"),
    Figure("rajib-2023", "switching probability at 300 K", 0.99, "1", "arXiv", "abstract"),
    Figure("rajib-2023", "energy of a write", 3e-15, "J", "arXiv", "abstract"),
    Figure("rajib-2023", "energy of a write", 2e-15, "J", "journal", "abstract"),
    Figure("rajib-2023", "area saved", 2.0, "1", "arXiv", "abstract", at_least=True),
    Figure("rajib-2023", "energy saved", 60.0, "1", "arXiv", "abstract"),
    Figure("rajib-2023", "energy saved", 104.0, "1", "journal", "abstract"),
    Figure("desai-2022", "accuracy", 0.7450, "1", "50 epochs", "authors' code", "cifar10", "split-precision"),
    Figure("desai-2022", "accuracy", 0.9919, "1", "39 epochs", "authors' code", "mnist", "split-precision"),
    Figure("desai-2022", "accuracy", 0.9146, "1", "last epoch", "authors' code", "fashion-mnist", "split-precision"),
    Figure("desai-2022", "training energy", 3.77e-3, "J", "50 epochs", "authors' code", "cifar10", "split-precision"),
    Figure("desai-2022", "training energy", 1.08e-4, "J", "28 epochs", "authors' code", "mnist", "split-precision"),
    Figure(
        "desai-2022", "training energy", 9.36e-4, "J", "24 epochs", "authors' code", "fashion-mnist", "split-precision"
    ),
    Figure(
        "kingra-2022",
        "accuracy of the binary network on chips less that in software",
        0.002,
        "1",
        "arXiv",
        "abstract",
        "fashion-mnist",
    ),
    Figure(
        "kingra-2022",
        "smallest loss of the ternary network on chips against software",
        0.02,
        "1",
        "arXiv",
        "abstract",
        "fashion-mnist",
    ),
    Figure(
        "kingra-2022",
        "largest loss of the ternary network on chips against software",
        0.05,
        "1",
        "arXiv",
        "abstract",
        "fashion-mnist",
    ),
    Figure("kingra-2022", "memory saved by the binary network", 32.0, "1", "arXiv", "abstract", "fashion-mnist"),
    Figure("kingra-2022", "memory saved by the ternary network", 16.0, "1", "arXiv", "abstract", "fashion-mnist"),
    Figure("cui-2024", "integrate-fire-reset cycles", 100.0, "1", "arXiv", "abstract", at_least=True),
    Figure("cui-2024", "accuracy of LIF", 0.7907, "1", "10 epochs", "authors' code", "fashion-mnist"),
    Figure("cui-2024", "accuracy of DW-MTJ", 0.7635, "1", "10 epochs", "authors' code", "fashion-mnist"),
    Figure("cui-2024", "accuracy of DW-MTJ with noise", 0.7742, "1", "10 epochs", "authors' code", "fashion-mnist"),
    Figure("cui-2024", "accuracy of IF", 0.791, "1", "10 epochs", "authors' code", "fashion-mnist"),
    Figure("bindal-2022", "energy of a leaky-integrate-fire operation", 4.32e-15, "J", "arXiv", "abstract"),
    Figure("bindal-2022", "largest TMR difference", 0.092, "1", "arXiv", "abstract"),
    Figure("misba-2023", "energy of an LSTM over ours", 16.0, "1", "arXiv", "abstract", at_least=True),
)
"""Every published figure that is a plain number."""


def published(
    quantity: str,
    dataset: str | None,
    rule: str | None,
    network: str | None,
    figures: Sequence[Figure] = FIGURES,
) -> Figure | None:
    """The figure of that quantity under these conditions; None where nothing was published.

    Args:
        quantity: Column of results.
        dataset: Data set.
        rule: Learning rule.
        network: Kind of network; None if it is none of the package's.
        figures: Published figures to choose from. Default: all.
    """
    conditions = (quantity, dataset, rule)
    for figure in figures:
        if (figure.quantity, figure.dataset, figure.rule) == conditions and figure.network in (None, network):
            return figure
    return None


def network_of(recipe: Mapping[str, Any]) -> str | None:
    """Kind of network of a resolved recipe; None if it is none of the package's."""
    network = recipe.get("network", {})
    return None if network.get("factory") else str(network.get("kind", "mlp"))


def figures_of(system: str) -> tuple[Figure, ...]:
    """The figures of one system."""
    return tuple(figure for figure in FIGURES if figure.system == system)
