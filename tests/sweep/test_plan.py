"""From a sweep file to tasks: points, resolved recipes, keys; what is wrong is said in one line."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError, InputWarning
from barkhausen.device import gaussian_device, write_device
from barkhausen.experiment.jobs import JOBS
from barkhausen.sweep import keys
from barkhausen.sweep.optuna_search import Asking
from barkhausen.sweep.plan import Planner, Task, check_data
from barkhausen.sweep.points import points
from barkhausen.sweep.sweep_file import load_sweep
from small_sweep import GRID, sweep_of

RANDOM = """
recipe = "base.toml"
[search]
kind = "random"
samples = 200
[search.over]
"optimizer.latent_rate" = { low = 1e-4, high = 1e-1, log = true }
"device.margin" = { low = 0.0, high = 1.0 }
epochs = { low = 1, high = 4, integer = true }
"network.hidden" = [[8], [8, 8]]
"""


def plan(folder: Path, text: str, *settings: str, base: str | None = None) -> list[Task]:
    sweep = sweep_of(folder, text, *settings) if base is None else sweep_of(folder, text, *settings, base=base)
    planner = Planner(sweep)
    return [planner.task(point) for point in points(sweep.file.search)]


def test_a_grid_is_every_combination_and_its_last_axis_changes_fastest(tmp_path: Path) -> None:
    found = plan(tmp_path, GRID + '[search.repeat]\n"faults.stuck" = [0.0, 0.1]\n')
    expected = list(itertools.product([0.3, 0.5], [0, 1], [0.0, 0.1]))
    assert [tuple(task.settings.values()) for task in found] == expected
    for task, (margin, seed, stuck) in zip(found, expected, strict=True):
        values = task.resolved()
        assert (values["device"]["margin"], values["seed"], values["faults"]["stuck"]) == (margin, seed, stuck)
        assert (values["epochs"], values["threads"]) == (1, 1)
    assert len({task.key for task in found}) == len(found)


def test_points_of_a_list_may_be_nested_or_dotted_and_win_over_what_all_share(tmp_path: Path) -> None:
    text = """
    recipe = "base.toml"
    [set]
    epochs = 3
    [search]
    kind = "list"
    [[search.list]]
    device = { margin = 0.1 }
    [[search.list]]
    "device.margin" = 0.2
    epochs = 2
    [search.repeat]
    seed = [4, 5]
    """
    found = [task.resolved() for task in plan(tmp_path, text)]
    assert [(v["device"]["margin"], v["epochs"], v["seed"]) for v in found] == [
        (0.1, 3, 4),
        (0.1, 3, 5),
        (0.2, 2, 4),
        (0.2, 2, 5),
    ]


def test_random_points_depend_on_the_seed_and_not_on_order_or_number(tmp_path: Path) -> None:
    lines = RANDOM.strip().splitlines()
    turned = "\n".join([*lines[:5], *reversed(lines[5:])])
    all_of_them, again = ([dict(t.settings) for t in plan(tmp_path, text)] for text in (RANDOM, turned))
    assert all_of_them == again
    assert all_of_them[:20] == [dict(task.settings) for task in plan(tmp_path, RANDOM, "search.samples=20")]
    assert all_of_them != [dict(task.settings) for task in plan(tmp_path, RANDOM, "search.seed=1")]


def test_random_points_are_spread_as_their_axes_say(tmp_path: Path) -> None:
    found = list(points(sweep_of(tmp_path, RANDOM, "search.samples=2000").file.search))
    rates = [math.log10(point["optimizer.latent_rate"]) for point in found]
    margins = [point["device.margin"] for point in found]
    epochs = [point["epochs"] for point in found]
    assert min(rates) >= -4 and max(rates) <= -1
    # Uniform: standard error of the mean 0.29 × width / √2000.
    assert sum(rates) / 2000 == pytest.approx(-2.5, abs=0.08)
    assert sum(margins) / 2000 == pytest.approx(0.5, abs=0.03)
    # 500 ± 19 of each of four.
    assert all(abs(epochs.count(number) - 500) < 80 for number in (1, 2, 3, 4))
    assert {type(number) for number in epochs} == {int}
    assert sum(point["network.hidden"] == [8] for point in found) == pytest.approx(1000, abs=90)


def test_the_resolved_file_plans_the_same_without_its_base(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, RANDOM, "search.samples=5", "set.states=2")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "again.toml").write_text(sweep.to_toml(), encoding="utf-8")
    again = load_sweep(tmp_path / "alone" / "again.toml")
    keys_of = [[Planner(s).task(p).key for p in points(s.file.search)] for s in (sweep, again)]
    assert keys_of[0] == keys_of[1]
    assert again.to_toml() == sweep.to_toml()


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        (['search.over={"device.marign" = [0.1]}'], r"unknown key 'device.marign'; did you mean 'device.margin'"),
        (['search.over={"device.margin" = [0.1, -0.5]}'], r"device.margin = -0.5: .*greater than or equal to 0"),
        (["search.over={states = [3, 300]}"], "states = 300: .*less than or equal to 256"),
        (['search.over={states = [3, "many"]}'], "states = 'many'"),
        (["search.over={seed = []}"], r"seed = \[\]: needs at least one value"),
        (["search.over={seed = 3}"], "seed = 3: must be a list of values, or a range"),
        (["search.over={seed = {low = 1, high = 5}}"], r"over.seed: a range belongs to random and optuna"),
        (["search.over={seed.sown = [1]}"], "'seed' is not a table|unknown key 'seed|seed: "),
        (["set.mode=digital"], "mode = 'digital'"),
        (["set.device.preset=racetrack", "set.states=4"], "states = 4: no racetrack-4 is shipped"),
        (["set.seed=3"], "set.seed: is searched over as well"),
        (["search.repeat.seed=[1]"], "repeat.seed: is among the keys of the points too"),
        (["search.kind=gird"], "search.kind = 'gird': .*'grid', 'list', 'random' or 'optuna'"),
        (["search.kind=list"], "kind = 'list' needs"),
        (["search.kind=optuna"], "optuna needs objectives"),
        (['search.maximise=["accuracy"]'], "belong to kind = 'optuna'"),
        (["search.smaples=3"], "unknown key 'search.smaples'; did you mean 'search.samples'"),
        (["task=dream"], "task = 'dream'"),
        (["threads=0"], "threads = 0"),
        (["chip=chip.toml"], "chip: belongs to task = 'infer' or 'map', not to 'train'"),
        (["recipe=nowhere.toml"], "nowhere.toml: no such file"),
        (["task=infer", "set.mode=float"], "mode = 'float': has no devices to put on a chip"),
        (["task=infer", "set.chip.adc.bits=0"], "adc.bits: must be 1 to 32 bits, got 0"),
        (["task=infer", "set.chip.adc.bist=6"], "unknown key 'adc.bist'; did you mean 'adc.bits'"),
        (["task=characterize"], "unknown key 'states'"),
        (
            ["task=map", "mapping.spread=2"],
            r"--set mapping\.spread=2: .*; did you mean 'set\.mapping\.spread', a setting",
        ),
        (["epochs=3"], r"--set epochs=3: unknown key 'epochs'; did you mean 'set\.epochs', a setting"),
        (["serch.seed=3"], r"unknown key 'serch'; did you mean 'search'"),
        (["set.device.file=nowhere.nc"], "nowhere.nc"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(changes: list[str], culprit: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=culprit) as caught:
        plan(tmp_path, GRID, *changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("axis", "culprit"),
    [
        ("{low = 2, high = 1}", "low = 2 must be below high = 1"),
        ("{low = 0, high = 1, log = true}", "low = 0: must be positive"),
        ("{low = 0.5, high = 2, integer = true}", "must be whole numbers"),
        ("{low = 1, hihg = 2}", "hihg"),
        ("{low = 1}", "high"),
    ],
)
def test_a_range_that_is_none_is_refused(axis: str, culprit: str, tmp_path: Path) -> None:
    text = f'recipe = "base.toml"\n[search]\nkind = "random"\n[search.over]\n"device.margin" = {axis}\n'
    with pytest.raises(InputError, match=f"device.margin.*{culprit}"):
        sweep_of(tmp_path, text)


def test_an_unknown_objective_or_data_set_is_refused(tmp_path: Path) -> None:
    search = sweep_of(tmp_path, GRID, "search.kind=optuna", 'search.maximise=["acuracy"]').file.search
    with pytest.raises(InputError, match="'acuracy' is not a column of results; did you mean 'accuracy'"):
        Asking(search, JOBS["train"].numbers)
    with pytest.raises(InputError, match="letters"):
        check_data(plan(tmp_path, GRID, "set.dataset.name=letters"), None)
    with pytest.raises(InputError, match="5000"):
        check_data(plan(tmp_path, GRID, "set.dataset.validation_samples=5000"), None)


def test_the_key_is_of_what_decides_and_of_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *others) = plan(tmp_path, GRID)
    assert plan(tmp_path, GRID, "name=other", "search.repeat.epochs=[1, 2]")[0].key == first.key
    explicit = plan(tmp_path, GRID, "set.optimizer.rate=1e-3")[0]
    assert explicit.key == first.key
    assert len(first.key) == 24
    changed = [
        plan(tmp_path, GRID, "threads=2")[0],
        plan(tmp_path, GRID, "set.batch_size=50")[0],
        plan(tmp_path, GRID, "task=infer")[0],
    ]
    monkeypatch.setattr("barkhausen.sweep.plan.code_version", lambda: "another")
    changed.append(plan(tmp_path, GRID)[0])
    assert len({first.key, *(task.key for task in [*others, *changed])}) == 1 + len(others) + len(changed)


def test_a_device_file_counts_by_its_content_and_brings_its_states(tmp_path: Path) -> None:
    one, copy, other = (tmp_path / name for name in ("one.nc", "copy.nc", "other.nc"))
    write_device(gaussian_device(4, 0.2), one)
    copy.write_bytes(one.read_bytes())
    write_device(gaussian_device(4, 0.3), other)
    text = f"""
    recipe = "base.toml"
    [search]
    kind = "grid"
    [search.over]
    "device.file" = ["{one}", "{copy}", "{other}"]
    """
    found = plan(tmp_path, text)
    assert found[0].key == found[1].key != found[2].key
    assert [task.resolved()["states"] for task in found] == [4, 4, 4]
    assert [task.resolved()["device"]["file"] for task in found] == [str(p.resolve()) for p in (one, copy, other)]
    with pytest.raises(InputError, match=r"states = 3 but the device file .* has 4"):
        plan(tmp_path, text, "set.states=3")


def test_the_shipped_example_is_planned() -> None:
    sweep = load_sweep(Path(__file__).parents[2] / "recipes" / "sweep-example.toml")
    planner = Planner(sweep)
    assert len({planner.task(point).key for point in points(sweep.file.search)}) == 3 * 2 * 3


def test_inferences_share_trainings(tmp_path: Path) -> None:
    text = GRID + '"chip.adc.bits" = [4, 8]\n'
    found = plan(tmp_path, text, "task=infer", "set.chip.wires.bit_line=0.5")
    trainings = {task.needs.key for task in found if task.needs is not None}
    assert (len(found), len({task.key for task in found}), len(trainings)) == (8, 8, 4)
    assert trainings == {task.key for task in plan(tmp_path, GRID)}
    chip = found[1].resolved()["chip"]
    assert (chip["adc"]["bits"], chip["wires"]["bit_line"]) == (8, 0.5)


def test_the_sources_that_decide_are_found_by_what_is_imported() -> None:
    # Otherwise a change of the code would go unnoticed, and results of before it would be taken for new ones.
    sources = {path.relative_to(keys.ROOT).as_posix() for path in keys.deciding_sources()}
    needed = ("run", "training", "tasks/base", "chip/inference", "characterisation/states", "summary")
    assert {"experiment/work/train.py", *(f"experiment/{name}.py" for name in needed)} <= sources
    for layer in keys.LAYERS:
        assert {path.relative_to(keys.ROOT).as_posix() for path in (keys.ROOT / layer).rglob("*.py")} <= sources
    assert any(name.endswith(".cpp") for name in sources)
    # What plans, shows and logs may change without a new computation.
    assert not {
        name for name in sources if name.startswith(("report/", "sweep/", "experiment/logs/", "experiment/jobs/"))
    }


def test_a_change_of_the_code_changes_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    monkeypatch.setattr(keys, "ROOT", tmp_path)
    monkeypatch.setattr(keys, "deciding_sources", lambda: iter([source]))
    versions = []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        source.write_text(text, encoding="utf-8")
        versions.append(keys.code_version.__wrapped__())
    assert versions[0] == versions[2] != versions[1]


def test_what_is_done_with_a_chip_is_part_of_the_task(tmp_path: Path) -> None:
    text = GRID + '"inference.fine_tuning_epochs" = [0, 1]\n'
    found = plan(tmp_path, text, "task=infer")
    assert len({task.key for task in found}) == len(found)
    assert {task.resolved()["inference"]["fine_tuning_epochs"] for task in found} == {0, 1}
    # The training is the same, whatever is done with its network.
    assert 2 * len({task.needs.key for task in found if task.needs is not None}) == len(found)
    with pytest.raises(InputError, match=r"unknown key 'inference\.epochs'|unknown key 'epochs'"):
        plan(tmp_path, GRID, "task=infer", "set.inference.epochs=1")
    with pytest.raises(InputError, match="fine_tuning_epochs"):
        plan(tmp_path, GRID, "task=infer", "set.inference.fine_tuning_epochs=-1")


SHIPPED = [
    path
    for path in sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
    if {"search", "recipe"} <= read_toml(path).keys()
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_sweeps_can_be_planned(path: Path) -> None:
    sweep = load_sweep(path)
    tasks = [Planner(sweep).task(settings) for settings in points(sweep.file.search)]
    assert len({task.key for task in tasks}) == len(tasks) > 1


def test_float_baselines_of_all_devices_are_one(tmp_path: Path) -> None:
    text = GRID.replace(
        "[search.over]", '[search.over]\nmode = ["float", "in-situ"]\n"optimizer.latent_rate" = [1e-3, 2e-3]'
    )
    found = plan(tmp_path, text)
    float_ones = {task.key for task in found if task.shown["mode"] == "float"}
    seeds = {task.shown["seed"] for task in found}
    assert len(float_ones) == len(seeds)
    assert len({task.key for task in found}) - len(float_ones) == len(found) // 2


# --- places in lists, and what settings replace or leave to the device --------------------------------------

NOTCHES = """
[shape]
notches = [
    { position = 150e-9, depth = 4e-9, half_length = 8e-9 },
    { position = 300e-9, depth = 4e-9, half_length = 8e-9 },
]
"""


def test_an_axis_reaches_into_a_list(tmp_path: Path) -> None:
    text = """
    task = "characterize"
    recipe = "base.toml"
    [search]
    kind = "grid"
    [search.over]
    "shape.notches.1.depth" = [3e-9, 5e-9]
    """
    tasks = plan(tmp_path, text, base=NOTCHES)
    depths = [[notch["depth"] for notch in task.resolved()["shape"]["notches"]] for task in tasks]
    assert depths == [[4e-9, 3e-9], [4e-9, 5e-9]]
    assert len({task.key for task in tasks}) == 2
    with pytest.raises(InputError, match=r"'shape\.notches' is a list with the entries 0 to 1, not '2'"):
        plan(tmp_path, text.replace("notches.1", "notches.2"), base=NOTCHES)


def test_a_sigma_on_an_axis_replaces_the_preset(tmp_path: Path) -> None:
    text = 'recipe = "base.toml"\n[search]\nkind = "grid"\n[search.over]\n"device.sigma" = [0.05, 0.1]\n'
    base = "states = 5\n[dataset]\nname = 'digits'\n[device]\npreset = 'racetrack'\n"
    found = [task.resolved()["device"] for task in plan(tmp_path, text, base=base)]
    assert [(each["preset"], each["sigma"]) for each in found] == [("gaussian", 0.05), ("gaussian", 0.1)]
    with pytest.raises(InputError, match="sigma belongs to the gaussian preset, not to racetrack"):
        plan(tmp_path, text, "set.device.preset=racetrack", base=base)


def test_each_task_has_the_default_margin_of_its_device_and_rule(tmp_path: Path) -> None:
    text = 'recipe = "base.toml"\n[search]\nkind = "grid"\n[search.over]\nmode = ["in-situ", "ex-situ", "float"]\n'
    text += 'states = [5, 16]\n"device.sigma" = [0.04]\n'
    found = [task.resolved() for task in plan(tmp_path, text, base="[dataset]\nname = 'digits'\n")]
    margins = [values["device"]["margin"] for values in found]
    assert margins == [0.12, 0.107, 0.048, 0.048, 0.4, 0.4]
    assert [values["optimizer"]["latent_rate"] for values in found] == [6e-3, 6e-3, 3e-2, 3e-2, 6e-3, 6e-3]


def test_a_margin_over_several_levels_is_warned_of_once(tmp_path: Path) -> None:
    text = 'recipe = "base.toml"\n[search]\nkind = "grid"\n[search.over]\nseed = [0, 1, 2]\n'
    base = "states = 16\n[dataset]\nname = 'digits'\n[device]\nsigma = 0.04\nmargin = 0.4\n"
    with pytest.warns(InputWarning, match=r"margin = 0\.4 spans 7 of the 16 levels") as caught:
        plan(tmp_path, text, base=base)
    assert len(caught) == 1
