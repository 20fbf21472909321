"""International airline passengers, monthly totals from January 1949 to December 1960, in thousands.

G. E. P. Box, G. M. Jenkins, *Time Series Analysis: Forecasting and Control* (1976), series G.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from barkhausen.data.published import PublishedFile, PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry
from barkhausen.data.series.table import Column, column_windows
from barkhausen.data.series.windows import TASK, SeriesDataset, SeriesOptions

FILES = PublishedFiles(
    name="airline-passengers",
    folder="airline-passengers",
    home="any copy of series G of Box and Jenkins (R: AirPassengers) as airline_passengers.csv: a line of headings, "
    "then month,thousands for 144 months",
    files=(PublishedFile("airline_passengers.csv", None, "f183d0c0e7a5d75d8ee008ce92207ec1"),),
)

SERIES: Final = Column(
    place=1,
    rows=144,
    sha256="46a32bc4210b909059a0958d9a22e9499a2318ebbcacc037ea997dc6a537cba4",
    unit="thousand passengers",
)


def load(data_dir: Path | None, allow_download: bool, options: SeriesOptions) -> SeriesDataset:
    """Find, read and verify the series; windows of it.

    Raises:
        DataNotFoundError: The file is nowhere to be found.
        InputError: It is damaged or holds other values, or the windows do not fit.
    """
    return column_windows(FILES, data_dir, allow_download, options, SERIES)


AIRLINE = DATASETS.register(
    "airline-passengers",
    DatasetEntry(
        name="airline-passengers",
        label="airline passengers",
        load=load,
        task=TASK,
        classes=1,
        citation="G. E. P. Box, G. M. Jenkins, Time Series Analysis: Forecasting and Control (1976), series G",
        options=SeriesOptions,
    ),
)
