"""Damaged and mistaken inputs for every command, from a printed seed.

    python tests/fuzz/fuzz.py                     # ten minutes
    python tests/fuzz/fuzz.py --minutes 60 --seed 7
    python tests/fuzz/fuzz.py --seed 7 --only 1234   # one input again, with its traceback

Every input must end with exit code 0, 1 or 2 and no traceback, within 20 s of CPU time and 2 GB of memory. The totals
of each run are added to ``totals.jsonl``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "helpers")]

import cases  # noqa: E402
import workers  # noqa: E402

from barkhausen.core.provenance import commit  # noqa: E402

TOTALS = HERE / "totals.jsonl"


def main() -> int:
    """Run, print, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--inputs", type=int, default=None, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--no-total", action="store_true", help="do not add to the totals")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--workers", type=int, default=max(1, len(os.sched_getaffinity(0))))
    parser.add_argument("--only", type=int, default=None, help="try one input and print what happens")
    parser.add_argument("--kinds", nargs="*", default=None, choices=list(cases.KINDS), help="kinds of inputs")
    parser.add_argument("--findings", type=Path, default=None, help="file for the details of what went wrong")
    parser.add_argument("--totals", action="store_true", help="print the totals of all runs, and run nothing")
    chosen = parser.parse_args()
    if chosen.totals:
        print_totals()
        return 0
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="barkhausen-fuzz-") as folder:
        workers.load()
        made = workers.made_samples(Path(folder) / "samples")
        workers.end_early()
        if chosen.inputs is None:
            workers.warm_up(made, Path(folder))
        if chosen.only is not None:
            verdict = workers.attempt(seed, chosen.only, made, Path(folder), chosen.kinds)
            print(json.dumps(asdict(verdict), indent=1).replace("\\n", "\n"))
            return int(verdict.outcome != workers.FINE)
        began = time.monotonic()
        pool = workers.Pool(seed, made, Path(folder), chosen.kinds)
        counted, found, slowest = Counter[str](), Counter[str](), 0.0
        kinds = Counter[str]()
        codes, spent = Counter[str](), Counter[str]()
        said = began
        for verdict in pool.verdicts(chosen.first, chosen.workers, began + 60 * chosen.minutes, chosen.inputs):
            counted[verdict.outcome] += 1
            kinds[verdict.kind] += 1
            codes[str(verdict.code)] += 1
            spent[verdict.kind] += verdict.seconds  # type: ignore[assignment]
            slowest = max(slowest, verdict.seconds)
            if verdict.outcome != workers.FINE:
                lines = verdict.detail.strip().splitlines()
                what = f"{verdict.outcome} {verdict.kind}: {lines[-1][:160] if lines else ''}"
                found[what] += 1
                if found[what] <= 3:
                    print(f"input {verdict.number}: {what}", flush=True)
                    if chosen.findings is not None:
                        with chosen.findings.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({"seed": seed, **asdict(verdict)}) + "\n")
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"{sum(counted.values())} inputs, {dict(counted)}, slowest {slowest:.1f} s", flush=True)
    total = {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": commit(),
        "seed": seed,
        "first": chosen.first,
        "inputs": sum(counted.values()),
        "tracebacks": counted[workers.TRACEBACK],
        "hangs": counted[workers.HANG],
        "above_2_GB": counted[workers.MEMORY],
        "untidy": counted[workers.UNTIDY],
        "harness": counted["harness"],
        "slowest_seconds": round(slowest, 1),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "codes": dict(codes),
        "kinds": dict(kinds),
    }
    costs = sorted(((round(1000 * spent[kind] / number), kind) for kind, number in kinds.items()), reverse=True)
    print("ms an input:", ", ".join(f"{kind} {cost}" for cost, kind in costs))
    if chosen.kinds is None and not chosen.no_total:
        with TOTALS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(total) + "\n")
    print(json.dumps(total))
    return int(bool(found))


def print_totals() -> None:
    """Print the totals of each run and of all together, as the documentation shows them."""
    runs = [json.loads(line) for line in TOTALS.read_text(encoding="utf-8").splitlines()]
    counted = ("inputs", "tracebacks", "hangs", "above_2_GB", "untidy")
    print("| commit | seed | inputs | tracebacks | hangs | above 2 GB | not in one line |\n" + "| --- " * 7 + "|")
    for run in runs:
        print(f"| {run['commit']} | {run['seed']} | {' | '.join(str(run[key]) for key in counted)} |")
    print(f"| all | | {' | '.join(str(sum(run[key] for run in runs)) for key in counted)} |")


if __name__ == "__main__":
    sys.exit(main())
