"""Cotangents and tangents that do not belong to what they are given for: refused, with what was expected."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine import CotangentMismatchError, hvp, jvp, pullback, vjp

from .oracle import TIERS, tier

X = np.arange(4.0)


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


def twice(x):
    return 2 * x


def pair(x):
    return x * 2, x


def of_complex(x):
    return x * 1j


RESULTS = {
    "a number": (twice, 2.0),
    "an array": (twice, X),
    "a matrix": (lambda x: x * x, X.reshape(2, 2)),
    "complex": (of_complex, X),
    "pair": (pair, X),
    "list": (lambda x: [x * 2, x[0]], X),
    "dict": (lambda x: {"a": x * 2, "b": x[0]}, X),
    "object": (lambda x: Point(x * 2, x[0]), X),
    "halves": (lambda x: np.split(x, 2), X),
}
WRONG = [
    ("a number", np.ones(2), r"the result has shape \(\), its cotangent has shape \(2,\)"),
    ("a number", 1j, "the result is real, and its cotangent is complex"),
    ("a number", True, "the result is a number; its cotangent is True"),
    ("a number", "1", "the result is a number; its cotangent is '1'"),
    ("an array", 1.0, r"the result has shape \(4,\), its cotangent has shape \(\)"),
    ("an array", np.ones(3), r"the result has shape \(4,\), its cotangent has shape \(3,\)"),
    ("an array", np.ones((4, 1)), r"its cotangent has shape \(4, 1\)"),
    ("an array", X * 1j, "the result is real, and its cotangent is complex"),
    ("an array", [1.0] * 4, r"an array of shape \(4,\), np.array of the list"),
    ("an array", [[1.0], [1.0, 2.0]], r"an array of shape \(4,\), np.array of the list"),
    ("an array", np.array([None] * 4), r"the result is an array of shape \(4,\)"),
    ("an array", X > 1, r"the result is an array of shape \(4,\)"),
    ("an array", np.ma.array(X, mask=X > 1), "its cotangent is a MaskedArray"),
    ("a matrix", np.eye(2).view(np.matrix), "its cotangent is a matrix, whose operators the rules do not know"),
    ("an array", {"a": X}, r"the result is an array of shape \(4,\); its cotangent is {'a'"),
    ("complex", np.ones(3) * 1j, r"the result has shape \(4,\)"),
    ("pair", X, "the result is a tuple of 2"),
    ("pair", (X,), "the result is a tuple of 2"),
    ("pair", (X, np.ones(3)), r"the result\[1\] has shape \(4,\), its cotangent has shape \(3,\)"),
    ("pair", (X, X * 1j), r"the result\[1\] is real, and its cotangent is complex"),
    ("list", [X], "the result is a list of 2"),
    ("list", [X, X], r"the result\[1\] has shape \(\), its cotangent has shape \(4,\)"),
    ("dict", [X, 1.0], "the result is a dict with the keys 'a', 'b'"),
    ("dict", {"a": X, "c": 1.0}, "the result is a dict with the keys 'a', 'b'"),
    ("dict", {"a": [1.0] * 4}, r"the result\['a'\] is an array of shape \(4,\)"),
    ("object", X, "the result is a Point"),
    ("object", SimpleNamespace(x=X, y=X), r"the result.y has shape \(\), its cotangent has shape \(4,\)"),
    ("halves", X, "the result is a list of 2"),
    ("halves", [np.ones(2), np.ones(3)], r"the result\[1\] has shape \(2,\)"),
]


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(("name", "d", "said"), WRONG, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(WRONG)])
def test_a_wrong_cotangent_is_refused(name: str, d, said: str, tier_name: str):
    f, x = RESULTS[name]
    for operator in (pullback, vjp):
        with tier(tier_name), pytest.raises(CotangentMismatchError, match=said):
            operator(f, x)[1](d)


@pytest.mark.parametrize("tier_name", TIERS)
def test_what_is_accepted(tier_name: str):
    """Whole numbers, another precision, None for a part, and a list for a tuple."""
    with tier(tier_name):
        assert pullback(twice, 2.0)[1](1) == (2.0,) and pullback(twice, 2.0)[1](np.ones(())) == (2.0,)
        assert pullback(twice, X)[1](np.ones(4, int))[0].tolist() == [2.0] * 4
        assert pullback(twice, X)[1](np.ones(4, np.float32))[0].dtype == np.float64
        assert pullback(twice, X)[1](None) == (None,)
        assert pullback(of_complex, X)[1](X)[0].tolist() == [0.0] * 4
        assert pullback(pair, X)[1]([X, None])[0].tolist() == (2 * X).tolist()
        assert pullback(RESULTS["dict"][0], X)[1]({"a": X})[0].tolist() == (2 * X).tolist()
        assert pullback(RESULTS["halves"][0], X)[1]([np.ones(2), 2 * np.ones(2)])[0].tolist() == [1.0, 1.0, 2.0, 2.0]


WRONG_TANGENTS = [
    (X, np.ones(3), r"argument 0 \(x\) of twice has shape \(4,\), its tangent has shape \(3,\)"),
    (X, 1.0, r"argument 0 \(x\) of twice has shape \(4,\), its tangent has shape \(\)"),
    (X, [1.0] * 4, r"argument 0 \(x\) of twice is an array of shape \(4,\); its tangent is \[1.0"),
    (X, np.ma.array(X), r"its tangent is a MaskedArray"),
    (X, X * 1j, r"argument 0 \(x\) of twice is real, and its tangent is complex"),
    (2.0, "1", r"argument 0 \(x\) of twice is a number; its tangent is '1'"),
]


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(("x", "v", "said"), WRONG_TANGENTS)
def test_a_wrong_tangent_is_refused(x, v, said: str, tier_name: str):
    with tier(tier_name):
        with pytest.raises(CotangentMismatchError, match=said):
            jvp(twice, (x,), (v,))
        with pytest.raises(CotangentMismatchError, match=said.replace("twice", "square")):
            hvp(square, x, v)


def square(x):
    return np.sum(x * x)


def test_a_tangent_of_a_structure():
    def total(p):
        return p["a"] * p["b"][0]

    p = {"a": 2.0, "b": (3.0, X)}
    assert jvp(total, (p,), ({"a": 1.0, "b": None},))[1] == 3.0
    with pytest.raises(CotangentMismatchError, match=r"argument 0 \(p\) of .*total\['b'\] is a tuple of 2"):
        jvp(total, (p,), ({"a": 1.0, "b": (1.0,)},))
    with pytest.raises(CotangentMismatchError, match=r"\['b'\]\[1\] has shape \(4,\), its tangent has shape \(\)"):
        jvp(total, (p,), ({"a": 1.0, "b": (1.0, 1.0)},))
