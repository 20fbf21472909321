"""What the page about a sweep tells of each kind of task: quantities, their columns, names and units."""

from __future__ import annotations

from barkhausen.report.sweep.figures import Quantity

ATTEMPT = "attempt_femtojoule"
"""Of a characterised device: the sum over causes."""

ACCURACY = Quantity("accuracy", "accuracy (%)", "accuracy", 100.0, "%", 2, True)
IDEAL = Quantity("ideal_accuracy", "accuracy without the chip (%)", "accuracy without the chip", 100.0, "%", 2, True)
TUNED = Quantity(
    "tuned_accuracy", "accuracy trained on the chip (%)", "accuracy trained on the chip", 100.0, "%", 2, True
)
PROGRAMMING = Quantity(
    "picojoule_per_inference", "programming energy (pJ per inference)", "programming energy", 1.0, "pJ", None, False
)
SYSTEM = Quantity(
    "system_picojoule", "energy of the system (pJ per inference)", "system energy", 1.0, "pJ", None, False
)
LATENCY = Quantity("latency_nanoseconds", "latency (ns)", "latency", 1.0, "ns", None, False)
BITS = Quantity("information_bits", "what a read tells (bits)", "information", 1.0, "bits", 3, True)
GAP = Quantity("smallest_gap", "smallest gap (% of the range)", "smallest gap", 100.0, "%", 1, True)
OVERLAP = Quantity("worst_overlap", "worst overlap of two states", "worst overlap", 1.0, "", 3, False)
ATTEMPT_ENERGY = Quantity(ATTEMPT, "energy of an attempt (fJ)", "energy of an attempt", 1.0, "fJ", None, False)
DEVICE_SIGMA = Quantity("mean_sigma_device", "σ between devices (weight)", "σ between devices", 1.0, "", 3, False)
CYCLE_SIGMA = Quantity("mean_sigma_cycle", "σ between cycles (weight)", "σ between cycles", 1.0, "", 3, False)

COLUMNS = {
    "train": (ACCURACY, PROGRAMMING),
    "infer": (ACCURACY, TUNED, IDEAL, SYSTEM, LATENCY),
    "characterize": (BITS, GAP, OVERLAP, DEVICE_SIGMA, CYCLE_SIGMA, ATTEMPT_ENERGY),
}
"""What the table of groups holds, the quantity of interest first."""

TRADE_OFFS = {
    "train": (PROGRAMMING, ACCURACY),
    "infer": (SYSTEM, ACCURACY),
    "characterize": (ATTEMPT_ENERGY, BITS),
}
"""Cost and gain of the plot of two objectives."""

TASKS = {
    "train": "a network trained and measured on data that it did not learn from",
    "infer": "a trained network on a chip with converters, wires and noise",
    "characterize": "a device whose states were characterised",
}
