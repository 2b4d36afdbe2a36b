"""Statements: exceptions caught and really raised, with, match, assert, del, global, printing, imports.

PYTEST_DONT_REWRITE: the programs' own assert statements are under test and must raise what Python raises.
"""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B018, F841

import contextlib
import logging
import math
import sys
import warnings

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])
XS = [0.5, -1.25, 2.0]
logger = logging.getLogger(__name__)


class Stopped(Exception):
    """Carries a value out of a computation."""

    def __init__(self, value, note=""):
        super().__init__(value, note)
        self.value = value


@table.at(1.5, 0.7)
def try_without_exception(x, y):
    try:
        z = x * y
    except ValueError:
        z = 0.0
    return z * x


@table.at(1.5, 0.7)
def exception_raised_and_caught(x, y):
    z = x
    try:
        z = z * y
        raise ValueError("after the product")
        z = 100.0
    except ValueError:
        z = z + y * y
    return z * x


@table.at(1.5, 0.7)
def else_and_finally(x, y):
    log = []
    try:
        z = x * y
    except KeyError:
        z = 0.0
    else:
        z = z * z
    finally:
        log.append(z * x)
    return z + log[0]


@table.at(1.5, 0.7)
def finally_after_an_exception(x, y):
    z = x
    try:
        try:
            z = z * y
            {}["missing"]
        finally:
            z = z * z
    except KeyError:
        z += x
    return z


@table.at(1.5, 0.7)
def value_travels_in_the_exception(x, y):
    try:
        raise Stopped(x * y)
    except Stopped as stop:
        return stop.value * x + stop.args[0] * y


@table.at(1.5, 0.7)
def exception_from_a_called_function(x, y):
    def check(v):
        if v > 1:
            raise Stopped(v * v)
        return v

    total = 0.0
    for v in (x, y, x * y):
        try:
            total += check(v)
        except Stopped as stop:
            total += stop.value * y
    return total


@table.at(1.5, 0.7)
def exception_of_a_builtin(x, y):
    total = x
    for maker in (lambda: [x][3], lambda: 1 / 0, lambda: int("q"), lambda: {}[1], lambda: x.nothing, lambda: len(3)):
        try:
            total = total + maker()
        except (IndexError, ZeroDivisionError):
            total = total * y
        except ValueError as error:
            total = total + x * len(error.args)
        except (KeyError, AttributeError):
            total = total * x
        except TypeError:
            total += y
    return total


@table.at(1.5, 0.7)
def partial_effects_survive(x, y):
    items = [x]

    def produce():
        yield x * y
        yield y * y
        raise RuntimeError("half-way")

    try:
        items.extend(produce())
    except RuntimeError:
        items.append(y)
    return sum(v * (i + 1) for i, v in enumerate(items)) * len(items)


@table.at(1.5, 0.7)
def failed_index_leaves_no_trace(x, y):
    a = np.array([x, y])
    items = [x, y]
    for i in range(4):
        try:
            items[i] = items[i] * y
            a[i] = a[i] * x
            items.pop(i + 5)
        except IndexError:
            x = x * 1.5
    return a.sum() * items[0] * items[1] * x


@table.at(1.5, 0.7)
def reraise_and_chain(x, y):
    try:
        try:
            raise Stopped(x)
        except Stopped as first:
            if first.value > 9:
                raise
            raise Stopped(first.value * y) from first
    except Stopped as second:
        cause = second.__cause__
    return cause.value * x + y * (isinstance(cause, Stopped) and cause.__context__ is None)


@table.at(1.5, 0.7)
def bare_raise_passes_on(x, y):
    total = x
    try:
        try:
            raise Stopped(total * y)
        except Stopped:
            total = total * x
            raise
    except Stopped as stop:
        total = total * stop.value
    return total


@table.at(1.5, 0.7)
def what_is_returned_is_computed_before_finally(x, y):
    def g(v):
        try:
            return v * x
        finally:
            v = v * 100

    return g(y)


@table.at(1.5, 0.7)
def import_of_a_global_that_is_read_before(x, y):
    global imported, os, path
    z = y if callable(imported) else y * y
    import math as imported
    import os.path
    from os import path

    return imported.sin(x) * z * len(path.join("a", os.path.basename("b")))


imported = os = path = None


@table.at(XS, 0.7)
def break_and_continue_through_finally(xs, y):
    total = done = 0.0
    for x in xs:
        try:
            if x < 0:
                continue
            if x > 1:
                break
            total += x * y
        finally:
            done += x * x
    return total * done


@table.at(XS, 0.7)
def loop_with_try_inside(xs, y):
    total = 0.0
    for i, x in enumerate(xs):
        try:
            if i == 1:
                raise Stopped(x * y)
            value = x
        except Stopped as stop:
            value = stop.value
        else:
            value = value * 2
        total = total * value + x
    return total


@table.at(1.5, 0.7)
def exception_name_is_deleted(x, y):
    stop = x * y
    try:
        raise Stopped(y)
    except Stopped as stop:
        z = x
    try:
        return stop
    except UnboundLocalError:
        return z * y


@table.at(1.5, 0.7)
def exception_group(x, y):
    total = 0.0
    try:
        raise ExceptionGroup("two", [Stopped(x * y), ValueError(y)])
    except* Stopped as group:
        total += group.exceptions[0].value * x
    except* ValueError as group:
        total += group.exceptions[0].args[0] * y
    return total


class Scope:
    """A context manager that scales and may swallow."""

    def __init__(self, by, swallow=False):
        self.by, self.swallow, self.total = by, swallow, 0.0

    def __enter__(self):
        self.total = self.by * 2
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            self.total = self.total * error.args[0]
        else:
            self.total = self.total + self.by
        return self.swallow


@table.at(1.5, 0.7)
def with_statement(x, y):
    with Scope(x) as scope:
        z = scope.total * y
    return z * scope.total


@table.at(1.5, 0.7)
def with_swallows_the_exception(x, y):
    z = x
    with Scope(y, swallow=True) as scope:
        z = z * scope.total
        raise ValueError(z)
    return z * scope.total


@table.at(1.5, 0.7)
def with_several_and_return_inside(x, y):
    def f():
        with Scope(x) as a, Scope(y) as b:
            log.append(a)
            return a.total * b.total

    log = []
    return f() * log[0].total


@contextlib.contextmanager
def scaled(by):
    box = {"value": by}
    try:
        yield box
    except ValueError as error:
        box["value"] = box["value"] * error.args[0]
    finally:
        box["closed"] = by * by


@table.at(1.5, 0.7)
def generator_context_manager(x, y):
    with scaled(x * y) as box:
        z = box["value"] * x
    with scaled(y) as other:
        raise ValueError(z)
    return z * box["closed"] + other["value"] * other["closed"]


@table.at(1.5, 0.7)
def contextlib_tools(x, y):
    z = x
    with contextlib.suppress(ZeroDivisionError):
        z = z * y
        1 / 0
    with contextlib.nullcontext(y * y) as w:
        z += w
    with contextlib.ExitStack() as stack:
        scope = stack.enter_context(Scope(z))
        z = scope.total
    with contextlib.closing(v * y for v in [x, y]) as g:
        z *= next(g)
    return z


@table.at(1.5, 0.7)
def errstate_and_catch_warnings(x, y):
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        edge = np.log(np.zeros(2))
        z = math.exp(edge[0]) + np.log(x) * y
    return z * x


@table.at(1.5, 0.7)
def match_literals_and_guards(x, y):
    total = 0.0
    for command in (1, "two", None, True, 7, -2.5):
        match command:
            case None:
                total += x
            case 1 | 3:
                total += x * y
            case "two":
                total *= y
            case int(n) if n > 5:
                total += n * y
            case float():
                total = total * x
            case _:
                total += 100.0
    return total


@table.at(1.5, 0.7)
def match_sequences(x, y):
    def f(v):
        match v:
            case [a]:
                return a * a
            case [a, b]:
                return a * b
            case (a, [b, *rest], *_) if rest:
                return a + b * sum(rest)
            case [first, *_, last]:
                return first - last
            case a:
                return a

    return f([x]) + f((x, y)) * f([x, [y, x, y], 0]) + f([x, 1, 2, y]) * f(x)


class Shape:
    """Matched by position."""

    __match_args__ = ("width", "height")

    def __init__(self, width, height):
        self.width, self.height = width, height


@table.at(1.5, 0.7)
def match_classes_and_mappings(x, y):
    def area(v):
        match v:
            case Shape(w, h):
                return w * h
            case {"kind": "circle", "radius": r, **rest}:
                return 3 * r * r + len(rest) * r
            case {"shape": Shape(width=w) as shape}:
                return w + shape.height
            case complex(real=r) | [float() as r]:
                return r * x
            case _:
                return 0.0

    shapes = [Shape(x, y), {"kind": "circle", "radius": y, "z": 1}, {"shape": Shape(y, x)}, [y], "nothing"]
    return sum(area(s) * (i + 1) for i, s in enumerate(shapes))


@table.at(1.5, 0.7)
def match_on_an_active_value(x, y):
    match x:
        case 1.5000001:
            return 0.0
        case float(v) if v > y:
            return v * y
    return x


@table.at(1.5, 0.7)
def assertions(x, y):
    assert x > y, f"not evaluated: {1 / 0}"
    try:
        assert x < y, x * y
    except AssertionError as error:
        return error.args[0] * x
    return 0.0


@table.at(1.5, 0.7)
def del_of_items_and_attributes(x, y):
    items, named, scope = [x, y, x * y], {"a": x, "b": y}, Scope(x)
    del items[0], named["a"], scope.total
    scope.by *= items[0]
    return items[0] * items[-1] * named["b"] * scope.by * len(items)


@table.at(1.5, 0.7)
def printing_and_logging(x, y):
    z = x * y
    print("z is", z, [x], {"y": y}, end="!\n", file=sys.stderr)
    print(f"{z}")
    logger.debug("value %s at %r", z, [z])
    logger.warning("np %s", np.array([z]))
    return z * x


@table.at(1.5, 0.7)
def imports_inside(x, y):
    import math as m
    from math import sin
    from os.path import join

    return m.cos(x) * sin(y) * len(join("a", "b"))


@table.at(1.5, 0.7)
def multiple_targets(x, y):
    a = b = c = x * y
    a *= x
    [d, (e, f)] = a, (b, y)
    g = h = [c]
    g.append(d)
    return h[1] * e + f * g[0]


@table.at([0.5, 1.5, 2.0], 0.7)
def augmented_targets(xs, y):
    d = {"k": [xs[0], y]}
    d["k"][0] += y * y
    d["k"] += [xs[1]]
    xs[1] *= y
    xs[-1] -= xs[0] * y
    i = 0
    xs[i], i = xs[i] * 3, 2
    xs[i] **= 2
    return d["k"][0] * d["k"][2] + xs[0] * xs[1] * xs[2]


@table.at(1.5, 0.7)
def order_of_evaluation(x, y):
    log = []

    def note(v, w):
        log.append(v * (len(log) + 1))
        return w

    target = {}
    target[note(x, "a")] = note(y, x) + note(x * y, y) * note(y * y, 2.0)
    return target["a"] * sum(log)


@table.at(1.5, 0.7)
def type_aliases_and_docstrings_are_harmless(x, y):
    class Box:
        """A class in a function."""

        v: float = 2.0

        def get(self) -> float:
            """Give it."""
            return self.v * y

    return Box().get() * x


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
