"""Published systems reproduced; importing this package registers those that it holds."""

from barkhausen.reproduce import (
    alam_2023,
    bindal,
    cui_2024,
    desai_2022,
    dhull_2024,
    ellis_2023,
    kingra_2022,
    kwon_2023,
    misba_2021,
    misba_2023_reservoir,
    rajib_2023,
    wang_2023,
    yadav_2023,
)
from barkhausen.reproduce.systems import SYSTEMS, System

__all__ = [
    "SYSTEMS",
    "System",
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
