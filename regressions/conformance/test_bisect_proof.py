"""The whole proof of the search over commits: each kind of break at every position, and ten cases in this history.

Takes minutes, and runs with `make bisect-proof` only.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from regressions.bisect.answer import Search, report
from regressions.bisect.commits import Commits
from regressions.bisect.questions import OfCase, OfScript
from regressions.corpus import find_alone

from .test_bisect import BREAK, ROOT, UNIMPORTABLE, Repository, history, proof, repository, search, store  # noqa: F401

pytestmark = proof

LENGTH = 6
POSITIONS = range(1, LENGTH)
WRONG_RULE = "\nimport numpy\nfrom .rules import registry, rule\ndel registry._rules[numpy.sin]\n" + (
    "rule(numpy.sin, x=lambda d, out, x: 2.0 * d)\n"
)
BROKEN_PASS = "\nimport operator\nfrom .typed import optimise\n" + (
    "optimise._simpler = lambda stmt: stmt.args[0] if stmt.fn is operator.mul else None\n"
)
SOMETIMES = "\nimport os\nif os.urandom(1)[0] % 4:\n" + "".join(f"    {line}\n" for line in BREAK.split("\n") if line)
PROGRAM = "import numpy as np\nfrom engine import gradient\n\ndef f(x):\n    return np.sin(x) * x * 3.0\n\n"


@pytest.fixture
def line(repository: Repository):  # noqa: F811
    def made(*texts: str) -> list[str]:
        repository.git("checkout", "-q", "--orphan", f"proof-{os.urandom(4).hex()}")
        return [repository.commit(f"{i}", text) for i, text in enumerate(texts)]

    return made


@pytest.mark.parametrize("turn", POSITIONS)
@pytest.mark.parametrize("broken", [WRONG_RULE, BROKEN_PASS], ids=["a wrong rule", "a broken pass"])
def test_by_a_script_that_prints_or_fails(broken, turn, repository, line, store, tmp_path):  # noqa: F811
    commits = line(*[""] * turn, *[broken] * (LENGTH - turn))
    for i, end in enumerate(("print(gradient(f, 0.7))\n", "assert abs(gradient(f, 0.7)[0] - 3.5387) < 1e-3\n")):
        path = tmp_path / f"a program {i}.py"
        path.write_text(PROGRAM + end)
        found = Search(Commits(repository.root, store), OfScript(path), store).run(commits[0])
        assert found.culprits == (commits[turn],)


@pytest.mark.parametrize("hole", POSITIONS)
@pytest.mark.parametrize("turn", POSITIONS)
def test_by_a_case_with_one_that_does_not_import(hole, turn, repository, history, store):  # noqa: F811
    letters = "g" * turn + "b" * (LENGTH - turn) + "b"
    commits = history(letters[:hole] + "u" + letters[hole + 1 :])
    found = search(repository, store).run(commits[0])
    expected = {turn} if hole not in (turn, turn - 1) else {hole, hole + 1}
    assert set(found.culprits) == {commits[i] for i in expected}
    assert found.is_sure or "the others cannot be asked" in report(found)


@pytest.mark.parametrize("turn", POSITIONS)
def test_a_commit_that_sometimes_fails_is_found_or_in_the_set(turn, repository, line, store):  # noqa: F811
    commits = line(*[""] * turn, SOMETIMES, *[BREAK] * (LENGTH - turn))
    found = search(repository, store, agree=5).run(commits[0])
    assert commits[turn] in found.culprits, "it fails three times in four"


@pytest.mark.parametrize("turn", range(1, 4))
def test_in_the_branch_of_a_merge(turn, repository, history, store):  # noqa: F811
    base, *_ = history("g")
    main = repository.git("branch", "--show-current")
    repository.git("checkout", "-q", "-b", f"{main}-side", base)
    side = [repository.commit(f"side {i}", "" if i < turn else BREAK) for i in range(4)]
    repository.git("checkout", "-q", main)
    after = repository.commit("main goes on")
    repository.git("merge", "-q", "--no-ff", "-X", "theirs", "-m", "merge", f"{main}-side")
    found = search(repository, store).run(after)
    assert found.culprits == (side[turn],)


# -- this project's own history ----------------------------------------------------------------------------------------

DEPTH = 40
LOST = {
    "autograd-23-weighted_solution": "linalg.solve",
    "autograd-209-vectors_times_vectors_in_blocks": "kron",
    "autograd-244-weighted_running_sums": "cumsum",
    "autograd-549-volume_of_a_flat_box": "linalg.det",
    "autograd-712-two_names_of_the_absolute_value": "absolute",
    "chainrules-414-jacobian_of_a_cholesky_factor": "linalg.cholesky",
    "chainrules-498-copysign_follows_the_magnitude": "copysign",
    "jax-625-angle_of_a_vector": "arctan2",
    "jax-767-saturated_tanh": "tanh",
    "pytorch-2421-norm_of_the_zero_vector": "linalg.norm",
}
LOSE = "\nimport numpy\nfrom .rules import registry\ndel registry._rules[numpy.{}]\n"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    root = tmp_path_factory.mktemp("own history") / "clone"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(root)], check=True)
    return Repository(root)


def with_defect(clone: Repository, line: list[str], position: int, text: str) -> list[str]:
    """The commits again, each from `position` on with `text` at the end of the engine's public face."""
    made = line[:position]
    for revision in line[position:]:
        clone.git("checkout", "-q", "--detach", revision)
        face = clone.root / "engine" / "__init__.py"
        face.write_text(face.read_text() + text)
        clone.git("add", "engine")
        tree = clone.git("write-tree")
        made.append(clone.git("commit-tree", tree, "-p", made[-1], "-m", f"as {revision[:12]}"))
        clone.git("reset", "-q", "--hard")
    return made


@pytest.mark.parametrize("name", LOST)
def test_a_rule_lost_in_this_history(name: str, clone: Repository, tmp_path: Path):
    line = clone.git("rev-list", "--first-parent", "--reverse", f"-{DEPTH}", "origin/HEAD").split()
    position = random.Random(name).randrange(1, len(line))
    made = with_defect(clone, line, position, LOSE.format(LOST[name]))
    question = OfCase(find_alone(name), any_failure=True)
    found = Search(Commits(clone.root, tmp_path), question, tmp_path).run(None, made[-1])
    assert made[position] in found.culprits
    assert set(found.culprits) - {found.culprits[-1]} <= set(found.stepped_over), "no larger than it has to be"
