"""Tables of sweeps and of plain runs: what is read, what is refused, and as labelled arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from barkhausen.core.errors import InputError
from barkhausen.experiment.jobs import JOBS
from barkhausen.results.arrays import to_xarray
from barkhausen.results.columns import current_name, seed_column, swept_keys, value_column
from barkhausen.results.read import load_chips, load_table, load_tables, table_of_runs
from barkhausen.results.summarise import summarise
from made_up_runs import write_run
from made_up_sweep import CHIPS, MARGINS, SEEDS, accuracy_of, fail, rows_of, table_of, write_sweep

Change = Callable[[pd.DataFrame], pd.DataFrame]


def one_line(error: pytest.ExceptionInfo[InputError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


class TestLoading:
    def test_a_sweep_keeps_its_order_and_types(self, tmp_path: Path) -> None:
        frame = load_table(write_sweep(tmp_path / "sweep"))
        assert frame["task"].tolist() == [row["task"] for row in rows_of()]
        assert frame.dtypes[["seed", "states", "accuracy", "mode", "error"]].map(str).tolist() == [
            "Int64",
            "Int64",
            "float64",
            "string",
            "string",
        ]
        chips = load_chips(tmp_path / "sweep")
        assert chips.columns.tolist() == ["task", "chip", "accuracy"]
        assert len(chips) == len(MARGINS) * len(SEEDS) * CHIPS

    def test_types_do_not_depend_on_how_the_sweep_went(self, tmp_path: Path) -> None:
        went_well = load_table(write_sweep(tmp_path / "well"))
        went_badly = load_table(write_sweep(tmp_path / "badly", change=lambda rows: [fail(row) for row in rows]))
        assert went_well.dtypes.equals(went_badly.dtypes)

    @pytest.mark.parametrize("file", ["table.parquet", "chips.parquet"])
    def test_missing_and_damaged_files_are_told(self, tmp_path: Path, file: str) -> None:
        load = load_table if file == "table.parquet" else load_chips
        with pytest.raises(InputError) as missing:
            load(tmp_path)
        assert f"{file}: no such file" in one_line(missing)
        directory = write_sweep(tmp_path / "sweep")
        content = (directory / file).read_bytes()
        for spoilt in (b"", b"PAR1", content[:-20], content[: len(content) // 2], b"x" * 300):
            (directory / file).write_bytes(spoilt)
            with pytest.raises(InputError) as damaged:
                load(directory)
            assert file in one_line(damaged)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda frame: frame.drop(columns="status"), "no column 'status'"),
            (lambda frame: frame.drop(columns="accuracy"), "no column 'accuracy'"),
            (lambda frame: frame.assign(kind="bake"), "kind 'bake'"),
            (lambda frame: frame.assign(status="burnt"), "status 'burnt'"),
            (lambda frame: frame.assign(status=None), "damaged"),
            (lambda frame: frame.assign(seed="three"), "damaged"),
            (lambda frame: frame.assign(kind=["train", "characterize"] * (len(frame) // 2)), "another version|mixes"),
        ],
    )
    def test_other_tables_are_refused(self, tmp_path: Path, change: Change, told: str) -> None:
        directory = write_sweep(tmp_path / "sweep")
        change(table_of(rows_of())).to_parquet(directory / "table.parquet")
        with pytest.raises(InputError, match=told) as error:
            load_table(directory)
        one_line(error)

    def test_a_sweep_that_has_not_begun_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "sweep.toml").write_text("")
        with pytest.raises(InputError, match="resumes it"):
            load_tables([tmp_path])


class TestRuns:
    def test_have_the_columns_of_a_sweep(self, tmp_path: Path) -> None:
        runs = [write_run(tmp_path, seed=seed, accuracy=0.98 + 0.001 * seed) for seed in (0, 1)]
        frame = table_of_runs(runs)
        swept = load_table(write_sweep(tmp_path / "sweep"))
        assert set(swept.columns) - set(frame.columns) == {"device.margin", "network.hidden"}
        assert frame.dtypes.equals(swept.dtypes[frame.columns])
        assert set(JOBS["train"].with_causes(["sot_picojoule", "gate_picojoule", "read_picojoule"])) <= set(
            frame.columns
        )
        # 3300 events at 10 fJ over 3 epochs of 1000 samples.
        row = frame.iloc[0]
        assert row["picojoule_per_inference"] == pytest.approx(3300 * 10e-3 / 3000)
        parts = row[["sot_picojoule", "gate_picojoule", "read_picojoule"]].tolist()
        assert parts == pytest.approx([0.6 * 0.011, 0.1 * 0.011, 0.3 * 0.011])
        assert (row["accuracy"], row["measured_on"], row["unseen_chips"]) == (0.98, "test", 0.9)
        assert frame["seed"].tolist() == [0, 1]

    def test_keys_of_the_recipe_that_differ_are_swept(self, tmp_path: Path) -> None:
        def wider(summary: dict[str, Any]) -> None:
            summary["recipe"]["network"]["hidden"] = [16, 4]
            summary["recipe"]["threads"] = 7

        frame = table_of_runs([write_run(tmp_path), write_run(tmp_path, change=wider, name="wider")])
        assert swept_keys(frame) == ["network.hidden"]
        assert frame["network.hidden"].tolist() == ["[8, 4]", "[16, 4]"]

    def test_of_a_float_twin_have_no_energy(self, tmp_path: Path) -> None:
        frame = table_of_runs([write_run(tmp_path), write_run(tmp_path, "float", None)])
        assert frame.loc[1, ["picojoule_per_inference", "sot_picojoule", "states"]].isna().all()
        assert swept_keys(frame) == ["mode"]

    def test_are_found_below_a_directory_once(self, tmp_path: Path) -> None:
        run = write_run(tmp_path / "all")
        write_run(tmp_path / "all", seed=1)
        (tmp_path / "all" / "summary.json").write_text("[]")
        found = load_tables([tmp_path / "all", run, tmp_path / "all" / "."])
        assert found.rows["seed"].tolist() == [0, 1]

    def test_chips_are_those_that_the_summary_has(self, tmp_path: Path) -> None:
        def with_values(summary: dict[str, Any]) -> None:
            summary["chips"] |= {"values": [0.97, 0.98], "count": 2}

        run = write_run(tmp_path, "ex-situ", change=with_values)
        chips = load_tables([run]).chips
        assert chips[["chip", "accuracy"]].to_numpy().tolist() == [[0, 0.97], [1, 0.98]]
        assert load_tables([write_run(tmp_path / "old", "ex-situ")]).chips.empty

    def test_nothing_is_refused_kindly(self, tmp_path: Path) -> None:
        for path, told in ((tmp_path, "neither a sweep"), (tmp_path / "nowhere", "no such directory")):
            with pytest.raises(InputError, match=told) as error:
                load_tables([path])
            one_line(error)
        with pytest.raises(InputError, match="name a directory"):
            load_tables([])


class TestTogether:
    def test_sweeps_and_runs_go_into_one_table(self, tmp_path: Path) -> None:
        sweep = write_sweep(tmp_path / "sweep", modes=["in-situ"])
        run = write_run(tmp_path, "float", None)
        rows = load_tables([sweep, run]).rows
        assert len(rows) == len(MARGINS) * len(SEEDS) + 1
        assert rows["mode"].tolist()[-1] == "float"
        assert pd.isna(rows["device.margin"].iloc[-1])
        assert rows["seed"].dtype == "Int64"

    def test_a_task_in_two_sweeps_is_one_task(self, tmp_path: Path) -> None:
        first = write_sweep(tmp_path / "first", change=lambda rows: fail(rows[0]))
        second = write_sweep(tmp_path / "second", seeds=(0, 1, 2, 3))
        found = load_tables([first, second])
        assert len(found.rows) == 24
        assert (found.rows["status"] == "finished").all()
        assert "18 rows" in found.notes[0].text
        assert len(found.chips) == 8 * CHIPS

    def test_kinds_are_not_mixed(self, tmp_path: Path) -> None:
        other = table_of([row | {"kind": "infer", "system_picojoule": 1.0} for row in rows_of()])
        (tmp_path / "other").mkdir()
        other.to_parquet(tmp_path / "other" / "table.parquet")
        with pytest.raises(InputError, match="infer and train"):
            load_tables([write_sweep(tmp_path / "sweep"), tmp_path / "other"])

    def test_a_table_without_rows_is_told(self, tmp_path: Path) -> None:
        directory = write_sweep(tmp_path / "sweep")
        table_of(rows_of()).head(0).to_parquet(directory / "table.parquet")
        with pytest.raises(InputError, match="no rows"):
            load_tables([directory])


class TestSweptKeys:
    def test_leave_out_what_follows_from_others(self) -> None:
        frame = table_of(rows_of())
        # states and device follow from the mode; hidden is told by itself, for the margin is no mode.
        assert swept_keys(frame) == ["mode", "device.margin", "network.hidden", "seed"]
        more = pd.concat([frame, frame[frame["mode"] == "in-situ"].assign(states=3)])
        assert swept_keys(more)[-1] == "states"
        assert swept_keys(frame[frame["mode"] == "in-situ"]) == ["device.margin", "network.hidden", "seed"]

    def test_margins_that_follow_from_the_mode_are_no_keys(self) -> None:
        rows = [*rows_of(modes=["in-situ"], margins=[0.4]), *rows_of(modes=["ex-situ"], margins=[0.2])]
        assert "device.margin" not in swept_keys(table_of(rows))

    def test_the_seed_of_a_characterisation_has_a_longer_name(self) -> None:
        assert (
            seed_column(pd.DataFrame(columns=["characterisation.seed", "information_bits"])) == "characterisation.seed"
        )
        assert seed_column(pd.DataFrame(columns=["seed", "x.seed"])) == "seed"
        assert seed_column(pd.DataFrame(columns=["a.seed", "b.seed"])) is None


class TestArrays:
    def test_every_row_is_found_at_its_labels(self) -> None:
        frame = table_of(rows_of(modes=["in-situ", "ex-situ"])).sample(frac=1, random_state=3)
        arrays = to_xarray(frame, ["accuracy", "picojoule_per_inference"], ["seed", "mode", "device.margin"])
        assert dict(arrays.sizes) == {"seed": 3, "mode": 2, "device.margin": 2}
        assert arrays["seed"].values.tolist() == [0, 1, 2]
        for mode in ("in-situ", "ex-situ"):
            for margin in MARGINS:
                for seed in SEEDS:
                    place = {"seed": seed, "mode": mode, "device.margin": margin}
                    assert arrays["accuracy"].sel(place).item() == accuracy_of(mode, margin, seed)

    def test_gaps_and_failures_are_nan(self) -> None:
        rows = rows_of(modes=["in-situ"])
        fail(rows[0])
        arrays = to_xarray(table_of(rows[:-1]), ["accuracy"], ["device.margin", "seed"])
        assert np.isnan(arrays["accuracy"].values).tolist() == [[True, False, False], [False, False, True]]

    def test_dims_are_the_swept_keys(self) -> None:
        arrays = to_xarray(table_of(rows_of(modes=["in-situ"])), ["accuracy"])
        assert arrays["accuracy"].dims == ("device.margin", "network.hidden", "seed")

    def test_several_rows_of_one_place_are_refused(self) -> None:
        frame = table_of(rows_of(modes=["in-situ"]))
        with pytest.raises(InputError, match=r"3 rows have device.margin = 0.4; .*seed differ") as error:
            to_xarray(frame, ["accuracy"], ["device.margin"])
        one_line(error)

    @pytest.mark.parametrize(
        ("values", "dims", "told"),
        [
            (["acuracy"], ["seed"], "did you mean 'accuracy'"),
            (["mode"], ["seed"], "holds no numbers"),
            (["accuracy"], ["sed"], "did you mean 'seed'"),
            (["accuracy"], ["mode", "device.margin", "states", "seed"], "'states' is empty in 6 rows"),
            (["accuracy"], [], "no dimensions"),
        ],
    )
    def test_what_cannot_be_is_told(self, values: list[str], dims: list[str], told: str) -> None:
        with pytest.raises(InputError, match=told) as error:
            to_xarray(table_of(rows_of()), values, dims)
        one_line(error)


OLD = Path(__file__).parents[1] / "old_versions" / "0.1.0"


def test_the_table_of_a_sweep_of_version_010_is_read_with_todays_names() -> None:
    frame = load_table(OLD / "sweep")
    assert {"unseen_chips", "optimizer.latent_rate"} <= set(frame.columns)
    assert not {"fresh_chip_copy", "optimizer.memory_rate"} & set(frame.columns)
    # The summary that version 0.1.0 made of it.
    written = pd.read_csv(OLD / "sweep-table.csv").rename(columns=current_name)
    tables = load_tables([OLD / "sweep"])
    summary = summarise(tables.rows, chips=tables.chips).frame
    assert summary.columns.tolist() == written.columns.tolist()
    for name in ("optimizer.latent_rate", "accuracy_mean", "picojoule_per_inference_mean"):
        np.testing.assert_array_equal(summary[name], written[name])
    with pytest.warns(DeprecationWarning, match="fresh_chip_copy is now unseen_chips"):
        assert value_column(frame, "fresh_chip_copy") == "unseen_chips"


def test_chips_whose_accuracies_are_words_are_refused(tmp_path: Path) -> None:
    write_sweep(tmp_path / "sweep")
    path = tmp_path / "sweep" / "chips.parquet"
    chips = load_chips(tmp_path / "sweep").astype({"accuracy": "string"})
    chips.to_parquet(path)
    with pytest.raises(InputError, match=r"chips.parquet: is damaged"):
        load_chips(tmp_path / "sweep")
