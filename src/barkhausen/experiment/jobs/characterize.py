"""The job ``characterize``: a device simulated, and its states described by statistics."""

from __future__ import annotations

from typing import Any

from barkhausen.core.config import validated
from barkhausen.device import DeviceParameters
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings
from barkhausen.experiment.work.characterize import characterize


def plan_characterisation(planning: Planning, settings: Settings) -> Planned:
    """A characterisation: the device parameters decide it."""
    given = planning.placed(settings)
    values = validated(DeviceParameters, given, planning.origin).model_dump(mode="json")
    return Planned(decides=values, values=values, threads=planning.threads, given=given)


def energy_of_an_attempt(frame: Any) -> Any:
    """Sum over the causes, where all are known."""
    causes = JOBS["characterize"].cause_columns([str(name) for name in frame.columns])
    return frame[causes].sum(axis=1, min_count=max(len(causes), 1))


JOBS.register(
    "characterize",
    Job(
        what="a device whose states were characterised",
        columns=(
            Column("device_file", dtype="string"),
            Column("states", dtype="Int64"),
            Column("information_bits", "information", unit="bits", decimals=3, higher_is_better=True),
            Column(
                "smallest_gap",
                "smallest gap",
                unit="%",
                per="of the range",
                scale=100.0,
                decimals=1,
                higher_is_better=True,
            ),
            Column("worst_overlap", "worst overlap of two states", decimals=3, higher_is_better=False),
            Column("mean_sigma_device", "σ between devices", per="weight", decimals=3, higher_is_better=False),
            Column("mean_sigma_cycle", "σ between cycles", per="weight", decimals=3, higher_is_better=False),
        ),
        needed=("information_bits", "smallest_gap"),
        summarised=("information_bits", "smallest_gap"),
        plan=plan_characterisation,
        work=characterize,
        networks=False,
        cause_unit="femtojoule",
        causes=("sot", "gate", "read"),
        cause_labels={"sot": "SOT pulses", "read": "verify read"},
        causes_title="Energy of one programming attempt, mean over states,",
        cause_axis="energy of an attempt (fJ)",
        derived={
            Column(
                "attempt_femtojoule", "energy of an attempt", unit="fJ", higher_is_better=False
            ): energy_of_an_attempt
        },
        shown=(
            "information_bits",
            "smallest_gap",
            "worst_overlap",
            "mean_sigma_device",
            "mean_sigma_cycle",
            "attempt_femtojoule",
        ),
        trade_off=("attempt_femtojoule", "information_bits"),
        against=("information_bits", "worst_overlap", "smallest_gap"),
    ),
)
