"""A function with a rule of its own that hands on its argument's memory: the rule is obeyed, or a write is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine import MutationError, Tangent, gradient, rule
from engine.rules import registry

from .oracle import TIERS, tier

X = np.array([1.0, 2.0, 3.0])


class Box:
    def __init__(self, weight):
        self.weight = weight


def reversal(x):
    return x


def part(x):
    return x[1:]


def contents(box):
    return box.weight


@pytest.fixture(autouse=True, params=TIERS)
def rules(request: pytest.FixtureRequest):
    with registry.scope(), tier(request.param):
        rule(reversal, x=lambda d, out, x: -d)
        rule(part, x=lambda d, out, x: np.concatenate([[0.0], 3.0 * d]))
        rule(contents, box=lambda d, out, box: Tangent("Box", {"weight": 7.0 * d}))
        yield


def written_before(x):
    y = x * 1.0
    y[0] = 2 * x[1]
    return np.sum(reversal(y))


def written_after(x):
    y = x * 1.0
    z = reversal(y)
    y[0] = 2 * x[1]
    return np.sum(z)


def result_written(x):
    z = reversal(x)
    z[0] = 5.0
    return np.sum(z)


def view_of_what_was_written(x):
    y = x * 1.0
    y[0] = 2 * x[1]
    return np.sum(part(y))


def contents_written(x):
    box = Box(x * 1.0)
    z = contents(box)
    box.weight[0] = 3.0
    return np.sum(z)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (written_before, "reversal"),
        (written_after, "reversal"),
        (result_written, "reversal"),
        (view_of_what_was_written, "part"),
        (contents_written, "contents"),
    ],
)
def test_a_write_to_memory_that_was_handed_on_is_refused(f: Callable, name: str):
    with pytest.raises(MutationError, match=f"an array that {name} hands on as it is.*\\n.*test_lent_memory.py:"):
        gradient(f, X.copy())


def test_without_a_write_the_rule_is_obeyed():
    assert gradient(lambda x: np.sum(reversal(x)), X)[0].tolist() == [-1, -1, -1]
    assert gradient(lambda x: np.sum(part(x * 2.0)), X)[0].tolist() == [0, 6, 6]
    assert gradient(lambda x: np.sum(contents(Box(x * 1.0))), X)[0].tolist() == [7, 7, 7]


def test_a_copy_may_be_written():
    def f(x):
        z = reversal(x * 1.0) * 1.0
        z[0] = 5.0
        return np.sum(z * z)

    assert gradient(f, X)[0].tolist() == [0, -4, -6]
