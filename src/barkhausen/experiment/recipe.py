"""A recipe: everything that decides a run, validated, in one TOML file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

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
    Fraction,
    NoOptions,
    NotNegative,
    Parameters,
    Positive,
    StrictParameters,
    Threads,
    apply_setting,
    name_in,
    own_options,
    read_toml,
    source_of,
    validated,
)
from barkhausen.core.errors import InputError, warn
from barkhausen.core.files.kinds import RECIPE, refuse_other_kind
from barkhausen.core.files.recipes import recipe_file
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys, renamed_setting
from barkhausen.data import DATASETS, Dataset, load_dataset
from barkhausen.data.augmentation import Augmentation
from barkhausen.device import (
    CharacterisedDevice,
    PulsedDevice,
    gaussian_device,
    read_device,
    shipped_file,
    shipped_names,
)
from barkhausen.experiment.defaults import latent_rate_of, margin_of, with_defaults
from barkhausen.experiment.optimisation.settings import (
    AveragingRecipe,
    LossRecipe,
    MarginScheduleRecipe,
    OptimizerRecipe,
)
from barkhausen.experiment.pulsed_device import pulsed_device
from barkhausen.experiment.stopping_settings import EvaluationRecipe, StoppingRecipe
from barkhausen.learning.networks.settings import TOPOLOGY, NetworkRecipe
from barkhausen.learning.precision import Precision
from barkhausen.learning.rules import RULES, Rule
from barkhausen.learning.rules.registry import PULSES
from barkhausen.synapse import Decay, Faults, WriteVerify
from barkhausen.synapse.crossbar.chip import USUAL_NODE, checked_node
from barkhausen.synapse.crossbar.learning_load import FULL

EMPTY_LEFT_OUT = ("rule", "init_from", "learn", "precision", "augment", "loss", "averaging")
"""Keys that are not written where they are empty."""

Preset = Literal["racetrack", "notched", "nonvolatile", "skyrmion", "gaussian"]


class DatasetRecipe(StrictParameters):
    """Data set, and the part of it on which hyper-parameters are chosen."""

    name: Annotated[str, name_in(DATASETS)] = "mnist"
    """``mnist``, ``fashion-mnist``, ``cifar10``, ``digits``, ``nsl-kdd`` or another registered data set."""
    validation_samples: Annotated[int, Field(ge=0)] = 0
    """Training samples set aside; if there are any, accuracy is measured on them and the test set is not used."""
    scaling: Literal["standard", "symmetric"] = "standard"
    """Scaling of the samples: ``standard`` (zero mean, unit standard deviation) or ``symmetric`` (from [0, 1], or the
    range of the training part of a series, to [−1, 1])."""
    test_every_epoch: bool = True
    """Whether the test set is used after every epoch, for the learning curve, or after the last one alone."""
    options: SerializeAsAny[Parameters] = Field(default_factory=NoOptions, validate_default=True)
    """Keys of the data set's own, where it has any, such as the windows of a series."""

    @field_validator("options", mode="plain")
    @classmethod
    def _options_of_the_data_set(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = DATASETS.find(info.data.get("name"))
        return NoOptions() if entry is None else own_options(entry.options, given)

    pool: Annotated[int, Field(ge=1, le=64)] = 1
    """Edge in pixels of the squares of an image of which the largest pixel alone is kept."""
    threshold: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Inputs, which lie in [0, 1], become 1 above it and 0 elsewhere. Default: they are standardised."""

    mirrored_test: bool = False
    """Whether a further figure is the accuracy of outputs averaged over each image and its mirror image (test-time
    augmentation); the accuracy itself is always that of the images as they are."""

    def load(self, data_dir: Path | None = None) -> Dataset:
        """The data set, scaled, with its validation samples set aside.

        Args:
            data_dir: Root of the data sets.

        Raises:
            InputError: Its files cannot be used, or there are too few samples.
        """
        dataset = self.shaped(load_dataset(self.name, data_dir, options=self.options))
        if self.validation_samples:
            dataset = dataset.with_validation(self.validation_samples)
        return dataset.standardised() if self.scaling == "standard" else dataset.symmetric()

    def shaped(self, dataset: Dataset) -> Dataset:
        """The data set with smaller or binary images, where the recipe asks for them."""
        if self.pool > 1:
            dataset = dataset.pooled(self.pool)
        return dataset if self.threshold is None else dataset.binary(self.threshold)

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Resolved recipes of runs that were made before the keys existed stay the same text.
        values: dict[str, Any] = handler(self)
        usual = {"test_every_epoch": True, "scaling": "standard", "mirrored_test": False, "options": {}}
        usual |= {"pool": 1, "threshold": None}
        return {key: value for key, value in values.items() if key not in usual or value != usual[key]}


class DeviceRecipe(StrictParameters):
    """Device of the synapses (a shipped device, a textbook Gaussian or a device file), and how it is programmed."""

    preset: Preset = "nonvolatile"
    """Family of the shipped device with the recipe's number of states; ``gaussian`` is implied by ``sigma``."""
    sigma: NotNegative | None = None
    """Total spread of a Gaussian device on weights in [−1, 1]; 0.15 unless given."""
    file: str | None = None
    """Device file to use instead of the preset."""
    pulsed: str | None = None
    """Device moved by pulses, for rules that need one: the name of a shipped or textbook device (``linear-N``,
    ``soft-bounds-N``, ``exponential-NU``). Default: ``soft-bounds-64``."""
    pulse_energy: Positive | None = None
    """Energy of one pulse of a textbook device moved by pulses in J. Default: pulses are counted as free."""
    pulse_spread: Fraction = 0.0
    """Spread of the steps between textbook devices moved by pulses, relative to the mean step."""
    margin: NotNegative | None = None
    """Noise tolerance margin in weight units. Default: that of the learning rule for the device."""
    max_attempts: Count = 1
    """Largest number of write-verify attempts of each programming event."""
    count_writes: bool = False
    """Keep how often every single device was written (4 bytes each), for ``endurance`` in the summary."""
    verify_noise: NotNegative = 0.0
    """Standard deviation of a verify read in weight units; 0.033 for the comparator of the default chip."""
    margin_schedule: MarginScheduleRecipe | None = None
    """Factor on the margin over the training, of rules that program while training. Default: a factor of 1."""

    @model_validator(mode="before")
    @classmethod
    def _sigma_means_gaussian(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if values.get("file") is not None:
            # A preset beside a file is ignored, but a wrong one is still reported.
            return {key: value for key, value in values.items() if key != "preset" or value not in get_args(Preset)}
        if "sigma" in values and "preset" not in values:
            return {**values, "preset": "gaussian"}
        if values.get("preset") == "gaussian" and "sigma" not in values:
            return {**values, "sigma": 0.15}
        return values

    @model_validator(mode="after")
    def _sigma_is_of_the_gaussian_preset(self) -> DeviceRecipe:
        if self.sigma is not None and self.file is not None:
            raise ValueError("sigma belongs to the gaussian preset; with a device file, leave it out")
        if self.sigma is not None and self.preset != "gaussian":
            raise ValueError(
                f"sigma belongs to the gaussian preset, not to {self.preset}; write preset = 'gaussian', or leave one "
                "of the two out"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_unused_preset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if self.file is not None:
            # Written out beside the file, they would make the resolved recipe contradict itself.
            values = {key: value for key, value in values.items() if key not in ("preset", "sigma")}
        # Resolved recipes of runs that were made before the key existed stay the same text.
        unused = ("verify_noise", "margin_schedule", "pulsed", "pulse_energy", "pulse_spread")
        return {key: value for key, value in values.items() if key not in unused or value}


class FaultsRecipe(StrictParameters):
    """Faults of the devices (:class:`barkhausen.synapse.Faults`)."""

    stuck: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of devices that never change."""
    stuck_at: Annotated[int, Field(ge=0)] | Literal["random"] = "random"
    """State in which they rest."""
    annihilated_walls: Annotated[float, Field(ge=0, le=1)] | Literal["device"] = 0.0
    """Probability that a programming attempt loses the wall; ``device``: the failure rates of the device file."""


class DecayRecipe(StrictParameters):
    """Time that passes at every training step, in which devices lose their states by themselves."""

    step_time: Positive | None = None
    """Duration of a training step in s. Default: devices keep their states while the network trains."""
    temperature: Positive | None = None
    """Temperature in K. Default: that of the device's characterisation."""

    @model_validator(mode="after")
    def _temperature_needs_a_time(self) -> DecayRecipe:
        if self.temperature is not None and self.step_time is None:
            raise ValueError("temperature has no effect without step_time, the duration of a training step in s")
        return self

    def during_steps(self) -> Decay | None:
        """Decay at every training step; None where there is none."""
        return None if self.step_time is None else Decay(self.step_time, self.temperature)


class TransferRecipe(StrictParameters):
    """Programming of fresh chips after training."""

    chips: Count = 10
    max_attempts: Count = 5
    """Largest number of write-verify attempts when a chip is programmed."""


class EnergyRecipe(StrictParameters):
    """Chip of the account of the whole energy; it changes nothing else of a run."""

    node: str = USUAL_NODE
    """CMOS node of logic and SRAM in nm, by name: 45, 32, 22, 7 or 7-scaled."""

    @field_validator("node", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("node")
    @classmethod
    def _with_constants(cls, value: str) -> str:
        try:
            return checked_node(value)
        except InputError as error:
            raise ValueError(str(error).partition(": ")[2]) from None


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
    autocast: Literal["none", "bfloat16"] = "none"
    """Precision of products in training and evaluation; ``bfloat16`` is faster on processors that have it. Parameters,
    latent weights and gradients of them stay in single precision."""
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


def load_recipe(path: str | Path, settings: list[str] | None = None) -> Recipe:
    """Read a recipe and apply ``key=value`` settings to it.

    Args:
        path: The TOML file, or name of a recipe of the package.
        settings: Settings such as ``states=3`` or ``dataset.name=digits``. A value is read as TOML, or as a string
            where it is not TOML. ``device.file=…`` replaces the recipe's preset with its sigma and states, and
            ``device.sigma=…`` replaces the preset by ``gaussian``.

    Raises:
        InputError: The file cannot be read, or a key or value is unknown or wrong.
    """
    path = recipe_file(path)
    # Renamed before the settings: an old key of the file must not stand beside the new one of a setting, or reversed.
    values = renamed_keys(read_toml(path), RECIPE_KEYS)
    refuse_other_kind(values, RECIPE, path)
    settings = [renamed_setting(setting, RECIPE_KEYS) for setting in settings or []]
    replace_device(values, [setting.partition("=")[0].strip() for setting in settings])
    for setting in settings:
        apply_setting(values, setting)
    return recipe_from(values, str(path), settings)


def recipe_from(values: dict[str, Any], origin: str, settings: Sequence[str] = ()) -> Recipe:
    """Validate nested values as a recipe, and fill in what its device decides.

    The number of states of a device file fills in a missing ``states``, and the default of the learning rule for the
    device a missing ``device.margin``. Keys of earlier versions are read with a ``DeprecationWarning``.

    Args:
        values: Content of the recipe.
        origin: Name of its source, for messages.
        settings: Settings that were applied to the values, for messages.

    Raises:
        InputError: A key or value is unknown or wrong.
    """
    values = renamed_keys(values, RECIPE_KEYS)
    recipe = validated(Recipe, values, origin, settings)
    if not recipe.learning_rule.on_devices:
        if recipe.precision.lowered:
            warn(f"{origin}: precision has no effect with mode = {recipe.mode!r}, whose weights no device holds")
        return with_defaults(recipe, margin_of(recipe, None))
    if recipe.learning_rule.devices == PULSES:
        return _with_pulsed_device(recipe, values)
    if recipe.device.file is None:
        _check_shipped(recipe, source_of("states", origin, settings))
        return with_device_defaults(recipe)
    if "preset" in values["device"]:
        warn(
            f"{origin}: device.preset = {values['device']['preset']!r} has no effect beside device.file = "
            f"{recipe.device.file!r}; leave it out"
        )
    device = read_device(Path(recipe.device.file))
    states = device.states
    if "states" in recipe.model_fields_set and recipe.states != states:
        raise InputError(
            f"{source_of('states', origin, settings)}: states = {recipe.states} but the device file "
            f"{recipe.device.file} has {states} states"
        )
    return with_device_defaults(recipe.model_copy(update={"states": states}), device)


def _with_pulsed_device(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with what its device moved by pulses decides."""
    device = build_device(recipe)
    states = max(2, min(256, round(device.states)))
    if "states" in recipe.model_fields_set and recipe.states != states:
        warn(f"states = {recipe.states} has no effect with mode = {recipe.mode!r}, whose devices are moved by pulses")
    return with_device_defaults(recipe.model_copy(update={"states": states}), device)


def with_device_defaults(recipe: Recipe, device: CharacterisedDevice | PulsedDevice | None = None) -> Recipe:
    """The recipe with the margin and the latent rate of its learning rule and device where it states none.

    Args:
        recipe: Any recipe.
        device: Its device. Default: read from its file, where it is needed.

    Raises:
        InputError: The device file cannot be used.
    """
    if recipe.device.margin is None and device is None and recipe.learning_rule.on_devices:
        device = build_device(recipe)
    return with_defaults(recipe, margin_of(recipe, device), latent_rate_of(recipe))


def _check_shipped(recipe: Recipe, origin: str) -> None:
    family, states = recipe.device.preset, recipe.states
    if family != "gaussian" and f"{family}-{states}" not in shipped_names():
        there_are = ", ".join(name for name in shipped_names() if name.startswith(f"{family}-"))
        raise InputError(
            f"{origin}: states = {states}: no {family}-{states} is shipped, only {there_are}; name a device file "
            '(device.file) or take textbook Gaussians (device.preset = "gaussian")'
        )


def build_device(recipe: Recipe) -> Any:
    """The device that the recipe names, for a learning rule on devices.

    Raises:
        InputError: Its device file cannot be used.
    """
    file = device_file(recipe)
    if recipe.learning_rule.devices == PULSES:
        return pulsed_device(recipe.device)
    if file is not None:
        return read_device(file)
    assert recipe.device.sigma is not None
    return gaussian_device(recipe.states, recipe.device.sigma)


def device_file(recipe: Recipe) -> Path | None:
    """The device file that the recipe names, or that of the shipped device.

    None for a textbook Gaussian, and for a learning rule without devices.

    Raises:
        InputError: No such device is shipped.
    """
    choice = recipe.device
    if not recipe.learning_rule.on_devices:
        return None
    if choice.file is not None:
        return Path(choice.file)
    if recipe.learning_rule.devices == PULSES:
        return None
    return None if choice.preset == "gaussian" else shipped_file(f"{choice.preset}-{recipe.states}")


def replace_device(values: dict[str, Any], settings: Collection[str]) -> None:
    """Remove from a recipe what settings replace, in place.

    ``device.file`` replaces the preset with its sigma and the number of states, and ``device.sigma``, which belongs to
    the Gaussian preset, another preset.

    ``network.factory`` replaces the kind of network with its topology.

    Args:
        values: Content of the recipe.
        settings: Keys of the settings.
    """
    network = values.get("network")
    if "network.factory" in settings and isinstance(network, dict):
        for name in ("kind", "factory_sha256", "options", *TOPOLOGY):
            if not any(f"{key}.".startswith(f"network.{name}.") for key in settings):
                network.pop(name, None)
    device = values.get("device")
    table: dict[str, Any] = device if isinstance(device, dict) else {}
    if "device.file" in settings:
        if "states" not in settings:
            values.pop("states", None)
        for name in ("preset", "sigma"):
            if f"device.{name}" not in settings:
                table.pop(name, None)
    elif "device.sigma" in settings and "device.preset" not in settings and table.get("preset") in get_args(Preset):
        table.pop("preset")
