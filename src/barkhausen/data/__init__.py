"""Data sets, one file each, registered in ``DATASETS``."""

from barkhausen.data import breast_cancer, cifar10, digits, fashion_mnist, mnist, nsl_kdd, series
from barkhausen.data.base import Dataset
from barkhausen.data.registry import DATASETS, DatasetEntry, load_dataset

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetEntry",
    "breast_cancer",
    "cifar10",
    "digits",
    "fashion_mnist",
    "load_dataset",
    "mnist",
    "nsl_kdd",
    "series",
]
