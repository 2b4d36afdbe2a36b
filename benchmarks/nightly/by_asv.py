"""asv at work: a commit measured, what it found read, the static site published.

Results lie where asv puts them, one file a commit. asv takes a process for each parameter, and most parameters only
tell a figure that was counted beforehand: so `launch_method` in asv.conf.json has them forked from one that has
imported the suite. That takes a commit from six minutes to little more than one.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.nightly.gate import WALL, Measured, Series

__all__ = ["Asv", "AsvError", "NoBenchmark"]

JUDGED = "judged"
PROGRESS = re.compile(r"\[ *(\d+)\.\d+%\] ·+ (?:Running \()?([\w.]+\.[\w.]+)")
FAILED_OR_UNBUILDABLE = 2


class AsvError(RuntimeError):
    """asv did not measure; the message says what it said last."""


class NoBenchmark(ValueError):
    """No benchmark has such a name."""


class Asv:
    """asv in the repository at `root`; `bench` are regular expressions of the benchmarks that are run, by default all.

    Raises:
        AsvError: there is no asv, or more than one environment to measure in.
    """

    def __init__(self, root: Path, machine: str, bench: Sequence[str], say: Callable[[str], None]) -> None:
        self.root, self.machine, self.bench, self.say = root, machine, bench, say
        configuration = json.loads((root / "asv.conf.json").read_text())
        self.branch: str = configuration["branches"][0]
        self.site: Path = root / configuration["html_dir"]
        self.results = root / configuration["results_dir"] / machine
        self.environment = self._environment()

    def _environment(self) -> str:
        code = (
            "from asv.config import Config; from asv.environment import get_environments\n"
            "print(*(e.name for e in get_environments(Config.load('asv.conf.json'), None, verbose=False)), sep='\\n')"
        )
        names = self._run(["-c", code]).split()
        if len(names) != 1:
            raise AsvError(f"asv.conf.json has to name one environment, and names {len(names)}; is its Python here?")
        return names[0]

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run([sys.executable, *command], cwd=self.root, capture_output=True, text=True)
        if done.returncode:
            raise AsvError(_last_words(done.stdout + done.stderr))
        return done.stdout

    # -- measuring

    def introduce_machine(self) -> None:
        """Tell asv of this machine, in words that a new kernel or container does not change: they name the series."""
        words = {"os": platform.system(), "arch": platform.machine(), "cpu": "any", "ram": "any"}
        options = [f"--{name}={word}" for name, word in words.items()]
        self._run(["-m", "asv", "machine", f"--machine={self.machine}", f"--num_cpu={os.cpu_count()}", *options])

    def measure(self, commit: str, afresh: bool) -> None:
        """Have a commit measured: whole, or what is missing of it.

        Raises:
            AsvError: it has not been, and not for what the commit is.
            NoBenchmark: there is none to run.
        """
        command = [sys.executable, "-m", "asv", "run", "--machine", self.machine]
        command += [word for pattern in self.bench for word in ("--bench", pattern)]
        command += [*([] if afresh else ["--skip-existing"]), "--no-pull", "HASHFILE:-"]
        heard: list[str] = []
        with subprocess.Popen(
            command, cwd=self.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            assert run.stdin and run.stdout
            run.stdin.write(commit + "\n")
            run.stdin.close()
            for line in run.stdout:
                heard.append(line)
                if step := PROGRESS.match(line):
                    self.say(f"      {step[1]:>3} %  {step[2]}")
        if run.returncode not in (0, FAILED_OR_UNBUILDABLE):
            if any("No benchmarks selected" in line for line in heard):
                raise NoBenchmark(f"no benchmark has a name like {' or '.join(self.bench)}")
            raise AsvError(_last_words("".join(heard)))

    def publish(self) -> None:
        """Make the site anew.

        Raises:
            AsvError: it has not been made.
        """
        self._run(["-m", "asv", "publish"])

    # -- results

    def _file(self, commit: str) -> Path | None:
        for file in sorted(self.results.glob(f"{commit[:8]}-*.json")):
            found = json.loads(file.read_text())
            if found["commit_hash"] == commit and found["env_name"] == self.environment:
                return file
        return None

    def has(self, commit: str) -> bool:
        """Are there results of the commit?"""
        return self._file(commit) is not None

    def is_fresh(self, commit: str, since: float) -> bool:
        """Are they younger than that?"""
        file = self._file(commit)
        rows = [] if file is None else [row for _, row in _rows(file)]
        return bool(rows) and all((row.get("started_at") or 0) / 1000 > since for row in rows)

    def read(self, commit: str) -> Measured:
        """What was found of a commit."""
        file = self._file(commit)
        values: dict[Series, float | None] = {}
        for name, row in _rows(file) if file else ():
            parameters = [", ".join(map(_plain, each)) for each in product(*row["params"])]
            found = row["result"] or [None] * len(parameters)
            values |= {(name, parameter): value for parameter, value in zip(parameters, found, strict=True)}
        return Measured(commit, values)

    def drop_wall_times(self, commit: str) -> None:
        """Leave a gap in the charts where the times of a commit would be."""
        file = self._file(commit)
        if file is None:
            return
        content = json.loads(file.read_text())
        columns = content["result_columns"]
        for name, row in content["results"].items():
            if name.startswith(WALL):
                kept = {"result", "params", "version", "started_at", "duration"}
                row[:] = [value if column in kept else None for column, value in zip(columns, row, strict=False)]
                row[0] = row[0] and [math.nan] * len(row[0])
        file.write_text(json.dumps(content))

    # -- the mark

    def judged(self) -> str | None:
        """The last commit that was judged by these benchmarks."""
        return self._judged().get(" ".join(self.bench))

    def judge(self, commit: str) -> None:
        """Everything up to this commit has been."""
        self.results.mkdir(parents=True, exist_ok=True)
        (self.results / JUDGED).write_text(json.dumps({**self._judged(), " ".join(self.bench): commit}) + "\n")

    def _judged(self) -> dict[str, str]:
        mark = self.results / JUDGED
        return json.loads(mark.read_text()) if mark.exists() else {}


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    content = json.loads(file.read_text())
    for name, row in content["results"].items():
        yield name, dict.fromkeys(content["result_columns"]) | dict(zip(content["result_columns"], row, strict=False))


def _plain(parameter: str) -> str:
    """asv writes a parameter as Python does."""
    return parameter[1:-1] if parameter[:1] in "'\"" else parameter


def _last_words(heard: str) -> str:
    lines = [line.strip("· ") for line in heard.splitlines() if line.strip("· ")]
    return "asv: " + (lines[-1] if lines else "without a word")
