"""One layer of spiking neurons whose synapses learn by spike timing, on one or several chips at once."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.learning.layers.drawing import DrawingModule
from barkhausen.learning.stdp.presentation import Presentation
from barkhausen.learning.stdp.wall_steps import Walls, WallSteps
from barkhausen.learning.stdp.window import Window

START_SPREAD = 0.05
"""Standard deviation of the strengths before learning, about the middle of the track."""


class PlasticNetwork(DrawingModule):
    """A layer of neurons, one for each class, that all inputs reach through plastic synapses.

    **Response.** A sample is presented for all time steps of the encoder. The class of the neuron with the most spikes
    is the answer. An output of the network is the number of spikes times ``confidence``; that of several chips is the
    logarithm of their mean probability.

    **Learning.** Where the neuron of the sample's class does not lead by ``lead`` spikes, the same input spikes come
    once more under a teacher: currents hold all neurons silent but for one spike each. The neuron of the class is
    driven to spike at the end, so that every input spiked before it: potentiation A₊ exp(−Δt/τ) by the last spike of
    the input. The others are driven to spike at the start, so that every input spikes after them: depression A₋
    exp(−Δt/τ) by its first spike. Each change is one pulse on a wall (:class:`.WallSteps`), and samples come one after
    the other.

    Args:
        features, classes: Numbers of inputs and of neurons.
        presentation: Encoder, neurons and connections.
        window: Window of the plasticity.
        steps: Distribution of the steps of walls.
        chips: Chips that learn at once, each with walls, start and input spikes of its own.
        lead: Lead in spikes at which no teacher is needed; infinite for a teacher at every sample.
        confidence: Logit of a spike.
        noisy_learning: Whether steps of learning are drawn, and walls differ; otherwise each is the mean step.
        noisy_inference: Whether every pass has strengths that were written anew without verification.
        offset, scale: What is taken off the inputs, and what they are then divided by.
        generator: Random stream of walls and start.
    """

    strength: Tensor
    pulses: Tensor
    taught: Tensor

    def __init__(
        self,
        features: int,
        classes: int,
        presentation: Presentation,
        window: Window,
        steps: WallSteps,
        *,
        chips: int = 1,
        lead: float = 1.0,
        confidence: float = 1.0,
        noisy_learning: bool = True,
        noisy_inference: bool = False,
        offset: float = 0.0,
        scale: float = 1.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder, self.cell = presentation.encoder, presentation.cell
        self.presentation, self.window, self.steps = presentation, window, steps
        self.lead, self.confidence, self.offset, self.scale = lead, confidence, offset, scale
        self.noisy_learning, self.noisy_inference = noisy_learning, noisy_inference
        shape, where = (chips, classes, features), generator.device
        start = 0.5 + START_SPREAD * torch.randn(shape, generator=generator, device=where)
        self.learning_steps = steps if noisy_learning else steps.without_noise()
        drawn = self.learning_steps.draw(shape, generator)
        for name in ("up", "down", "low", "high"):
            self.register_buffer(f"wall_{name}", getattr(drawn, name))
        self.register_buffer("strength", torch.minimum(torch.maximum(start, drawn.low), drawn.high))
        # Sums of the changes that pulses up and down were meant for, over all chips, and of samples under the teacher.
        self.register_buffer("pulses", torch.zeros(2, dtype=torch.float64, device=where))
        self.register_buffer("taught", torch.zeros((), dtype=torch.float64, device=where))
        self.output = nn.Linear(features, classes, bias=False, device=where)
        self._show()

    @property
    def replicas(self) -> int:
        """Number of chips."""
        return len(self.strength)

    @property
    def walls(self) -> Walls:
        """Walls of all synapses."""
        return Walls(*(self.get_buffer(f"wall_{name}") for name in ("up", "down", "low", "high")))

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class"]:
        """Logarithm of the mean probability over chips; of a single chip its outputs."""
        return mean_output(self.outputs_of_replicas(x))

    @torch.no_grad()
    def outputs_of_replicas(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "chip sample class"]:
        """Outputs of each chip in one pass."""
        generator = self._generator()
        strength = self.strength
        if self.noisy_inference:
            spread = self.steps.written_spread(strength, self.window.potentiation)
            noise = torch.randn(strength.shape, generator=generator, device=strength.device)
            strength = (strength + spread * noise).clamp(0.0, 1.0)
        return self.confidence * self.presentation(self._rates(x), strength, generator).counts

    @torch.no_grad()
    def learn(
        self, x: Float[Tensor, "sample feature"], labels: Int[Tensor, " sample"], generator: torch.Generator
    ) -> Float[Tensor, "sample class"]:
        """Present samples one after the other, with the teacher where it is needed; the outputs before each was learnt.

        Args:
            x: Samples.
            labels: Their classes.
            generator: Random stream of input spikes and steps.
        """
        rates, found = self._rates(x), []
        classes = torch.eye(self.output.out_features, dtype=torch.bool, device=x.device)[labels]
        for sample in range(len(x)):
            response = self.presentation(rates[sample : sample + 1], self.strength, generator)
            counts = response.counts[:, 0]
            mine = classes[sample]
            rival = counts.masked_fill(mine, -1.0).amax(dim=1)
            needed = counts[:, mine][:, 0] - rival < self.lead
            self._teach(response.first[:, 0], response.last[:, 0], mine, needed, generator)
            found.append(counts)
        self._show()
        return mean_output(self.confidence * torch.stack(found, dim=1))

    def _teach(self, first: Tensor, last: Tensor, mine: Tensor, needed: Tensor, generator: torch.Generator) -> None:
        """One pulse on each wall of the chips that need the teacher."""
        duration, step = self.encoder.steps, self.encoder.step
        before = torch.where(last >= 0, duration - last, -1)  # the teacher's last spike comes after the last step
        after = torch.where(first >= 0, first + 1, -1)  # and its first one before the first step
        up = self.window.size(before, step, rises=True)
        down = self.window.size(after, step, rises=False)
        meant = torch.where(mine[:, None], up[:, None], -down[:, None]) * needed[:, None, None]
        noise = generator if self.noisy_learning else None
        self.strength.copy_(self.learning_steps.moved(self.strength, meant, self.walls, noise))
        self.pulses += torch.stack([meant.clamp(min=0).sum(), (-meant).clamp(min=0).sum()])
        self.taught += needed.sum()

    def _rates(self, x: Tensor) -> Tensor:
        return ((x - self.offset) / self.scale).clamp(0.0, 1.0)

    def _generator(self) -> torch.Generator:
        if self.generator is None:
            seed = int(torch.randint(2**62, (1,)))
            return torch.Generator(self.strength.device).manual_seed(seed)
        return self.generator

    def _show(self) -> None:
        """Keep the mean strength of all chips where networks keep their weights."""
        with torch.no_grad():
            self.output.weight.copy_(self.strength.mean(dim=0))

    def extra_repr(self) -> str:
        """Number of chips and settings."""
        return f"chips={self.replicas}, lead={self.lead:g}, confidence={self.confidence:g}"


def mean_output(outputs: Float[Tensor, "chip sample class"]) -> Float[Tensor, "sample class"]:
    """Logarithm of the mean probability over chips; of a single chip its outputs."""
    if len(outputs) == 1:
        return outputs[0]
    mean: Tensor = outputs.log_softmax(dim=2).logsumexp(dim=0) - torch.tensor(float(len(outputs))).log()
    return mean
