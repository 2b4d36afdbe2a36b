"""What the README says that `isolate` and `bisect --script` print, they print, of the programs that stand here.

A line `...` in the README stands for any number of lines, a hash for any other.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .test_bisect import Repository

ROOT = Path(__file__).parents[2]
CONSOLE = re.findall(r"^```console\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)

LAYER = """\
import numpy as np

from engine import rule


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.8 * (x + 0.045 * x**3)))


rule(gelu, x=lambda d, out, x: d * 0.5 * (1 + np.tanh(0.8 * (x + 0.045 * x**3))))


def loss(w, x):
    hidden = gelu(x @ w)
    return np.mean(hidden**2)
"""
SPRING = """\
import numpy as np

from engine import gradient

def energy(x, stiffness):
    stretch = 2.0 * np.sqrt(np.sum(x * x)) - 0.5
    return stiffness * stretch**2 * 1.0

print(gradient(energy, np.array([0.6, 0.8]), 1.5))
"""
BREAK = "and one.value == 1", "and one.value >= 1"


def told(command: str) -> str:
    """What the README prints below a command."""
    found = [block.partition("\n")[2] for block in CONSOLE if block.startswith(f"$ {command}")]
    assert len(found) == 1, command
    return found[0]


def alike(shown: str, printed: str) -> bool:
    """Is it the same but for hashes, and what the README leaves out?"""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "...\n" else re.sub(r"\b[0-9a-f]{12}\b", "[0-9a-f]{12}", re.escape(line))
        for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, printed) is not None


def run(arguments: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "regressions", *arguments], cwd=folder, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
    )  # fmt: skip
    return done.stdout.replace(f"{folder}{os.sep}", "")


def test_the_operation_of_a_layer(tmp_path: Path):
    (tmp_path / "layer.py").write_text(LAYER)
    arguments = ["isolate", "layer:loss", "--args", "np.ones((3, 2)), np.eye(3)"]
    printed = run(arguments, tmp_path, PYTHONPATH=str(ROOT))
    shown = told('python -m regressions isolate layer:loss --args "np.ones((3, 2)), np.eye(3)"')
    assert alike(shown, printed), printed


def test_the_pass_that_breaks_a_spring(tmp_path: Path):
    repository = Repository(tmp_path / "gradpin")
    for name in ("engine", "regressions", "benchmarks"):
        shutil.copytree(ROOT / name, repository.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    repository.git("init", "-q", "-b", "main")
    for subject in ("what it was", "another line in the notes"):
        (repository.root / "notes").write_text(subject)
        repository.git("add", "-A")
        repository.git("commit", "-q", "-m", subject)
    spoiled = repository.root / "engine" / "typed" / "optimise.py"
    assert BREAK[0] in spoiled.read_text()
    spoiled.write_text(spoiled.read_text().replace(*BREAK))
    (repository.root / "spring.py").write_text(SPRING)
    arguments = ["bisect", "--script", "spring.py", "--good", "HEAD~1"]
    cache = {"GRADPIN_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(repository.root)}
    printed = run(arguments, repository.root, **cache)
    assert alike(told("python -m regressions bisect --script spring.py --good HEAD~1"), printed), printed


def test_a_text_that_differs_is_not_alike():
    shown = "broke 0123456789ab\n...\nat line 6\n"
    assert alike(shown, "broke ba9876543210\none\ntwo\nat line 6\n")
    assert not alike(shown, "broke ba9876543210\none\ntwo\nat line 7\n")
    assert not alike(shown, "broke it\nat line 6\n")
