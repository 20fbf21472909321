"""A table with a row a group: by hand, with failures, chips and twins, and as other programs read it."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barkhausen.core.errors import InputError
from barkhausen.results import statistics
from barkhausen.results.conditions import chosen
from barkhausen.results.formats import as_csv, escaped, raw_cells, rendered, summary_cells
from barkhausen.results.notes import Note
from barkhausen.results.summarise import Summary, raw_rows, summarise
from made_up_sweep import CHIPS, SEEDS, accuracy_of, chips_of, fail, rows_of, table_of

Rows = list[dict[str, Any]]


def keys_of(summary: Summary) -> set[str]:
    """Keys of the notes of a summary."""
    return {note.key for note in summary.notes}


def of(summary: Summary, **keys: Any) -> dict[str, Any]:
    """The one row of a summary with these keys."""
    found = summary.frame
    for key, value in keys.items():
        found = found[found[key.replace("__", ".")] == value]
    assert len(found) == 1
    return {str(name): value for name, value in found.iloc[0].items()}


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "number"),
        [
            ("device.margin=0.4", 9),
            ("device.margin=4e-1", 9),
            ("device.margin==0.40", 9),
            (" device.margin > 0.5 ", 9),
            ("device.margin>=0.6", 9),
            ("device.margin<0.6", 9),
            ("device.margin<=0.6", 18),
            ("device.margin!=0.4", 9),
            ("seed=2", 6),
            ("seed=2.0", 6),
            ("mode=float", 6),
            ('mode="float"', 6),
            ("mode!=float", 12),
            ("states=5", 12),
            ("states!=5", 6),
            ("states>0", 12),
            ("network.hidden=[128,64]", 9),
            ("network.hidden=[128, 64]", 9),
            ("error!=x", 18),
        ],
    )
    def test_keep_what_they_say(self, condition: str, number: int) -> None:
        assert len(chosen(table_of(rows_of()), [condition])) == number

    def test_all_must_be_met(self) -> None:
        frame = chosen(table_of(rows_of()), ["mode=in-situ", "seed>=1", "device.margin=0.6"])
        assert frame["accuracy"].tolist() == [accuracy_of("in-situ", 0.6, seed) for seed in (1, 2)]

    def test_of_text_that_holds_numbers(self) -> None:
        # A swept key whose values are numbers and words is a column of text.
        frame = table_of(rows_of()).assign(
            **{"faults.annihilated_walls": pd.array(["0.1", "0.02", "0.3"] * 6, dtype="string")}
        )
        assert len(chosen(frame, ["faults.annihilated_walls<0.2"])) == 12

    @pytest.mark.parametrize(
        ("condition", "told"),
        [
            ("device.margn=0.4", "did you mean 'device.margin'"),
            ("device.margin=much", "holds numbers, 'much' is none"),
            ("mode<float", "only = or !="),
            ("mode", "must be a column"),
            ("=5", "must be a column"),
            ("seed=9", "none of the 18 rows"),
        ],
    )
    def test_that_cannot_be_are_told(self, condition: str, told: str) -> None:
        with pytest.raises(InputError, match=told) as error:
            chosen(table_of(rows_of()), [condition])
        assert "\n" not in str(error.value)


class TestGroups:
    def test_are_means_over_seeds(self) -> None:
        summary = summarise(table_of(rows_of(modes=["in-situ"])))
        assert summary.group == ("device.margin", "network.hidden")
        values = np.array([accuracy_of("in-situ", 0.6, seed) for seed in SEEDS])
        row = of(summary, device__margin=0.6)
        assert row["accuracy_mean"] == pytest.approx(values.mean())
        assert row["accuracy_std"] == pytest.approx(values.std(ddof=1))
        assert row["accuracy_std_seeds"] == pytest.approx(values.std(ddof=1))
        assert row["accuracy_n"] == row["tasks"] == 3
        reach = stats.t.ppf(0.975, 2) * values.std(ddof=1) / math.sqrt(3)
        assert row["accuracy_low"] == pytest.approx(values.mean() - reach)
        assert row["accuracy_high"] == pytest.approx(values.mean() + reach)
        assert row["picojoule_per_inference_mean"] == pytest.approx(0.07)
        assert any("Student t over 3 seeds" in note.text for note in summary.notes)

    def test_of_one_row_have_no_spread(self) -> None:
        row = of(summarise(table_of(rows_of(modes=["in-situ"], margins=[0.4], seeds=[5]))))
        assert (row["accuracy_n"], row["accuracy_mean"]) == (1, accuracy_of("in-situ", 0.4, 5))
        assert all(math.isnan(row[f"accuracy_{name}"]) for name in ("std", "low", "high"))

    def test_count_seeds_and_not_rows(self) -> None:
        summary = summarise(table_of(rows_of(modes=["in-situ"])), ["accuracy"], ["mode"])
        row = of(summary)
        assert (row["tasks"], row["accuracy_n"]) == (6, 3)
        by_seed = [np.mean([accuracy_of("in-situ", margin, seed) for margin in (0.4, 0.6)]) for seed in SEEDS]
        assert row["accuracy_std"] == pytest.approx(np.std(by_seed, ddof=1))
        assert "averaged" in keys_of(summary)
        assert "uneven" not in keys_of(summary)

    def test_with_gaps_say_that_averages_differ(self) -> None:
        summary = summarise(table_of(rows_of(modes=["in-situ"])[1:]), ["accuracy"], ["mode"])
        assert "uneven" in keys_of(summary)

    def test_failures_are_left_out_counted_and_told(self) -> None:
        rows = rows_of(modes=["in-situ"])
        fail(rows[0])
        fail(rows[3], "MemoryError: too much")
        fail(rows[4], None)
        rows[5] |= {"status": "planned", "accuracy": None, "picojoule_per_inference": None}
        summary = summarise(table_of(rows))
        first, second = of(summary, device__margin=0.4), of(summary, device__margin=0.6)
        assert (first["tasks"], first["failed"], first["planned"], first["accuracy_n"]) == (3, 1, 0, 2)
        assert (second["tasks"], second["failed"], second["planned"], second["accuracy_n"]) == (3, 2, 1, 0)
        assert math.isnan(second["accuracy_mean"])
        assert summary.notes[0].text.startswith("3 of 6 tasks failed and are left out, most often: ")
        assert summary.notes[1].text.startswith("1 of 6 tasks are planned")
        text = rendered(summary_cells(summary), "text", summary.notes)
        assert "2 of 3" in text
        assert "– (n = 0)" in text

    def test_a_group_does_not_depend_on_the_others(self) -> None:
        seeds = range(statistics.FEWEST_FOR_BOOTSTRAP)
        frame = table_of(rows_of(modes=["in-situ"], seeds=list(seeds)))
        alone = summarise(chosen(frame, ["device.margin=0.6"]), ["accuracy"], ["device.margin"])
        together = of(summarise(frame, ["accuracy"], ["device.margin"]), device__margin=0.6)
        assert str(of(alone)) == str(together)  # which takes NaN for the same as NaN
        assert "BCa" in of(alone)["accuracy_method"]

    @pytest.mark.parametrize(
        ("values", "group", "told"),
        [
            (["accurcy"], None, "did you mean 'accuracy'"),
            (["dataset"], None, "holds no numbers"),
            (None, ["device.magin"], "did you mean 'device.margin'"),
        ],
    )
    def test_of_unknown_columns_are_refused(self, values: list[str] | None, group: list[str] | None, told: str) -> None:
        with pytest.raises(InputError, match=told):
            summarise(table_of(rows_of()), values, group)

    def test_of_validation_and_test_accuracies_are_told(self) -> None:
        rows = rows_of()
        rows[0]["measured_on"] = "validation"
        assert "mixed-samples" in keys_of(summarise(table_of(rows)))


class TestChips:
    def rows(self) -> tuple[Rows, pd.DataFrame]:
        rows = rows_of(modes=["ex-situ"], margins=[0.4])
        return rows, chips_of(rows)

    def test_split_the_spread(self) -> None:
        rows, chips = self.rows()
        samples = chips["accuracy"].to_numpy().reshape(len(SEEDS), CHIPS)
        true = statistics.components(samples)
        row = of(summarise(table_of(rows), chips=chips))
        assert row["accuracy_std_seeds"] == pytest.approx(true.seeds)
        assert row["accuracy_std_chips"] == pytest.approx(true.chips)
        # Number and spread say the same where single chips are not known.
        blind = of(summarise(table_of(rows)))
        assert blind["accuracy_std_seeds"] == pytest.approx(true.seeds)
        assert blind["accuracy_std_chips"] == pytest.approx(true.chips)

    def test_are_resampled_where_there_are_many_seeds(self) -> None:
        rows = rows_of(modes=["ex-situ"], margins=[0.4], seeds=range(24))
        chips = chips_of(rows)
        row = of(summarise(table_of(rows), ["accuracy"], chips=chips))
        assert row["accuracy_method"] == "BCa bootstrap of 24 seeds, then chips"
        samples = chips["accuracy"].to_numpy().reshape(24, CHIPS)
        interval = statistics.mean_interval(samples, 0)
        assert (row["accuracy_low"], row["accuracy_high"]) == (interval.low, interval.high)
        assert of(summarise(table_of(rows), ["accuracy"]))["accuracy_method"] == "BCa bootstrap of 24 seeds"

    def test_belong_to_the_column_that_is_their_mean(self) -> None:
        # The chips of an in-situ network are copies of it: they say nothing of its own accuracy.
        rows, chips = self.rows()
        for row in rows:
            row |= {"unseen_chips": row["accuracy"], "accuracy": 0.99 + 0.001 * row["seed"], "chips": 1}
        row = of(summarise(table_of(rows), ["accuracy", "unseen_chips"], chips=chips))
        assert math.isnan(row["accuracy_std_chips"])
        assert row["unseen_chips_std_chips"] > 0

    def test_that_differ_more_than_seeds_are_told(self) -> None:
        rows, _ = self.rows()
        for row in rows:
            row |= {"accuracy": 0.97, "chip_std": 0.01, "chips": 5}
        summary = summarise(table_of(rows), ["accuracy"])
        assert of(summary)["accuracy_clipped"]
        assert "clipped" in keys_of(summary)


class TestBaselines:
    def test_are_paired_by_seed(self) -> None:
        rows = rows_of(seeds=range(5))
        for row in rows:
            row["accuracy"] += 0.0001 * (row["seed"] * 7 % 5) * (row["mode"] == "in-situ")
        summary = summarise(table_of(rows), ["accuracy"], against=["mode=float"])
        row = of(summary, mode="in-situ", device__margin=0.6)
        ours = np.array([row["accuracy"] for row in rows if (row["mode"], row["device.margin"]) == ("in-situ", 0.6)])
        twin = np.array([row["accuracy"] for row in rows if (row["mode"], row["device.margin"]) == ("float", 0.6)])
        true = stats.ttest_rel(ours, twin)
        assert row["accuracy_pairs"] == 5
        assert row["accuracy_difference"] == pytest.approx((ours - twin).mean())
        assert row["accuracy_p_t"] == pytest.approx(true.pvalue)
        interval = true.confidence_interval()
        assert [row["accuracy_difference_low"], row["accuracy_difference_high"]] == pytest.approx(list(interval))
        assert row["accuracy_p_permutation"] == row["accuracy_p_permutation_smallest"] == 2**-4
        # The twin itself is not compared; of the ex-situ groups all differences are the same, so they have no t.
        assert of(summary, mode="float", device__margin=0.4)["accuracy_pairs"] == 0
        tested = summary.frame["accuracy_p_t"].dropna()
        assert len(tested) == 2
        assert summary.frame["accuracy_p_t_holm"].dropna().tolist() == pytest.approx(statistics.holm(tested).tolist())
        assert summary.frame["accuracy_p_permutation_holm"].dropna().tolist() == pytest.approx([0.25] * 4)

    def test_one_float_twin_serves_all_margins(self) -> None:
        rows = [*rows_of(modes=["in-situ"]), *rows_of(modes=["float"], margins=[0.4])]
        for row in rows:
            row["network.hidden"] = "[8]"
        summary = summarise(table_of(rows), ["accuracy"], against=["mode=float"])
        for margin in (0.4, 0.6):
            row = of(summary, mode="in-situ", device__margin=margin)
            assert row["accuracy_difference"] == pytest.approx(-0.01 * margin - 0.003)
            assert row["accuracy_pairs"] == 3

    def test_one_float_baseline_serves_all_devices_and_numbers_of_states(self) -> None:
        """As in a list of settings, where the float one has the resolved default of keys that others set."""
        rows = rows_of(modes=["float"], margins=[0.4])
        for row in rows:
            row["states"] = 5
        for number, (family, states) in enumerate((("racetrack", 5), ("nonvolatile", 5), ("nonvolatile", 2))):
            more = rows_of(modes=["in-situ"], margins=[0.4 + 0.1 * number])
            for row in more:
                row |= {"network.hidden": "[128, 64]", "device": f"{family}-{states}", "states": states}
            rows += more
        summary = summarise(table_of(rows), ["accuracy"], against=["mode=float"])
        assert summary.frame.loc[summary.frame["mode"] == "in-situ", "accuracy_pairs"].tolist() == [len(SEEDS)] * 3

    def test_must_agree_in_what_a_float_network_does_use(self) -> None:
        rows = rows_of(modes=["in-situ", "float"])
        for row in rows:
            row["accuracy"] += 0.1 * (row["network.hidden"] == "[32]")
        summary = summarise(table_of(rows), ["accuracy"], against=["mode=float"])
        assert of(summary, mode="in-situ", device__margin=0.6)["accuracy_difference"] == pytest.approx(-0.009)
        assert any("same seed, network.hidden" in note.text for note in summary.notes)

    def test_of_any_condition_agree_in_all_other_keys(self) -> None:
        rows = rows_of()
        for row in rows:
            row["network.hidden"] = "[8]"
        summary = summarise(table_of(rows), ["accuracy"], against=["device.margin=0.4"])
        assert of(summary, mode="in-situ", device__margin=0.6)["accuracy_difference"] == pytest.approx(-0.002)
        assert of(summary, mode="float", device__margin=0.6)["accuracy_difference"] == pytest.approx(0)

    def test_missing_seeds_make_fewer_pairs(self) -> None:
        rows = rows_of(modes=["in-situ", "float"], margins=[0.4])
        fail(rows[-1])
        row = of(summarise(table_of(rows), ["accuracy"], against=["mode=float"]), mode="in-situ")
        assert (row["accuracy_n"], row["accuracy_pairs"]) == (3, 2)

    def test_are_found_outside_the_rows_shown(self) -> None:
        frame = table_of(rows_of())
        part = chosen(frame, ["mode=in-situ", "device.margin=0.4"])
        summary = summarise(part, ["accuracy"], ["mode"], against=["mode=float"], baselines=frame)
        assert of(summary)["accuracy_difference"] == pytest.approx(-0.007)

    def test_three_pairs_are_too_few_for_a_permutation_test(self) -> None:
        summary = summarise(table_of(rows_of()), ["accuracy"], against=["mode=float"])
        assert any("cannot give p below 0.25" in note.text for note in summary.notes)

    def test_a_twin_without_energy_is_told(self) -> None:
        summary = summarise(table_of(rows_of()), ["picojoule_per_inference"], against=["mode=float"])
        assert "no-pairs" in keys_of(summary)
        assert "twin's" not in rendered(summary_cells(summary), "text", ())

    def test_that_are_not_there_are_refused(self) -> None:
        with pytest.raises(InputError, match="there is no baseline"):
            summarise(table_of(rows_of(modes=["in-situ"])), against=["mode=float"])


class TestFormats:
    @pytest.fixture
    def summary(self) -> Summary:
        return summarise(table_of(rows_of(seeds=range(4))), against=["mode=float"])

    def test_csv_gives_every_number_back(self, summary: Summary) -> None:
        back = list(csv.DictReader(io.StringIO(as_csv(summary.frame))))
        assert list(back[0]) == summary.frame.columns.tolist()
        for name in summary.frame.columns:
            if pd.api.types.is_float_dtype(summary.frame[name]):
                values = [float(row[name] or "nan") for row in back]
                assert values == pytest.approx(summary.frame[name].tolist(), abs=0, rel=0, nan_ok=True)

    def test_markdown_has_as_many_cells_everywhere(self, summary: Summary) -> None:
        lines = rendered(summary_cells(summary), "markdown", [Note("failed", "a note")]).splitlines()
        table = [line for line in lines if line.startswith("|")]
        assert len(table) == 2 + len(summary.frame)
        assert len({line.replace(r"\|", "").count("|") for line in table}) == 1
        assert lines[-1] == "a note"

    def test_latex_is_balanced_and_escaped(self, summary: Summary) -> None:
        text = rendered(summary_cells(summary), "latex", [Note("failed", "100 % of a_b")])
        body = [line for line in text.splitlines() if not line.startswith("%")]
        columns = body[0].removeprefix(r"\begin{tabular}{").removesuffix("}")
        assert set(columns) <= {"l", "r"}
        rows = [line for line in body if line.endswith(r"\\")]
        assert len(rows) == 1 + len(summary.frame)
        for row in rows:
            assert row.count(" & ") == len(columns) - 1
            for sign in "_%":
                assert row.count(sign) == row.count("\\" + sign)
            assert "±" not in row
        assert [line.strip() for line in body if "rule" in line] == [r"\toprule", r"\midrule", r"\bottomrule"]
        assert "Programming energy (pJ per sample and epoch)" in text
        assert "& {[}128, 64] &" in text

    def test_latex_escapes_its_own_signs(self) -> None:
        assert escaped(r"a_b\c{d}") == r"a\_b\textbackslash{}c\{d\}"
        assert escaped("[128, 64]") == "{[}128, 64]"

    def test_numbers_are_rounded_to_their_spread(self) -> None:
        frame = table_of(rows_of(modes=["in-situ"], margins=[0.4]))
        frame["accuracy"] = [0.98470, 0.98420, 0.98570]
        text = rendered(summary_cells(summarise(frame, ["accuracy"])), "text", ())
        assert "98.487 ± 0.076 (n = 3)" in text
        assert "98.297 to 98.676" in text

    def test_raw_rows_are_the_rows(self) -> None:
        frame = table_of(rows_of())
        full, _ = raw_rows(frame)
        assert full.equals(frame)
        shown, _ = raw_rows(frame, full=False)
        assert shown.columns.tolist()[:3] == ["task", "status", "error"]
        assert {"device.margin", "seed", "accuracy"} <= set(shown.columns)
        cells = raw_cells(shown)
        assert "error" not in cells.headings
        assert len(cells.rows) == len(frame)
        assert raw_rows(frame, ["train_accuracy"])[0].columns.tolist()[-1] == "train_accuracy"

    def test_summary_can_be_kept_as_json(self, summary: Summary) -> None:
        assert len(json.loads(summary.frame.to_json(orient="records"))) == len(summary.frame)


def test_groups_of_tasks_that_differ_in_more_than_the_seed_are_told_of() -> None:
    frame = table_of(rows_of())
    mixed = summarise(frame, ["accuracy"], ["mode"])
    (note,) = [note for note in mixed.notes if note.key == "unlike"]
    assert "differ in device.margin" in note.text
    assert "--group mode --group device.margin" in note.text
    # Three seeds of two margins: the groups count seeds, and say what they mix.
    assert mixed.frame["accuracy_n"].tolist() == [3, 3, 3]
    apart = summarise(frame, ["accuracy"])
    assert [note for note in apart.notes if note.key == "unlike"] == []
    one = frame[frame["device.margin"] == 0.4]
    assert [note for note in summarise(one, ["accuracy"], ["mode"]).notes if note.key == "unlike"] == []
