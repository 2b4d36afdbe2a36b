"""The shrinking of programs: what is left still fails, is no larger, and cannot be made smaller in one step."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regressions.isolate.shrink import candidates, shrink, size

NAMES = st.sampled_from("xyz")
NUMBERS = st.sampled_from(["0", "1", "3", "2.5", "-7.25", "1e300"])
EXPRESSIONS = st.recursive(
    NAMES | NUMBERS,
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("np.sin({})".format, inner),
        st.builds("helper({}, {})".format, inner, inner),
        st.builds("[{}, {}][0:1]".format, inner, inner),
        st.builds("f'{{{}}}!'".format, NAMES),
    ),
    max_leaves=6,
)
ASSIGNMENTS = st.builds("{} = {}".format, NAMES, EXPRESSIONS)
STATEMENTS = st.one_of(
    ASSIGNMENTS,
    st.builds("if {}:\n        {}\n    else:\n        {}".format, NAMES, ASSIGNMENTS, ASSIGNMENTS),
    st.builds("for i in range(4):\n        {}".format, ASSIGNMENTS),
    st.builds("with np.errstate():\n        {}".format, ASSIGNMENTS),
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    body = "\n    ".join(draw(st.lists(STATEMENTS, max_size=4)))
    return (
        "import numpy as np\nfrom math import sin, cos\ndef helper(a, b):\n    return a * b\n"
        f"def f(x, y=2.0):\n    {body}\n    return {draw(EXPRESSIONS)}\nat = (np.array([1.5, 2.5, 3.0]), 2.0)\n"
    )


@given(st.integers(0, 200), st.sets(st.integers(0, 200)), st.sets(st.integers(1, 9), min_size=1))
def test_what_is_left_fails_is_no_larger_and_has_nothing_smaller(start: int, failing: set[int], steps: set[int]):
    def smaller(n: int):
        return iter([n - step for step in sorted(steps)] + [n + 1])  # a step that grows is not taken

    failing.add(start)
    left = shrink(start, smaller, failing.__contains__, size=lambda n: n)
    assert left in failing and left <= start
    assert not any(n < left and n in failing for n in smaller(left))


@given(st.integers(0, 60), st.integers(0, 20))
def test_when_it_is_over_the_best_so_far_is_left(start: int, budget: int):
    asked = []
    left = shrink(
        start, lambda n: iter([n - 1]), lambda n: n >= 0 and not asked.append(n), abs, lambda: len(asked) >= budget
    )
    assert left == max(start - budget, 0) and len(asked) <= budget


def test_no_candidate_is_judged_twice():
    asked = []
    shrink(20, lambda n: iter([3, 5, n - 1]), lambda n: bool(asked.append(n)) or n > 9, abs)
    assert len(asked) == len(set(asked))


@settings(max_examples=60, deadline=None)
@given(programs())
def test_every_step_is_python_and_some_step_is_smaller(text: str):
    steps = list(candidates(text, "f"))
    for step in steps:
        ast.parse(step)
    assert any(size(step) < size(text) for step in steps)


@settings(max_examples=15, deadline=None)
@given(programs(), st.sampled_from(["helper(", "np.sin(", "range(", "2.5", "return", "1e+300"]))
def test_a_program_keeps_what_it_fails_by_and_little_more(text: str, culprit: str):
    text = ast.unparse(ast.parse(text))
    if culprit not in text:
        return
    left = shrink(text, lambda t: candidates(t, "f"), lambda t: culprit in t, size)
    assert culprit in left and size(left) <= size(text)
    assert not any(culprit in step and size(step) < size(left) for step in candidates(left, "f"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(x):\n    y = g(x)\n    return h(y)", "def f(x):\n    return h(g(x))"),
        ("def g(a):\n    return a * 2\ny = g(z)", "y = z * 2"),
        (
            "def g(a, b):\n    c = a + b\n    return c * a\ndef f(x):\n    return g(x, 2) + 1",
            "def f(x):\n    a = x\n    b = 2\n    c = a + b\n    return c * a + 1",
        ),
        ("if c:\n    x = f()\nelse:\n    y = 1", "x = f()"),
        ("for i in s:\n    x = f()", "x = f()"),
        ("def f(x, y):\n    return x\nat = (1, 2)", "def f(x):\n    return x\nat = (1,)"),
        ("def f(x, y=3):\n    return x\nat = (1, 2)", "def f(x):\n    return x\nat = (1,)"),
        ("at = ([1.5, 2.5, 3.5], [1, 2, 3])", "at = ([1.5], [1])"),
        ("x = np.zeros(6)\nat = ([1, 1, 1, 1, 1, 1],)", "x = np.zeros(3)\nat = ([1, 1, 1],)"),
        ("x = f(g(7.5))", "x = g(7.5)"),
        ("x = f(a, b, k=c)", "x = f(a, k=c)"),
        ("x = 7.5", "x = 1.0"),
        ("from m import a, b", "from m import b"),
        ("def f(x: int) -> int:\n    return x", "def f(x) -> int:\n    return x"),
    ],
)
def test_one_step_leads_from_this_to_that(before: str, after: str):
    assert ast.unparse(ast.parse(after)) in candidates(before, "f")
