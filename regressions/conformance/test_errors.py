"""Every refusal, by its message: what is refused, the user's file and line, the way out.

The line a message must name is the one that carries the mark `# here` in the refused function.
"""

import asyncio
import ctypes
import doctest
import gc
import inspect
import linecache
import math

import numpy as np
import pytest

from engine import (
    ArgumentError,
    CotangentMismatchError,
    DifferentiationError,
    ForeignCallError,
    MutationError,
    SourceError,
    UnsupportedSyntaxError,
    constant,
    grad,
    gradient,
    hessian,
    jvp,
    pullback,
    rule,
    value_and_gradient,
)

from .oracle import TIERS, tier


@pytest.fixture(params=TIERS, autouse=True)
def every_tier(request):
    with tier(request.param):
        yield


def marked_line(f):
    """`file:line` of the line of `f` marked `# here`."""
    lines, first = inspect.getsourcelines(f)
    (offset,) = [i for i, line in enumerate(lines) if "# here" in line]
    return f"{__file__}:{first + offset}"


def refused(kind, f, *args, says=(), at=None):
    """`gradient(f, *args)` raises `kind`, with the marked line and every text of `says`; returns the message."""
    with pytest.raises(kind) as caught:
        gradient(f, *args)
    message = str(caught.value)
    assert marked_line(at or f) in message, message
    for text in says:
        assert text in message, f"{text!r} is missing in: {message}"
    return message


# -- foreign calls -----------------------------------------------------------------------------------------------------

libm = ctypes.CDLL(None)
libm.cos.restype, libm.cos.argtypes = ctypes.c_double, [ctypes.c_double]


def test_foreign_call():
    def f(x):
        y = x * 2
        return libm.cos(y)  # here

    refused(ForeignCallError, f, 3.0, says=["cos", "f", "engine.rule", "engine.constant"])


def test_foreign_call_two_calls_deep_names_the_chain():
    def f(x):
        return 2 * helper(x)

    def helper(x):
        return libm.cos(x * x)  # here

    message = refused(ForeignCallError, f, 3.0, says=["in helper"], at=helper)
    _, first = inspect.getsourcelines(f)
    assert f"{__file__}:{first + 1}" in message and "in f" in message


def test_foreign_call_in_a_lambda_a_method_and_a_comprehension():
    refused(ForeignCallError, lambda x: libm.cos(x), 3.0, says=["cos"])  # here

    class Model:
        def __call__(self, x):
            return libm.cos(x)  # here

    with pytest.raises(ForeignCallError) as caught:
        gradient(Model(), 3.0)
    assert marked_line(Model) in str(caught.value)

    def f(x):
        return sum([libm.cos(x * i) for i in range(3)])  # here

    refused(ForeignCallError, f, 3.0)


def test_foreign_call_is_made_without_an_active_argument():
    assert gradient(lambda x: x * libm.cos(0.0), 3.0) == (1.0,)


def test_foreign_call_with_a_container_that_holds_an_active_value():
    def f(x):
        held = [[x * 2, 1.0]]
        return float(gc.get_referents(held)[0][0])  # here

    refused(ForeignCallError, f, 3.0, says=["get_referents"])


def test_foreign_call_works_with_a_rule():
    def cosine(x):
        return libm.cos(x)

    rule(cosine, x=lambda d, out, x: -d * math.sin(x))
    assert gradient(lambda x: cosine(x) * 2, 1.0) == (-2 * math.sin(1.0),)


def test_foreign_method_counts_its_receiver():
    def f(x):
        a = np.array([x, 2.0])
        return a.tobytes()[0] * 1.0  # here

    refused(ForeignCallError, f, 3.0, says=["tobytes"])


def test_numpy_function_without_a_rule():
    def f(x):
        return np.asmatrix(x)[0, 0]  # here

    refused(ForeignCallError, f, np.array([1.0]), says=["asmatrix"])


def test_keyword_that_a_composition_does_not_know():
    def f(x):
        return np.interp(x, [0.0, 1.0], [1.0, 3.0], period=2.0)[0]  # here

    refused(ForeignCallError, f, np.array([1.0]), says=["numpy.interp", "period", "Ways out"])


def test_caught_refusal_is_still_the_users_to_catch():
    """A refusal is an exception like another; a program that catches it goes on."""

    def f(x):
        try:
            return libm.cos(x)
        except ForeignCallError:
            return x * x

    assert gradient(f, 3.0) == (6.0,)


# -- source ------------------------------------------------------------------------------------------------------------


def compiled_without_source(text, name):
    namespace = {}
    exec(text, namespace)
    return namespace[name]


def test_function_made_by_exec():
    f = compiled_without_source("def squared(x):\n    return x * x", "squared")
    with pytest.raises(SourceError) as caught:
        gradient(f, 3.0)
    message = str(caught.value)
    for text in ("squared", "<string>:1", "engine.rule", "engine.constant", "source"):
        assert text in message, message


def test_function_made_by_exec_and_called():
    squared = compiled_without_source("def squared(x):\n    return x * x", "squared")

    def f(x):
        return squared(x)  # here

    refused(SourceError, f, 3.0, says=["squared"])


def test_function_made_by_exec_on_constants_is_called():
    squared = compiled_without_source("def squared(x):\n    return x * x", "squared")
    assert gradient(lambda x: x * squared(3), 2.0) == (9.0,)


def test_function_made_by_exec_with_a_rule_or_declared_constant():
    squared = compiled_without_source("def squared(x):\n    return x * x", "squared")
    rule(squared, x=lambda d, out, x: 2 * x * d)
    assert gradient(squared, 3.0) == (6.0,)
    other = compiled_without_source("def other(x):\n    return x * x", "other")
    constant(other)
    assert gradient(lambda x: other(x) * x, 3.0) == (9.0,)


def test_function_from_a_file(tmp_path):
    import importlib.util

    path = tmp_path / "written_model.py"
    path.write_text("import math\n\nSCALE = 2.0\n\ndef loss(x):\n    return SCALE * math.sin(x) * x\n")
    spec = importlib.util.spec_from_file_location("written_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert gradient(module.loss, 1.0)[0] == pytest.approx(2 * (math.cos(1.0) + math.sin(1.0)), rel=1e-14)


def test_function_whose_file_has_changed(tmp_path):
    import importlib.util

    path = tmp_path / "changing_model.py"
    path.write_text("def loss(x):\n    return x * x\n")
    spec = importlib.util.spec_from_file_location("changing_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("\n\ndef other(x):\n    return x\n")
    linecache.checkcache(str(path))
    with pytest.raises(SourceError, match="loss"):
        gradient(module.loss, 3.0)


def test_function_typed_into_ipython():
    """IPython keeps the text of a cell in linecache under an invented file name."""
    text = "def loss(x):\n    y = x * x\n    return y * 3\nsquare = lambda x: x * x\n"
    name = "<ipython-input-7-0a1b2c3d4e5f>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    try:
        namespace = {}
        exec(compile(text, name, "exec"), namespace)
        assert gradient(namespace["loss"], 2.0) == (12.0,)
        assert gradient(namespace["square"], 2.0) == (4.0,)
    finally:
        del linecache.cache[name]


SESSION = """
>>> from engine import gradient
>>> def loss(x):
...     y = x * x
...     return y * y
>>> gradient(loss, 2.0)
(32.0,)
>>> gradient(lambda x: x * 3.0, 2.0)
(3.0,)
"""


def test_function_typed_into_a_doctest():
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(SESSION, {}, "session", None, 0))
    assert runner.summarize(verbose=False) == (0, 4)


# -- syntax ------------------------------------------------------------------------------------------------------------


def test_async_function():
    async def loss(x):
        return x * x

    with pytest.raises(UnsupportedSyntaxError) as caught:
        gradient(loss, 3.0)
    assert "async" in str(caught.value) and __file__ in str(caught.value)


def test_async_function_called_inside():
    async def square(x):
        await asyncio.sleep(0)
        return x * x

    def f(x):
        return asyncio.run(square(x))  # here

    with pytest.raises(DifferentiationError) as caught:
        gradient(f, 3.0)
    assert __file__ in str(caught.value)


def test_async_comprehension_and_generator():
    async def numbers(x):
        yield x

    async def total(x):
        return sum([v async for v in numbers(x)])

    with pytest.raises(UnsupportedSyntaxError, match="async"):
        gradient(total, 3.0)


@pytest.mark.parametrize("name", ["exec", "eval", "locals", "globals", "vars"])
def test_ways_around_the_language(name):
    """eval, exec and the frame's own dictionaries: right or refused by name, never silent."""

    def with_exec(x):
        box = {"x": x}
        exec("y = x * x", box)
        return box["y"]

    def with_eval(x):
        return eval("x * x", {"x": x})

    def with_locals(x):
        y = x * x
        return locals()["y"] * 1.0

    def with_globals(x):
        globals()["_written_by_the_test"] = x * x
        return globals().pop("_written_by_the_test")

    def with_vars(x):
        y = x * x  # noqa: F841
        return vars()["y"] * 1.0

    f = {"exec": with_exec, "eval": with_eval, "locals": with_locals, "globals": with_globals, "vars": with_vars}[name]
    try:
        gradients = gradient(f, 3.0)
    except DifferentiationError as error:
        assert name in str(error) and __file__ in str(error)
    else:
        assert gradients == (6.0,)


# -- arguments and losses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", [3, np.int64(3), np.arange(3), np.array(3), -1])
def test_integer_argument(argument):
    with pytest.raises(ArgumentError) as caught:
        gradient(lambda x: (x * 2.0) ** 2, argument)
    message = str(caught.value)
    assert "int" in message and "keyword" in message
    assert isinstance(caught.value, TypeError)


def test_integer_argument_says_which_one_and_what_to_write():
    def loss(rate, steps):
        return rate * steps

    with pytest.raises(ArgumentError) as caught:
        gradient(loss, 0.5, 3)
    assert "3.0" in str(caught.value) and "argument 1" in str(caught.value) and "loss" in str(caught.value)
    assert gradient(loss, 0.5, steps=3) == (3.0,)


def test_integers_inside_structures_are_constants():
    assert gradient(lambda d: d["x"] ** d["n"], {"x": 2.0, "n": 3}) == ({"x": 12.0, "n": None},)


@pytest.mark.parametrize(
    "loss, what",
    [
        (lambda x: np.array([x, x]), "(2,)"),
        (lambda x: [x], "list"),
        (lambda x: (x, x), "tuple"),
        (lambda x: None, "None"),
        (lambda x: x * 1j, "complex"),
        (lambda x: "text", "str"),
        (lambda x: {"loss": x}, "dict"),
    ],
)
def test_loss_that_is_no_real_scalar(loss, what):
    with pytest.raises(ArgumentError) as caught:
        gradient(loss, 3.0)
    message = str(caught.value)
    assert what in message and "real" in message
    assert "pullback" in message or "jacobian" in message


@pytest.mark.parametrize("derivative", [grad, hessian, lambda f: lambda x: value_and_gradient(f, x)])
def test_loss_that_is_no_real_scalar_for_the_others(derivative):
    with pytest.raises(ArgumentError, match="real"):
        derivative(lambda x: np.ones(3) * x)(3.0)


def test_integer_loss():
    """A loss that is an int carries no derivative: it is no float."""
    with pytest.raises(ArgumentError, match="int"):
        gradient(lambda x: int(x), 3.0)


def test_loss_of_one_element():
    with pytest.raises(ArgumentError, match="real"):
        gradient(lambda x: x, np.ones(1))


def test_argnums_out_of_range():
    with pytest.raises((ArgumentError, IndexError)):
        grad(lambda x: x, 3)(1.0)


def test_wrong_number_of_arguments_is_pythons_error():
    with pytest.raises(TypeError, match="loss"):

        def loss(x):
            return x

        gradient(loss, 1.0, 2.0)
    with pytest.raises(TypeError):
        gradient(lambda x, *, key: x * key, 1.0)


def test_not_callable():
    with pytest.raises(TypeError):
        gradient(3.0, 1.0)


def test_jvp_checks_its_tangents():
    with pytest.raises((ArgumentError, CotangentMismatchError)):
        jvp(lambda x, y: x * y, (1.0, 2.0), (1.0,))
    with pytest.raises((ArgumentError, CotangentMismatchError)):
        jvp(lambda x: x * 2, (np.ones(3),), (np.ones(2),))


def test_seed_of_the_wrong_structure():
    _, back = pullback(lambda x: [x, x * x], 3.0)
    with pytest.raises(DifferentiationError):
        back(1.0)
    with pytest.raises(DifferentiationError):
        back([1.0])


# -- mutation ----------------------------------------------------------------------------------------------------------


def test_write_through_an_overlapping_view():
    def f(x):
        windows = np.lib.stride_tricks.sliding_window_view(x * 1.0, 2, writeable=True)
        windows[0, 1] = 5.0
        return windows.sum()

    with pytest.raises((MutationError, ForeignCallError)) as caught:
        gradient(f, np.ones(3))
    assert __file__ in str(caught.value) and "in f" in str(caught.value)


def test_arguments_that_share_memory():
    def f(a, b):
        a[0] = b[1] * 2.0  # here
        return (a * b).sum()

    x = np.ones(3)
    refused(MutationError, f, x, x, says=["share"])


def test_object_array():
    def f(x):
        a = np.empty(2, object)
        a[0] = x  # here
        return a[0] * 2.0

    try:
        gradients = gradient(f, 3.0)
    except DifferentiationError as error:
        assert "object" in str(error) and __file__ in str(error)
    else:
        assert gradients == (2.0,)


# -- the user's own exceptions -----------------------------------------------------------------------------------------


class Mine(Exception):
    """An exception of the program."""


def test_exception_of_the_program_passes_through_unchanged():
    error = Mine("once")

    def f(x):
        if x > 0:
            raise error
        return x

    with pytest.raises(Mine) as caught:
        gradient(f, 3.0)
    assert caught.value is error


def test_traceback_points_at_the_users_line():
    def f(x):
        y = x * 2
        return y / (x - x)  # here

    with pytest.raises(ZeroDivisionError) as caught:
        gradient(f, 3.0)
    places = [f"{entry.path}:{entry.lineno + 1}" for entry in caught.traceback]
    assert marked_line(f) in places


@pytest.mark.parametrize(
    "error, text",
    [
        (NameError, "undefined_name"),
        (UnboundLocalError, "late"),
        (AttributeError, "nothing"),
        (KeyError, "missing"),
        (IndexError, "out of range"),
        (TypeError, "unsupported operand"),
        (ValueError, ""),
        (ZeroDivisionError, "division by zero"),
        (AssertionError, "too small"),
        (StopIteration, ""),
        (RecursionError, "recursion"),
        (OverflowError, ""),
    ],
)
def test_python_errors_are_pythons(error, text):
    """The same exception, with the same text, as the plain program raises."""

    def f(x):
        if error is NameError:
            return x * undefined_name  # noqa: F821
        if error is UnboundLocalError:
            x = x * late  # noqa: F821
            late = x  # noqa: F841
        if error is AttributeError:
            return (x * 2).nothing
        if error is KeyError:
            return {"a": x}["missing"]
        if error is IndexError:
            return [x, x][5]
        if error is TypeError:
            return x + "text"
        if error is ValueError:
            return math.log(-x)
        if error is ZeroDivisionError:
            return 1 / (x * 0)
        if error is AssertionError:
            assert x > 100, f"{x} is too small"
        if error is StopIteration:
            return next(iter([])) * x
        if error is RecursionError:
            return endless(x)
        if error is OverflowError:
            return math.exp(x * 1000)
        return x

    def endless(x):
        return endless(x * 2)

    with pytest.raises(error) as plain:
        f(3.0)
    with pytest.raises(error) as caught:
        gradient(f, 3.0)
    assert text in str(caught.value)
    assert type(caught.value) is type(plain.value)
    if error is not RecursionError and error is not AssertionError:  # pytest rewrites the plain one's text
        assert str(caught.value) == str(plain.value)


# -- output ------------------------------------------------------------------------------------------------------------


def test_prints_once_and_prints_plain_values(capsys):
    def f(x):
        y = x * 2
        print("y =", y, [y], {"k": y}, f"{y:.3f}", sep="; ")
        print(np.array([y]), end="")
        return y * y

    f(1.5)
    plain = capsys.readouterr().out
    gradient(f, 1.5)
    assert capsys.readouterr().out == plain


def test_logs_once(caplog):
    import logging

    logger = logging.getLogger("conformance")

    def f(x):
        logger.warning("x is %s, %r", x * 2, [x])
        return x * x

    f(1.5)
    gradient(f, 1.5)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["x is 3.0, [1.5]"] * 2
    assert len({record.lineno for record in caplog.records}) == 1


def test_warnings_are_the_programs():
    import warnings

    def f(x):
        warnings.warn("careful", UserWarning, stacklevel=1)
        return x * x

    with pytest.warns(UserWarning, match="careful"):
        assert gradient(f, 3.0) == (6.0,)


def test_side_effects_happen_once():
    calls = []

    def f(x):
        calls.append("f")
        return x * x

    value_and_gradient(f, 3.0)
    assert calls == ["f"]
    _, back = pullback(f, 3.0)
    back(1.0), back(1.0)
    assert calls == ["f", "f"]


def dead_sum(x, y):
    _ = x + y
    return np.sum(x)


def dead_sum_of_a_derivative(x, y):
    _ = gradient(lambda z: np.sum(z * y), x)
    return np.sum(x)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(("f", "line"), [(dead_sum, "_ = x + y"), (dead_sum_of_a_derivative, "z * y")])
def test_shapes_that_do_not_fit_where_nobody_needs_the_value(f, line: str, tier_name: str):
    """The message and the line are those of the operation itself, whether its value is needed or not."""
    with tier(tier_name), pytest.raises(ValueError, match=r"^operands could not be broadcast.*\(3,\) \(2,\)") as caught:
        gradient(f, np.ones(3), np.ones(2))
    own = [entry.statement for entry in caught.traceback if str(entry.path) == __file__]
    assert line in str(own[-1])
