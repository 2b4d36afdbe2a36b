"""Arrays that a program writes to: what the typed tier proves and takes, what it leaves to the other tier, and no lie.

The programs are checked on both tiers against extrapolated differences; more of them are written at random
(`regressions.conformance.stores`; GRADPIN_PROGRAMS=2000 for more).
"""

from __future__ import annotations

import linecache
import os
import tracemalloc

import numpy as np
import pytest

from engine import gradient
from engine.typed import NotTyped, forget, instances, runtime

from .oracle import difference, tier
from .stores import Writer

X = np.array([1.5, 2.1, 3.5, 4.0])
TYPED, OTHER = [], []


def typed(program):
    TYPED.append(program)
    return program


def other(program):
    """A program that is for the other tier: its write is seen under another name, or from outside."""
    OTHER.append(program)
    return program


@typed
def fill(x):
    y = np.zeros(x.shape[0])
    for i in range(len(x)):
        y[i] = x[i] * x[i]
    return np.sum(y * y)


@typed
def recurrence(x):
    n = x.shape[0]
    y = np.zeros(n)
    y[0] = x[0]
    for i in range(1, n):
        y[i] = 0.5 * y[i - 1] * x[i] + np.sin(y[i - 1])
    return y[n - 1] + np.sum(y)


@typed
def stencil(x):
    u = x.copy()
    for _ in range(5):
        u[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


@typed
def stencil_aug(x):
    u = x.copy()
    for _ in range(5):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


@typed
def burgers(x):
    u = x.copy()
    for _ in range(4):
        u[1:-1] -= 0.1 * u[1:-1] * (u[2:] - u[:-2])
    return np.sum(u * u)


@typed
def alias(x):
    u = x.copy()
    v = u
    v[0] = 3.0
    return np.sum(u * x)


@other
def view_after(x):
    u = x.copy()
    v = u[1:]
    u[1] = x[0] * 5.0
    return np.sum(v * x[1:])


@other
def through_view(x):
    u = x.copy()
    v = u[1:]
    v[0] = x[0] * 5.0
    return np.sum(u * x)


@typed
def argument(x):
    x = x * 1.0
    x[1] = x[0]
    return np.sum(x * x)


@other
def real_argument(x):
    x[1] = x[0]
    return np.sum(x * x)


@typed
def branch(x):
    y = np.zeros(4)
    if x[0] > 1.0:
        y[1] = x[0]
    else:
        y[2] = x[1]
    y[0] = x[2] * y[1]
    return np.sum(y * y)


@typed
def branch_loop(x):
    y = np.zeros(4)
    for i in range(4):
        if x[i] > 2.0:
            y[i] = x[i] ** 2
        else:
            y[i] = y[i - 1] + x[i] if i > 0 else x[i]
    return np.sum(y * y)


@other
def swap(x):
    a = x * 2.0
    b = x * 3.0
    for _ in range(3):
        a[0] = b[1] * x[0]
        a, b = b, a
    return np.sum(a * x) + np.sum(b * b)


@typed
def inplace_ops(x):
    y = x * 2.0
    y += x
    y *= x
    y -= 1.0
    y /= x + 5.0
    return np.sum(y)


@typed
def momentum(x):
    w = np.zeros(4)
    v = np.zeros_like(x)
    for _ in range(3):
        v *= 0.9
        v += x * w + x
        w -= 0.1 * v
    return np.sum(w * w)


@typed
def helper(x):
    def fillit(y, i):
        y[i] = x[i] * y[i - 1]

    y = np.ones(4)
    for i in range(1, 4):
        fillit(y, i)
    return np.sum(y)


@typed
def matrix(x):
    A = np.zeros((2, 2))
    A[0, 0] = x[0]
    A[0, 1] = x[1]
    A[1] = x[2:]
    return np.sum(A @ A)


@typed
def overwritten(x):
    y = np.zeros(4)
    y[0] = x[0]
    z = y[0] * y[0]
    y[0] = x[1]
    return z + y[0] ** 3


@typed
def whole_read(x):
    u = x.copy()
    e = 0.0
    for _ in range(3):
        u[1:] = u[:-1] * x[0]
        e += np.sum(u**2)
    return e


@typed
def saved_rows(x):
    rows = []
    u = x.copy()
    for _ in range(3):
        u[0] = u[1] * x[2]
        rows.append(u.copy())
    return np.sum(rows[0] * rows[2])


@other
def saved_alias(x):
    rows = []
    u = x.copy()
    for _ in range(3):
        u[0] = u[1] * x[2] + u[0]
        rows.append(u)
    return np.sum(rows[0] * rows[2])


@typed
def mask(x):
    y = x * 1.0
    y[x > 2.0] = 0.0
    y[x < 1.8] = x[3]
    return np.sum(y * x)


def state_of_an_object(x):
    state = State()
    state.h = np.zeros(4)
    for i in range(4):
        state.h[i] = x[i] ** 2
    state.h += x
    return np.sum(state.h**2)


class State:
    pass


typed(state_of_an_object)


def slopes(program, *args):
    """The gradients by differences."""
    found = []
    for k, arg in enumerate(args):
        moved = [
            lambda t, e=e, k=k: program(*[a + t * e if i == k else a.copy() for i, a in enumerate(args)])
            for e in np.eye(len(arg))
        ]
        found.append([difference(f) for f in moved])
    return found


@pytest.mark.parametrize("where", ["typed", "traced"])
@pytest.mark.parametrize("program", [*TYPED, *OTHER], ids=lambda f: f.__name__)
def test_gradients_through_writes(program, where):
    with tier(where):
        (found,) = gradient(program, X.copy())
    np.testing.assert_allclose(found, slopes(program, X)[0], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("program", TYPED, ids=lambda f: f.__name__)
def test_the_typed_tier_takes_what_it_can_prove(program):
    value, _ = instances.gradient(program, (X.copy(),), {})
    assert value == pytest.approx(program(X.copy()), rel=1e-14)


@pytest.mark.parametrize("program", OTHER, ids=lambda f: f.__name__)
def test_the_typed_tier_refuses_what_another_name_sees(program):
    forget()
    with pytest.raises(NotTyped, match="a write to"):
        instances.gradient(program, (X.copy(),), {})


def lists_read_before_they_change(x):
    rows = []
    for i in range(3):
        rows.append(x * (i + 1))
    first, s = rows[0], 0.0
    for i in range(3):
        s += rows[i] * rows[i]
    for i in range(3):
        rows[i] = rows[i] * 2.0
    return s + rows[1] * first


def test_an_old_version_of_a_list_is_not_read_after_the_write():
    value, (found,) = instances.gradient(lists_read_before_they_change, (2.0,), {})
    assert value == lists_read_before_they_change(2.0)
    assert found == pytest.approx(difference(lambda t: lists_read_before_they_change(2.0 + t)))


def filled(x):
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = 0.5 * y[i - 1] * x[i]
    return np.sum(y)


def test_a_store_costs_the_same_however_long_the_array_is():
    sizes = []
    for n in (1000, 2000, 4000):
        x = np.ones(n)
        instances.gradient(filled, (x,), {})
        tracemalloc.start()
        instances.gradient(filled, (x,), {})
        sizes.append(tracemalloc.get_traced_memory()[1] / n)
        tracemalloc.stop()
    assert sizes[2] < 1.2 * sizes[0]


# ---- random programs

COUNT = int(os.environ.get("GRADPIN_PROGRAMS", "60"))
XS, YS = np.array([0.31, -0.42, 0.53, 0.24, -0.35]), np.array([0.62, 0.13, -0.44, 0.27, 0.58])


def written(seed):
    text, filename = Writer(seed).program(), f"<stores {seed}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    names = {"np": np}
    exec(compile(text, filename, "exec"), names)
    return names["loss"], text


@pytest.mark.parametrize("start", range(0, COUNT, 10))
def test_random_programs_that_write_to_arrays(start):
    taken = 0
    for seed in range(start, start + 10):
        program, text = written(seed)
        expected = slopes(program, XS, YS)
        with tier("traced"):
            answers = [gradient(program, XS.copy(), YS.copy())]
        try:
            value, grads = instances.gradient(program, (XS.copy(), YS.copy()), {})
        except NotTyped as reason:
            assert "another name" in str(reason), text
        else:
            taken += 1
            answers.append(grads)
            np.testing.assert_allclose(value, program(XS.copy(), YS.copy()), rtol=1e-12, err_msg=text)
        for grads in answers:
            for g, e in zip(grads, expected, strict=True):
                np.testing.assert_allclose(np.zeros(5) if g is None else g, e, rtol=1e-6, atol=1e-7, err_msg=text)
    assert taken >= 3  # the proof is not given up too easily


@pytest.mark.parametrize("seed", range(40))
def test_cotangents_added_by_tables_of_indices(seed, monkeypatch):
    """Rows that name a place twice, and negative indices, beside rows that are added one by one."""
    monkeypatch.setattr(runtime, "FEW", 0)
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, rng.integers(1, 4)))
    n = shape[-1]
    rows = tuple(rng.integers(1, 5, rng.integers(1, 3)))
    table = rng.integers(-n, n, (*rows, 3)) if seed % 2 else np.argsort(rng.random((*rows, n)), -1)[..., :3] - n
    buffer = rng.random(shape)
    d = rng.random(buffer[..., table].shape)
    for cotangent in (d, np.broadcast_to(d[..., :1], d.shape)):
        expected = buffer.copy()
        np.add.at(expected, (..., table), cotangent)
        np.testing.assert_allclose(runtime.addat(buffer, (..., table), cotangent), expected)
