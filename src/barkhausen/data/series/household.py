"""Electric power of one household near Paris: hourly means from December 2006 to November 2010, and 10-minute means of
2008.

G. Hebrail, A. Berard, *Individual household electric power consumption*, UCI repository (2012), CC BY 4.0. The hourly
means had the gaps of the original filled already; those of 10 minutes have ten empty rows, which are filled here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from barkhausen.data.published import PublishedFile, PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry
from barkhausen.data.series.table import Column, column_windows
from barkhausen.data.series.windows import TASK, SeriesDataset, SeriesOptions

FILES = PublishedFiles(
    name="household-power",
    folder="household-power",
    home="the UCI repository (https://doi.org/10.24432/C58K54), averaged over hours, as "
    "household_power_2006_2010_hourly.csv with the columns datetime,active_power,…",
    files=(
        PublishedFile(
            "household_power_2006_2010_hourly.csv",
            "55811b831e1d896527a30cbe8c8f36ef",
            "8194b22be0d1a01b513b10db0f39cc89",
        ),
    ),
)

SERIES: Final = Column(
    place=1, rows=34_589, sha256="49447ff61505f682bc6951fd8cb704c69015f4980d90db182ff9994b42356676", unit="kW"
)

FILES_10_MINUTES = PublishedFiles(
    name="household-power-10-minutes",
    folder="household-power",
    home="the UCI repository (https://doi.org/10.24432/C58K54), averaged over 10 minutes of 2008, as "
    "household_power_2008_10min.csv with the columns datetime,active_power,…",
    files=(
        PublishedFile(
            "household_power_2008_10min.csv",
            "91907b4fe092400767ae6aa57f5b2446",
            "aaa23afafd2e89eee77a5e6d11acec7f",
        ),
    ),
)

SERIES_10_MINUTES: Final = Column(
    place=1,
    rows=52_704,
    sha256="cf684c279fe93de45c4d5639f0c3ac156b492f706861599b14f5b517a74a77a0",
    unit="kW",
    empty=10,
)

CITATION = "G. Hebrail, A. Berard, Individual household electric power consumption, UCI repository (2012)"


class HouseholdOptions(SeriesOptions):
    """The table ``[dataset.options]``; a day of hours is looked back on."""

    look_back: Annotated[int, Field(ge=1)] = 24


class TenMinutesOptions(SeriesOptions):
    """The table ``[dataset.options]`` of 10-minute means; a day is looked back on."""

    look_back: Annotated[int, Field(ge=1)] = 144


def load(data_dir: Path | None, allow_download: bool, options: HouseholdOptions) -> SeriesDataset:
    """Find, read and verify the active power; windows of it.

    Raises:
        DataNotFoundError: The file is nowhere to be found.
        InputError: It is damaged or holds other values, or the windows do not fit.
    """
    return column_windows(FILES, data_dir, allow_download, options, SERIES)


def _load_10_minutes(data_dir: Path | None, allow_download: bool, options: TenMinutesOptions) -> SeriesDataset:
    """As :func:`load`, means of 10 minutes."""
    return column_windows(FILES_10_MINUTES, data_dir, allow_download, options, SERIES_10_MINUTES)


HOUSEHOLD = DATASETS.register(
    "household-power",
    DatasetEntry(
        name="household-power",
        label="household power",
        load=load,
        task=TASK,
        classes=1,
        citation=CITATION,
        options=HouseholdOptions,
    ),
)

HOUSEHOLD_10_MINUTES = DATASETS.register(
    "household-power-10-minutes",
    DatasetEntry(
        name="household-power-10-minutes",
        label="household power in steps of 10 minutes",
        load=_load_10_minutes,
        task=TASK,
        classes=1,
        citation=CITATION,
        options=TenMinutesOptions,
    ),
)
