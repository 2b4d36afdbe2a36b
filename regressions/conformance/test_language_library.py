"""What a numerical program uses of functools, collections, copy, heapq, statistics-like code and small algorithms."""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B905

import bisect
import copy
import functools
import heapq
import itertools
import math
import random
import time
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])
XS = [0.5, -1.25, 2.0]


@table.at(XS, 0.7)
def reduce(xs, y):
    a = functools.reduce(lambda p, q: p * q + y, xs)
    return a * functools.reduce(max, xs, y) + functools.reduce(lambda p, q: p + q * q, xs, y)


@table.at(1.5, 0.7)
def lru_cache_of_constant_arguments(x, y):
    @functools.lru_cache
    def binomial(n, k):
        return 1 if k in (0, n) else binomial(n - 1, k - 1) + binomial(n - 1, k)

    return sum(binomial(5, k) * x**k * y ** (5 - k) for k in range(6))


@table.at(1.5, 0.7)
def memo_in_a_dict(x, y):
    memo = {}

    def f(n):
        if n not in memo:
            memo[n] = x if n < 2 else f(n - 1) * y + f(n - 2)
        return memo[n]

    return f(8) + memo[3]


@table.at(1.5, 0.7)
def singledispatch(x, y):
    @functools.singledispatch
    def size(v):
        return 0.0

    @size.register
    def _(v: float):
        return v * v

    @size.register(list)
    def _(v):
        return sum(size(w) for w in v) * y

    return size(x) * size([x, y, "a"]) + size("b")


@table.at(1.5, 0.7)
def total_ordering_and_cmp_to_key(x, y):
    @functools.total_ordering
    class Item:
        def __init__(self, v):
            self.v = v

        def __eq__(self, other):
            return self.v == other.v

        def __lt__(self, other):
            return self.v < other.v

    items = [Item(x), Item(y), Item(x * y)]
    low = min(items)
    ranked = sorted([x, y, x * y], key=functools.cmp_to_key(lambda a, b: (a < b) - (a > b)))
    return (low.v if low <= items[0] and items[0] >= items[2] else 0.0) * ranked[0] * ranked[2]


@table.at([0.5, [1.5, 2.0]], 0.7)
def copies(xs, y):
    shallow, deep = copy.copy(xs), copy.deepcopy(xs)
    shallow[1][0] *= y
    deep[1][1] *= y
    deep[0] = y
    return xs[1][0] * xs[1][1] + shallow[0] * deep[1][1] * deep[1][0]


@table.at(X, 0.7)
def copies_of_arrays_and_objects(x, y):
    class Box:
        def __init__(self, v):
            self.v = v

    box = Box(x * y)
    other, alias = copy.deepcopy(box), copy.copy(box)
    box.v[0] = 3.0
    alias.extra = y
    return (box.v * other.v * x).sum() + (alias.v * x).sum() * alias.extra + copy.copy(y) * x.copy()[1]


@table.at(XS, 0.7)
def deque_as_a_window(xs, y):
    window = deque([y], maxlen=3)
    total = 0.0
    for x in xs:
        window.append(x * y)
        total = total * 0.5 + sum(window)
    window.appendleft(y * y)
    window.rotate(1)
    first = window.popleft()
    return total * first + window.pop() * window[0] * len(window)


@table.at(XS, 0.7)
def defaultdict_of_lists_and_floats(xs, y):
    groups, sums = defaultdict(list), defaultdict(float)
    for i, x in enumerate([*xs, y]):
        groups[i % 2].append(x * y)
        sums[x > 0] += x
    return groups[0][0] * groups[0][1] + sum(groups[1]) * sums[True] * sums[False] + len(groups[7])


@table.at(XS, 0.7)
def ordereddict_counter_chainmap(xs, y):
    ordered = OrderedDict(a=xs[0], b=xs[1])
    ordered["c"] = y
    ordered.move_to_end("a")
    counts = Counter("abca")
    scope = ChainMap({"a": y}, ordered)
    last = ordered.popitem()
    return scope["a"] * scope["b"] + last[1] * counts["a"] + sum(xs[i] * n for i, n in enumerate(counts.values())) * y


@table.at(XS, 0.7)
def statistics_by_hand(xs, y):
    n = len(xs)
    mean = sum(xs) / n
    variance = sum((x - mean) ** 2 for x in xs) / (n - 1)
    median = sorted(xs)[n // 2]
    weighted = sum(w * x for w, x in zip([0.2, 0.3, y], xs)) / math.fsum([0.2, 0.3, y])
    return math.sqrt(variance) * median + weighted * mean


@table.at(2.0)
def bisection_is_not_smooth_but_newton_is(a):
    def newton(f, df, x):
        for _ in range(50):
            step = f(x) / df(x)
            x -= step
            if abs(step) < 1e-14:
                break
        return x

    return newton(lambda x: x**3 - a, lambda x: 3 * x * x, 1.0)


@table.at(XS, 0.7)
def horner_and_cumulative_products(coefficients, x):
    total = 0.0
    for c in reversed(coefficients):
        total = total * x + c
    products = list(itertools.accumulate(coefficients, lambda a, b: a * b))
    return total * products[-1]


@table.at(0.7, 1.5)
def runge_kutta(y, k):
    def rhs(t, y):
        return -k * y + math.sin(t)

    t, h = 0.0, 0.1
    for _ in range(8):
        k1 = rhs(t, y)
        k2 = rhs(t + h / 2, y + h / 2 * k1)
        k3 = rhs(t + h / 2, y + h / 2 * k2)
        k4 = rhs(t + h, y + h * k3)
        y += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t += h
    return y


@table.at([[2.0, 0.5], [0.25, 1.5]], [1.0, -1.0])
def gaussian_elimination_on_lists(a, b):
    n = len(b)
    for i in range(n):
        pivot = a[i][i]
        for j in range(i + 1, n):
            factor = a[j][i] / pivot
            a[j] = [p - factor * q for p, q in zip(a[j], a[i])]
            b[j] -= factor * b[i]
    for i in reversed(range(n)):
        b[i] = (b[i] - sum(a[i][k] * b[k] for k in range(i + 1, n))) / a[i][i]
    return b[0] * b[1]


@table.at([0.3, 1.2, 0.9], [1.1, 0.4, 0.8])
def dynamic_programming_table(xs, ys):
    cost = [[0.0] * 4 for _ in range(4)]
    for i in range(1, 4):
        for j in range(1, 4):
            d = (xs[i - 1] - ys[j - 1]) ** 2
            cost[i][j] = d + min(cost[i - 1][j], cost[i][j - 1], cost[i - 1][j - 1])
    return cost[3][3] * cost[1][1]


@table.at(1.5, 0.7)
def quicksort_by_recursion(x, y):
    def sort(v):
        if len(v) < 2:
            return v
        head, *rest = v
        return [*sort([w for w in rest if w < head]), head, *sort([w for w in rest if w >= head])]

    ordered = sort([x, y, x * y, 0.9, x - y])
    return sum(v * i * v for i, v in enumerate(ordered))


@table.at(XS, 0.7)
def bisect_and_heapq_for_constants(xs, y):
    heap = [3, 1, 2]
    heapq.heapify(heap)
    first = heapq.heappop(heap)
    return xs[first] * y + bisect.bisect_left([1, 2, 3], 2) * xs[0] * heapq.nsmallest(1, heap)[0]


@table.at(XS, 0.7)
def seeded_random_numbers_are_constants(xs, y):
    rng, other = random.Random(3), np.random.default_rng(4)
    noise = other.normal(size=3)
    order = list(range(3))
    rng.shuffle(order)
    return sum(xs[i] * noise[k] * y for k, i in enumerate(order)) + rng.random() * y * xs[0]


@table.at(1.5, 0.7)
def clocks_are_constants(x, y):
    start = time.perf_counter()
    z = x * y
    elapsed = time.perf_counter() - start
    return z * x + 0.0 * min(elapsed, 1.0)


@table.at(1.5, 0.7)
def builtins_without_derivative(x, y):
    kinds = [type(x).__name__, repr(3), str(None), bool(x), isinstance(y, float), callable(f_of), hash("a"), id(x)]
    names = dir(x)[:0] + [chr(ord("a") + 1), hex(255), bin(3), ascii("b"), format(3, "d")]
    return x * len(kinds) * y + len(names) * x + abs(-3) * y + len(bytes(3)) * x + pow(x, 2) + sum(divmod(7, 2)) * y


def f_of(x):
    return x * x


@table.at(1.5, 0.7)
def object_with_state_machine(x, y):
    state, value = "start", x
    for _ in range(10):
        if state == "start":
            state, value = "grow", value * y
        elif state == "grow":
            value = value * value + 1
            state = "check"
        elif state == "check":
            state = "end" if value > 3 else "grow"
        else:
            break
    return value


@table.at(np.array([[0.5, 0.1], [0.2, 0.4]]), np.array([0.3, 0.9]), 0.7)
def recurrent_network(w, h, s):
    states = []
    for t in range(4):
        h = np.tanh(w @ h + s * math.cos(t))
        states.append(h)
    return sum((a * b).sum() for a, b in zip(states, states[1:]))


@table.at(X, 0.7)
def running_statistics_with_a_dict_of_arrays(x, s):
    stats = {"mean": np.zeros(3), "count": 0}
    for k in range(3):
        stats["mean"] = stats["mean"] * s + x * k
        stats["count"] += 1
        stats["mean"][k] *= s
    return (stats["mean"] * x).sum() / stats["count"]


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
