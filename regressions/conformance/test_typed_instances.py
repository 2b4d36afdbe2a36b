"""What an instance of the typed tier relies on, what it refuses, and which of the primal's errors it must raise."""

import linecache
import math
import traceback

import numpy as np
import pytest

import engine
from engine import rules
from engine.typed import NotTyped, forget, gradient, instances

rate = 3.0
table = np.array([1.0, 2.0])


def squared(x):
    return x * x


def cubed(x):
    return x * x * x


shape = squared


@pytest.fixture(autouse=True)
def no_instances():
    forget()
    yield
    forget()


@pytest.fixture
def builds(monkeypatch):
    """The functions that instances have been built for."""
    built = []
    build = instances.build
    monkeypatch.setattr(instances, "build", lambda f, *rest: built.append(f) or build(f, *rest))
    return built


def slope(f, *args):
    return gradient(f, args, {})[1]


# ---- what is relied on


def to_the_power(x, n=1, scale=1.0):
    y = scale
    for _ in range(n):
        y = y * x
    return y


def test_arguments_that_are_given_are_not_taken_from_defaults():
    assert engine.gradient(to_the_power, 2.0) == (1.0,)
    assert engine.gradient(to_the_power, 2.0, n=3) == (12.0,)
    assert engine.gradient(to_the_power, 2.0, scale=5.0) == (5.0,)
    assert engine.gradient(to_the_power, 2.0) == (1.0,)
    assert engine.gradient(lambda x, y=2.0: x * y, 3.0) == (2.0,)
    product = lambda x, y=2.0: x * y  # noqa: E731
    assert engine.gradient(product, 3.0) == (2.0,)
    assert engine.gradient(product, 3.0, 4.0) == (4.0, 3.0)


def test_a_number_in_a_global_is_loaded_and_rebinding_it_builds_nothing(monkeypatch, builds):
    def f(x):
        return rate * x

    assert slope(f, 1.0) == (3.0,)
    monkeypatch.setitem(globals(), "rate", 5.0)
    assert slope(f, 1.0) == (5.0,)
    assert len(builds) == 1


def test_a_global_number_that_becomes_an_array_is_met(monkeypatch, builds):
    def f(x):
        return np.sum(rate * x)

    assert slope(f, 1.0) == (3.0,)
    monkeypatch.setitem(globals(), "rate", np.array([1.0, 2.0, 4.0]))
    assert slope(f, 1.0) == (7.0,)
    assert len(builds) == 2


def test_a_function_that_is_rebound_is_the_new_one(monkeypatch, builds):
    def f(x):
        return shape(x)

    assert slope(f, 2.0) == (4.0,)
    monkeypatch.setitem(globals(), "shape", cubed)
    assert slope(f, 2.0) == (12.0,)
    assert len(builds) == 2


def test_closures_of_one_definition_share_an_instance(builds):
    def scaled(c):
        return lambda x: c * x

    assert [slope(scaled(c), 1.0) for c in (2.0, 3.0)] == [(2.0,), (3.0,)]
    assert len(builds) == 1


def test_a_method_that_is_replaced_is_the_new_one(monkeypatch):
    class Model:
        def __init__(self, w):
            self.w = w

        def __call__(self, x):
            return self.w * x

    model = Model(3.0)

    def f(x):
        return model(x)

    assert slope(f, 2.0) == (3.0,)
    monkeypatch.setattr(Model, "__call__", lambda self, x: self.w * x * x)
    assert slope(f, 2.0) == (12.0,)


@pytest.mark.parametrize(
    "x", [np.ones((3, 2)), np.ones((1, 2)), np.ones(2), np.ones((3, 1)), np.ones((3, 2), np.float32), np.ones((0, 2))]
)
def test_each_shape_and_dtype_gets_its_own_answer(x):
    def f(x):
        return np.sum(x + table)

    slope(f, np.ones((3, 2)))
    (found,) = slope(f, x)
    copies = np.broadcast_shapes(x.shape, table.shape)
    assert found.dtype == x.dtype and found.shape == x.shape
    assert np.all(found == np.prod(copies) / max(x.size, 1))


def test_a_changed_rule_table_is_met():
    def f(x):
        return math.sin(x)

    assert slope(f, 0.0) == (1.0,)
    with rules.replaced(math.sin, x=lambda d, out, x: 7.0 * d):
        assert slope(f, 0.0) == (7.0,)
    assert slope(f, 0.0) == (1.0,)


def sinc_of(x):
    return np.sinc(x)


def test_a_rule_of_another_form_leaves_nothing_behind():
    with rules.replaced(np.sinc, x=lambda d, out, x: 2.0 * d):
        assert engine.gradient(sinc_of, 0.3) == (2.0,)
    assert engine.gradient(sinc_of, 0.5) == (pytest.approx(-4 / math.pi),)


def test_returned_arrays_belong_to_the_caller():
    def f(x, y):
        return np.sum(x + y)

    gx, gy = slope(f, np.ones(3), np.ones(3))
    gx[0] = 5.0
    assert gy[0] == 1.0


def test_what_could_not_be_typed_is_not_tried_again(monkeypatch):
    def f(x):
        with open("never"):
            return x

    with pytest.raises(NotTyped):
        slope(f, 1.0)
    monkeypatch.setattr(instances, "joint", lambda *args: pytest.fail("lowered a second time"))
    with pytest.raises(NotTyped):
        slope(f, 1.0)


# ---- what is left to the traced tier


def managed(x):
    with np.errstate(all="ignore"):
        return np.sum(x)


def rebinding(x):
    global rate
    rate = np.sum(x)
    return rate


def generated(x):
    def each():
        yield x

    return sum(np.sum(v) for v in each())


def matched(x):
    match x.ndim:
        case 1:
            return np.sum(x)


def foreign(x):
    return float(str(np.sum(x)))


@pytest.mark.parametrize(
    "f",
    [managed, rebinding, generated, matched, foreign],
    ids=lambda f: f.__name__,
)
def test_left_to_the_traced_tier(f):
    with pytest.raises(NotTyped):
        slope(f, np.ones(3))


class Sub(np.ndarray):
    pass


@pytest.mark.parametrize("x", [np.ones(3).view(Sub), np.array([1.0, 2.0], dtype=object)], ids=["subclass", "objects"])
def test_arrays_of_other_kinds_are_left_to_the_traced_tier(x):
    with pytest.raises(NotTyped):
        slope(np.sum, x)
    with pytest.raises(NotTyped):
        slope(lambda x: np.sum(x * x), x)


def test_one_object_in_two_arguments_is_left_to_the_traced_tier():
    def f(a, b):
        return a[0] * b[0]

    assert slope(f, [2.0], [3.0]) == ([3.0], [2.0])
    shared = [2.0]
    with pytest.raises(NotTyped):
        slope(f, shared, shared)


# ---- errors of the primal


def out_of_range(x):
    return np.sum(x) if x[5] is not None else None


def unequal(x):
    return (x * np.ones(2), np.sum(x))[1]


def last_read_is_outside(x):
    s = 0.0
    for i in range(len(x) + 1):
        s = s + x[i] * 2.0
    return s


@pytest.mark.parametrize(
    ("f", "error", "line"),
    [(out_of_range, IndexError, 1), (unequal, ValueError, 1), (last_read_is_outside, IndexError, 3)],
    ids=lambda v: getattr(v, "__name__", None),
)
@pytest.mark.parametrize("with_value", [True, False], ids=["value", "no value"])
def test_errors_of_the_primal_are_raised_at_its_own_line(f, error, line, with_value):
    ask = engine.value_and_gradient if with_value else engine.gradient
    with pytest.raises(error) as caught:
        ask(f, np.ones(3))
    frames = [e for e in traceback.extract_tb(caught.value.__traceback__) if e.filename == __file__]
    assert frames[-1].lineno == f.__code__.co_firstlineno + line


def test_zero_division_of_floats_is_raised_though_the_quotient_is_unused():
    def f(x, y):
        return (x / y, x * x)[1]

    assert slope(f, 2.0, 1.0) == (4.0, None)
    with pytest.raises(NotTyped, match="division by zero"):
        slope(f, 2.0, 0.0)
    with pytest.raises(ZeroDivisionError):
        engine.gradient(f, 2.0, 0.0)


# ---- closed forms


def test_index_sum_needs_no_forward_loop_and_no_copy():
    def f(x):
        s = 0.0
        for i in range(len(x) - 1):
            s = s + x[i] * x[i + 1]
        return s

    x = np.array([1.0, 3.0, 5.0, 7.0])
    (found,) = slope(f, x)
    assert found.tolist() == [3.0, 6.0, 10.0, 5.0]
    text = engine.show(f, x)
    assert "x_bar[" in text and ".copy()" not in text


def test_doubling_sixty_times_is_linear():
    def f(x):
        y = x
        for _ in range(60):
            y = y + y
        return y

    assert slope(f, 1.0) == (2.0**60,)


def test_network_of_objects_is_the_flat_network():
    class Dense:
        def __init__(self, w, b):
            self.w, self.b = w, b

        def __call__(self, x):
            return np.tanh(x @ self.w + self.b)

    class Chain:
        def __init__(self, *layers):
            self.layers = layers

        def __call__(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    rng = np.random.default_rng(0)
    w1, b1, w2, b2, x = (rng.normal(size=s) for s in [(4, 3), 3, (3, 2), 2, (5, 4)])
    (found,) = slope(lambda model: np.mean(model(x) ** 2), Chain(Dense(w1, b1), Dense(w2, b2)))
    h = np.tanh(x @ w1 + b1)
    y = np.tanh(h @ w2 + b2)
    d2 = 2 * y / y.size * (1 - y * y)
    d1 = d2 @ w2.T * (1 - h * h)
    first, second = found.layers
    for got, expected in [(first.w, x.T @ d1), (first.b, d1.sum(0)), (second.w, h.T @ d2), (second.b, d2.sum(0))]:
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_division_by_zero_of_the_derivative_alone_is_no_error():
    """The sum is NumPy's, and infinite over 0; the cotangent 1.0 that is divided by the same 0 is a float."""

    def f(x, b):
        return np.sum(x) / b

    x = np.array([1.0, 2.0])
    with np.errstate(all="ignore"):
        for operator in (engine.gradient, lambda *args: engine.pullback(f, *args[1:])[1](1.0)):
            x_bar, b_bar = operator(f, x, 0.0)
            assert x_bar.tolist() == [np.inf, np.inf] and b_bar == -np.inf
        assert engine.jacobian(f)(x, 0.0).tolist() == [np.inf, np.inf]
        assert engine.gradient(lambda x: np.sum(x) / len(x), np.zeros(0))[0].shape == (0,)
    for take in (engine.gradient, engine.pullback):
        with pytest.raises(ZeroDivisionError):
            take(lambda x, b: x / b, 1.0, 0.0)


def test_one_code_in_two_modules():
    """The function that a compiled text defines has the same code wherever that is run, and other globals."""
    text = "def f(x):\n    inner = lambda y: y * factor\n    return inner(x) * g(x)\ndef g(x): return x * factor\n"
    code = compile(text, "<one code>", "exec")
    linecache.cache["<one code>"] = (len(text), None, text.splitlines(True), "<one code>")
    for factor in (2.0, 3.0, 5):
        module = {"factor": factor}
        exec(code, module)
        f = module["f"]
        assert engine.gradient(f, 1.5) == engine.gradient(lambda x, f=f: f(x), 1.5) == (3.0 * factor**2,)
        assert engine.hessian(f)(1.5) == 2.0 * factor**2


def test_defaults_count_from_the_end():
    def f(x, a=1.0, b=2.0):
        return x * a * b

    for defaults in ((1.0, 2.0), (7.0,), (5.0, 4.0)):
        f.__defaults__ = defaults
        assert engine.gradient(f, 1.0, 3.0) == (3.0 * defaults[-1], defaults[-1])
    f.__defaults__ = None
    with pytest.raises(TypeError, match=r"f\(\) missing 1 required positional argument: 'b'") as caught:
        engine.gradient(f, 1.0, 3.0)
    assert str(caught.value).startswith(f.__qualname__)
