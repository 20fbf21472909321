"""The job ``neuron``: a neuron simulated, with its law, cycles and figures."""

from __future__ import annotations

from barkhausen.device.kinds import DEVICE_KINDS
from barkhausen.device.neuron.schema import KIND
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings
from barkhausen.experiment.work.neuron import neuron


def plan_neuron(planning: Planning, settings: Settings) -> Planned:
    """A neuron: the parameters of its technology decide it."""
    given = {"kind": KIND, **planning.placed(settings)}
    module = DEVICE_KINDS.named(KIND).simulator(given)
    values = module.parameters_from(dict(given), (), planning.origin).model_dump(mode="json")
    seed = values.get("characterisation", {}).get("seed", 0)
    return Planned(
        decides=values, values=values, threads=planning.threads, given=given, shown={"mode": KIND, "seed": seed}
    )


JOBS.register(
    "neuron",
    Job(
        what="a neuron that was simulated",
        columns=(
            Column("device_file", dtype="string"),
            Column("cycles_tried", "cycles with pulses", dtype="Int64"),
            Column("cycles_fired", "cycles that fired", dtype="Int64", higher_is_better=True),
            Column("cycles_lost", "cycles that lost the state", dtype="Int64", higher_is_better=False),
            Column("failed_resets", dtype="Int64", higher_is_better=False),
            Column("pulses_to_fire", "pulses to fire", per="at the largest drive", decimals=2, higher_is_better=None),
            Column("leak", "leak at the threshold", unit="m/s", scale=1.0, decimals=2),
            Column("pulse_femtojoule", "energy of a pulse", unit="fJ", per="at the largest drive"),
            Column("read_femtojoule", "energy of a read", unit="fJ"),
            Column("reset_femtojoule", "energy of a reset", unit="fJ"),
        ),
        needed=("cycles_tried",),
        summarised=("cycles_fired", "failed_resets"),
        plan=plan_neuron,
        work=neuron,
        networks=False,
        shown=("cycles_tried", "cycles_fired", "failed_resets", "pulses_to_fire"),
    ),
)
