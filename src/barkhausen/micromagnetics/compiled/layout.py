"""The structures of ``arguments.hpp``, field by field."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

INTERFACE = 3
"""``kInterface`` of ``arguments.hpp``: the library must have been built with the same."""

MAX_STAGES = 20

LANES = 8

MAPS = {"bonds": 4, "moment": 3, "motion": 3, "current": 3, "axis": 3, "local_field": 3}
"""``enum MapName``, and the number of values of each map."""

FEATURES = {"tilted": 1, "torques": 2, "local": 4, "cubic": 8}
"""``enum Feature``."""

TASK_ADVANCE, TASK_FIELD, TASK_TRANSFORM, TASK_SPLIT = range(4)

FloatPointer = ctypes.c_void_p
IntPointer = ctypes.c_void_p


class AxisArguments(ctypes.Structure):
    """``struct Axis``."""

    _fields_ = (
        ("cells", ctypes.c_int32),
        ("length", ctypes.c_int32),
        ("stages", ctypes.c_int32),
        ("radix", ctypes.c_int32 * MAX_STAGES),
        ("twiddle", FloatPointer),
        ("position", IntPointer),
        ("partner", IntPointer),
    )


class MapArguments(ctypes.Structure):
    """``struct Map``."""

    _fields_ = (
        ("values", FloatPointer),
        ("block_stride", ctypes.c_int64),
        ("cell_stride", ctypes.c_int64),
        ("lanes", ctypes.c_int32),
    )


class ProblemArguments(ctypes.Structure):
    """``struct Problem``."""

    _fields_ = (
        ("nx", ctypes.c_int32),
        ("ny", ctypes.c_int32),
        ("has_demag", ctypes.c_int32),
        ("column_pairs", ctypes.c_int32),
        ("along_x", AxisArguments),
        ("along_y", AxisArguments),
        ("exchange", ctypes.c_float * 2),
        ("dmi", ctypes.c_float * 2),
        ("polarisation", ctypes.c_float * 3),
        ("damping", ctypes.c_float),
        ("non_adiabaticity", ctypes.c_float),
        ("fill", FloatPointer),
        ("inverse_fill", FloatPointer),
        ("fill_block_stride", ctypes.c_int64),
        ("anisotropy", FloatPointer),
        ("anisotropy_block_stride", ctypes.c_int64),
        ("anisotropy_cell_stride", ctypes.c_int64),
        ("gate", FloatPointer),
        ("gate_cell_stride", ctypes.c_int64),
        ("column_pair", IntPointer),
        ("in_plane_spectrum", FloatPointer),
        ("normal_spectrum", FloatPointer),
        ("near_x", ctypes.c_float * 3),
        ("near_y", ctypes.c_float * 3),
        ("easy_x", ctypes.c_int32),
        ("coupled", ctypes.c_int32),
        ("mapped", ctypes.c_int32),
        ("features", ctypes.c_int32),
        ("transfers", ctypes.c_int32),
        ("cell_ratio", ctypes.c_float),
        ("cubic", ctypes.c_float),
        ("cubic_axes", ctypes.c_float * 9),
        ("maps", MapArguments * len(MAPS)),
    )


class RunArguments(ctypes.Structure):
    """``struct Run``."""

    _fields_ = (
        ("task", ctypes.c_int32),
        ("steps", ctypes.c_int32),
        ("blocks", ctypes.c_int32),
        ("threads", ctypes.c_int32),
        ("padded", ctypes.c_int64),
        ("drive", FloatPointer),
        ("thermal", FloatPointer),
        ("rate", ctypes.c_float),
        ("norm_limit", ctypes.c_float),
        ("magnetisation", FloatPointer),
        ("random", IntPointer),
        ("deviation", FloatPointer),
        ("failed_step", IntPointer),
        ("field", FloatPointer),
        ("workspace", ctypes.c_void_p),
        ("workspace_bytes", ctypes.c_int64),
        ("stray", FloatPointer),
    )


def fingerprint() -> int:
    """Expected return value of ``barkhausen_layout`` in the library."""
    sizes = [ctypes.sizeof(structure) for structure in (ProblemArguments, RunArguments, AxisArguments)]
    return INTERFACE * 10**12 + sizes[0] * 1_000_000 + sizes[1] * 1000 + sizes[2]


def aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """Zeros that start on a cache line, as the kernel's vectors need them."""
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.zeros(size + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind).reshape(shape)
