"""One network in training: built from a recipe, advanced epoch by epoch, saved and restored whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.half_precision import lowered_products
from barkhausen.core.seeds import stream
from barkhausen.data import Dataset
from barkhausen.data.augmentation import Augmenter
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.checkpoint import load_model
from barkhausen.experiment.evaluation import weight_histogram
from barkhausen.experiment.network import build_network, shapes_of
from barkhausen.experiment.optimisation.averaging import WeightAverage
from barkhausen.experiment.optimisation.groups import parameter_groups, set_rates
from barkhausen.experiment.optimisation.optimizers import OPTIMIZERS
from barkhausen.experiment.optimisation.schedules import SCHEDULES
from barkhausen.experiment.recipe import Recipe, with_device_defaults
from barkhausen.experiment.recipe.defaults import latent_rate_of, margin_of
from barkhausen.experiment.starting.initial import start_from
from barkhausen.experiment.starting.teacher import Teacher, teacher_of
from barkhausen.experiment.stopping import EarlyStopping
from barkhausen.experiment.tasks import task_of
from barkhausen.learning.layers.base import synapse_layers
from barkhausen.learning.layers.drawing import drawing_from
from barkhausen.learning.networks.fitted import fit_to_inputs
from barkhausen.learning.networks.images import Mirrored
from barkhausen.learning.precision.lowered import learn_at
from barkhausen.learning.rules import LearnerParts
from barkhausen.learning.rules.base import Learner, OwnUpdates
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.selection import only_learn
from barkhausen.learning.uncertainty import member_outputs

AVERAGED_OVER = 100
"""Batches of training samples that measure the statistics of an averaged network anew."""


class Training:
    """A model, its learner and its random streams.

    Args:
        recipe: Everything that decides the training.
        dataset: Standardised data set.
        device: Statistics of the synapses; None for a learning rule without devices.
        model: Trained network to continue with. Default: a fresh one.
        initial: State of the network that a fresh one starts from; see :func:`.start_from`.
        teacher: Teacher of a distillation (``loss.teacher``). Default: as the recipe says.
        purpose: Prefix of the names of the random streams, so that a second training draws other numbers.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        device: CharacterisedDevice | None,
        *,
        model: nn.Module | None = None,
        initial: Mapping[str, Tensor] | None = None,
        teacher: Teacher | None = None,
        purpose: str = "",
    ) -> None:
        self.recipe = recipe = with_device_defaults(recipe, device)
        self.dataset = dataset
        where = torch.device(recipe.accelerator)
        if where.type == "cuda" and not torch.cuda.is_available():
            raise InputError("accelerator = 'cuda': torch finds no CUDA device here")
        self.stopping: EarlyStopping | None = None
        if recipe.stopping.patience is not None:
            dataset, aside = dataset.with_stopping(recipe.stopping.samples(len(dataset.train_labels)))
            self.stopping = EarlyStopping(recipe.stopping.patience, task_of(recipe, aside, where))
        self.task = task_of(recipe, dataset, where)
        self.inputs, self.labels = self.task.inputs, self.task.labels
        self.order = stream(recipe.seed, f"{purpose}order")
        self.noise = stream(recipe.seed, f"{purpose}noise", where)
        self.teacher = teacher_of(recipe, where) if teacher is None else teacher
        self.augmenter: Augmenter | None = None
        if recipe.augment.active:
            fixed = stream(recipe.seed, f"{purpose}fixed augmentation")
            self.augmenter = Augmenter(recipe.augment, dataset.image_shape, len(self.inputs), fixed, dataset.name)
        self.augmentation = stream(recipe.seed, f"{purpose}augmentation")
        self.epoch = 0
        if model is None:
            model = build_network(recipe, shapes_of(dataset), device, where)
            fit_to_inputs(model, self.inputs)
        self.model = model
        if initial is not None:
            start_from(
                self.model, initial, stream(recipe.seed, "start from", where), f"init_from = {recipe.init_from!r}"
            )
        if recipe.learn:
            only_learn(self.model, recipe.learn)
        self.start_score: float | None = None
        """Score of the network that was transferred, before it is trained; None for fresh weights."""
        self.histogram_before: Tensor | None = None
        if device is not None:
            self.histogram_before = weight_histogram(self.model).cpu()
        self.learner = self._learner(device)
        self.average: WeightAverage | None = None
        if recipe.averaging.every:
            self.average = WeightAverage(self.model, recipe.averaging, recipe.epochs * self.batches)

    def _learner(self, device: CharacterisedDevice | None) -> torch.optim.Optimizer:
        """The optimiser of the recipe, wrapped by its learning rule."""
        recipe = self.recipe
        settings = recipe.optimizer
        groups = parameter_groups(self.model, settings, latent_rate_of(recipe))
        optimizer = OPTIMIZERS[settings.name].make(groups, settings)
        learn_at(self.model, optimizer, recipe.precision, self.noise)
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
        return recipe.learning_rule.learner(
            LearnerParts(
                optimizer=optimizer,
                model=self.model,
                device=device,
                margin=margin_of(recipe, device),
                transfer_attempts=recipe.transfer.max_attempts,
                generator=self.noise,
                decay=recipe.decay.during_steps(),
                options=recipe.rule,
                margin_schedule=self._margin_schedule(),
            )
        )

    def _margin_schedule(self) -> MarginSchedule | None:
        schedule = self.recipe.device.margin_schedule
        if schedule is None:
            return None
        epochs = self.recipe.epochs if schedule.epochs is None else schedule.epochs
        return schedule.over(epochs * self.batches)

    @property
    def levels(self) -> list[float]:
        """Mean weights of the states of a synapse, or those that stand for a continuous weight."""
        _, layer = next(synapse_layers(self.model))
        levels: list[float] = layer.synapses.levels.tolist()
        return levels

    @property
    def weight_range(self) -> tuple[float, float]:
        """Range of the weights of a synapse."""
        _, layer = next(synapse_layers(self.model))
        low, high = layer.synapses.kind.weight_range
        return float(low), float(high)

    @property
    def batches(self) -> int:
        """Steps in one epoch."""
        samples, size = len(self.inputs), self.recipe.batch_size
        batches = -(-samples // size)
        # Batch normalisation cannot train on a last batch of a single sample.
        lonely = samples % size == 1 and self.recipe.network.normalisation != "none"
        return batches - 1 if lonely else batches

    def run_epoch(self, advance: Callable[[int], None] = lambda steps: None) -> dict[str, float]:
        """Train for one epoch.

        Nothing is read back from the device inside; loss and accuracy are summed there.

        Args:
            advance: Function called now and then with the number of steps made since.

        Returns:
            ``train_loss`` and, for a task that has it, ``train_accuracy``, both running means over the epoch.
        """
        self.model.train()
        order = torch.randperm(len(self.inputs), generator=self.order).to(self.inputs.device)
        size, batches = self.recipe.batch_size, self.batches
        draws = None
        if self.augmenter is not None:
            draws = self.augmenter.draws(self.epoch, self.augmentation, self.inputs.device)
        loss_sum = torch.zeros((), device=self.inputs.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.inputs.device)
        hits: Tensor | None = None
        for batch in range(batches):
            self._set_rates(batch)
            index = order[batch * size : (batch + 1) * size]
            inputs, labels = self.inputs.index_select(0, index), self.labels.index_select(0, index)
            if draws is not None:
                assert self.augmenter is not None
                inputs = self.augmenter.apply(inputs, draws.of(index))
            output, loss = self._step(inputs, labels)
            if self.average is not None:
                self.average.after_step(self.epoch * batches + batch + 1)
            loss_sum += loss.detach() * len(index)
            hits = self.task.correct(output.detach(), labels)
            if hits is not None:
                correct += hits
            if batch % 50 == 49:
                advance(50)
        advance(batches % 50)
        self.epoch += 1
        if self.average is not None and self.epoch == self.recipe.epochs:
            self._take_average(self.average, order)
        seen = min(batches * size, len(self.inputs))
        result = {"train_loss": float(loss_sum) / seen}
        return result if hits is None else {**result, "train_accuracy": int(correct) / seen}

    def _step(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and loss of a batch, which is learnt."""
        if isinstance(self.learner, OwnUpdates):
            output = self.learner.learn(inputs, labels).to(inputs.dtype)
            return output, self.task.loss(output, inputs, labels)
        with self.lowered_products():
            output = self.model(inputs)
        output = output.to(inputs.dtype)
        loss = self.task.loss(output, inputs, labels)
        if self.teacher is not None:
            with self.lowered_products():
                wanted = self.teacher.outputs(inputs)
            loss = self.teacher.blended(loss, output, wanted)
        loss.backward()
        self.learner.step()
        self.learner.zero_grad()
        return output, loss

    def _set_rates(self, batch: int) -> None:
        """Set the rates of a step; those that are constant within an epoch at its first one."""
        settings, batches, groups = self.recipe.optimizer, self.batches, self.learner.param_groups
        schedules = [SCHEDULES[name] for name in (settings.schedule, settings.latent_schedule or settings.schedule)]
        if batch and not any(schedule.every_step for schedule in schedules):
            return
        factors = []
        for schedule in schedules:
            if schedule.every_step:
                place = self.epoch * batches + batch, self.recipe.epochs * batches
            else:
                place = self.epoch, self.recipe.epochs
            factors.append(schedule.factor(*place, settings))
        set_rates(groups, *factors, latent=self.recipe.learning_rule.on_devices)

    def _take_average(self, average: WeightAverage, order: Tensor) -> None:
        """Let the average take the place of the weights, and program the devices to it."""
        if not average.contributions:
            return
        average.put_in()
        if isinstance(self.learner, Learner):
            self.learner.update_devices()
        size = self.recipe.batch_size
        used = order[: min(self.batches, AVERAGED_OVER) * size]
        with self.lowered_products():
            average.measure_statistics(self.inputs.index_select(0, index) for index in used.split(size))

    @contextlib.contextmanager
    def lowered_products(self) -> Iterator[None]:
        """Products at the precision of the recipe."""
        with lowered_products(self.recipe.autocast, self.inputs.device):
            yield

    def train_score(self) -> float:
        """The score on training samples."""
        reads = self.evaluation_stream("of the training samples")
        with drawing_from(self.model, reads), self.lowered_products():
            return self.task.train_score(self.model)

    def figures(self) -> dict[str, float]:
        """Further figures of the held-out samples, by name."""
        with drawing_from(self.model, self.evaluation_stream("of further figures")), self.lowered_products():
            found = self.task.figures(self.model)
            if self.recipe.dataset.mirrored_test:
                mirrored = Mirrored(self.model, self.dataset.image_shape[-1])
                found["accuracy_with_mirror_images"] = self.task.held_out_score(mirrored)
            return found

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or early stopping has ended the training."""
        return self.epoch >= self.recipe.epochs or (self.stopping is not None and self.stopping.ended)

    def held_out_scores(self) -> list[float]:
        """Score of each of the recipe's evaluations, each with a random stream of its own."""
        found = []
        for number in range(self.recipe.evaluation.repeats):
            with drawing_from(self.model, self.evaluation_stream(number)):
                found.append(self.held_out_score())
        return found

    def member_outputs(self) -> tuple[Tensor, str]:
        """Outputs of the members that the recipe asks for on the held-out samples, and what the members are.

        Pass n draws what evaluation n of the run draws, and chip n is the run's.
        """
        how, seed, where = self.recipe.evaluation, self.recipe.seed, self.noise.device
        with self.lowered_products():
            outputs, what = member_outputs(
                self.model,
                self.task.test_inputs,
                how.uncertainty,
                over=how.uncertainty_over,
                streams=lambda name: stream(seed, name, where),
                max_attempts=self.recipe.transfer.max_attempts,
            )
        return self.task.logits(outputs.float()), what

    def evaluation_stream(self, name: object) -> torch.Generator:
        """Random stream of one evaluation of a network that is read stochastically."""
        return stream(self.recipe.seed, f"evaluation {name}", self.noise.device)

    def held_out_score(self, model: nn.Module | None = None) -> float:
        """The score on the test set, or on the validation samples where the recipe sets some aside.

        Raises:
            InputError: The value is impossible, such as an accuracy that is no fraction.
        """
        with self.lowered_products():
            value = self.task.held_out_score(self.model if model is None else model)
        return self.task.score.checked(value, self.dataset.task)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes during training; for :func:`~.checkpoint.save_checkpoint`."""
        stopping = {} if self.stopping is None else {"stopping": self.stopping.state_dict()}
        state = {
            **stopping,
            "epoch": self.epoch,
            "model": dict(self.model.state_dict()),
            "learner": self.learner.state_dict(),
            "order": self.order.get_state(),
            "noise": self.noise.get_state(),
            "histogram_before": self.histogram_before,
            **({} if self.start_score is None else {"start_score": self.start_score}),
        }
        if self.augmenter is not None:
            state["augmentation"] = self.augmentation.get_state()
        if self.average is not None:
            state["average"] = self.average.state_dict()
        if self.teacher is not None:
            state["teacher"] = self.teacher.generator.get_state()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Raises:
            InputError: The state is of another network.
        """
        try:
            load_model(self.model, state["model"])
            self.learner.load_state_dict(state["learner"])
            self.order.set_state(state["order"])
            self.noise.set_state(state["noise"])
            if self.augmenter is not None:
                self.augmentation.set_state(state["augmentation"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            if self.teacher is not None:
                self.teacher.generator.set_state(state["teacher"])
            if self.stopping is not None:
                self.stopping.load_state_dict(state["stopping"])
            before, epoch = state["histogram_before"], int(state["epoch"])
            if not 0 <= epoch <= self.recipe.epochs:
                raise ValueError(f"epoch {epoch} of {self.recipe.epochs}")
            if self.histogram_before is not None and before.shape != self.histogram_before.shape:
                raise ValueError("its histogram has another shape")
            self.histogram_before, self.epoch = before, epoch
            self.start_score = state.get("start_score")
        except (KeyError, RuntimeError, ValueError) as error:
            line = str(error).splitlines()[0]
            raise InputError(f"the checkpoint does not fit this recipe ({line})") from None
