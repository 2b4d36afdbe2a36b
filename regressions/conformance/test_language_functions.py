"""Functions: closures, nonlocal, lambdas, every kind of argument, decorators, partial, global, generators as values."""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B006, B023, E731, F821, F842, PIE804, UP037

import functools
import math
from functools import partial

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])
scale = 1.5
counter = 0.0


@table.at(1.5, 0.7)
def nested_function(x, y):
    def inner(a, b):
        return a * b + a

    return inner(inner(x, y), x)


@table.at(1.5, 0.7)
def closure_reads(x, y):
    def inner(a):
        return a * y + x

    return inner(x) * inner(y)


@table.at(1.5, 0.7)
def closure_binds_late(x, y):
    def inner():
        return z * z

    z = x
    first = inner()
    z = x * y
    return first * inner()


@table.at(1.5, 0.7)
def closures_in_a_loop_share_the_variable(x, y):
    fs = []
    for i in range(3):
        v = x * i + y
        fs.append(lambda: v * v)
    return fs[0]() + fs[1]() * fs[2]()


@table.at(1.5, 0.7)
def closures_in_a_loop_with_defaults(x, y):
    fs = [lambda s=x * i + y: s * s for i in range(3)]
    return fs[0]() + fs[1]() * fs[2]()


@table.at(1.5, 0.7)
def nonlocal_accumulates(x, y):
    total = 0.0

    def add(v):
        nonlocal total
        total += v * v

    add(x)
    add(x * y)
    return total * y


@table.at(1.5, 0.7)
def nonlocal_replaced_by_a_constant(x, y):
    state = x * y

    def reset():
        nonlocal state
        old, state = state, 2.0
        return old

    before = reset()
    return before * x + state * y


@table.at(1.5, 0.7)
def nonlocal_through_two_levels(x, y):
    s = x

    def outer():
        def inner():
            nonlocal s
            s = s * y

        inner()
        inner()

    outer()
    return s * x


@table.at(1.5, 0.7)
def two_closures_one_cell(x, y):
    def make():
        v = x

        def read():
            return v * y

        def write(new):
            nonlocal v
            v = v * new

        return read, write

    read, write = make()
    a = read()
    write(y)
    write(x)
    return a * read()


@table.at(1.5, 0.7)
def counter_objects_are_independent(x, y):
    def make(start):
        n = start

        def step():
            nonlocal n
            n = n * y + 1
            return n

        return step

    one, two = make(x), make(x * x)
    return one() * two() + one() * one()


@table.at(1.5, 0.7)
def argument_rebound_by_an_inner_function(x, y):
    def grow():
        nonlocal x
        x *= y

    before = x
    grow()
    return x * before


@table.at(1.5, 0.7)
def returned_closure(x, y):
    def adder(a):
        def add(b):
            return a * b + y

        return add

    return adder(x)(y) * adder(y)(x)


@table.at(1.5, 0.7)
def lambdas_on_one_line(x, y):
    f, g, h = lambda a: a * x, lambda a: a + y, lambda a: a * a
    return f(g(h(x))) + h(g(f(y)))


@table.at(1.5, 0.7)
def nested_lambdas(x, y):
    curry = lambda a: lambda b: lambda c: a * b + c * x
    return curry(x)(y)(x * y)


@table.at(1.5, 0.7)
def lambda_with_conditional_body(x, y):
    pick = lambda a, b=2.0: a * b if a > 1 else b / a
    return pick(x) * pick(y, b=x)


@table.at(1.5, 0.7)
def functions_in_a_dict(x, y):
    table_of = {"sin": math.sin, "mine": lambda v: v * y, "cube": cube}
    return table_of["sin"](x) + table_of["mine"](x) * table_of["cube"](y)


def cube(x):
    return x * x * x


@table.at(1.5, 0.7)
def default_arguments(x, y):
    def f(a, b=2.0, c=y):
        return a * b + c * c

    return f(x) + f(x, y) * f(x, y, x)


@table.at(1.5, 0.7)
def mutable_default_argument_remembers(x, y):
    def remember(v, seen=[]):
        seen.append(v)
        return seen[0] * len(seen)

    return remember(x) + remember(y) * x


@table.at(1.5, 0.7)
def keyword_arguments(x, y):
    return mixed(x, b=y) + mixed(b=x, a=y, c=3.0) * mixed(x, y, c=x)


def mixed(a, b, c=1.0):
    return a * a * b + c


@table.at(1.5, 0.7)
def keyword_only_and_positional_only(x, y):
    def f(a, /, b, *, c, d=2.0):
        return a * b - c * d

    return f(x, y, c=x) + f(y, b=x, c=y, d=x * y)


@table.at(1.5, 0.7)
def starred_arguments(x, y):
    def f(first, *rest, **named):
        return first * sum(rest) + named["k"] * named.get("missing", 2.0) + len(rest) * first

    values = (x * y, y)
    return f(x, *values, k=y) + f(*[y, x], **{"k": x, "missing": y})


@table.at(1.5, 0.7)
def starred_calls_mixed(x, y):
    def f(a, b, c, d=0.0, **more):
        return a * b + c * d + sum(more.values())

    return f(*(x,), y, *[x * y], **{"d": x}, e=y, **{"g": x * x})


@table.at(1.5, y=0.7)
def keyword_argument_of_the_loss_is_constant(x, y):
    return x * x * y


@table.at(1.5, 0.7)
def varargs_of_the_loss(*xs):
    return xs[0] * xs[1] * len(xs)


@table.at(1.5, 0.7)
def partial_application(x, y):
    f = partial(mixed, x, c=y)
    g = partial(f, y)
    return f(y) + g(c=x) * f.args[0] * f.keywords["c"]


@table.at(1.5, 0.7)
def partial_of_a_builtin(x, y):
    double = partial(max, 0.1)
    return double(x) * partial(math.pow, x)(y)


def twice(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs) * 2

    return wrapper


def scaled(by):
    def decorate(f):
        return lambda *args: by * f(*args)

    return decorate


@twice
def decorated_square(x):
    return x * x


@twice
@scaled(3.0)
def decorated_twice(x, y):
    return x * y * y


@table.at(1.5, 0.7)
def decorators(x, y):
    return decorated_square(x) * decorated_twice(x, y) + decorated_square.__wrapped__(y)


@table.at(1.5, 0.7)
def decorator_inside_closes_over_a_value(x, y):
    @scaled(x)
    def f(a):
        return a * y

    return f(y) + f(x)


@table.at(1.5, 0.7)
def function_attributes(x, y):
    def f(a):
        f.calls += 1
        return a * f.weight

    f.calls, f.weight = 0, y
    z = f(x) + f(y)
    f.weight = x
    return z + f(y) * f.calls


@table.at(1.5, 0.7)
def module_global_read(x, y):
    return x * y * scale


@table.at(1.5, 0.7)
def module_global_rebound(x, y):
    global counter
    counter = x
    _count(y)
    _count(x)
    result = counter * y
    counter = 0.0
    return result


def _count(v):
    global counter
    counter = counter * v + 1


@table.at(1.5, 0.7)
def function_passed_and_composed(x, y):
    def compose(*fs):
        return functools.reduce(lambda f, g: lambda v: f(g(v)), fs)

    return compose(math.sin, lambda v: v * y, cube)(x)


@table.at(1.5, 0.7)
def immediately_called_lambda(x, y):
    return (lambda a, *, b: a * b)(x, b=y) + (lambda: x)() * (lambda *a: sum(a))(x, y)


@table.at(1.5, 0.7)
def returns_several_values(x, y):
    def f(a):
        return a * y, [a, {"k": a * a}], None

    p, (q, d), nothing = f(x)
    return p * q * d["k"] if nothing is None else 0.0


@table.at(1.5, 0.7)
def shadowed_names(x, y):
    def sum(x):
        x = x * y
        return x

    abs = lambda v: v * v
    return sum(x) + abs(y) * x


@table.at(1.5, 0.7)
def comprehension_scope_does_not_leak(x, y):
    v = x
    total = sum([v * y for v in (y, x)])
    return total * v


@table.at(1.5, 0.7)
def del_of_a_name(x, y):
    z = x * y
    w = z * z
    del z
    z = x
    del x
    return w * z


@table.at(X)
def closure_over_an_array_written_later(x):
    y = x * 1.0

    def total():
        return (y * x).sum()

    before = total()
    y[0] = 3.0
    y[1] *= x[2]
    return before * total()


@table.at(1.5, 0.7)
def recursion_in_a_closure_with_state(x, y):
    depth = 0

    def descend(v):
        nonlocal depth
        depth += 1
        return v if depth > 3 else descend(v * x + y)

    return descend(y) * depth


@table.at(1.5)
def annotations_are_ignored(x: float, *, n: int = 3) -> float:
    y: float = x * n
    z: "undefined_name"
    return y * x


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
