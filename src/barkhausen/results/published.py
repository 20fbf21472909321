"""The figures of the paper that this package stands beside.

Misba, Lozano, Querlioz and Atulasimha, *Energy Efficient Learning with Low Resolution Stochastic Domain Wall
Synapse Based Deep Neural Networks*, IEEE Access 10, 84946–84959 (2022); arXiv:2111.07284.
"""

from __future__ import annotations

ACCURACY = {"in-situ": 0.9667, "ex-situ": 0.9663, "float": 0.971}
"""Best MNIST test accuracy in situ and ex situ, and of the float baseline (abstract, IEEE Access)."""

ENERGY_PER_INFERENCE = 13e-12
"""Programming energy per inference in J, in situ (abstract, arXiv). Its derivation is not known to us."""

CITATION = (
    "Misba, Lozano, Querlioz, Atulasimha: Energy Efficient Learning with Low Resolution Stochastic Domain Wall "
    "Synapse Based Deep Neural Networks. IEEE Access 10, 84946 (2022), arXiv:2111.07284"
)
