"""Operators, comparisons, conditional expressions: each differentiated on both tiers, to second order, both modes."""

import math
import operator
from collections import deque

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])
M = np.array([[1.0, 0.5], [-0.25, 2.0]])


@table.at(1.5, 0.7)
def add_subtract(x, y):
    return (x + y) * (x - y) - y


@table.at(1.5, 0.7)
def multiply_divide(x, y):
    return x * y / (x + 2 * y) / 3


@table.at(7.3, 2.1)
def floor_division_is_locally_constant(x, y):
    return (x // y) * x * y


@table.at(7.3, 2.1)
def remainder(x, y):
    return (x % y) * y


@table.at(-7.3, 2.1)
def remainder_takes_the_sign_of_the_divisor(x, y):
    return (x % y) * x


@table.at(7.3, 2.1)
def divmod_both_results(x, y):
    quotient, rest = divmod(x, y)
    return quotient * x + rest * rest


@table.at(1.5, 0.7)
def power(x, y):
    return x**y + x**3 + 2.0**y + y**-2 + x**0


@table.at(-1.5)
def integer_power_of_a_negative_base(x):
    return x**3 + x**2 + x**-1


@table.at(1.5, -0.7)
def unary(x, y):
    return -x * +y + abs(y) * x - (-y)


@table.at(1.6, 0.7)
def float_methods_without_derivative(x, y):
    return x * x.is_integer() + y * round(x) + x * int(y + 5.0) + y * bool(x)


@table.at(1.5, 0.7)
def augmented_scalar(x, y):
    z = x
    z += y
    z -= 2 * x * y
    z *= y
    z /= x
    z **= 2
    return z


@table.at(7.5, 2.2)
def augmented_floor_and_remainder(x, y):
    z = x * y
    z %= y + 0.5
    w = x * 3
    w //= y
    return z * w


@table.at(X, M)
def array_operators(x, m):
    return ((x[:2] @ m) * m[0] - x[1:] / (2 + m[1] ** 2) + (-x[:2]) ** 2).sum()


@table.at(X, 0.3)
def array_with_scalar(x, s):
    return (s * x + x / s - s**2 + (2.0 + x * x) ** s).sum()


@table.at(X, np.array([[1.0], [2.0]]))
def broadcasting(x, column):
    return (x * column + column / (x + 3.0)).sum()


@table.at(X)
def reflected_operators(x):
    return (1.0 - x + 2.0 / (x + 3.0) + 2.0**x + 3 * x).sum()


class Row(list):
    """A list of a class of its own."""


@table.at(X)
def sequences_beside_an_array(x):
    pair, part = (x[0], x[1] ** 2), x[1:]
    total = np.sum(part * pair) + np.sum(list(pair) * part) + np.sum(deque(pair) - part) + np.sum(Row(pair) / part)
    return total + np.sum(np.multiply(part, Row(pair))) + np.sum([x[0]] * np.int64(3)) + pair @ part


@table.at(X)
def list_updated_with_an_array_becomes_one(x):
    values = [x[0], x[1]]
    values += x[1:]
    values *= x[1:]
    return np.sum(values)


@table.at(X, M)
def matmul_augmented_name(x, m):
    y = x[:2]
    y = y @ m
    y = m @ y
    return y @ y


@table.at(M, M + 1.0)
def matmul_and_transpose(a, b):
    return (a @ b.T @ a).sum()


@table.at(1.5, 0.7)
def chained_comparison(x, y):
    if 0 < y < x < 2:
        return x * x * y
    return y


@table.at(1.5, 0.7)
def chained_comparison_evaluates_the_middle_once(x, y):
    calls = []

    def middle():
        calls.append(1)
        return y

    if 0.0 < middle() <= x != 3.0:
        return x * y * len(calls)
    return 0.0


@table.at(1.5, 0.7)
def comparison_values_are_constants(x, y):
    return x * (x > y) + y * (x == y) + y * (x is not None) * (1 if x not in (2.0, 3.0) else 5)


@table.at(1.5, 0.7)
def short_circuit_gives_the_operand(x, y):
    a = x and y
    b = 0.0 or x * y
    c = x * x or y
    d = None or 0 or y
    return a * b + c * d


@table.at(1.5, 0.7)
def short_circuit_skips_the_call(x, y):
    def fails():
        raise RuntimeError("must not be called")

    ok = (x < y and fails()) or (x > y or fails())
    return x * y * ok


@table.at(1.5, 0.7)
def negation(x, y):
    return x * y if not (x < y and not y > 3) else 0.0


@table.at(1.5, 0.7)
def ternary_nested(x, y):
    return x * x if x > 2 else y * y * x if y > 0.5 else x


@table.at(1.5, 0.7)
def ternary_between_functions(x, y):
    return (math.sin if x > y else math.cos)(x * y)


@table.at(1.5, 0.7)
def walrus(x, y):
    if (z := x * y) > 1:
        return z * (w := z + x) + w
    return z


@table.at(1.5, 0.7)
def walrus_in_while_and_comprehension(x, y):
    total = 0.0
    z = x
    while (z := z * y) > 0.2:
        total += z
    squares = [last := v * v for v in (x, y, z)]
    return total + last + squares[0]


@table.at(1.5, 0.7)
def bit_operators_on_integers(x, y):
    n = (5 & 3) | 8
    n ^= 2
    n <<= 1
    return x ** (n % 4) + y * (~n >> 1)


@table.at(1.5, 0.7)
def operator_module(x, y):
    pair = operator.itemgetter(1, 0)([x, y])
    z = operator.add(operator.mul(x, y), operator.neg(pair[0]))
    return operator.truediv(z, operator.pow(pair[1], 2)) + operator.sub(x, y) * operator.abs(-y)


@table.at(X)
def operator_in_place(x):
    y = x * 1.0
    z = y
    z = operator.iadd(z, x * x)
    z = operator.imul(z, x)
    return (y * x).sum()


@table.at(1.5 + 0.5j, 0.7 - 0.2j)
def complex_arithmetic(z, w):
    u = z * w + z / (w + 2.0) - z**2
    return abs(u) + u.real * w.imag + (u * u.conjugate()).real


@table.at(np.array([1.0 + 2.0j, 0.5 - 1.0j]))
def complex_array(z):
    u = np.exp(z * 0.5) * np.conj(z) + 1j * z
    return np.abs(u).sum() + (u.real * z.imag).sum()


@table.at(1.5, 0.7)
def complex_from_two_floats(x, y):
    z = complex(x, y)
    return (z * z * z).imag + abs(z)


@table.at(1.5, 0.7)
def math_functions(x, y):
    a = math.sin(x) * math.cos(y) + math.tan(y) + math.exp(x) * math.log(y) + math.sqrt(x)
    b = math.sinh(y) + math.cosh(x) * math.tanh(y) + math.asin(y) - math.acos(y) * math.atan(x)
    c = math.atan2(x, y) + math.hypot(x, y) * math.pow(x, y) + math.log(x, 3.0) + math.log2(x) + math.log10(y)
    return a * b + c + math.expm1(y) * math.log1p(x) + math.fabs(-x)


@table.at(1.5, 0.7)
def more_math_functions(x, y):
    a = math.asinh(x) * math.acosh(x) + math.atanh(y) + math.erf(y) * math.erfc(x) + math.gamma(x) * math.lgamma(y + 2)
    b = math.degrees(y) * math.radians(x) + math.copysign(x, -y) + math.fmod(x + 3, y) + math.cbrt(x) + math.exp2(y)
    return a * b + math.ldexp(x, 2) + math.trunc(x) * y + math.floor(x) * x + math.ceil(y) * y


@table.at([0.5, 1.5], [2.0, -1.0])
def math_of_sequences(p, q):
    return math.dist(p, q) * math.fsum(p) + math.prod([*p, *q]) + math.hypot(*p)


@table.at(1.5, 0.7)
def math_predicates_are_constants(x, y):
    near = math.isclose(x, 1.5, abs_tol=0.5)
    return x * near + y * math.isfinite(y) + x * y * (1 - math.isnan(x)) + y * math.isqrt(int(x) + 8)


@table.at(X)
def numpy_elementwise(x):
    y = np.sin(x) * np.cos(x) + np.exp(x) - np.tanh(x) + np.sqrt(x + 3) * np.log(x + 3)
    return (
        y * np.arctan(x) + np.square(x) * np.expm1(x / 4) + np.abs(x) + np.maximum(x, 0.1) * np.minimum(x, 1.0)
    ).sum()


@table.at(M)
def numpy_reductions(m):
    a = m.sum(axis=0) * m.mean(axis=1) + np.max(m, axis=0) * m.min(axis=1)
    return a.prod() + m.var() + np.std(m, axis=0).sum() + np.cumsum(m)[2] * np.linalg.norm(m)


@table.at(M, X)
def numpy_shapes(m, x):
    y = np.concatenate([m.ravel(), x]).reshape(7, 1)
    z = np.stack([x, x * x], axis=1).T
    return (y[:, None] * np.ones((1, 2, 1))).sum() * np.where(z > 0.6, z, z * z).sum() + np.einsum("ij,j->", m, z[:, 0])


@table.at(M, np.array([1.0, -2.0]))
def numpy_linalg(m, b):
    return np.linalg.solve(m, b) @ np.linalg.inv(m) @ b + np.linalg.det(m) * np.trace(m @ m)


@table.at(X)
def ufunc_methods(x):
    return np.add.reduce(x * x) * np.multiply(x, 2.0)[1] + np.multiply.outer(x, x)[0, 1]


@table.at(np.float64(1.5), np.array(0.7))
def numpy_scalars_and_zero_dimensional_arrays(x, y):
    return np.sin(x) * y + x**2 / y[()] + x.item() * float(y)


@table.at(1.5)
def float_of_a_float(x):
    return float(x) * float(np.sin(x)) + complex(x).real * np.float64(x)


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
