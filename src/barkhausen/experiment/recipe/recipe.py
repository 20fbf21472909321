"""A recipe: everything that decides a run, validated, in one TOML file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import tomli_w
from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from barkhausen.core.config import (
    Count,
    NoOptions,
    Parameters,
    StrictParameters,
    Threads,
    name_in,
    own_options,
)
from barkhausen.core.errors import InputError
from barkhausen.core.half_precision import Autocast
from barkhausen.data.augmentation import Augmentation
from barkhausen.experiment.optimisation.settings import (
    AveragingRecipe,
    LossRecipe,
    OptimizerRecipe,
)
from barkhausen.experiment.recipe.dataset import DatasetRecipe
from barkhausen.experiment.recipe.device import DeviceRecipe
from barkhausen.experiment.recipe.stopping import EvaluationRecipe, StoppingRecipe
from barkhausen.experiment.recipe.tables import DecayRecipe, EnergyRecipe, FaultsRecipe, TransferRecipe
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.precision import Precision
from barkhausen.learning.rules import RULES, Rule
from barkhausen.learning.rules.registry import PULSES
from barkhausen.synapse import Faults, WriteVerify
from barkhausen.synapse.crossbar.learning_load import FULL

EMPTY_LEFT_OUT = ("rule", "init_from", "learn", "precision", "augment", "loss", "averaging")
"""Keys that are not written where they are empty."""


USUAL_TABLES: dict[str, Parameters] = {
    "decay": DecayRecipe(),
    "stopping": StoppingRecipe(),
    "evaluation": EvaluationRecipe(),
    "energy": EnergyRecipe(),
}
"""Tables that a resolved recipe leaves out where they are at their defaults."""


class Recipe(StrictParameters):
    """Everything that decides a run."""

    mode: Annotated[str, name_in(RULES)] = "in-situ"
    """Learning rule: ``in-situ``, ``ex-situ``, ``float`` (the baseline without devices) or another registered rule."""
    states: Annotated[int, Field(ge=2, le=256)] = 5
    """Number of states of a synapse (ignored by rules without devices)."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    epochs: Count = 10
    batch_size: Count = 100
    threads: Threads | None = None
    """CPU threads; results are bit-identical only for the same number. Default: torch's own choice."""
    accelerator: Literal["cpu", "cuda"] = "cpu"
    autocast: Autocast = "none"
    """Precision of products in training and evaluation: ``bfloat16``, or ``auto`` for bfloat16 on processors that have
    instructions for it and single precision on others. Parameters, latent weights and gradients of them stay in single
    precision."""
    init_from: str | None = None
    """Directory of a run, or a checkpoint, whose weights the run starts from. Default: fresh weights."""
    learn: list[str] = Field(default=[])
    """Layers that learn, the others stay as they start: names, patterns, ``first`` or ``last``. Default: all."""
    dataset: DatasetRecipe = DatasetRecipe()
    network: NetworkRecipe = NetworkRecipe()
    device: DeviceRecipe = DeviceRecipe()
    faults: FaultsRecipe = FaultsRecipe()
    decay: DecayRecipe = DecayRecipe()
    augment: Augmentation = Augmentation()
    loss: LossRecipe = LossRecipe()
    optimizer: OptimizerRecipe = OptimizerRecipe()
    averaging: AveragingRecipe = AveragingRecipe()
    precision: Precision = Precision()
    transfer: TransferRecipe = TransferRecipe()
    energy: EnergyRecipe = EnergyRecipe()
    stopping: StoppingRecipe = StoppingRecipe()
    evaluation: EvaluationRecipe = EvaluationRecipe()
    rule: SerializeAsAny[Parameters] = Field(default_factory=NoOptions, validate_default=True)
    """Keys of the learning rule's own, where it has any."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_rule(cls, values: Any) -> Any:
        rule = RULES.find(values.get("mode")) if isinstance(values, dict) else None
        if rule is None:
            return values
        merged = dict(values)
        for table, defaults in rule.defaults.items():
            given = values.get(table, {})
            if isinstance(given, dict):
                merged[table] = {**defaults, **given}
        return merged

    @field_validator("rule", mode="plain")
    @classmethod
    def _options_of_the_rule(cls, given: Any, info: ValidationInfo) -> Parameters:
        rule = RULES.find(info.data.get("mode"))
        return NoOptions() if rule is None else own_options(rule.options, given)

    @model_validator(mode="after")
    def _batch_norm_needs_a_batch(self) -> Recipe:
        if self.batch_size == 1 and self.network.normalisation != "none":
            raise ValueError("batch_size = 1: batch normalisation needs 2 or more (or network.normalisation = 'none')")
        return self

    @model_validator(mode="after")
    def _decay_needs_devices(self) -> Recipe:
        if self.decay.step_time is not None and not self.learning_rule.decays:
            rules = ", ".join(name for name, rule in RULES.items() if rule.decays)
            raise ValueError(
                f"decay.step_time = {self.decay.step_time:g}: mode = '{self.mode}' trains no devices that could decay; "
                f"those that do are {rules}"
            )
        return self

    @model_validator(mode="after")
    def _cells_are_moved_by_pulses(self) -> Recipe:
        if self.device.cell.devices > 1 and self.learning_rule.devices != PULSES:
            raise ValueError(
                f"device.cell.layout = '{self.device.cell.layout}': mode = '{self.mode}' has no devices "
                "that pulses move"
            )
        return self

    @model_validator(mode="after")
    def _latent_bits_need_latent_weights(self) -> Recipe:
        if self.precision.latent_bits < FULL and not self.learning_rule.latent_weights:
            raise ValueError(
                f"precision.latent_bits = {self.precision.latent_bits}: mode = '{self.mode}' keeps no latent weights; "
                "leave it out"
            )
        return self

    @model_validator(mode="after")
    def _margin_schedule_needs_a_rule_that_programs(self) -> Recipe:
        if self.device.margin_schedule is not None and not self.learning_rule.programs_while_training:
            raise ValueError(f"device.margin_schedule: mode = '{self.mode}' programs no devices while it trains")
        return self

    @model_serializer(mode="wrap")
    def _without_empty_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        # Summaries and resolved recipes of runs that leave these keys at their defaults stay the same text.
        for name, usual in USUAL_TABLES.items():
            if getattr(self, name) == usual:
                values.pop(name, None)
        if self.autocast == "none":
            values.pop("autocast", None)
        return {key: value for key, value in values.items() if key not in EMPTY_LEFT_OUT or value}

    @property
    def learning_rule(self) -> Rule:
        """The entry of the learning rule."""
        return RULES.named(self.mode)

    def write_verify(self) -> WriteVerify:
        """How the devices of its network are written.

        Raises:
            InputError: The margin is that of the device, and not known yet.
        """
        device = self.device
        if device.margin is None:
            raise InputError("device.margin: is missing; recipe_from and Run fill it in")
        faults = Faults(**self.faults.model_dump())
        return WriteVerify(device.margin, device.max_attempts, faults, device.count_writes, device.verify_noise)

    def to_toml(self) -> str:
        """The resolved recipe, every default written out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))
