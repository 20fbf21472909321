"""Conversion of torch models: what is swapped, what is left, what is refused, and that copies and files hold it all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, gaussian_device, write_device
from barkhausen.learning import (
    InSitu,
    SynapseConv1d,
    SynapseConv2d,
    SynapseLayer,
    SynapseLinear,
    convert,
    synapse_layers,
)
from barkhausen.synapse import Faults, Phase

FIVE, THREE = gaussian_device(5), gaussian_device(3)
SURE = gaussian_device(5, 0.0)
"""Whose weights are its levels to the last digit but one."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uneven_device() -> CharacterisedDevice:
    positions = torch.tensor([0.1, 0.2, 0.6, 0.9]).view(4, 1, 1) * 512e-9
    noise = torch.randn((4, 12, 8), generator=seeded(1)) * 8e-9
    return domain_wall_device(
        (positions + noise).clamp(0, 512e-9).double().numpy(), DeviceParameters(), source="measured"
    )


class Block(nn.Module):
    """A residual block with a layer that stands in two places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.norm(self.first(x))))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"stem": nn.Conv2d(1, 4, 3), "body": nn.Sequential(Block(4), Block(4))})
        self.embedding = nn.Embedding(7, 4)
        self.decoder = nn.ModuleList([nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 3)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder["body"](self.encoder["stem"](x)).mean((2, 3)) + self.embedding(torch.tensor(2))
        for layer in self.decoder:
            x = layer(x)
        return x


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8, 6, bias=False), nn.Linear(6, 3)
    )


def batch(seed: int = 0, size: int = 16) -> tuple[Tensor, Tensor]:
    x = torch.randn((size, 1, 10), generator=seeded(seed))
    return x, x[:, 0, :3].argmax(dim=1)


def train(model: nn.Module, learner: InSitu, steps: int, seed: int = 0) -> None:
    for step in range(steps):
        x, y = batch(1000 * seed + step)
        F.cross_entropy(model(x), y).backward()
        learner.step()
        learner.zero_grad()


SYNAPSES = (
    "weight", "state", "centres", "counters.outcomes", "device_index", "device_hash", "margin", "max_attempts",
    "levels", "sigmas",
)  # fmt: skip


def test_keys_of_the_state_dict_can_be_foretold() -> None:
    model = small()
    converted = convert(model, FIVE, 0.3, generator=seeded())
    swapped = {"0", "4", "5"}
    expected = {key for key in model.state_dict() if key not in {f"{name}.weight" for name in swapped}}
    expected |= {f"{name}.{key}" for name in swapped for key in ("latent_weight", "scale")}
    expected |= {f"{name}.synapses.{key}" for name in swapped for key in SYNAPSES}
    assert set(converted.state_dict()) == expected
    with_more = convert(model, FIVE, 0.3, faults=Faults(stuck=0.1), count_writes=True, generator=seeded())
    more = {f"{name}.synapses.{key}" for name in swapped for key in ("stuck", "writes")}
    assert set(with_more.state_dict()) == expected | more
    assert list(dict(converted.named_parameters())) == [
        "0.latent_weight", "0.bias", "1.weight", "1.bias", "4.latent_weight", "5.latent_weight", "5.bias",
    ]  # fmt: skip


def test_device_numbers_are_written_as_two_bytes_a_synapse() -> None:
    index = convert(nn.Linear(100, 60), FIVE, 0.3, generator=seeded()).state_dict()["synapses.device_index"]
    assert index.dtype == torch.int16
    assert index.shape == (60, 100)
    assert int(index.min()) >= 0
    # Of 4096 devices 6000 synapses hit 1 − exp(−6000/4096), 77 %.
    assert 3000 < len(index.unique()) <= 4096


def test_what_is_not_swapped_stays_as_it_is() -> None:
    model = Autoencoder()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    model(torch.randn(3, 1, 8, 8))
    before = copy.deepcopy(model.state_dict())
    converted = convert(model, FIVE, 0.3, generator=seeded())
    after = converted.state_dict()
    kinds = {name: type(layer) for name, layer in synapse_layers(converted)}
    assert kinds == {
        "encoder.stem": SynapseConv2d,
        "encoder.body.0.first": SynapseConv2d,
        "encoder.body.0.second": SynapseConv2d,
        "encoder.body.1.first": SynapseConv2d,
        "encoder.body.1.second": SynapseConv2d,
        "decoder.0": SynapseLinear,
        "decoder.2": SynapseLinear,
    }
    for key, tensor in before.items():
        if key.rsplit(".", 1)[0] in kinds and key.endswith(".weight"):
            assert key not in after
        else:
            assert torch.equal(after[key], tensor), key
    # The original is left alone, shares nothing, and both compute.
    assert all(torch.equal(model.state_dict()[key], before[key]) for key in before)
    held = {p.data_ptr() for p in model.state_dict().values()}
    assert not held & {p.data_ptr() for p in after.values() if p.numel() > 1}
    assert converted(torch.randn(3, 1, 8, 8)).shape == (3, 3)
    assert not any(isinstance(module, SynapseLayer) for module in model.modules())


def test_in_place_the_very_biases_and_modules_stay() -> None:
    model = small()
    bias, norm = model[5].bias, model[1]
    assert convert(model, FIVE, 0.3, inplace=True, generator=seeded()) is model
    assert model[5].bias is bias
    assert model[1] is norm
    assert isinstance(model[5], SynapseLinear)


def test_a_refused_conversion_changes_nothing_even_in_place() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.RNN(3, 3))
    with pytest.raises(InputError):
        convert(model, FIVE, 0.3, inplace=True)
    assert type(model[0]) is nn.Linear


@pytest.mark.parametrize("inplace", [False, True])
def test_a_module_in_two_places_is_swapped_once_for_one(inplace: bool) -> None:
    layer, other = nn.Linear(4, 4), nn.Linear(4, 4)

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.deep = nn.Sequential(nn.ReLU(), nn.Sequential(layer))
            self.again = layer
            self.pair = nn.Sequential(other, nn.ReLU(), other)

        def forward(self, x: Tensor) -> Tensor:
            return self.pair(self.again(self.deep(x)))

    model = convert(Shared(), FIVE, 0.3, inplace=inplace, generator=seeded())
    assert not any(type(module) is nn.Linear for module in model.modules())
    assert model.again is model.deep[1][0]
    assert model.pair[0] is model.pair[2]
    assert [name for name, _ in synapse_layers(model)] == ["deep.1.0", "pair.0"]
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded())
    model(torch.ones(2, 4)).sum().backward()
    learner.step()
    twin = copy.deepcopy(model)
    assert twin.pair[0] is twin.pair[2]
    assert torch.equal(twin(torch.ones(2, 4)), model(torch.ones(2, 4)))


def tied() -> nn.Module:
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    model[1].weight = model[0].weight
    return model


def twins() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    return model


@pytest.mark.parametrize("make", [tied, twins])
def test_weights_shared_between_layers_are_refused(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(InputError, match="0 and 1 share one weight"):
        convert(make(), FIVE, 0.3)


def test_shared_weights_that_stay_float_are_no_matter() -> None:
    model = nn.Sequential(tied(), nn.Linear(5, 2))
    converted = convert(model, FIVE, 0.3, keep_float=["0"], generator=seeded())
    assert [name for name, _ in synapse_layers(converted)] == ["1"]
    assert converted[0][0].weight is converted[0][1].weight


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (["encoder.stem"], {"encoder.stem"}),
        (["first"], {"encoder.stem"}),
        (["last"], {"decoder.2"}),
        (["first", "last"], {"encoder.stem", "decoder.2"}),
        (["encoder"], {"encoder.stem", *(f"encoder.body.{n}.{k}" for n in (0, 1) for k in ("first", "second"))}),
        (["*.second"], {"encoder.body.0.second", "encoder.body.1.second"}),
        (["encoder.body.?", "last"], {f"encoder.body.{n}.{k}" for n in (0, 1) for k in ("first", "second")}
         | {"decoder.2"}),
        # The first of what would be swapped, not of the model.
        (["encoder.stem", "first"], {"encoder.stem", "encoder.body.0.first"}),
    ],
    ids=lambda value: str(sorted(value)),
)  # fmt: skip
def test_layers_can_be_kept_float(keep: list[str], left: set[str]) -> None:
    model = convert(Autoencoder(), FIVE, 0.3, keep_float=keep, generator=seeded())
    plain = {name for name, module in model.named_modules() if type(module) in (nn.Linear, nn.Conv2d)}
    assert plain == left
    assert len(list(synapse_layers(model))) == 7 - len(left)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"keep_float": ["encodr"]}, r"keep_float: 'encodr' matches no module.*encoder"),
        ({"keep_float": "first"}, "must be a list"),
        ({"keep_float": ["*"]}, "nothing to convert: .*besides those kept float"),
        ({"overrides": {"decodr.*": {}}}, r"overrides: 'decodr\.\*' matches none"),
        ({"overrides": {"encoder.body": {}}}, "matches none"),
        ({"overrides": [{"margin": 0.1}]}, r"overrides = \[.*must be a dictionary"),
        ({"overrides": {0: {"margin": 0.1}}}, r"overrides = \{0: .*must be a dictionary"),
        ({"overrides": {"*": {"margn": 0.1}}}, r"overrides\['\*'\]: 'margn' is no setting.*margin"),
        ({"overrides": {"*": {"margin": -0.1}}}, r"overrides\['\*'\]: margin = -0.1"),
        ({"overrides": {"*": {"device": "racetrack-99"}}}, r"device = 'racetrack-99'"),
        ({"overrides": {"*": {"max_attempts": 0}}}, "max_attempts = 0"),
        ({"overrides": {"*": {"start": "cold"}}}, "start = 'cold'"),
        ({"margin": float("nan")}, "convert: margin = nan"),
        ({"margin": "0.3"}, "margin = '0.3'"),
        ({"max_attempts": 1.5}, "max_attempts = 1.5"),
        ({"max_attempts": True}, "max_attempts = True"),
        ({"faults": 0.1}, "faults = 0.1"),
        ({"faults": Faults(stuck=0.1, stuck_at=7)}, "stuck_at = 7"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_one_line(how: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        convert(Autoencoder(), FIVE, **{"margin": 0.3, **how})
    assert "\n" not in str(caught.value)


def test_overrides_and_the_last_that_matches_counts() -> None:
    model = convert(
        Autoencoder(),
        FIVE,
        0.3,
        overrides={
            "encoder.*": {"device": THREE, "margin": 0.6},
            "*.second": {"max_attempts": 4},
            "decoder.2": {"margin": 0, "count_writes": True, "faults": Faults(stuck=0.5)},
        },
        generator=seeded(),
    )
    kinds = {name: layer.synapses.kind for name, layer in synapse_layers(model)}
    got = {name: (kind.device.states, kind.margin, kind.max_attempts) for name, kind in kinds.items()}
    assert got == {
        "encoder.stem": (3, 0.6, 1),
        "encoder.body.0.first": (3, 0.6, 1),
        # An override starts from the common settings, not from an earlier override.
        "encoder.body.0.second": (5, 0.3, 4),
        "encoder.body.1.first": (3, 0.6, 1),
        "encoder.body.1.second": (5, 0.3, 4),
        "decoder.0": (5, 0.3, 1),
        "decoder.2": (5, 0, 1),
    }
    assert [name for name, kind in kinds.items() if kind.count_writes] == ["decoder.2"]
    assert [name for name, kind in kinds.items() if kind.faults.stuck] == ["decoder.2"]
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.05), model, seeded(1))
    assert len(learner.groups) == 4
    for _ in range(3):
        model(torch.randn((8, 1, 8, 8), generator=seeded(2))).square().sum().backward()
        learner.step()
        learner.zero_grad()
    for name, layer in synapse_layers(model):
        assert int(layer.synapses.counters.events(Phase.TRAINING).sum()) > 0, name


class OwnLinear(nn.Linear):
    pass


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyLinear(3))


def parametrised() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)))


def spectral() -> nn.Module:
    return nn.Sequential(nn.utils.spectral_norm(nn.Conv1d(3, 3, 3)))


def hooked() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3))
    model[0].register_forward_hook(lambda *_: None)
    return model


def broken() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3))
    nn.init.constant_(model[0].weight, float("nan"))
    return model


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.RNN(3, 3)), r"1 \(RNN\).*keep_float = \['1'\]"),
        (lambda: nn.Sequential(nn.RNN(3, 3), nn.GRUCell(3, 3)), r"0 \(RNN\), 1 \(GRUCell\)"),
        (lambda: nn.Sequential(nn.ConvTranspose2d(3, 3, 3)), r"0 \(ConvTranspose2d\)"),
        (lambda: nn.Sequential(nn.Conv3d(3, 3, 3)), r"0 \(Conv3d\)"),
        (lambda: nn.Sequential(nn.Bilinear(3, 3, 3)), r"0 \(Bilinear\)"),
        (lambda: nn.TransformerEncoderLayer(4, 2), r"self_attn \(MultiheadAttention\). Supp"),
        (lambda: nn.Sequential(OwnLinear(3, 3)), r"0 \(OwnLinear\)"),
        (lambda: nn.RNN(3, 3), r"the model \(RNN\)"),
        (parametrised, r"0 \(ParametrizedLinear\): .*parametrisation"),
        (spectral, r"0 \(Conv1d\): .*spectral norm"),
        (hooked, r"0 \(Linear\): has hooks"),
        (lazy, r"0 \(LazyLinear\): has no size yet"),
        (lambda: nn.Sequential(nn.Linear(3, 3).half()), r"0 \(Linear\): its weights are torch.float16"),
        (lambda: nn.Sequential(nn.Linear(3, 3)).bfloat16(), "torch.bfloat16"),
        (lambda: nn.Sequential(nn.ReLU()), "nothing to convert: the model has no Linear"),
        (broken, "0: holds weights that are not finite"),
        (lambda: convert(small(), FIVE, 0.3), "synapse layers already"),
    ],
)
def test_layers_that_cannot_be_converted_are_named(make: Callable[[], nn.Module], word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        convert(make(), FIVE, 0.3)
    assert "\n" not in str(caught.value)


def test_unsupported_layers_can_stay_digital() -> None:
    model = nn.Sequential(nn.Linear(3, 3), OwnLinear(3, 3), parametrised()[0], lazy()[0])
    converted = convert(model, FIVE, 0.3, keep_float=["1", "2", "3"], generator=seeded())
    assert [name for name, _ in synapse_layers(converted)] == ["0"]
    layer = convert(nn.TransformerEncoderLayer(4, 2, batch_first=True), FIVE, 0.3, keep_float=["self_attn"])
    assert [name for name, _ in synapse_layers(layer)] == ["linear1", "linear2"]
    x = torch.randn((2, 5, 4), generator=seeded())
    # Torch's fast path of inference reads the weights of the layers itself, and finds those of the devices.
    layer.eval()
    with torch.no_grad():
        quick = layer(x)
    torch.testing.assert_close(quick, layer(x), rtol=1e-4, atol=1e-5)


def test_mode_is_kept() -> None:
    model = small().eval()
    model[4].train()
    converted = convert(model, FIVE, 0.3, generator=seeded())
    assert [module.training for module in converted] == [False, False, False, False, True, False]
    assert not converted.training
    assert not converted[0].synapses.training


def test_frozen_weights_stay_frozen() -> None:
    model = small()
    model[0].weight.requires_grad_(False)
    model[5].bias.requires_grad_(False)
    converted = convert(model, FIVE, 0.3, generator=seeded())
    assert [name for name, p in converted.named_parameters() if not p.requires_grad] == ["0.latent_weight", "5.bias"]


def test_a_bare_layer_becomes_its_counterpart() -> None:
    plain = nn.Linear(4, 3)
    layer = convert(plain, SURE, 0.3, keep_float=[], overrides={"*": {"margin": 0.1}}, generator=seeded())
    assert isinstance(layer, SynapseLinear)
    assert layer.synapses.margin == 0.1
    assert torch.equal(layer.bias, plain.bias)
    conv = convert(nn.Conv1d(4, 8, 4, 2, 1, 2, 4, False, "circular"), SURE, 0.3, generator=seeded())
    assert isinstance(conv, SynapseConv1d)
    assert (conv.stride, conv.padding, conv.dilation, conv.groups) == ((2,), (1,), (2,), 4)
    assert conv.padding_mode == "circular"
    assert conv.bias is None


def test_device_by_name_and_by_file(tmp_path: Path) -> None:
    write_device(THREE, tmp_path / "mine.nc")
    for device in ("racetrack-3", str(tmp_path / "mine.nc")):
        assert convert(nn.Linear(3, 3), device, 0.3).synapses.states == 3


def least_error(values: Tensor, levels: Tensor, scales: Tensor) -> float:
    """The least mean squared error of a quantisation to ``scale · levels``, over some scales."""
    return min(float((values[:, None] - s * levels).abs().amin(1).square().mean()) for s in scales)


@pytest.mark.parametrize("make", [lambda: FIVE, uneven_device])
def test_start_from_weights_is_as_near_as_a_plain_quantisation(make: Callable[[], CharacterisedDevice]) -> None:
    device = make()
    plain = nn.Linear(60, 50)
    with torch.no_grad():
        plain.weight.normal_(generator=seeded(1)).mul_(0.2)
    layer = convert(plain, device, 0.3, generator=seeded())
    levels = device.distribution().levels
    weight = plain.weight.detach()
    ideal = levels[layer.synapses.state.long()] * layer.scale
    scales = torch.linspace(0.001, 1, 1000) * float(weight.abs().max())
    best = least_error(weight.view(-1), levels, scales)
    # 64 scales instead of 1000, and thresholds rounded to a table: a few per cent of the error at most.
    assert float((ideal - weight).square().mean()) < 1.05 * best
    # The latent weight is the weight itself wherever that is within the range.
    latent_weight = layer.latent_weight.detach() * layer.scale
    inside = weight.abs() <= float(layer.scale)
    assert float(inside.float().mean()) > 0.75
    torch.testing.assert_close(latent_weight[inside], weight[inside])
    torch.testing.assert_close(latent_weight[~inside], layer.scale * weight[~inside].sign())


def test_a_few_large_weights_do_not_coarsen_the_rest() -> None:
    plain = nn.Linear(100, 100)
    with torch.no_grad():
        plain.weight.uniform_(-1, 1, generator=seeded(1))
        plain.weight[0, 0] = 3.0
    assert float(convert(plain, FIVE, 0.3).scale) < 1.2


def test_weights_of_zero_and_of_very_small_size() -> None:
    plain = nn.Linear(4, 4)
    nn.init.zeros_(plain.weight)
    layer = convert(plain, SURE, 0.3, generator=seeded())
    assert not layer.latent_weight.any()
    assert float(layer.weight.detach().abs().max()) < 1e-6
    with torch.no_grad():
        plain.weight.uniform_(-1e-20, 1e-20, generator=seeded())
    tiny = convert(plain, SURE, 0.3, generator=seeded())
    assert 0 < float(tiny.scale) <= 1e-20
    assert (
        float(torch.corrcoef(torch.stack([tiny.weight.detach().view(-1), plain.weight.detach().view(-1)]))[0, 1]) > 0.9
    )


def test_a_trained_model_stays_one() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(150):
        x, y = batch(step, 64)
        F.cross_entropy(model(x[:, 0]), y).backward()
        optimizer.step()
        optimizer.zero_grad()
    x, y = batch(9999, 4000)

    def accuracy(network: nn.Module) -> float:
        with torch.no_grad():
            return float((network(x[:, 0]).argmax(1) == y).float().mean())

    assert accuracy(model) > 0.9
    taken = convert(model, gaussian_device(9, 0.05), 0.1, generator=seeded())
    fresh = convert(model, gaussian_device(9, 0.05), 0.1, start="fresh", generator=seeded())
    assert accuracy(taken) > accuracy(model) - 0.06
    assert accuracy(fresh) < 0.7
    # Quantised to nine levels the layer is as good as with any scale of nine levels: corr. of outputs close to 1.
    outputs = torch.stack([network(x[:, 0]).detach().view(-1) for network in (model, taken)])
    assert float(torch.corrcoef(outputs)[0, 1]) > 0.97


def test_fresh_start_is_that_of_a_new_layer() -> None:
    plain = nn.Linear(50, 40)
    layer = convert(plain, FIVE, 0.3, start="fresh", generator=seeded(3))
    new = SynapseLinear(50, 40, FIVE, margin=0.3, generator=seeded(3))
    assert torch.equal(layer.latent_weight, new.latent_weight)
    assert torch.equal(layer.synapses.weight, new.synapses.weight)
    assert float(layer.scale) == pytest.approx(1.5 / 50**0.5)
    assert torch.equal(layer.bias, plain.bias)


def test_same_seed_same_devices() -> None:
    first, again, other = (
        convert(small(), FIVE, 0.3, faults=Faults(stuck=0.2), generator=seeded(seed)).state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["0.synapses.centres"], other["0.synapses.centres"])
    assert not torch.equal(first["4.synapses.weight"], other["4.synapses.weight"])


def test_double_precision_and_channels_last() -> None:
    x = torch.randn((2, 3, 8, 8), generator=seeded())
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten(), nn.Linear(64, 3))
    usual = convert(plain, uneven_device(), 0.3, generator=seeded())
    last = convert(copy.deepcopy(plain).to(memory_format=torch.channels_last), uneven_device(), 0.3, generator=seeded())
    torch.testing.assert_close(last(x), usual(x))
    # What InSitu and program() do with the tensors must not depend on how the user keeps images.
    last.to(memory_format=torch.channels_last)
    aside = copy.deepcopy(last)
    for _, layer in synapse_layers(aside):
        layer.program_all(seeded(2), phase=Phase.TRAINING)
        layer.synapses.renew(seeded(3))
    for model in (usual, last):
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, seeded(1))
        for step in range(3):
            model(x).square().sum().backward()
            learner.step()
            learner.zero_grad()
            if step == 1 and model is last:
                model.to(memory_format=torch.channels_last)
        for _, layer in synapse_layers(model):
            layer.program_all(seeded(2), phase=Phase.TRAINING)
    for key, tensor in usual.state_dict().items():
        torch.testing.assert_close(last.state_dict()[key], tensor, msg=key)
    double = convert(plain.double(), FIVE, 0.3, generator=seeded())
    assert {t.dtype for n, t in double.state_dict().items() if t.is_floating_point()} == {torch.float64}
    assert double(x.double()).dtype == torch.float64


BANKED = pytest.mark.parametrize("banked", [False, True], ids=["arrays", "bank"])


def converted(banked: bool) -> tuple[nn.Module, InSitu | None, torch.Generator]:
    model = convert(small(), FIVE, 0.3, max_attempts=2, count_writes=True, faults=Faults(stuck=0.1,
    annihilated_walls=0.05),
                    generator=seeded(5))  # fmt: skip
    noise = seeded(6)
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.02), model, noise) if banked else None
    if learner is not None:
        train(model, learner, 5)
    return model, learner, noise


def same(a: nn.Module, b: nn.Module) -> None:
    assert set(a.state_dict()) == set(b.state_dict())
    for key, tensor in a.state_dict().items():
        assert torch.equal(tensor, b.state_dict()[key]), key
        assert tensor.dtype == b.state_dict()[key].dtype, key


@BANKED
def test_training_a_copy_leaves_the_original(banked: bool) -> None:
    model, learner, _ = converted(banked)
    twin = copy.deepcopy(model)
    same(model, twin)
    before = copy.deepcopy(model.state_dict())
    train(twin, InSitu(torch.optim.Adam(twin.parameters(), lr=0.1), twin, seeded(7)), 5)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[key]), key
    moved = ("0.latent_weight", "4.synapses.weight", "4.synapses.counters.outcomes", "4.synapses.writes", "5.bias")
    assert not any(torch.equal(twin.state_dict()[key], before[key]) for key in moved)
    if learner is not None:
        # Nor does the copy leave the learner of the original behind.
        trained = copy.deepcopy(twin.state_dict())
        train(model, learner, 2)
        assert all(torch.equal(twin.state_dict()[key], trained[key]) for key in trained)
        assert not torch.equal(model.state_dict()["4.synapses.weight"], before["4.synapses.weight"])


@BANKED
@pytest.mark.parametrize("kind", ["torch", "safetensors"])
def test_files_hold_it_all(banked: bool, kind: str, tmp_path: Path) -> None:
    model, _, _ = converted(banked)
    path = tmp_path / "model"
    if kind == "torch":
        torch.save(model.state_dict(), path)
        loaded = torch.load(path, weights_only=True)
    else:
        save_file(model.state_dict(), path)
        loaded = load_file(path)
    other, other_learner, _ = converted(not banked)
    other.load_state_dict(loaded)
    same(model, other)
    assert torch.equal(model.eval()(batch()[0]), other.eval()(batch()[0]))
    if other_learner is not None:
        assert all(group.intact() for group in other_learner.groups)


def test_a_file_that_lacks_something_is_noticed() -> None:
    model, _, _ = converted(False)
    state = model.state_dict()
    del state["4.synapses.device_index"]
    with pytest.raises(RuntimeError, match=r"Missing.*4\.synapses\.device"):
        model.load_state_dict(state)
    state = model.state_dict()
    state["4.synapses.device_index"] = state["4.synapses.device_index"][:2]
    with pytest.raises(RuntimeError, match=r"size mismatch for 4\.synapses\.device"):
        model.load_state_dict(state)
    state = model.state_dict()
    state["4.synapses.more"] = torch.zeros(1)
    with pytest.raises(RuntimeError, match=r"Unexpected.*4\.synapses\.more"):
        model.load_state_dict(state)


def test_saved_banks_are_no_larger_than_their_parts(tmp_path: Path) -> None:
    sizes = []
    for banked in (False, True):
        model, _, _ = converted(banked)
        torch.save(model.state_dict(), tmp_path / "x")
        sizes.append((tmp_path / "x").stat().st_size)
    assert sizes[1] < 1.05 * sizes[0]


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.SGD])
def test_training_goes_on_to_the_bit_in_a_model_with_a_live_learner(
    optimizer: type[torch.optim.Optimizer], tmp_path: Path
) -> None:
    more: dict[str, Any] = {"momentum": 0.9} if optimizer is torch.optim.SGD else {}

    def start(seed: int) -> tuple[nn.Module, InSitu, torch.Generator]:
        model = convert(small(), FIVE, 0.3, max_attempts=2, faults=Faults(stuck=0.1), count_writes=True,
                        generator=seeded(seed))  # fmt: skip
        noise = seeded(seed + 1)
        how = optimizer(model.parameters(), lr=0.02, **more)
        return model, InSitu(how, model, noise, margin_schedule=lambda step: 1 - 0.02 * step), noise

    model, learner, noise = start(5)
    train(model, learner, 8, seed=1)
    torch.save((model.state_dict(), learner.state_dict(), noise.get_state()), tmp_path / "saved")
    train(model, learner, 8, seed=2)
    # A learner that has trained something else before, whose bank is full of other devices.
    other, other_learner, other_noise = start(50)
    train(other, other_learner, 3, seed=3)
    loaded = torch.load(tmp_path / "saved", weights_only=True)
    other.load_state_dict(loaded[0])
    other_learner.load_state_dict(loaded[1])
    other_noise.set_state(loaded[2])
    assert other_learner.steps == 8
    train(other, other_learner, 8, seed=2)
    same(model, other)


def test_synapses_of_another_device_are_not_loaded() -> None:
    saved = convert(nn.Linear(20, 5), "racetrack-5", 0.3, generator=seeded()).state_dict()
    with pytest.raises(InputError, match=r"^synapses: saved with another device \(levels "):
        convert(nn.Linear(20, 5), "notched-5", 0.3, generator=seeded()).load_state_dict(saved)


@pytest.mark.parametrize("states", [2, 5, 16])
def test_synapses_of_a_noisier_device_with_the_same_levels_are_not_loaded(states: int) -> None:
    saved = convert(nn.Linear(20, 5), gaussian_device(states, 0.15), 0.3, generator=seeded()).state_dict()
    other = convert(nn.Linear(20, 5), gaussian_device(states, 0.2), 0.3, generator=seeded(1))
    before = copy.deepcopy(other.state_dict())
    with pytest.raises(InputError, match=r"saved with another device \(spread 0\.15, not 0\.2\)"):
        other.load_state_dict(copy.copy(saved))
    assert all(torch.equal(v, before[key]) for key, v in other.state_dict().items() if key.startswith("synapses."))
    same = convert(nn.Linear(20, 5), gaussian_device(states, 0.15), 0.3, generator=seeded(1))
    same.load_state_dict(copy.copy(saved))
    assert torch.equal(same.synapses.weight, saved["synapses.weight"])
    # States of earlier versions do not say how much their devices spread.
    for name in ("sigmas", "device_hash"):
        del saved[f"synapses.{name}"]
    same.load_state_dict(saved)


def test_presets_go_by_their_names() -> None:
    model = convert(nn.Linear(20, 5), "gaussian-7", 0.3, generator=seeded())
    assert isinstance(model, SynapseLinear)
    assert model.synapses.states == 7
    with pytest.raises(InputError, match=r"generator = 0: must be a torch\.Generator"):
        convert(nn.Linear(20, 5), "gaussian-7", 0.3, generator=0)  # type: ignore[arg-type]
