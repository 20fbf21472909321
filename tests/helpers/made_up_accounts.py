"""Accounts of energy that nothing was trained for: round numbers in nJ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barkhausen.experiment.energy import LearningAccount
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar.learning_load import LearningLoad

BATCH = 100


def nanojoule(**causes: float) -> EnergyBreakdown:
    """Energies given in nJ; an underscore is a space, and ``sot`` has its label."""
    named = {name.replace("_", " "): 1e-9 * value for name, value in causes.items()}
    return EnergyBreakdown(named, {"sot": "SOT pulses"} if "sot" in named else {})


def account_of_run(
    sample: EnergyBreakdown | None = None, *, logic: float = 1000.0, int8: bool = True, chips: int = 1
) -> dict[str, Any]:
    """An account as a summary keeps it: 200 nJ a trained sample, or as given, and 10 nJ an inference."""
    usual = nanojoule(ADC=50.0, gradient=100.0, latent_weights=29.0, sot=1.0, clock=20.0)
    step = (usual if sample is None else sample) * BATCH
    return LearningAccount(
        step=step,
        batch=BATCH,
        steps=30,
        samples=1000,
        initial=nanojoule(sot=5.0),
        inference=nanojoule(ADC=8.0, buffer=2.0),
        float32_step=nanojoule(weights=logic / 2, gradient=logic / 2) * BATCH,
        float32_inference=nanojoule(weights=9000.0),
        step_time=1e-6,
        learning=LearningLoad(),
        node=45e-9,
        chips=chips,
        int8_step=nanojoule(weights=300.0) * BATCH if int8 else None,
        int8_inference=nanojoule(weights=2000.0) if int8 else None,
    ).summary()


def with_account(**how: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a made-up summary that gives it an account."""
    return lambda summary: summary.update(account=account_of_run(**how))
