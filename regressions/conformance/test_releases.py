"""The search over releases: rows and ends without an index; and, with one, bugs whose release is known from elsewhere.

What needs the package index, and environments of some hundred megabytes each, runs with `make bisect-releases` only.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regressions.bisect import releases
from regressions.bisect.answer import Search
from regressions.bisect.axis import CannotAsk, HistoryError
from regressions.bisect.questions import OfCase, OfScript
from regressions.bisect.releases import Releases
from regressions.corpus import find_alone
from regressions.environments import Release, Unusable, cache_directory

# functions that JAX alone has; what NumPy has too is asked by a case
JAX = "import jax, jax.numpy as jnp\n"
MASKED = "jax.scipy.special.logsumexp(a, where=jnp.array([True, False]))"
LOGSUMEXP = JAX + f"print(jax.grad(lambda a: {MASKED})(jnp.array([0.0, 1000.0])).tolist())\n"
SOFTMAX = JAX + "\n".join(
    [
        "mask = jnp.array([True, False])",
        "first = lambda x: jax.nn.softmax(x, where=mask, initial=-jnp.inf)[0]",
        "print(jax.grad(first)(jnp.array([36.0, 10000.0])).tolist())",
    ]
)
NAMES = JAX + "print(jax.grad(lambda a: jnp.sum(jnp.linalg.eigh(a).eigenvalues))(jnp.eye(2)).tolist())\n"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Releases:
    """Four releases of autograd, of which the third does not install."""

    def interpreter(release: Release, say) -> Path:
        if release.version == "1.7.0":
            raise Unusable("does not install: ERROR: No matching distribution")
        return Path(f"/python-{release.version}")

    monkeypatch.setattr(releases, "interpreter", interpreter)
    monkeypatch.setattr(
        releases, "published", lambda engine: [Release(engine, v) for v in ("1.5", "1.6.2", "1.7.0", "1.8.0")]
    )
    return Releases("autograd")


def test_a_row_runs_from_release_to_release(index: Releases):
    assert index.row("1.6.2", None) == ["1.6.2", "1.7.0", "1.8.0"]
    assert index.row(None, "1.6.2") == ["1.5", "1.6.2"]
    assert index.where("1.8.0").python == Path("/python-1.8.0")
    assert index.label("1.8.0") == "autograd 1.8.0" and index.key("1.8.0") == "autograd-1.8.0"
    with pytest.raises(CannotAsk, match="does not install: ERROR: No matching distribution"):
        index.where("1.7.0")


@pytest.mark.parametrize(
    ("good", "bad", "error", "message"),
    [
        ("1.6", None, HistoryError, "there is no autograd 1.6 for this Python; there is 1.6.2, "),
        ("1.8.0", "1.5", HistoryError, "autograd 1.8.0 is not before 1.5"),
        ("one", None, ValueError, "'one' is no version"),
    ],
)
def test_ends_that_are_none(index: Releases, good, bad, error, message):
    with pytest.raises(error, match=message):
        index.row(good, bad)


# -- what is known from elsewhere --------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.environ.get("GRADPIN_NETWORK"), reason="needs the package index: make bisect-releases")
@pytest.mark.parametrize(
    ("engine", "question", "first", "last", "expected"),
    [
        # https://github.com/HIPS/autograd/pull/712 and /713 are in the tag v1.9.0 and in none before it
        ("autograd", "autograd-712-two_names_of_the_absolute_value", "1.5", None, "1.9.0"),
        ("autograd", "autograd-713-tangent_of_a_conjugate", "1.5", None, "1.9.0"),
        # MyGrad's changelog, 2.1.0: https://github.com/rsokl/MyGrad/pull/379
        ("mygrad", "autograd-712-two_names_of_the_absolute_value", "2.0.0", None, "2.1.0"),
        # JAX's changelog, 0.4.34: https://github.com/jax-ml/jax/pull/23923
        ("jax", "jax-23923-eight_times_by_its_exponent", "0.4.30", "0.6.0", "0.4.34"),
        # https://github.com/jax-ml/jax/pull/25791 is in the tag jax-v0.5.0 and in none before it
        ("jax", LOGSUMEXP, "0.4.30", "0.6.0", "0.5.0"),
        # https://github.com/jax-ml/jax/pull/17996 is in the tag jax-v0.4.19 and in none before it
        ("jax", "jax-17995-sum_of_a_polynomials_powers", "0.4.18", "0.4.30", "0.4.19"),
        # https://github.com/jax-ml/jax/pull/19518 is in the tag jax-v0.4.24 and in none before it
        ("jax", SOFTMAX, "0.4.18", "0.4.30", "0.4.24"),
        # so is the change after which jnp.linalg.eigh returns a named tuple
        ("jax", NAMES, "0.4.18", "0.4.30", "0.4.24"),
    ],
)
def test_the_release_that_mended_it_is_the_one_that_says_so(engine, question, first, last, expected, tmp_path: Path):
    if "\n" in question:
        (tmp_path / "script.py").write_text(question)
        asked = OfScript(tmp_path / "script.py", engine)
    else:
        asked = OfCase(find_alone(question), engine)
    found = Search(Releases(engine), asked, cache_directory(), print, find_fix=True).run(first, last)
    assert found.culprits == (expected,)
