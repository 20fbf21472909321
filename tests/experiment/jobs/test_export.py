from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, DeviceParameters, TunnelJunction, domain_wall_device, gaussian_device
from barkhausen.device.conductance import ConductanceMap
from barkhausen.experiment.export import onnx_file
from barkhausen.experiment.export.formats import export_csv, export_npz, export_onnx, export_safetensors
from barkhausen.learning import QuantisedHardtanh, ShiftBatchNorm, convert, deployed, synapse_layers
from barkhausen.synapse import Faults

pytestmark = pytest.mark.usefixtures("one_thread")

LAYERS = ("convolution", "grouped", "line", "last")


class Network(nn.Module):
    """Every kind of layer, with and without a bias, and all that our own networks have between them."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 4, (3, 2), padding=1)
        self.norm = ShiftBatchNorm(4)
        self.activation = QuantisedHardtanh(8)
        self.grouped = nn.Conv2d(4, 6, 3, stride=2, groups=2, bias=False)
        self.line = nn.Conv1d(6, 3, 2, padding=1, padding_mode="circular")
        self.last = nn.Linear(15, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.activation(self.norm(self.convolution(x)))
        x = self.line(self.grouped(x).flatten(2))
        return self.last(x.flatten(1))


def network(device: CharacterisedDevice | None = None, **overrides: Any) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    model = Network()
    model(torch.randn(16, 2, 6, 5))  # statistics of the normalisation
    other: dict[str, dict[str, Any]] = {"last": {"device": gaussian_device(3, 0.3)}}
    return convert(model, device or gaussian_device(5), 0.4, overrides=other | overrides, generator=generator).eval()


@pytest.fixture(scope="module")
def model() -> nn.Module:
    # Every tenth device lost its wall: there the weights lie at the ends of the track.
    return network(line={"faults": Faults(annihilated_walls=0.1)})


def weights_of(model: nn.Module) -> dict[str, np.ndarray]:
    plain = deployed(model)
    return {name: plain.get_submodule(name).weight.detach().numpy() for name in LAYERS}


def test_npz_gives_the_weights_back_bit_for_bit(model: nn.Module, tmp_path: Path) -> None:
    export_npz(model, tmp_path / "net.npz", {"seed": 7})
    arrays = np.load(tmp_path / "net.npz")  # without pickle
    for name, weight in weights_of(model).items():
        conductance = arrays[f"{name}.conductance"]
        assert conductance.dtype == np.float64
        assert conductance.shape == (len(weight), weight[0].size)
        held = (conductance - arrays[f"{name}.reference_conductance"]) / arrays[f"{name}.conductance_unit"]
        assert (arrays[f"{name}.scale"] * held.astype(np.float32) == weight.reshape(len(weight), -1)).all()
        bias = model.get_submodule(name).bias
        assert (f"{name}.bias" in arrays) == (bias is not None)
        if bias is not None:
            assert (arrays[f"{name}.bias"] == bias.detach().numpy()).all()
    metadata = json.loads(str(arrays["metadata"]))
    assert (metadata["format_version"], metadata["about"]) == (2, {"seed": 7})
    five, three = (device["levels"] for device in metadata["devices"])
    assert five == pytest.approx([-1.0, -0.5, 0.0, 0.5, 1.0], abs=1e-6)
    assert three == pytest.approx([-1.0, 0.0, 1.0], abs=1e-6)
    assert [metadata["layers"][name]["device"] for name in LAYERS] == [0, 0, 0, 1]
    assert metadata["layers"]["grouped"]["groups"] == 2
    assert metadata["devices"][0]["source"] == "gaussian"
    assert any("outermost states rest at" in line for line in metadata["devices"][0]["assumed"])


def test_csv_holds_what_npz_holds(model: nn.Module, tmp_path: Path) -> None:
    export_npz(model, tmp_path / "net.npz")
    export_csv(model, tmp_path / "net")
    arrays, metadata = np.load(tmp_path / "net.npz"), json.loads((tmp_path / "net" / "metadata.json").read_text())
    for name in LAYERS:
        layer = metadata["layers"][name]
        for what in ("conductance", "bias"):
            if what == "bias" and name == "grouped":
                continue
            file = tmp_path / "net" / layer[f"{what}_file"]
            assert (np.loadtxt(file, delimiter=",") == arrays[f"{name}.{what}"]).all()
        for what in ("scale", "reference_conductance", "conductance_unit"):
            assert layer[what] == arrays[f"{name}.{what}"]
    assert len(list((tmp_path / "net").iterdir())) == 4 + 3 + 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_safetensors_hold_the_deployed_network_and_its_devices(model: nn.Module, tmp_path: Path) -> None:
    export_safetensors(model, tmp_path / "net.safetensors", {"chip": 3})
    with safe_open(tmp_path / "net.safetensors", framework="pt") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no dictionary
    plain = deployed(model)
    extras = {
        f"{name}.{what}"
        for name in LAYERS
        for what in ("latent_weight", "state", "device_weight", "scale", "conductance")
    }
    assert set(tensors) == set(plain.state_dict()) | extras
    Network().load_state_dict({key: value for key, value in tensors.items() if key not in extras})
    for key, value in plain.state_dict().items():
        assert torch.equal(tensors[key], value)
    for name, layer in synapse_layers(model):
        assert torch.equal(tensors[f"{name}.latent_weight"], layer.latent_weight)
        assert torch.equal(tensors[f"{name}.state"], layer.synapses.state)
        assert torch.equal(tensors[f"{name}.scale"] * tensors[f"{name}.device_weight"], tensors[f"{name}.weight"])
        info = json.loads(metadata["layers"])[name]
        held = (tensors[f"{name}.conductance"] - info["reference_conductance"]) / info["conductance_unit"]
        assert torch.equal(held.float(), tensors[f"{name}.device_weight"])
    assert metadata["format_version"] == "2"
    assert json.loads(metadata["about"]) == {"chip": 3}


def test_conductance_is_that_of_the_junction_over_the_wall() -> None:
    device, parameters = gaussian_device(5), DeviceParameters()
    map_, position = ConductanceMap.of(device), np.linspace(0.0, parameters.track.length, 9)
    expected = parameters.junction.conductance(position, parameters.track)
    assert map_.conductance(device.weight_of(position)) == pytest.approx(expected, rel=1e-14)
    assert map_.weight(expected) == pytest.approx(device.weight_of(position), abs=1e-14)
    # The outermost states of a textbook device rest at 0.2 and 0.8 of the track: the reference is the middle of both.
    area = parameters.track.area
    high, low = parameters.junction.parallel_conductance(area), parameters.junction.antiparallel_conductance(area)
    assert map_.reference == pytest.approx((low + high) / 2, rel=1e-14)
    assert map_.unit == pytest.approx(0.3 * (high - low), rel=1e-14)


def test_single_precision_weights_survive_the_conductances() -> None:
    generator = np.random.default_rng(0)
    for junction in (TunnelJunction(), TunnelJunction(tunnel_magnetoresistance=0.3)):
        map_ = ConductanceMap.of(gaussian_device(5, parameters=DeviceParameters(junction=junction)))
        size = 10.0 ** generator.uniform(-7, 0.2, 100_000)
        weight = (size * generator.choice([-1.0, 1.0], size.shape)).astype(np.float32)
        back = map_.weight(map_.conductance(weight))
        tolerance = 2e-16 * map_.high / map_.unit
        assert np.abs(back - weight).max() <= tolerance
        if junction.tunnel_magnetoresistance > 1:
            assert (back.astype(np.float32) == weight).all()


def test_annihilated_walls_read_as_one_domain(model: nn.Module) -> None:
    layer = model.get_submodule("line")
    low, high = layer.synapses.kind.weight_range
    map_ = ConductanceMap.of(layer.synapses.kind.device)
    weight = layer.synapses.weight.numpy()
    at_ends = np.isclose(weight, low) | np.isclose(weight, high)
    assert at_ends.any() and not at_ends.all()
    ends = map_.conductance(weight[at_ends])
    assert (np.isclose(ends, map_.low, rtol=1e-6) | np.isclose(ends, map_.high, rtol=1e-6)).all()


def test_measured_range_takes_the_place_of_the_junction() -> None:
    positions = np.linspace(0.0, 512e-9, 3)[:, None, None] + np.zeros((3, 2, 2))
    device = domain_wall_device(positions, DeviceParameters(), source="measured", conductance_range=(0.0, 4e-5))
    map_ = ConductanceMap.of(device)
    assert map_.conductance(np.array([-1.0, 0.0, 1.0])) == pytest.approx([0.0, 2e-5, 4e-5], rel=1e-14)
    assert (map_.conductance(np.nextafter(np.float32(-1), np.float32(-2), dtype=np.float32)) >= 0).all()


def test_kernels_are_unrolled_as_torch_unfolds_images(model: nn.Module, tmp_path: Path) -> None:
    export_npz(model, tmp_path / "net.npz")
    arrays = np.load(tmp_path / "net.npz")

    def matrix(name: str) -> torch.Tensor:
        held = (arrays[f"{name}.conductance"] - arrays[f"{name}.reference_conductance"]) / arrays[
            f"{name}.conductance_unit"
        ]
        return torch.from_numpy(arrays[f"{name}.scale"] * held).float()

    plain, x = deployed(model), torch.randn(3, 4, 6, 5)
    columns = F.unfold(x, 3, stride=2).view(3, 2, 18, -1)  # 2 groups of 2 channels · 9
    rows = matrix("grouped").view(2, 3, 18)
    ours = torch.einsum("goc,ngcp->ngop", rows, columns).reshape(3, 6, 2, 2)
    torch.testing.assert_close(ours, plain.grouped(x))


def without(device: CharacterisedDevice, name: str) -> CharacterisedDevice:
    return CharacterisedDevice(device.data.drop_vars(name))


@pytest.mark.parametrize("write", [export_npz, export_csv, export_safetensors])
def test_device_without_a_junction_is_one_line(write: Any, tmp_path: Path) -> None:
    odd = network(grouped={"device": without(gaussian_device(5), "conductance_high")})
    with pytest.raises(InputError, match=r"^grouped: the device file gives no conductances \(no variable"):
        write(odd, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_junction_that_does_not_depend_on_the_wall_is_one_line() -> None:
    data = gaussian_device(5).data
    flat = CharacterisedDevice(data.assign(conductance_high=data["conductance_low"]))
    with pytest.raises(InputError, match="must be rising"):
        ConductanceMap.of(flat)


@pytest.mark.parametrize("write", [export_npz, export_csv, export_safetensors])
def test_network_without_devices_and_path_that_cannot_be_are_one_line(
    write: Any, model: nn.Module, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no synapse layer"):
        write(Network(), tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write(model, tmp_path / "file" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_csv_overwrites_nothing_and_is_whole_or_not_there(
    model: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match=r"mine: exists; CSV needs a new or empty directory"):
        export_csv(model, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"
    write, seen = np.savetxt, []

    def full(path: Path, *arguments: Any, **settings: Any) -> None:
        seen.append(path)
        if len(seen) == 3:
            raise OSError(28, "No space left on device")
        write(path, *arguments, **settings)

    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left"):
        patch.setattr(np, "savetxt", full)
        export_csv(model, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "out").mkdir()
    export_csv(model, tmp_path / "out")
    assert (tmp_path / "out" / "metadata.json").exists()


def test_model_that_is_a_layer_itself_has_no_prefix(tmp_path: Path) -> None:
    layer = convert(nn.Linear(3, 2), gaussian_device(3), 0.4, generator=torch.Generator().manual_seed(0))
    export_npz(layer, tmp_path / "net.npz")
    export_safetensors(layer, tmp_path / "net.safetensors")
    export_csv(layer, tmp_path / "net")
    assert np.load(tmp_path / "net.npz")["conductance"].shape == (2, 3)
    assert (tmp_path / "net" / "conductance.csv").exists()


def test_range_for_crosssim_lies_around_the_reference(model: nn.Module, tmp_path: Path) -> None:
    export_npz(model, tmp_path / "net.npz")
    arrays = np.load(tmp_path / "net.npz")
    layers = json.loads(str(arrays["metadata"]))["layers"]
    for name, weight in weights_of(model).items():
        ours = layers[name]["crosssim"]
        low, high = 1 / ours["Rmax"], 1 / ours["Rmin"]
        assert (low + high) / 2 == pytest.approx(arrays[f"{name}.reference_conductance"], rel=1e-14)
        assert np.abs(weight).max() <= ours["weight_max"] * (1 + 1e-6)
        # Its mapping: weight −max at the lowest, +max at the highest conductance.
        mapped = low + (high - low) * (weight.reshape(len(weight), -1).astype(float) / ours["weight_max"] + 1) / 2
        assert mapped == pytest.approx(arrays[f"{name}.conductance"], rel=1e-6)
    # A window around a reference near the antiparallel end of a good junction would begin below zero.
    positions = np.array([1e-9, 250e-9])[:, None, None] + np.zeros((2, 2, 2))
    junction = DeviceParameters(junction=TunnelJunction(tunnel_magnetoresistance=50.0))
    steep = domain_wall_device(positions, junction, source="measured")
    export_npz(network(steep, line={"faults": Faults(annihilated_walls=0.5)}), tmp_path / "steep.npz")
    layers = json.loads(str(np.load(tmp_path / "steep.npz")["metadata"]))["layers"]
    assert layers["line"]["crosssim"] is None
    assert layers["last"]["crosssim"] is not None


def test_onnx_computes_what_the_network_computes(model: nn.Module, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    export_onnx(model, tmp_path / "net.onnx", (2, 6, 5))
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    for samples in (1, 9):
        x = torch.randn(samples, 2, 6, 5, generator=torch.Generator().manual_seed(samples))
        (ours,) = session.run(["output"], {"input": x.numpy()})
        assert ours.shape == (samples, 5)
        np.testing.assert_allclose(ours, model(x).detach().numpy(), atol=1e-5)


def test_sample_of_another_shape_is_one_line(model: nn.Module, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    with pytest.raises(InputError, match=r"does not take inputs of shape \(3, 6, 5\)"):
        export_onnx(model, tmp_path / "net.onnx", torch.zeros(3, 6, 5))
    assert not list(tmp_path.iterdir())


def test_missing_package_is_one_line_that_names_the_extra(
    model: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(InputError, match=r"^ONNX files need onnxscript: pip install 'barkhausen\[onnx\]'$"):
        export_onnx(model, tmp_path / "net.onnx", (2, 6, 5))


def code_on_the_page(needs: str | None = None) -> str:
    """The Python of docs/export.md that anyone can run, and the block that needs a package."""
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    more = [block for block in re.findall(r"```py\n(.*?)```", page, flags=re.DOTALL) if f" {needs}" in block]
    assert len(more) == 1, needs
    return "\n".join(blocks + more)


def test_badcrossbar_finds_the_products_of_the_layer() -> None:
    pytest.importorskip("badcrossbar")
    exec(code_on_the_page("badcrossbar"), {})


def test_crosssim_holds_the_same_conductances() -> None:
    pytest.importorskip("simulator")
    # CrossSim fixes the voltages that the badcrossbar block draws.
    exec(code_on_the_page("simulator").replace("from simulator import", VOLTAGES + "from simulator import"), {})


VOLTAGES = "voltages = np.random.default_rng(0).uniform(-0.1, 0.1, (20, 3))\n"


def test_onnxruntime_as_on_the_page() -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    exec(code_on_the_page("onnxruntime"), {})
