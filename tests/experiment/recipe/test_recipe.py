from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from barkhausen.core.errors import InputError
from barkhausen.data import DATASETS
from barkhausen.device import gaussian_device, preset, shipped_names, write_device
from barkhausen.experiment.recipe import Recipe, build_device, load_recipe, recipe_from
from barkhausen.learning import default_margin

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECIPES_FOLDER = Path(__file__).parents[3] / "recipes"
SHIPPED = [RECIPES_FOLDER / f"mnist-{mode}.toml" for mode in ("ex-situ", "float", "in-situ", "margin")]
# Sweeps and design searches are files of other kinds.
OTHERS = [
    path
    for path in sorted(set(RECIPES_FOLDER.glob("*.toml")) - set(SHIPPED))
    if "search" not in tomllib.loads(path.read_text(encoding="utf-8"))
]
TABLES = ("dataset", "network", "device", "optimizer", "transfer")


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    items: dict[str, Any] = {}
    for key, value in values.items():
        items |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return items


def load(path: Path, text: str, *settings: str) -> Recipe:
    path.write_bytes(text.encode())
    return load_recipe(path, list(settings))


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


@pytest.fixture
def device_file(tmp_path: Path) -> Path:
    write_device(gaussian_device(3, 0.25), tmp_path / "device.nc")
    return tmp_path / "device.nc"


def test_one_recipe_is_shipped_for_each_mode() -> None:
    assert sorted(load_recipe(path).mode for path in SHIPPED) == ["ex-situ", "float", "in-situ", "level-change"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_recipe_spells_out_the_defaults_of_its_mode(path: Path) -> None:
    written = flat(tomllib.loads(path.read_text(encoding="utf-8")))
    defaults = flat(recipe_from({"mode": written["mode"]}, "defaults").model_dump())
    # Chosen on validation data for this network; the default of a device is for any.
    assert written.get("device.margin", 0.4) == 0.4
    defaults["device.margin"] = written.get("device.margin", 0.4)
    if written["mode"] == "level-change":
        assert written["optimizer.latent_rate"] == 0.015
        defaults["optimizer.latent_rate"] = 0.015
    assert {key: defaults[key] for key in written} == written
    assert flat(load_recipe(path).model_dump()) == defaults


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
@pytest.mark.parametrize("mode", ["in-situ", "float"])
def test_other_shipped_recipes_are_good_for_both_twins(path: Path, mode: str) -> None:
    recipe = load_recipe(path, [f"mode={mode}"])
    written = flat(tomllib.loads(path.read_text(encoding="utf-8"))) | {"mode": mode}
    resolved = flat(recipe.model_dump())
    assert {key: resolved[key] for key in written} == written


@pytest.mark.parametrize("path", [p for p in (*SHIPPED, *OTHERS) if "float" not in p.name], ids=lambda path: path.name)
def test_shipped_recipe_spells_out_what_most_decides_a_run(path: Path) -> None:
    written = flat(tomllib.loads(path.read_text(encoding="utf-8")))
    assert written.keys() >= {"mode", "states", "epochs", "device.preset", "device.margin", "optimizer.latent_rate"}


def test_defaults_differ_between_the_modes_only_where_nothing_is_given() -> None:
    in_situ, ex_situ = (recipe_from({"mode": mode}, "x") for mode in ("in-situ", "ex-situ"))
    assert in_situ.device.margin != ex_situ.device.margin
    assert in_situ.optimizer.latent_rate != ex_situ.optimizer.latent_rate
    given = recipe_from(
        {"mode": "ex-situ", "device": {"margin": 0.7}, "optimizer": {"rate": 0.5}, "transfer": {"chips": 2}}, "x"
    )
    assert given.device.margin == 0.7
    assert given.optimizer.rate == 0.5
    assert given.optimizer.latent_rate == ex_situ.optimizer.latent_rate


def test_defaults_of_a_mode_leave_the_given_values_alone() -> None:
    values: dict[str, Any] = {"mode": "ex-situ", "device": {"sigma": 0.1}}
    recipe_from(values, "x")
    assert values == {"mode": "ex-situ", "device": {"sigma": 0.1}}


def test_byte_order_mark_is_not_part_of_a_recipe(toml: Path) -> None:
    assert load(toml, "\ufeffstates = 3\n").states == 3


positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
not_negative = st.floats(min_value=0, allow_infinity=False)
counts = st.integers(1, 10**6)
RECIPES = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["in-situ", "ex-situ", "float"]),
        "states": st.integers(2, 256),
        "seed": st.integers(0, 2**63 - 1),
        "epochs": counts,
        "batch_size": st.integers(2, 10**6),
        "threads": st.integers(1, 1024),
        "accelerator": st.sampled_from(["cpu", "cuda"]),
        "dataset": st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(sorted(DATASETS)), "validation_samples": st.integers(0, 10**6)}
        ),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "hidden": st.lists(counts, min_size=1, max_size=4),
                "activation": st.sampled_from(["relu", "hardtanh", "tanh"]),
                "normalisation": st.sampled_from(["batch", "none"]),
            },
        ),
        "device": st.fixed_dictionaries(
            {},
            optional={
                "preset": st.sampled_from(["racetrack", "notched", "gaussian"]),
                "margin": not_negative,
                "max_attempts": counts,
            },
        ).flatmap(
            lambda table: (
                st.just(table)
                | st.builds(lambda sigma: table | {"preset": "gaussian", "sigma": sigma}, not_negative)
                | st.builds(lambda file: table | {"file": file}, st.text())
            )
        ),
        "optimizer": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["adam", "adamw", "sgd"]),
                "rate": positive,
                "latent_rate": positive,
                "momentum": st.floats(0, 1, exclude_max=True),
                "weight_decay": not_negative,
                "schedule": st.sampled_from(["cosine", "constant"]),
            },
        ),
        "transfer": st.fixed_dictionaries({}, optional={"chips": counts, "max_attempts": counts}),
    },
)


@given(values=RECIPES)
def test_resolved_recipe_is_the_same_recipe(values: dict[str, Any]) -> None:
    recipe = Recipe.model_validate(values)
    resolved = tomllib.loads(recipe.to_toml())
    assert Recipe.model_validate(resolved) == recipe
    # Nothing given is lost, and nothing that decides the run is left to the defaults of a later version.
    if recipe.device.file is not None:
        unused = {"device.preset", "device.sigma"}
    else:
        unused = {"device.file"} | (set() if recipe.device.preset == "gaussian" else {"device.sigma"})
    written, expected = flat(resolved), {key: value for key, value in flat(values).items() if key not in unused}
    assert {key: written[key] for key in expected} == expected
    of_the_device = {"device.margin", "optimizer.latent_rate"}
    assert flat(Recipe().model_dump()).keys() - written.keys() <= unused | {"threads"} | of_the_device


def test_resolved_recipe_of_a_device_file_can_be_run_again(toml: Path, device_file: Path) -> None:
    first = load(toml, f"[device]\nfile = '{device_file}'\n")
    assert first.states == 3
    text = first.to_toml()
    assert "sigma" not in text
    assert "preset" not in text
    again = load(toml, text)
    assert again == first
    assert again.to_toml() == text


UNKNOWN = [
    ("stats = 3", r"unknown key 'stats'; did you mean 'states'\?"),
    ("[dataset]\nnme = 'digits'", r"unknown key 'dataset\.nme'; did you mean 'dataset\.name'\?"),
    ("[network]\nhiden = [3]", r"unknown key 'network\.hiden'; did you mean 'network\.hidden'\?"),
    ("[device]\nmargn = 0.3", r"unknown key 'device\.margn'; did you mean 'device\.margin'\?"),
    ("[optimizer]\nlatent_rat = 0.3", r"unknown key 'optimizer\.latent_rat'; did you mean 'optimizer\.latent_rate'\?"),
    ("[transfer]\nchip = 3", r"unknown key 'transfer\.chip'; did you mean 'transfer\.chips'\?"),
    ("[devices]\nsigma = 3", r"unknown key 'devices'; did you mean 'device'\?"),
    (
        "zzz = 3",
        r"unknown key 'zzz'; known: accelerator, augment, autocast, averaging, batch_size, dataset, decay, ",
    ),
    ("[transfer]\nzzz = 3", r"unknown key 'transfer\.zzz'; known: chips, max_attempts$"),
    ('"" = 3', r"unknown key ''"),
]
WRONG = [
    ("mode = 'exsitu'", r"mode = 'exsitu': no such learning rule; did you mean 'ex-situ'\?"),
    ("mode = 3", r"mode = 3: input should be a valid string"),
    (
        "mode = 'hebb'",
        r"mode = 'hebb': no such learning rule; known: blind-pulse, ex-situ, float, in-situ, .*tiki-taka, wage$",
    ),
    (
        "[precision]\nlatent_bits = 1",
        r"precision.latent_bits: must be 2 to 16 bits, or 32 for floating-point numbers, got 1",
    ),
    ("rule = 3", r"rule = 3: must be a table"),
    ("[rule]\nrate = 3", r"unknown key 'rule\.rate'"),
    ("[network]\nkind = 'cmn'", r"network\.kind = 'cmn': no such network; did you mean 'cnn'\?"),
    ("[network.options]\ncells = 3", r"unknown key 'network\.options\.cells'"),
    ("[dataset]\nname = 'mnits'", r"dataset\.name = 'mnits': no such data set; did you mean 'mnist'\?"),
    ("states = 1", r"states = 1: input should be greater than or equal to 2"),
    ("states = 257", r"states = 257: input should be less than or equal to 256"),
    ("states = 3.0", r"states = 3\.0: input should be a valid integer"),
    ("states = '3'", r"states = '3': input should be a valid integer"),
    ("states = true", r"states = True: input should be a valid integer"),
    ("states = [3]", r"states = \[3\]: input should be a valid integer"),
    ("seed = -1", r"seed = -1: input should be greater than or equal to 0"),
    ("seed = 9223372036854775808", r"seed = 9223372036854775808: has more than 64 bits"),
    ("seed = 2024-01-01", r"seed = 2024-01-01: is a date or a time"),
    ("epochs = 0", r"epochs = 0: input should be greater than or equal to 1"),
    ("batch_size = 0", r"batch_size = 0: input should be greater"),
    ("batch_size = 1", r"batch_size = 1: batch normalisation needs 2 or more"),
    ("threads = 0", r"threads = 0: input should be greater"),
    ("accelerator = 'tpu'", r"accelerator = 'tpu': input should be 'cpu' or 'cuda'"),
    ("device = 3", r"device = 3: must be a table"),
    ("dataset = 'digits'", r"dataset = 'digits': must be a table"),
    ("optimizer = []", r"optimizer = \[\]: must be a table"),
    ("[dataset]\nname = 3", r"dataset\.name = 3: input should be a valid string"),
    ("[dataset]\nvalidation_samples = -1", r"dataset\.validation_samples = -1: input should be greater"),
    ("[network]\nkind = 'autoencoder'\nhidden = []", r"network\.hidden = \[\]: the autoencoder needs 1 or more"),
    ("[network]\nhidden = [32, 0]", r"network\.hidden\.1 = 0: input should be greater than or equal to 1"),
    ("[network]\nhidden = 32", r"network\.hidden = 32: input should be a valid list"),
    (
        "[network]\nactivation = 'swish'",
        r"network\.activation = 'swish': input should be 'relu', 'gelu', 'selu', 'hardtanh', 'tanh'",
    ),
    ("[network]\nnormalisation = 'layer'", r"network\.normalisation = 'layer'"),
    (
        "[device]\npreset = 'cauchy'",
        r"device\.preset = 'cauchy': input should be 'racetrack', 'notched', 'nonvolatile', 'skyrmion' or",
    ),
    ("[device]\npreset = 'skyrmion-3'", r"device\.preset = 'skyrmion-3': take preset = 'skyrmion' with states = 3$"),
    ("[device]\npreset = 'gaussian-7'", r"device\.preset = 'gaussian-7': take preset = 'gaussian' with states = 7$"),
    ("[device]\npreset = 'racetrack'\nsigma = 0.1", r"device: sigma belongs to the gaussian preset, not to racetrack"),
    ("states = 4", r"states = 4: no nonvolatile-4 is shipped, only nonvolatile-2, nonvolatile-3, nonvolatile-5; name"),
    ("states = 3\n[device]\npreset = 'notched'", r"states = 3: no notched-3 is shipped, only notched-5"),
    ("[device]\nsigma = -0.1", r"device\.sigma = -0\.1: input should be greater than or equal to 0"),
    ("[device]\nsigma = nan", r"device\.sigma = nan: input should be a finite number"),
    ("[device]\nsigma = inf", r"device\.sigma = inf: input should be a finite number"),
    ("[device]\nsigma = '0.1'", r"device\.sigma = '0\.1': input should be a valid number"),
    ("[device]\nmargin = -0.1", r"device\.margin = -0\.1: input should be greater"),
    ("[device]\nmargin = true", r"device\.margin = True: input should be a valid number"),
    ("[device]\nmax_attempts = 0", r"device\.max_attempts = 0: input should be greater"),
    ("[device]\nfile = 3", r"device\.file = 3: input should be a valid string"),
    (
        "[device]\nsigma = 0.15\nfile = 'x.nc'",
        r"device: sigma belongs to the gaussian preset; with a device file, leave",
    ),
    ("[optimizer]\nname = 'lion'", r"optimizer\.name = 'lion': input should be 'adam', 'adamw', 'sgd' or 'layer-rms'"),
    ("[optimizer]\nrate = 0.0", r"optimizer\.rate = 0\.0: input should be greater than 0"),
    ("[optimizer]\nlatent_rate = nan", r"optimizer\.latent_rate = nan"),
    ("[optimizer]\nmomentum = 1.0", r"optimizer\.momentum = 1\.0: input should be less than 1"),
    ("[optimizer]\nweight_decay = -1.0", r"optimizer\.weight_decay = -1\.0: input should be greater"),
    ("[optimizer]\nschedule = 'step'", r"optimizer\.schedule = 'step'"),
    ("[transfer]\nchips = 0", r"transfer\.chips = 0: input should be greater"),
    ("[transfer]\nmax_attempts = 0", r"transfer\.max_attempts = 0: input should be greater"),
    ("states = 1\nseed = -1\n[device]\nsigma = -1.0", r"states = 1: .* \(and 2 more\)$"),
    ("dataset = '" + 1000 * "x" + "'", r"dataset = 'x{50,60}\.\.\.: must be a table$"),
]
NOT_TOML = [
    ("seed = 0\nstates = \n", r"is not valid TOML: .*line 2"),
    ("states = 3\nstates = 3\n", r"is not valid TOML: .*line 2"),
    ("seed = " + 5000 * "1", r"is not valid TOML: "),
    ("seed = " + 50_000 * "[", r"is not valid TOML: nested too deeply"),
]


@pytest.mark.parametrize(("text", "culprit"), UNKNOWN + WRONG + NOT_TOML, ids=lambda value: value[:40])
def test_wrong_recipe_is_refused_in_one_line_with_its_key(toml: Path, text: str, culprit: str) -> None:
    with pytest.raises(InputError, match=rf"^\S*recipe\.toml: {culprit}") as caught:
        load(toml, text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("text", "culprit"), UNKNOWN + WRONG[3:-2], ids=lambda value: value[:40])
def test_defaults_of_a_mode_do_not_hide_what_is_wrong(toml: Path, text: str, culprit: str) -> None:
    with pytest.raises(InputError, match=rf"^\S*recipe\.toml: {culprit}"):
        load(toml, f"mode = 'ex-situ'\n{text}")


def test_missing_recipe_directory_and_other_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: no such file"):
        load_recipe(tmp_path / "nowhere.toml")
    with pytest.raises(InputError, match="is a directory, not a file"):
        load_recipe(tmp_path)
    (tmp_path / "recipe.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"recipe\.toml: is not UTF-8 text"):
        load_recipe(tmp_path / "recipe.toml")


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("states=3", "states", 3),
        (" states = 3 ", "states", 3),
        ("device.margin=0.5", "device.margin", 0.5),
        ("device.margin=1", "device.margin", 1.0),
        ("optimizer.rate=1e-4", "optimizer.rate", 1e-4),
        ("dataset.name=digits", "dataset.name", "digits"),
        ("dataset.name= digits ", "dataset.name", "digits"),
        ("dataset.name='digits'", "dataset.name", "digits"),
        ('dataset.name="fashion-mnist"', "dataset.name", "fashion-mnist"),
        ("network.keep_float=['a=b']", "network.keep_float", ["a=b"]),
        ("network.hidden=[32,16]", "network.hidden", [32, 16]),
        ("network.hidden=[ 8 ]", "network.hidden", [8]),
        ("transfer={chips=3}", "transfer.chips", 3),
    ],
)
@pytest.mark.parametrize("text", ["", "states = 5\n[dataset]\nname = 'mnist'\n[transfer]\nchips = 7\n"])
def test_setting_overrides_one_key(toml: Path, text: str, setting: str, key: str, value: Any) -> None:
    expected = flat(load(toml, text).model_dump()) | {key: value}
    if key == "states":
        expected["device.margin"] = default_margin(preset(f"nonvolatile-{value}"))
    assert flat(load(toml, text, setting).model_dump()) == expected


def test_later_setting_wins_and_settings_of_one_table_add_up(toml: Path) -> None:
    recipe = load(toml, "", "device.margin=0.1", "device.sigma=0.2", "device.margin=0.4")
    assert (recipe.device.margin, recipe.device.sigma) == (0.4, 0.2)


def test_mode_that_is_set_brings_its_defaults(toml: Path) -> None:
    assert load(toml, "states = 5\n", "mode=ex-situ") == recipe_from({"mode": "ex-situ"}, "x")


@pytest.mark.parametrize(
    ("setting", "culprit"),
    [
        ("states", r"--set states: must be key=value, such as states=3"),
        ("", r"--set : must be key=value"),
        ("=3", r"--set =3: must be key=value"),
        (" =3", r"--set =3: must be key=value"),
        ("seed.x=1", r"--set seed\.x=1: 'seed' is not a table"),
        ("dataset.name.x=1", r"--set dataset\.name\.x=1: 'name' is not a table"),
        ("device=3", r"--set device=3: device = 3: must be a table"),
        ("device=gaussian", r"--set device=gaussian: device = 'gaussian': must be a table"),
        ("states=", r"--set states=: states = '': input should be a valid integer"),
        ("states=three", r"--set states=three: states = 'three': input should be a valid integer"),
        (
            "states=3\nepochs = 2",
            r"--set states=3 epochs = 2: states = '3\\nepochs = 2': input should be a valid integer",
        ),
        ("states=" + 5000 * "1", r"--set states=1+…1+: states = '1+\.\.\.: input should be a valid integer"),
        (
            "network.hidden=" + 50_000 * "[",
            r"--set network\.hidden=\[+…\[+: network\.hidden = '\[+\.\.\.: input should be a valid list",
        ),
        (
            "network.hidden=32,16",
            r"--set network\.hidden=32,16: network\.hidden = '32,16': input should be a valid list",
        ),
        ("epochs=1.5", r"--set epochs=1\.5: epochs = 1\.5: input should be a valid integer"),
        ("accelerator=gpu", r"--set accelerator=gpu: accelerator = 'gpu': input should be 'cpu' or 'cuda'"),
        ("stats=3", r"--set stats=3: unknown key 'stats'; did you mean 'states'\?"),
        ("device.sgma=3", r"--set device\.sgma=3: unknown key 'device\.sgma'; did you mean 'device\.sigma'\?"),
        ("device..sigma=3", r"\S*recipe\.toml with --set device\.\.sigma=3: unknown key 'device\.'"),
        ("states=4", r"--set states=4: states = 4: no nonvolatile-4 is shipped"),
        ("device.preset=gausian", r"--set device\.preset=gausian: device\.preset = 'gausian': input should be"),
        ("network.hidden=[8,-1]", r"--set network\.hidden=\[8,-1\]: network\.hidden\.1 = -1: input should be"),
        (".=3", r"\S*recipe\.toml: unknown key ''"),
    ],
    ids=lambda value: value[:30],
)
def test_wrong_setting_is_refused_in_one_line_with_its_key(toml: Path, setting: str, culprit: str) -> None:
    with pytest.raises(InputError, match=f"^{culprit}") as caught:
        load(toml, "seed = 0\n[dataset]\nname = 'digits'\n", setting)
    assert len(str(caught.value).splitlines()) == 1


def test_device_file_brings_its_states_and_is_the_device(toml: Path, device_file: Path) -> None:
    recipe = load(toml, f"[device]\nfile = '{device_file}'\n")
    assert recipe.states == 3
    assert build_device(recipe).data.identical(gaussian_device(3, 0.25).data)


def test_preset_is_built_from_states_and_sigma(toml: Path) -> None:
    device = build_device(load(toml, "states = 4\n[device]\nsigma = 0.3\n"))
    assert device.data.identical(gaussian_device(4, 0.3).data)


@pytest.mark.parametrize("text", ["[device]\nsigma = 0.15\n", "[device]\npreset = 'gaussian'\n"])
def test_sigma_means_gaussian_and_gaussian_has_a_sigma(toml: Path, text: str) -> None:
    recipe = load(toml, text)
    assert (recipe.device.preset, recipe.device.sigma) == ("gaussian", 0.15)


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_device_is_the_default_of_its_family(toml: Path, name: str) -> None:
    family, states = name.split("-")
    text = f"states = {states}\n" + ("" if family == "nonvolatile" else f"[device]\npreset = '{family}'\n")
    device = build_device(load(toml, text))
    assert device.states == int(states)
    assert device.source == "micromagnetics"


def test_device_file_of_another_number_of_states_is_refused(toml: Path, device_file: Path) -> None:
    assert load(toml, f"states = 3\n[device]\nfile = '{device_file}'\n").states == 3
    with pytest.raises(InputError, match=r"recipe\.toml: states = 5 but the device file .*device\.nc has 3 states"):
        load(toml, f"states = 5\n[device]\nfile = '{device_file}'\n")


def test_device_file_that_is_set_replaces_the_preset_its_sigma_and_its_states(toml: Path, device_file: Path) -> None:
    text = "states = 5\n[device]\npreset = 'gaussian'\nsigma = 0.15\nmargin = 0.4\n"
    recipe = load(toml, text, f"device.file={device_file}")
    assert (recipe.states, recipe.device.file, recipe.device.margin) == (3, str(device_file), 0.4)


@pytest.mark.parametrize(
    ("setting", "culprit"),
    [
        ("states=5", r"states = 5 but the device file .* has 3 states"),
        ("device.sigma=0.1", r"sigma belongs to the gau"),
    ],
)
def test_setting_beside_a_device_file_must_fit_it(toml: Path, device_file: Path, setting: str, culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        load(toml, "states = 2\n", setting, f"device.file={device_file}")


def test_device_file_that_cannot_be_used_is_named(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.nc").write_bytes(b"junk")
    for name, reason in (("broken.nc", "is not a readable NetCDF"), ("nowhere.nc", "no such device file")):
        with pytest.raises(InputError, match=rf"{name}: {reason}"):
            load(toml, "", f"device.file={tmp_path / name}")


def test_float_twin_does_not_look_at_the_device_file(toml: Path) -> None:
    assert load(toml, "mode = 'float'\n[device]\nfile = 'nowhere.nc'\n").device.file == "nowhere.nc"


known = st.sampled_from([*flat(Recipe().model_dump()), *TABLES]).map(lambda key: key.split(".")[-1])
leaves = (
    st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text()
    | st.sampled_from(["in-situ", "ex-situ", "float", "adam", "relu", "none", "gaussian", "cpu"])
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(datetime.timezone.utc))
)
nested = st.recursive(
    leaves,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(known | st.text(), values, max_size=3),
    max_leaves=8,
)
anything = st.dictionaries(known | st.text(), nested, max_size=5)


def merged(valid: dict[str, Any], wild: dict[str, Any]) -> dict[str, Any]:
    both = valid | wild
    for key in valid.keys() & wild.keys():
        if isinstance(valid[key], dict) and isinstance(wild[key], dict):
            both[key] = valid[key] | wild[key]
    return both


def recipe_or_one_line(toml: Path, *settings: str) -> None:
    try:
        recipe = load_recipe(toml, list(settings))
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 2 <= recipe.states <= 256
        assert recipe.epochs >= 1
        assert recipe.device.sigma is None or recipe.device.sigma >= 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=anything | st.builds(merged, RECIPES, anything))
def test_any_nested_table_is_a_recipe_or_refused_in_one_line(toml: Path, values: dict[str, Any]) -> None:
    toml.write_bytes(tomli_w.dumps(values).encode())
    recipe_or_one_line(toml)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.text().map(str.encode))
def test_any_file_is_a_recipe_or_refused_in_one_line(toml: Path, content: bytes) -> None:
    toml.write_bytes(content)
    recipe_or_one_line(toml)


keys = st.text() | st.sampled_from([*flat(Recipe().model_dump()), *TABLES])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.text() | st.builds("{}={}".format, keys, leaves | st.text()), max_size=3))
def test_any_settings_give_a_recipe_or_are_refused_in_one_line(toml: Path, changes: list[str]) -> None:
    toml.write_text("seed = 1\n[device]\nsigma = 0.1\n")
    recipe_or_one_line(toml, *changes)


def test_precision_without_devices_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="test: precision has no effect with mode = 'float', whose weights no device"):
        recipe_from({"mode": "float", "precision": {"latent_bits": 8}}, "test")


def test_the_node_of_the_account_is_written_only_where_it_is_not_the_usual_one() -> None:
    assert "energy" not in recipe_from({}, "test").model_dump()
    assert recipe_from({"energy": {"node": 7}}, "test").model_dump()["energy"] == {"node": "7"}
    with pytest.raises(InputError, match=r"energy\.node: must be one of 45, 32, 22, 7, 7-scaled \(nm\)"):
        recipe_from({"energy": {"node": "5"}}, "test")
