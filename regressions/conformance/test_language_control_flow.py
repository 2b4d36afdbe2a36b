"""Branches, loops and their exits, rotations of variables, recursion."""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B007, F821, F841, PIE790

import math

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])


@table.at(1.5, 0.7)
def if_elif_else(x, y):
    if x > 2:
        z = x
    elif x > 1:
        z = x * x * y
    else:
        z = y
    return z * x


@table.at(1.5, 0.7)
def if_without_else_rebinds(x, y):
    z = x * y
    if y < 1:
        z = z * x
    if y > 1:
        z = 0.0
    return z


@table.at(1.5, 0.7)
def branch_defines_names_used_later(x, y):
    if x > y:
        a, flag = x * y, True
    else:
        flag = False
    return a * y if flag else 0.0


@table.at(1.5, 0.7)
def early_return(x, y):
    if x > 5:
        return x
    z = x * y
    if z > 1:
        return z * z
    return y


@table.at(0.7)
def for_over_range(x):
    total = 0.0
    for i in range(5):
        total = total + x**i * i
    return total


@table.at(0.7)
def for_with_negative_step(x):
    total = 1.0
    for i in range(9, 0, -3):
        total = total * (x + i) / 5
    return total


@table.at(0.7)
def loop_over_an_empty_range(x):
    total = x * x
    for _ in range(0):
        total = 0.0
    else:
        total *= x
    return total


@table.at([0.5, -1.25, 2.0])
def for_over_list(xs):
    total = 0.0
    for x in xs:
        total += x * x * x
    return total


@table.at(X)
def for_over_array(xs):
    total = 0.0
    for x in xs:
        total = total * x + math.sin(x)
    return total


@table.at(np.array([[1.0, 0.5], [-0.25, 2.0]]))
def for_over_rows(m):
    total = 0.0
    for row in m:
        for element in row:
            total += element * row[0]
    return total


@table.at((0.5, 2.0), 1.5)
def for_over_tuple_of_pairs(pair, s):
    total = 0.0
    for a, (b, c) in ((pair[0], (pair[1], s)), (s, (s * s, pair[0]))):
        total += a * b - c
    return total


@table.at(0.7)
def loop_variable_survives(x):
    for i in range(3):
        y = x * i
    return y * y * i


@table.at(0.7, 1.5)
def break_on_a_value(x, y):
    z = x
    for i in range(100):
        z = z * y
        if z > 3:
            break
    return z * i


@table.at(0.7, 1.5)
def continue_skips(x, y):
    total = 0.0
    for i in range(6):
        if i % 2:
            continue
        total += x * i
        if i == 2:
            continue
        total *= y
    return total


@table.at(0.7, 1.5)
def for_else_taken(x, y):
    for i in range(3):
        if i > 5:
            break
        x = x * y
    else:
        x = x * x
    return x


@table.at(0.7, 1.5)
def for_else_skipped(x, y):
    for i in range(3):
        x = x * y
        if i == 1:
            break
    else:
        x = x * 100
    return x


@table.at(0.7, 1.5)
def break_out_of_the_inner_loop_only(x, y):
    total = 0.0
    for i in range(4):
        for j in range(4):
            if j > i:
                break
            total += x**j * y
        else:
            total *= x
        if i == 3:
            continue
        total += i * y
    return total


@table.at(0.7, 1.5)
def return_out_of_two_loops(x, y):
    z = x
    for _ in range(10):
        for j in range(10):
            z = z * y + j * x
            if z > 20:
                return z * x
    return 0.0


@table.at(0.7, 1.5)
def while_counts(x, y):
    n = 0
    while n < 4:
        x = x * y + n
        n += 1
    return x


@table.at(3.0)
def while_on_a_value_newton(a):
    x = a / 2
    while abs(x * x - a) > 1e-12:
        x = (x + a / x) / 2
    return x


@table.at(0.7, 1.5)
def while_true_break_else(x, y):
    while True:
        x *= y
        if x > 4:
            break
        x += 0.1
    else:
        x = 0.0
    return x


@table.at(0.7, 1.5)
def while_else_with_continue(x, y):
    n = 0
    while n < 5:
        n += 1
        if n == 3:
            continue
        x = x * y
    else:
        x += y
    return x


@table.at(0.7, 1.5)
def swap_in_a_loop(x, y):
    for _ in range(3):
        x, y = y * 1.1, x + y
    return x * x + y


@table.at(0.3, 0.7, 1.5)
def rotation_of_three(a, b, c):
    for _ in range(4):
        a, b, c = b, c, a * b
    return a + 2 * b * c


@table.at(0.7, 1.5)
def fibonacci_by_swap(x, y):
    for _ in range(10):
        x, y = y, x + y
    return x * y


@table.at(0.7, 1.5)
def swap_under_a_condition(x, y):
    for i in range(5):
        if i % 2 == 0:
            x, y = y, x
        else:
            x, t = x * y, x
            y = t
    return x - y * y


@table.at(0.7)
def rebinding_to_other_types(x):
    y = x
    y = np.array([y, y * x])
    y = [y[0], y[1] * x]
    y = {"v": y[0] * y[1]}
    y = y["v"]
    return y * x


@table.at(0.7)
def variable_that_is_undefined_at_first(x):
    for i in range(4):
        if i > 0:
            x = x * last
        last = x + i
    return x


@table.at(0.7, 1.5)
def accumulate_in_branches(x, y):
    pos = neg = 0.0
    for i in range(6):
        v = math.sin(x * i) * y
        if v > 0:
            pos += v * v
        else:
            neg += v
    return pos - neg


@table.at(0.7)
def y_plus_y_many_times(x):
    y = x
    for _ in range(30):
        y = y + y
    return y * x * 2.0**-30


@table.at(0.7, 1.5)
def loop_invariant_and_dead_values(x, y):
    total = 0.0
    for i in range(3):
        dead = math.exp(x * i)
        again = x * y
        total += again * i
        dead = 0.0
    return total + dead


@table.at(0.7, 1.5)
def reset_inside_the_loop(x, y):
    s = x
    for i in range(5):
        if i == 3:
            s = 1.0
        s = s * y + x
    return s


@table.at(0.7)
def recursion(x):
    return power(x, 5)


def power(x, n):
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    return half * half * x if n % 2 else half * half


@table.at(0.7)
def mutual_recursion(x):
    return even(x, 6)


def even(x, n):
    return x if n == 0 else odd(x * x + 0.1, n - 1)


def odd(x, n):
    return math.sin(x) if n == 0 else even(x * 2, n - 1)


@table.at(0.9)
def recursion_on_the_value(x):
    return x if x > 3 else x * recursion_on_the_value(x + 1)


@table.at(1.2, 0.8)
def nested_recursion_ackermann_style(x, y):
    def walk(depth, v):
        if depth == 0:
            return v * y
        return walk(depth - 1, walk(depth - 1, v) + x)

    return walk(3, x)


@table.at([0.5, [1.5, [2.0, 0.3]], 0.7])
def recursion_over_a_nested_list(tree):
    def total(node):
        if isinstance(node, list):
            return sum(total(child) for child in node) * 1.5
        return node * node

    return total(tree)


@table.at(0.5, 1.5)
def trailing_statements_after_loop_exit(x, y):
    found = None
    for i, v in enumerate([x, y, x * y]):
        if v > 1:
            found = v
            break
        y = y * x
    return found * y * (i + 1)


@table.at(0.5)
def pass_and_ellipsis_and_docstring(x):
    """A docstring is a constant."""
    ...
    if x > 0:
        pass
    else:
        ...
    for _ in ():
        pass
    return x * x


@table.at(0.7)
def deep_nesting(x):
    total = 0.0
    for i in range(2):
        while x < 5:
            if x > 0.1:
                for j in range(2):
                    x = x * 1.5 + i
                    if j:
                        total += x
            else:
                return 0.0
        x = x / 9
    return total * x


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)


def test_long_loop_needs_no_recursion():
    """No depth grows with the length of a loop."""
    from engine import gradient

    def long(x):
        for _ in range(20_000):
            x = x * 0.9999 + 1e-5
        return x

    (g,) = gradient(long, 1.0)
    assert abs(g - 0.9999**20_000) < 1e-12


def test_doubling_sixty_times_is_not_exponential():
    """A value used twice is walked once: 2^60 paths, sixty additions."""
    from engine import gradient

    def doubled(y):
        for _ in range(60):
            y = y + y
        return y

    assert gradient(doubled, 1.0) == (2.0**60,)
