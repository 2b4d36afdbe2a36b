"""Nights on this project's own history, in a clone: without a change no alarm; what is planted is found, and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not os.environ.get("GRADPIN_PROOF"), reason="takes an hour: make nightly-proof")

COUNTERS_AND_RATIOS = ("--bench", r"^(calls|code|memory|ratios|controls)\.")
RATIOS = ("--bench", r"^(ratios|controls)\.")
SPINNING = "while True: sum(range(1000))"

SLOW_RULE = (  # what it adds to tanh makes the gradient of a small mlp about 1.3 times as slow
    "engine/rules/elementwise.py",
    "    slope = 1 - out * out\n",
    "    slope = 1 - out * out + 0 * np.log1p(np.exp(np.log1p(np.exp(out))))\n",
)
APPENDED = """            body.append(self.at(ast.Expr(call(attribute(name({}), "append"), self.arg(y.value)))))\n"""
COPIED = """            body.append(self.at(ast.parse(f"{saved}[:] = [value for value in {saved}]").body[0]))\n"""
QUADRATIC = (
    "engine/typed/emit.py",
    APPENDED.format("self.name_of(y.out)"),
    "            saved = self.name_of(y.out)\n" + APPENDED.format("saved") + COPIED,
)
LEAK = (
    "engine/api.py",
    "                if found is not MISS:\n                    return found[1]\n",
    "                if found is not MISS:\n"
    "                    globals().setdefault('_answers', []).append(found)\n"
    "                    return found[1]\n",
)


@dataclass
class Project:
    """A clone in which commits are made, one night after the other."""

    root: Path

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-C", str(self.root), "-c", "commit.gpgsign=false", *arguments]
        environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, file: str, before: str, after: str, subject: str) -> str:
        """Replace a text in a file."""
        path = self.root / file
        text = path.read_text()
        assert text.count(before) == 1, f"{file} has changed: plant this elsewhere"
        path.write_text(text.replace(before, after))
        self.git("commit", "-q", "-a", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def remark(self, subject: str) -> str:
        """A commit that changes `engine/` and nothing of what it does."""
        path = self.root / "engine" / "errors.py"
        path.write_text(path.read_text() + f"# {subject}\n")
        self.git("commit", "-q", "-a", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def night(self, *options: str, machine: str) -> dict[str, Any]:
        """What `python -m benchmarks nightly` finds, and prints for those who watch."""
        file = self.root / "night.json"
        command = [sys.executable, "-m", "benchmarks", "nightly", "--machine", machine, "--json", str(file), *options]
        done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, text=True)
        print(done.stdout, flush=True)
        found = json.loads(file.read_text())
        assert found["status"] == done.returncode
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("nights") / "clone")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(made.root)], check=True)
    made.git("checkout", "-q", "-B", "main")
    return made


@contextmanager
def load(processes: int) -> Iterator[None]:
    spinning = [subprocess.Popen([sys.executable, "-c", SPINNING]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def test_ten_nights_without_a_change_five_of_them_under_load_give_no_alarm(project):
    project.remark("the night before the first")
    first = project.night(*COUNTERS_AND_RATIOS, machine="idle")
    assert first["status"] == 0 and not first["changes"]
    for turn in range(10):
        project.remark(f"night {turn}")
        with load(turn % 2):
            found = project.night(*COUNTERS_AND_RATIOS, machine="idle")
        assert found["status"] in (0, 5), "5 says that the machine was too busy, which is no alarm"
        assert not found["changes"] and not found["slowdowns"] and not found["failures"]


def planted(project: Project, plant: tuple[str, str, str], options: tuple[str, ...], machine: str) -> tuple[str, dict]:
    """A night of three commits, the plant in the middle; taken out again afterwards."""
    project.remark(f"before {machine}")
    assert project.night(*options, machine=machine)["status"] == 0, "the first night of this machine"
    project.remark(f"nothing, {machine}")
    culprit = project.commit(*plant, subject=f"planted: {machine}")
    project.remark(f"nothing either, {machine}")
    found = project.night(*options, machine=machine)
    file, before, after = plant
    project.commit(file, after, before, f"mended: {machine}")
    return culprit, found


def blamed(found: dict) -> set[tuple[str, ...]]:
    return {tuple(one["culprits"]) for one in (*found["changes"], *found["slowdowns"])}


def test_a_rule_that_became_slower_is_found_by_time_alone(project):
    culprit, found = planted(project, SLOW_RULE, RATIOS, "slow rule")
    assert found["status"] == 1 and blamed(found) == {(culprit,)}
    factors = {one["workload"]: one["factor"] for one in found["slowdowns"]}
    assert 1.1 < factors["mlp:32x64-64-1"] < 1.45


def test_what_counters_have_found_is_not_said_again_by_time(project):
    culprit, found = planted(project, SLOW_RULE, COUNTERS_AND_RATIOS, "slow rule counted")
    assert found["status"] == 1 and blamed(found) == {(culprit,)}
    counted = {one["series"][1] for one in found["changes"]}
    assert counted >= {"mlp:32x64-64-1", "rnn:10x4x4"}
    assert not counted & {one["workload"] for one in found["slowdowns"] if one["by"] != "time"}


def test_a_quadratic_loop_is_found(project):
    culprit, found = planted(project, QUADRATIC, ("--bench", r"^(calls|growth)\."), "quadratic loop")
    assert found["status"] == 1 and blamed(found) == {(culprit,)}
    after = {tuple(one["series"]): one["after"] for one in found["changes"]}
    assert after["growth.Growth.track_exponent_of_instructions", "deep_loop"] >= 1.8


def test_a_leak_is_found(project):
    culprit, found = planted(project, LEAK, ("--bench", r"^memory\."), "leak")
    assert found["status"] == 1 and blamed(found) == {(culprit,)}
    kept = {one["series"][1]: one["after"] for one in found["changes"] if "kept" in one["series"][0]}
    assert len(kept) >= 15 and all(size > 0 for size in kept.values())
