"""Data: comprehensions, generators, the iteration builtins, unpacking, slices, lists, dicts, sets, strings."""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B023, B905, C406, PIE800, UP031, UP032

import itertools
import math

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])
M = np.array([[1.0, 0.5, -1.0], [-0.25, 2.0, 0.75]])
XS = [0.5, -1.25, 2.0]


@table.at(XS, 0.7)
def list_comprehension(xs, y):
    squares = [x * x * y for x in xs]
    return squares[0] * squares[2] + squares[1]


@table.at(XS, 0.7)
def comprehension_with_conditions_and_two_loops(xs, y):
    return sum([a * b * y for a in xs if a > 0 for i, b in enumerate(xs) if i != 1 if b < 3])


@table.at(XS, 0.7)
def nested_comprehension(xs, y):
    rows = [[a * b + y for b in xs] for a in xs]
    return sum([row[i] * y for i, row in enumerate(rows)]) * rows[0][2]


@table.at(XS, 0.7)
def dict_comprehension(xs, y):
    named = {f"k{i}": x * y for i, x in enumerate(xs) if i < 2}
    inverse = {i: named[k] * y for i, k in enumerate(named)}
    return named["k0"] * named["k1"] + inverse[0]


@table.at(XS)
def set_comprehension_of_indices(xs):
    return sum(xs[i] * (i + 1) for i in sorted({abs(i) for i in (-2, 1, 2, 0)}))


@table.at(XS, 0.7)
def generator_expression(xs, y):
    return sum(x * x * y for x in xs) * max(x * y for x in xs) + sum((x for x in xs if x > 0), y)


@table.at(XS, 0.7)
def generator_expression_is_lazy(xs, y):
    doubled = (x * y for x in xs)
    first = next(doubled)
    y = first * 2
    return next(doubled) * y + sum(doubled)


@table.at(XS, 0.7)
def comprehension_closes_over_the_function(xs, y):
    scale = y * y
    fs = [(lambda v: v * x * scale) for x in xs]
    return fs[0](y) * fs[1](2.0)


def squares(xs):
    for x in xs:
        yield x * x


def running_total(start):
    total = start
    while True:
        got = yield total
        if got is None:
            return
        total = total * 0.5 + got


@table.at(XS)
def generator_function(xs):
    total = 1.0
    for s in squares(xs):
        total = total * s + s
    return total


@table.at(XS, 0.7)
def generator_send(xs, y):
    g = running_total(y)
    total = next(g)
    for x in xs:
        total += g.send(x * y) * x
    g.close()
    return total


@table.at(XS)
def generator_left_early(xs):
    for s in squares(xs):
        if s > 1:
            break
    return s * xs[0]


@table.at(XS, [0.3, 0.4, 0.8])
def generators_interleaved(xs, ys):
    a, b = squares(xs), squares(ys)
    total = 0.0
    for p, q in zip(a, b):
        total = total * p + q
    return total


@table.at(XS, 0.7)
def generators_advanced_in_turns(xs, y):
    a, b = squares(xs), squares([y, y * xs[0]])
    first = next(a)
    second = next(b) * first
    third = next(a) * second
    return third + next(b) + next(a) + next(b, y)


@table.at(XS, 0.7)
def yield_from_and_return_value(xs, y):
    def outer():
        last = yield from inner()
        yield last * y

    def inner():
        for x in xs:
            yield x * y
        return xs[0] * xs[1]

    return sum(v * v for v in outer())


@table.at(XS, 0.7)
def generator_with_state_in_a_cell(xs, y):
    seen = 0.0

    def watch():
        nonlocal seen
        for x in xs:
            seen += x * y
            yield seen * x

    total = 0.0
    for v in watch():
        total += v * seen
    return total


@table.at(XS, 0.7)
def generator_finally_runs_on_close(xs, y):
    log = []

    def guarded():
        try:
            for x in xs:
                yield x * y
        finally:
            log.append(y * y)

    g = guarded()
    v = next(g)
    g.close()
    return v * log[0]


@table.at(XS, 0.7)
def generator_throw(xs, y):
    def robust():
        v = 1.0
        while True:
            try:
                v = yield v * y
            except ValueError as error:
                v = error.args[0] * 2

    g = robust()
    total = next(g) + g.send(xs[0])
    total *= g.throw(ValueError(xs[2]))
    return total


@table.at(0.7)
def recursive_generator(x):
    def walk(depth, v):
        if depth:
            yield from walk(depth - 1, v * x)
            yield v
            yield from walk(depth - 1, v + x)

    return sum(v * (i + 1) for i, v in enumerate(walk(3, x)))


@table.at(XS, [0.3, 0.4, 0.8])
def zip_enumerate_reversed(xs, ys):
    total = 0.0
    for i, (x, y) in enumerate(zip(xs, reversed(ys)), start=1):
        total = total * x + i * y
    return total + sum(a * b for a, b in zip(xs, ys[1:])) + list(zip(*[xs, ys]))[1][0]


@table.at(XS, [0.3, 0.4, 0.8])
def map_and_filter(xs, ys):
    products = list(map(lambda a, b: a * b * b, xs, ys))
    positive = [*filter(lambda v: v > 0, xs)]
    return sum(products) * positive[1] + sum(filter(None, xs)) + math.prod(map(math.cos, ys))


@table.at(XS, 0.7)
def sorted_with_key(xs, y):
    up = sorted(xs)
    down = sorted([x * y for x in xs], reverse=True)
    by = sorted(enumerate(xs), key=lambda pair: -pair[1] * pair[1])
    return up[0] * down[0] + by[0][1] * by[2][1] * down[2] + up[1]


@table.at(XS, 0.7)
def min_max_in_all_forms(xs, y):
    a = max(xs) * min(xs) + max(y, xs[0], 0.1) * min(xs[2], y)
    return a + max(xs, key=abs) * min(xs, key=lambda v: (v - 0.4) ** 2) + max([], default=y) * max(0.0, y)


@table.at(XS, 0.7)
def sum_with_start_and_of_arrays(xs, y):
    return sum(xs, y * y) * sum([np.array([x, y]) for x in xs], np.zeros(2))[0] + sum([[x] for x in xs], [])[1]


@table.at(XS)
def any_all_len(xs):
    return xs[0] * any(x > 1 for x in xs) + xs[1] * len(xs) + xs[2] * all(x < 9 for x in xs)


@table.at(XS, 0.7)
def iter_and_next(xs, y):
    it = iter(xs)
    total = next(it) * y
    for x in it:
        total = total * x + y
    return total + next(it, y)


@table.at(XS)
def iter_with_sentinel(xs):
    position = -1

    def read():
        nonlocal position
        position += 1
        return xs[position] * 2 if position < 3 else None

    return sum(v * v for v in iter(read, None)) * xs[0]


@table.at(XS, 0.7)
def unpacking(xs, y):
    a, b, c = xs
    (d, e), *rest = [(a * b, c), y, a]
    [f, *g, h] = rest + [b, c]
    return a * d + e * f + sum(g) * h


@table.at(XS, 0.7)
def starred_displays(xs, y):
    merged = [y, *xs, *(x * y for x in xs)]
    pair = (*merged[:2], y)
    named = {**{"a": y, "b": 1.0}, "c": xs[0], **{"b": xs[1]}}
    return sum(merged) * pair[1] * len(pair) + named["a"] * named["b"] * named["c"]


@table.at(XS)
def list_slices(xs):
    ys = xs[1:] + xs[:-1] * 2
    return ys[0] * ys[-1] + sum(xs[::-2]) * ys[3] + xs[-2:][0] * xs[slice(0, 2)][1]


@table.at(M)
def array_slices_and_ellipsis(m):
    a = m[..., 1:] * m[:, :2]
    b = m[None, 0, ::-1] + m[-1, np.newaxis]
    return (a.T @ m[:, 0]).sum() * b[0, 1] + m[1][2] * m[(0, 1)] * m[...].sum()


@table.at(M)
def array_indexing_by_arrays_and_masks(m):
    picked = m[[0, 1, 0], [2, 0, 2]]
    return (picked * picked).sum() + m[m > 0.6].prod() * m[:, [True, False, True]].sum() + m[np.array([1, 1])][0] @ m[0]


@table.at(XS, 0.7)
def list_methods(xs, y):
    items = [y]
    items.append(xs[0])
    items.extend([xs[1] * y, xs[2]])
    items.insert(1, y * y)
    last = items.pop()
    second = items.pop(1)
    items.reverse()
    items.remove(y)
    items[0] *= last
    copied = items.copy()
    items.clear()
    return copied[0] * copied[1] * second + last * len(items) + copied.index(xs[0]) * y + copied.count(xs[0]) * y


@table.at(XS, 0.7)
def list_operators(xs, y):
    items = [y] * 2 + xs
    items += [y * y]
    items *= 2
    alias = items
    alias[0] = xs[0] * xs[1]
    del items[1], items[-3:]
    items[1:3] = [xs[2] * y]
    return sum(v * (i + 1) for i, v in enumerate(items)) * (y in xs or len(items))


@table.at(XS)
def list_sort_in_place(xs):
    items = [x * x for x in xs]
    items.sort()
    total = items[0] * 2 + items[1] * 3
    items.sort(key=lambda v: -v)
    return total * items[0]


@table.at({"w": 0.5, "b": [1.5, 2.0]}, 0.7)
def dict_methods(d, y):
    e = {"z": y}
    e.update(d, extra=d["w"] * y)
    e.setdefault("w", 100.0)
    made = e.setdefault("new", y * y)
    popped = e.pop("z")
    default = e.pop("none", y)
    got = e.get("w") * e.get("nothing", y)
    key, value = e.popitem()
    return made * popped * default + got + value * e["extra"] * len(e) + e["b"][0] * e["b"][1] + (key == "new")


@table.at({"w": 0.5, "b": 1.5}, 0.7)
def dict_iteration(d, y):
    total = 0.0
    for key in d:
        total += d[key] * len(key)
    for key, value in d.items():
        total = total * value + (key == "b") * y
    return total + sum(v * v for v in d.values()) + len(d.keys() & {"w"}) * y


@table.at({"w": 0.5, "b": 1.5}, 0.7)
def dict_operators(d, y):
    e = d | {"b": y, "c": d["w"]}
    f = {"c": 1.0}
    f |= e
    del f["w"]
    f["b"] *= f["c"]
    return (
        f["b"] * e["b"] + ("w" in f) * y + dict(f, q=y)["q"] * dict([("a", d["b"])])["a"] + dict.fromkeys("ab", y)["a"]
    )


@table.at(XS)
def dict_with_tuple_and_integer_keys(xs):
    grid = {(i, j): xs[i] * xs[j] for i in range(3) for j in range(3) if i <= j}
    grid[1, 2] += grid[0, 0]
    grid[0] = xs[0]
    return sum(grid.values()) * grid[0]


@table.at(XS)
def set_operations_on_constants(xs):
    a, b = {1, 2, 3}, set(range(2))
    a.add(7)
    a.discard(3)
    a |= {9}
    return xs[len(a & b)] * len(a | b) + xs[0] * len(a - b) + xs[2] * ((a ^ b) >= {0}) * (frozenset(a) > {1})


@table.at(XS, 0.7)
def tuples(xs, y):
    t = (xs[0], y) + (y * y,)
    t += tuple(xs)
    t = t * 2
    return t[0] * t[2] + t[-1] * t[1:3][0] + t.index(y) * y + t.count(y) * y + hash((1, 2)) * 0 * y


@table.at(1.52, 0.7)
def strings(x, y):
    text = f"{x:.1f}|{round(y, 1)!r:>6}|{x * y = :.1f}"
    parts = text.split("|")
    name = "-".join(p.strip() for p in parts).replace("1", "one").upper()
    return (
        x * len(parts) + y * name.count("ONE") + x * y * ("%.1f" % x == "1.5") + ord("a") * y * ("{}".format(1) == "1")
    )


@table.at(1.5, 0.7)
def number_to_text_is_constant(x, y):
    return x * float(f"{y:.1f}"[:2]) + y * int("3") + x * len(str(3)) + y * len(format(2.5, ".3f"))


@table.at(XS, 0.7)
def itertools_functions(xs, y):
    a = sum(itertools.chain(xs, [y], *[[y * y], xs[:1]]))
    b = list(itertools.accumulate(xs)) + list(itertools.accumulate([y, *xs], lambda p, q: p * q + 1))
    c = sum(p * q for p, q in itertools.combinations(xs, 2)) + sum(
        p * q * y for p, q in itertools.product(xs, [y, 1.0])
    )
    d = sum(p - q * y for p, q in itertools.pairwise(xs))
    return a * b[2] + b[-1] + c * d


@table.at(XS, 0.7)
def more_itertools_functions(xs, y):
    a = sum(itertools.islice(itertools.count(y, 0.5), 3)) + sum(itertools.islice(xs, 0, None, 2))
    b = sum(p * (q or y) for p, q in itertools.zip_longest(xs, [y, y * y]))
    c = sum(itertools.takewhile(lambda v: v > 0, xs)) * sum(itertools.dropwhile(lambda v: v > 0, xs))
    d = sum(sum(group) * key for key, group in itertools.groupby(xs, key=lambda v: 2 if v > 1 else 1))
    e = sum(itertools.starmap(lambda p, q: p * q, [(xs[0], y), (y, y)])) + sum(itertools.repeat(y, 3))
    left, right = itertools.tee(v * y for v in xs)
    f = next(left) * next(right) + sum(left) + sum(itertools.compress(xs, [1, 0, 1]))
    g = sum(v * w for v, w in itertools.permutations(xs, 2)) + next(itertools.cycle(xs)) * y
    return (
        a * b
        + c * d
        + e * f
        + g
        + next(itertools.chain.from_iterable([xs, xs]))
        + sum(itertools.filterfalse(None, [0, 0.0]))
    )


@table.at(XS, 0.7)
def range_object(xs, y):
    r = range(2, -1, -1)
    return sum(xs[i] * (k + 1) for k, i in enumerate(r)) * r[1] + y * len(r) + y * (2 in r) + xs[r.stop] * r.step


@table.at(X, 0.7)
def arrays_from_and_to_lists(x, y):
    a = np.array([x[0] * y, x[1], y])
    b = np.array([[y, 1.0], x[:2].tolist()])
    items = list(a) + x.tolist()
    return (a * x).sum() * b[0, 0] * b[1, 1] + items[0] * items[5] + sum(a) + max(x) * len(a)


@table.at(X, M)
def array_attributes(x, m):
    n, k = m.shape
    return x.sum() * n + m.T[0, 1] * k + x.size * m.ndim * x[0] + m.flatten()[1] * (x.dtype == float) * m.real[0, 0]


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
