"""Commands killed at random moments and started again: the outputs are those of an undisturbed run, no process is left.

    python tests/chaos/chaos.py                       # 200 kills, from a printed seed
    python tests/chaos/chaos.py --kills 20 --only train sweep
    python tests/chaos/chaos.py --seed 3 --log chaos.log   # goes on where it was interrupted

Each command runs undisturbed first. Then it is killed (SIGKILL) after a random time, its process alone, and started
again with the same words, until it ends by itself; several times over, until the kills of its share are used up. The
totals are added to ``totals.jsonl``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

import psutil

from barkhausen.core.provenance import commit

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from subjects import SUBJECTS, Samples, Subject, clear, content  # noqa: E402

sys.path.insert(0, str(HERE.parent / "fuzz"))
import samples as made_samples  # noqa: E402

TOTALS = HERE / "totals.jsonl"
MARK = "BARKHAUSEN_CHAOS"
"""Environment variable by which the processes of one command are found."""

GONE = 30.0
"""Seconds within which every process of a killed command must have ended; longer on a busy machine."""


class CommandError(AssertionError):
    """A command that did not end as it would have undisturbed."""


def start(words: list[str], mark: str, log: Path) -> subprocess.Popen[bytes]:
    """The command as a user's shell starts it, in a session of its own."""
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "barkhausen", *words],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env=os.environ | {MARK: mark, "OMP_NUM_THREADS": "1"},
        )


def left(mark: str) -> list[psutil.Process]:
    """Processes that carry a mark and are alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def check_none_left(mark: str) -> None:
    """Wait until every process of a command has ended."""
    until = time.monotonic() + GONE
    while orphans := left(mark):
        if time.monotonic() > until:
            names = "; ".join(" ".join(process.cmdline())[:200] for process in orphans)
            for process in orphans:
                process.kill()
            raise CommandError(f"{len(orphans)} processes left behind: {names}")
        time.sleep(0.1)


def finished(process: subprocess.Popen[bytes], subject: Subject, log: Path) -> None:
    """Wait for the end of a command, which must be a success."""
    try:
        code = process.wait(subject.lasts)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise CommandError(f"no end within {subject.lasts:g} s") from None
    if code:
        raise CommandError(f"exit code {code}: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def undisturbed(subject: Subject, samples: Samples, work: Path) -> tuple[dict[str, str], float]:
    """Outputs of a command, and the seconds that it took."""
    log, mark, out = work / "log.txt", uuid.uuid4().hex, clear(work / "out")
    began = time.monotonic()
    finished(start(subject.words(samples, out), mark, log), subject, log)
    seconds = time.monotonic() - began
    check_none_left(mark)
    return content(out), seconds


def disturbed(
    subject: Subject, samples: Samples, work: Path, chance: random.Random, *, seconds: float, kills: int
) -> tuple[dict[str, str], int]:
    """Outputs of a command that was killed up to so many times, and the number of kills."""
    log, mark, out = work / "log.txt", uuid.uuid4().hex, clear(work / "out")
    done = 0
    while True:
        process = start(subject.words(samples, out), mark, log)
        if done >= kills:
            finished(process, subject, log)
            break
        try:
            process.wait(chance.uniform(0.0, 1.05 * seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            check_none_left(mark)
            done += 1
            continue
        finished(process, subject, log)
        break
    check_none_left(mark)
    return content(out), done


def shares(kills: int, chosen: list[Subject]) -> dict[str, int]:
    """Kills of each command."""
    total = sum(subject.share for subject in chosen)
    return {subject.name: max(1, round(kills * subject.share / total)) for subject in chosen}


def trouble(subject: Subject, samples: Samples, work: Path, chance: random.Random, kills: int) -> int:
    """Kill a command that often, over as many runs as it takes; the number of kills.

    Raises:
        CommandError: An output differs, a process is left, or the command fails.
    """
    expected, seconds = undisturbed(subject, samples, work)
    done = unharmed = 0
    # A command may end before its kill; so the time shrinks when that happens again and again.
    while done < kills and unharmed < 20:
        most = min(kills - done, chance.randint(1, 6))
        outputs, number = disturbed(subject, samples, work, chance, seconds=seconds, kills=most)
        differing = sorted(name for name in expected.keys() | outputs.keys() if expected.get(name) != outputs.get(name))
        if differing:
            raise CommandError(f"after {number} kills these outputs differ: {', '.join(differing[:10])}")
        done += number
        unharmed = 0 if number else unharmed + 1
        seconds *= 1.0 if number else 0.8
    return done


def main() -> int:
    """Run, print, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=None, choices=[subject.name for subject in SUBJECTS])
    parser.add_argument(
        "--log", type=Path, default=None, help="file of finished commands; what is in it is not repeated"
    )
    parser.add_argument("--totals", action="store_true", help="print the totals of all runs, and run nothing")
    chosen = parser.parse_args()
    if chosen.totals:
        print_totals()
        return 0
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    subjects = [subject for subject in SUBJECTS if chosen.only is None or subject.name in chosen.only]
    known: dict[str, dict[str, object]] = {}
    if chosen.log is not None and chosen.log.exists():
        lines = [json.loads(line) for line in chosen.log.read_text(encoding="utf-8").splitlines()]
        known = {line["command"]: line for line in lines if line["seed"] == seed}
    began, results, failed = time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="barkhausen-chaos-") as folder:
        samples = made_samples.made(Path(folder) / "samples")
        for subject in subjects:
            wanted = shares(chosen.kills, subjects)[subject.name]
            if subject.name in known:
                results[subject.name] = int(str(known[subject.name]["kills"]))
                continue
            work = clear(Path(folder) / "work")
            try:
                results[subject.name] = trouble(subject, samples, work, random.Random(f"{seed}/{subject.name}"), wanted)
                print(f"{subject.name}: {results[subject.name]} kills, same outputs, no process left", flush=True)
            except CommandError as error:
                failed += 1
                print(f"{subject.name}: FAILED: {error}", flush=True)
                continue
            if chosen.log is not None:
                line = {"seed": seed, "command": subject.name, "kills": results[subject.name]}
                with chosen.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    total = {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": commit(),
        "seed": seed,
        "kills": sum(results.values()),
        "failed_commands": failed,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "commands": dict(results),
    }
    if chosen.only is None:
        with TOTALS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(total) + "\n")
    print(json.dumps(total))
    return int(failed > 0)


def print_totals() -> None:
    """Print the kills of each run, as the documentation shows them."""
    runs = [json.loads(line) for line in TOTALS.read_text(encoding="utf-8").splitlines()]
    print("| commit | seed | kills | commands | failed |\n" + "| --- " * 5 + "|")
    for run in runs:
        commands = ", ".join(f"{name} {kills}" for name, kills in run["commands"].items())
        print(f"| {run['commit']} | {run['seed']} | {run['kills']} | {commands} | {run['failed_commands']} |")


if __name__ == "__main__":
    sys.exit(main())
