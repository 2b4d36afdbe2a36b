"""Functions that call themselves, compiled: against differences, and against the other tier."""

from __future__ import annotations

import linecache
import math
import sys
from functools import partial

import numpy as np
import pytest

from engine import grad, gradient, hvp, jvp, pullback, show
from engine.typed import NotTyped, forget, instances
from engine.typed import gradient as compiled

from .oracle import difference, tier
from .recursive_programs import Writer

X = np.array([0.7, 1.2, 0.4, 0.9])


def check(f, *args, **kwargs):
    """The compiled gradient is the other tier's, and that of differences along one direction."""
    value, found = compiled(f, args, kwargs)
    with tier("traced"):
        expected = gradient(f, *args, **kwargs)
    assert value == pytest.approx(f(*args, **kwargs), rel=1e-12)
    along, slope = [], 0.0
    for i, (d, wanted, x) in enumerate(zip(found, expected, args, strict=True)):
        if wanted is None:
            assert d is None or not np.any(d)
            along.append(np.zeros_like(x) if np.ndim(x) else 0.0)
            continue
        np.testing.assert_allclose(d, wanted, rtol=1e-11, atol=1e-13)
        direction = np.random.default_rng(i).standard_normal(np.shape(x))
        along.append(direction)
        slope += np.sum(d * direction)

    def moved(t):
        return f(*[x + t * v if np.any(v) else x for x, v in zip(args, along, strict=True)], **kwargs)

    assert slope == pytest.approx(difference(moved), rel=1e-6, abs=1e-7)
    return found


# ---- unrolled: where it ends is decided by ints and shapes


def minors(a):
    """The determinant along the first row; of one dimension more at each level."""
    m = a.shape[-1]
    if m == 1:
        return a[..., 0, 0]
    columns = np.arange(m - 1) + (np.arange(m - 1) >= np.arange(m)[:, None])
    below = minors(np.moveaxis(a[..., 1:, :][..., columns], -2, -3))
    return np.sum((1.0 - 2.0 * (np.arange(m) % 2)) * a[..., 0, :] * below, axis=-1)


def determinant(a, n):
    return minors(a.reshape(n, n))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_arrays_of_more_dimensions_at_each_level(n):
    a = np.random.default_rng(n).random(n * n) + np.eye(n).ravel()
    (found,) = check(determinant, a, n=n)
    matrix = a.reshape(n, n)
    np.testing.assert_allclose(found.reshape(n, n), np.linalg.det(matrix) * np.linalg.inv(matrix).T, rtol=1e-10)


def test_another_size_is_another_instance():
    for n in (3, 2, 3, 4, 2):
        a = np.random.default_rng(n).random(n * n) + np.eye(n).ravel()
        with tier("traced"):
            expected = gradient(determinant, a, n=n)
        np.testing.assert_allclose(gradient(determinant, a, n=n)[0], expected[0], rtol=1e-12)


def nested(tree, x):
    """A sum over a tree of tuples, whose structure decides where it ends."""
    if isinstance(tree, tuple):
        return sum(nested(branch, x * 0.5) for branch in tree)
    return tree * x


def test_a_structure_decides_where_it_ends():
    check(lambda a, b, x: nested((a, (b, a * b), b), x), 1.3, 0.4, 2.0)


def composed(f, g):
    return lambda x: f(g(x))


def test_functions_that_are_called_inside_each_other_but_end():
    def twice(f):
        return lambda x: f(f(x))

    check(lambda x: twice(twice(lambda y: math.sin(y) + y))(x), 0.3)
    check(lambda x: composed(composed(math.sin, math.exp), composed(math.cos, math.tanh))(x), 0.3)


# ---- called: numbers decide where it ends


def reduced(x):
    """sin x, from the sine of a third."""
    if x < 1e-2:
        return x - x**3 / 6
    y = reduced(x / 3)
    return 3 * y - 4 * y**3


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def simpson(a, b, fa, fb, tolerance=1e-3):
    m = (a + b) / 2
    fm = math.exp(-m * m)
    one, two = (b - a) / 2 * (fa + fb), (b - a) / 4 * (fa + 2 * fm + fb)
    if abs(two - one) < tolerance:
        return two
    return simpson(a, m, fa, fm) + simpson(m, b, fm, fb)


def fourier(x):
    n = len(x)
    if n == 1:
        return x
    even, odd = fourier(x[::2]), fourier(x[1::2])
    w = np.cos(np.arange(n // 2))
    return np.concatenate([even + w * odd, even - w * odd])


def forth(x, y, n):
    return x * y if n == 0 else back(y * 0.5, x, n - 1) + y


def back(x, y, n):
    if x > 10.0:
        return x
    for _ in range(2):
        y = y + math.sin(x)
    return forth(x * 1.5, y, n) * x


def pair(x, n):
    """Two results, in a structure."""
    if n == 0:
        return x, (1.0, x * x)
    a, (b, c) = pair(x * 0.8, n - 1)
    return a + b, (c, a * x)


def written_copy(x, n):
    y = x * 1.0
    y[n] = y[n] ** 2
    y[1:] += y[:-1]
    return y if n == 0 else written_copy(y, n - 1) * y


def in_a_loop(x, n):
    total = x
    for i in range(n):
        total = total + in_a_loop(x * 0.5, i) * total
    return total


scale = 1.5


def of_globals(x, n):
    return x * scale if n < 1 else of_globals(x * scale, n - 1) + table[n] * x


table = np.array([0.5, 0.25, 0.125, 0.75])


class Tree:
    def __init__(self, weight):
        self.weight = weight

    def value(self, x, depth):
        if depth == 0:
            return x * self.weight
        return self.value(x * 0.5, depth - 1) + math.sin(self.value(x + 1.0, depth - 1))


def closure(x, n):
    def go(y, d):
        return y * x if d == 0 else go(y * 2 + x, d - 1) + x

    return go(x, n) + go(2.0 * x, 1)


def closure_over_what_changes(x, n):
    y = x

    def go(d):
        return y if d == 0 else go(d - 1) * y

    first = go(n)
    y = x * x
    return first + go(n)


CALLED = [
    (reduced, (0.7,), {}),
    (power, (1.3,), {"n": 5}),
    (lambda a, b: simpson(a, b, math.exp(-a * a), math.exp(-b * b)), (0.1, 1.4), {}),
    (lambda x: np.sum(fourier(x) ** 2), (X,), {}),
    (forth, (0.7, 0.3), {"n": 3}),
    (lambda x, n: pair(x, n)[0] * pair(x, n)[1][1], (0.7,), {"n": 4}),
    (lambda x, n: np.sum(written_copy(x, n)), (X,), {"n": 3}),
    (in_a_loop, (0.7,), {"n": 3}),
    (of_globals, (0.7,), {"n": 3}),
    (lambda w, x, n: Tree(w).value(x, n), (0.4, 0.7), {"n": 3}),
    (closure, (0.7,), {"n": 3}),
    (closure_over_what_changes, (0.7,), {"n": 3}),
]


@pytest.mark.parametrize("f, args, kwargs", CALLED, ids=[f.__name__ for f, _, _ in CALLED])
def test_called(f, args, kwargs):
    check(f, *args, **kwargs)


@pytest.mark.parametrize("f, args, kwargs", CALLED, ids=[f.__name__ for f, _, _ in CALLED])
def test_derivatives_of_them(f, args, kwargs):
    """Pullbacks called twice, forward mode, second derivatives: whichever tier answers."""
    with tier("traced"):
        value, expected = pullback(f, *args, **kwargs)
        seed = np.cos(1.0 + np.arange(np.size(value))).reshape(np.shape(value)) if np.ndim(value) else 0.7
        wanted = expected(seed)
    _, back_ = pullback(f, *args, **kwargs)
    for _ in range(2):
        for d, w in zip(back_(seed), wanted, strict=True):
            np.testing.assert_allclose(d, w, rtol=1e-10)
    tangents = tuple([np.ones_like(x) if np.ndim(x) else 1.0 for x in args])
    g = partial(f, **kwargs)
    with tier("traced"):
        along, twice = jvp(g, args, tangents), hvp(lambda x: g(x, *args[1:]), args[0], tangents[0])
    for found, w in ((jvp(g, args, tangents), along), (hvp(lambda x: g(x, *args[1:]), args[0], tangents[0]), twice)):
        np.testing.assert_allclose(found, w, rtol=1e-9)


def test_the_same_instance_serves_all_depths(monkeypatch):
    forget()
    builds = []
    build = instances.build
    monkeypatch.setattr(instances, "build", lambda *args: builds.append(1) or build(*args))
    for n in (3, 8, 50, 0):
        assert (gradient(power, 1.01, n=n)[0] or 0.0) == pytest.approx(n * 1.01 ** (n - 1))
    assert len(builds) == 1


def test_what_was_captured_is_read_each_time():
    forget()
    global scale
    slopes = []
    for rate in (1.5, 2.0):
        scale = rate
        slopes.append(gradient(of_globals, 0.7, n=2)[0])
        with tier("traced"):
            assert gradient(of_globals, 0.7, n=2)[0] == pytest.approx(slopes[-1])
    scale = 1.5
    assert slopes[0] != slopes[1]


def test_two_functions_of_one_code_are_kept_apart():
    def chain(k, inner):
        def f(x):
            return k * x if x > 2.0 else inner(x * 1.5)

        return f

    def knot(k):
        def f(x):
            return k * x if x > 2.0 else f(x * 1.5)

        return f

    for f in (chain(2.0, chain(3.0, chain(5.0, None))), knot(2.0), chain(7.0, knot(11.0)), knot(3.0)):
        with tier("traced"):
            expected = [gradient(f, x) for x in (2.5, 1.5, 1.1)]
        assert [gradient(f, x) for x in (2.5, 1.5, 1.1)] == [(pytest.approx(d),) for (d,) in expected]


def test_a_function_that_takes_the_place_of_its_inner_one():
    """The inner call goes by a name that is bound anew: to itself, then to another closure of the same code."""

    def make(k):
        def f(x):
            return k * x if x > 2.0 else names["f"](x * 1.5)

        return f

    names = {}
    first, second = make(2.0), make(3.0)
    names["f"] = first
    assert gradient(first, 1.5) == (3.0,)
    names["f"] = second
    assert gradient(first, 1.5) == (4.5,)
    assert gradient(second, 1.5) == (4.5,)
    names["f"] = first
    assert gradient(second, 1.5) == (3.0,)


def test_lists_that_grow_on_the_way_down():
    def collect(x, n, seen):
        seen.append(x)
        return sum(seen) if n == 0 else collect(x * 0.5, n - 1, seen) * x

    def f(x, n):
        return collect(x, n, [])

    for n in (0, 2, 4):
        with tier("traced"):
            expected = gradient(f, 0.7, n=n)
        assert gradient(f, 0.7, n=n)[0] == pytest.approx(expected[0])


def test_an_argument_written_to_at_each_level():
    def halve(y, n):
        y[n] *= 0.5
        return np.sum(y * y) if n == 0 else halve(y, n - 1) * y[n]

    def f(x, n):
        return halve(x * 1.0, n)

    for n in (0, 1, 3):
        with tier("traced"):
            expected = gradient(f, X, n=n)
        np.testing.assert_allclose(gradient(f, X, n=n)[0], expected[0], rtol=1e-12)
        direction = np.cos(np.arange(4.0))
        moved = difference(lambda t, n=n, direction=direction: f(X + t * direction, n))
        assert expected[0] @ direction == pytest.approx(moved, rel=1e-6)


def test_what_a_call_returned_is_written_to():
    """The result of the deepest level is the argument itself, or a view of it."""

    def tail(y):
        return y if len(y) < 3 else tail(y[1:])

    def f(x):
        y = x * 2.0
        z = tail(y)
        z[0] = z[0] * x[0]
        return np.sum(y * y) + np.sum(z)

    with tier("traced"):
        expected = gradient(f, X)
    np.testing.assert_allclose(gradient(f, X)[0], expected[0], rtol=1e-12)
    direction = np.cos(np.arange(4.0))
    assert expected[0] @ direction == pytest.approx(difference(lambda t: f(X + t * direction)), rel=1e-6)


def test_arguments_written_to_before_the_pullback_count_as_they_were():
    def sums(x, n):
        return x * 0.5 if n == 0 else sums(x, n - 1) * x[1:3].sum()

    x = X.copy()
    _, back_ = pullback(sums, x, n=3)
    before = back_(np.ones(4))
    x[:] = 7.0
    np.testing.assert_array_equal(back_(np.ones(4))[0], before[0])
    with tier("traced"):
        np.testing.assert_allclose(pullback(sums, X, n=3)[1](np.ones(4))[0], before[0], rtol=1e-12)


def test_errors_of_deep_levels_are_the_programs_own():
    def falling(x):
        return falling(x - 1.0) * math.sqrt(x) if x > -3.0 else 1.0

    gradient(reduced, 0.5)
    for _ in range(2):
        with pytest.raises(ValueError, match="math domain error|nonnegative"):
            gradient(falling, 1.5)

    def endless(x):
        return endless(x * 0.5) + x

    for _ in range(2):
        with pytest.raises(RecursionError):
            gradient(endless, 1.0)


def test_as_deep_as_the_user_may_go():
    depth = sys.getrecursionlimit() // 2
    assert gradient(power, 1.0, n=depth) == (float(depth),)
    _, back_ = pullback(power, 1.0, n=depth)
    assert back_(1.0) == (float(depth),)


def test_constants_of_other_kinds_widen_the_types():
    def f(x, n):
        if n == 0:
            return 1
        return f(x, n - 1) * x + f(1.0, 0)

    check(lambda x, n: f(x, n) * 1.0, 0.7, n=4)

    def g(x, y, n):
        return y if n == 0 else g(x, np.sum(x) * y, n - 1) + 1.0

    check(lambda x, n: g(x, 2.0, n), X, n=3)


def test_no_dependence_is_none():
    def f(x, y, n):
        return x if n == 0 else f(x * 2.0, y, n - 1)

    _, (dx, dy) = compiled(f, (1.0, 3.0), {"n": 2})
    assert dx == 4.0 and not dy


def test_what_is_shown_of_them_is_the_other_tiers():
    assert "ad_call" in show(reduced, 0.7)


@pytest.mark.parametrize("f, args, kwargs", CALLED, ids=[f.__name__ for f, _, _ in CALLED])
def test_gradients_of_their_gradients(f, args, kwargs):
    def slope(x, *rest):
        return np.sum(grad(f)(x, *rest, **kwargs) ** 2)

    with tier("traced"):
        expected = gradient(slope, *args)
    for d, wanted in zip(gradient(slope, *args), expected, strict=True):
        np.testing.assert_allclose(0.0 if d is None else d, 0.0 if wanted is None else wanted, rtol=1e-10)


def test_gradients_inside_a_recursion():
    def steps(x, n):
        return x if n == 0 else steps(x - 0.1 * grad(lambda y: math.sin(y) * y)(x), n - 1)

    check(steps, 0.7, n=4)

    def below(x, n):
        return math.sin(x) if n == 0 else grad(lambda y: below(y, n - 1) * y)(x)

    for n in range(4):
        with tier("traced"):
            expected = gradient(below, 0.7, n=n)
        assert gradient(below, 0.7, n=n)[0] == pytest.approx(expected[0])


def test_two_functions_that_call_themselves_and_each_other():
    """Each takes something from outside that the other must hand on."""

    def program(x, y, n):
        def first(p, q, n):
            if n <= 0:
                return p * y, q
            a, b = second(p * 0.9, q + x, n - 1)
            return first(b, a, n - 2)[0] + a, b

        def second(p, q, n):
            if n <= 0:
                return p, q * x
            if p > 0.0:
                return first(q, p * y, n - 1)
            return second(math.sin(q), p, n - 2)[1], q

        a, b = first(x, y, n)
        return a * b

    for n in range(5):
        with tier("traced"):
            expected = gradient(program, 0.7, 0.4, n=n)
        for found in (gradient(program, 0.7, 0.4, n=n), compiled(program, (0.7, 0.4), {"n": n})[1]):
            np.testing.assert_allclose([d or 0.0 for d in found], [d or 0.0 for d in expected], rtol=1e-12)


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed):
    text, name = Writer(seed).program(), f"<recursive program {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {}
    exec(compile(text, name, "exec"), namespace)
    program, at = namespace["program"], (0.4231, -0.6173)
    for n in (3, 1, 2):
        value = program(*at, n=n)
        if not abs(value) < 1e6:
            continue
        with tier("traced"):
            expected = [d or 0.0 for d in gradient(program, *at, n=n)]
        try:
            found, slopes = compiled(program, at, {"n": n})
        except NotTyped:
            continue
        assert found == pytest.approx(value, rel=1e-12)
        assert [d or 0.0 for d in slopes] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_most_random_programs_are_compiled():
    typed = 0
    for seed in range(60, 80):
        text, name = Writer(seed).program(), f"<recursive program {seed}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        namespace = {}
        exec(compile(text, name, "exec"), namespace)
        try:
            compiled(namespace["program"], (0.4231, -0.6173), {})
            typed += 1
        except (NotTyped, RecursionError, OverflowError):
            pass
    assert typed >= 15
