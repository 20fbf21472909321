"""One file for each published system, or a folder of those that also draw figures or keep their own physics."""

from barkhausen.reproduce.papers import (
    alam_2023,
    desai_2022,
    dhull_2024,
    ellis_2023,
    kwon_2023,
    misba_2021,
    yadav_2023,
)
from barkhausen.reproduce.papers.bindal import system as bindal
from barkhausen.reproduce.papers.cui_2024 import system as cui_2024
from barkhausen.reproduce.papers.kingra_2022 import system as kingra_2022
from barkhausen.reproduce.papers.misba_2023_reservoir import system as misba_2023_reservoir
from barkhausen.reproduce.papers.rajib_2023 import system as rajib_2023
from barkhausen.reproduce.papers.wang_2023 import system as wang_2023

__all__ = [
    "alam_2023",
    "bindal",
    "cui_2024",
    "desai_2022",
    "dhull_2024",
    "ellis_2023",
    "kingra_2022",
    "kwon_2023",
    "misba_2021",
    "misba_2023_reservoir",
    "rajib_2023",
    "wang_2023",
    "yadav_2023",
]
