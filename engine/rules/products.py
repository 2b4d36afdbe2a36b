"""Products of vectors, matrices and tensors. A pullback multiplies by the conjugate of the others (convention 1)."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..tangents import unbroadcast
from .indexing import scatter
from .registry import composition, constant, rule, vjp_of
from .vocabulary import conj

# ---- of two operands
rule(
    (operator.matmul, np.matmul),
    mixes=True,
    a=lambda d, out, a, b, /: matmul_left(d, a, conj(b)),
    b=lambda d, out, a, b, /: matmul_right(d, conj(a), b),
)
rule(
    np.dot,
    mixes=True,
    a=lambda d, out, a, b: dot_left(d, a, conj(b)),
    b=lambda d, out, a, b: dot_right(d, conj(a), b),
)
rule(
    np.vdot,
    mixes=True,
    a=lambda d, out, a, b, /: np.reshape(np.conj(d) * np.ravel(b), np.shape(a)),
    b=lambda d, out, a, b, /: np.reshape(d * np.ravel(a), np.shape(b)),
)


def matmul_left(d: Any, a: Any, b: Any) -> Any:
    """ā = d bᵀ, each operand of one dimension standing for the row or column that matmul takes it for."""
    if np.ndim(b) == 1:
        return rows_of(d, b)
    if np.ndim(a) == 1:
        return np.matmul(b, d) if np.ndim(d) == 1 else np.matmul(b, np.expand_dims(d, -1))[..., 0]
    return np.matmul(d, np.swapaxes(b, -1, -2))


def rows_of(x: Any, row: Any) -> Any:
    """The row, once for each element of `x` and times it: as a product of matrices where `x` is a vector."""
    if np.ndim(x) == 0:
        return x * row
    return np.dot(np.expand_dims(x, -1), np.expand_dims(row, 0)) if np.ndim(x) == 1 else np.expand_dims(x, -1) * row


def matmul_right(d: Any, a: Any, b: Any) -> Any:
    """b̄ = aᵀ d, likewise."""
    if np.ndim(a) == 1:
        return (
            a * d
            if np.ndim(b) == 1
            else rows_of(a, d)
            if np.ndim(d) == 1
            else np.expand_dims(a, -1) * np.expand_dims(d, -2)
        )
    if np.ndim(b) == 1:
        return np.matmul(d, a) if np.ndim(d) == 1 else np.matmul(np.expand_dims(d, -2), a)[..., 0, :]
    if np.ndim(b) == 2 and np.ndim(a) > 2:  # one product, instead of one a batch entry and their sum
        return np.matmul(np.reshape(a, (-1, np.shape(a)[-1])).T, np.reshape(d, (-1, np.shape(d)[-1])))
    return np.matmul(np.swapaxes(a, -1, -2), d)


def dot_left(d: Any, a: Any, b: Any) -> Any:
    """ā of np.dot: as matmul up to two dimensions; beyond, a contraction over all axes of b but the last but one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d * b
    if np.ndim(b) == 1:
        return rows_of(d, b)
    if np.ndim(b) == 2:
        return np.dot(d, b.T)
    kept = (*range(np.ndim(b) - 2), np.ndim(b) - 1)
    return np.tensordot(d, b, (tuple(range(np.ndim(a) - 1, np.ndim(d))), kept))


def dot_right(d: Any, a: Any, b: Any) -> Any:
    """b̄ of np.dot."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * d
    leading = tuple(range(np.ndim(a) - 1))
    moved = np.tensordot(a, d, (leading, leading))  # the contracted axis first, then the rest of b's axes
    return moved if np.ndim(b) < 3 else np.moveaxis(moved, 0, -2)


# ---- all products of two operands' elements, some of them summed
rule(
    np.inner,
    mixes=True,
    a=lambda d, out, a, b, /: inner_pullback(d, a, conj(b), False),
    b=lambda d, out, a, b, /: inner_pullback(d, b, conj(a), True),
)
rule(
    np.outer,
    mixes=True,
    a=lambda d, out, a, b: np.reshape(np.matmul(d, conj(np.ravel(b))), np.shape(a)),
    b=lambda d, out, a, b: np.reshape(np.matmul(conj(np.ravel(a)), d), np.shape(b)),
)
rule(
    np.tensordot,
    mixes=True,
    a=lambda d, out, a, b, axes=2: tensordot_left(d, a, b, axes),
    b=lambda d, out, a, b, axes=2: tensordot_right(d, a, b, axes),
)
rule(
    np.kron,
    mixes=True,
    a=lambda d, out, a, b: kron_pullback(d, a, conj(b), 0),
    b=lambda d, out, a, b: kron_pullback(d, b, conj(a), 1),
)


def inner_pullback(d: Any, x: Any, other: Any, second: bool) -> Any:
    """`d` times the other operand, summed over the axes of `d` that are the other's."""
    if np.ndim(x) == 0 or np.ndim(other) == 0:
        return d * other
    own, rest = np.ndim(x) - 1, np.ndim(other) - 1
    axes = tuple(range(rest)) if second else tuple(range(own, own + rest))
    return np.tensordot(d, other, (axes, tuple(range(rest))))


def contracted(a: Any, b: Any, axes: Any) -> tuple[tuple, tuple]:
    """The axes of `a` and of `b` that np.tensordot sums over."""
    if isinstance(axes, int | np.integer):
        return tuple(range(np.ndim(a) - axes, np.ndim(a))), tuple(range(axes))
    left, right = [tuple(side) if isinstance(side, tuple | list) else (side,) for side in axes]
    return tuple([i % np.ndim(a) for i in left]), tuple([i % np.ndim(b) for i in right])


def tensordot_left(d: Any, a: Any, b: Any, axes: Any) -> Any:
    """ā: `d` and conj(b), summed over the axes that b has left; what was summed over comes last, in b's order."""
    left, right = contracted(a, b, axes)
    columns = tuple([i for i in range(np.ndim(b)) if i not in right])
    rows = tuple([i for i in range(np.ndim(a)) if i not in left])
    product = np.tensordot(d, conj(b), (tuple(range(len(rows), np.ndim(d))), columns))
    in_order = tuple([left[right.index(i)] for i in sorted(right)])
    return np.transpose(product, tuple(np.argsort(rows + in_order)))


def tensordot_right(d: Any, a: Any, b: Any, axes: Any) -> Any:
    """b̄, likewise; what was summed over comes first, in a's order."""
    left, right = contracted(a, b, axes)
    rows = tuple([i for i in range(np.ndim(a)) if i not in left])
    columns = tuple([i for i in range(np.ndim(b)) if i not in right])
    product = np.tensordot(conj(a), d, (rows, tuple(range(len(rows)))))
    in_order = tuple([right[left.index(i)] for i in sorted(left)])
    return np.transpose(product, tuple(np.argsort(in_order + columns)))


def kron_pullback(d: Any, x: Any, other: Any, place: int) -> Any:
    """`d`, whose axes are those of the first operand, each beside one of the second, summed with the other operand."""
    ndim = max(np.ndim(x), np.ndim(other))
    own, rest = (1,) * (ndim - np.ndim(x)) + np.shape(x), (1,) * (ndim - np.ndim(other)) + np.shape(other)
    pairs = zip(*((own, rest) if place == 0 else (rest, own)), strict=True)
    apart = np.reshape(d, [n for pair in pairs for n in pair])
    summed = tuple(range(1 - place, 2 * ndim, 2))
    return np.reshape(np.tensordot(apart, np.reshape(other, rest), (summed, tuple(range(ndim)))), np.shape(x))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors along an axis; a missing third component is 0."""
    if axis is not None:
        axisa = axisb = axisc = axis
    u, v = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if np.shape(u)[-1] not in (2, 3) or np.shape(v)[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product (dimension must be 2 or 3)")
    third = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    if np.shape(u)[-1] == 2 and np.shape(v)[-1] == 2:
        return third
    u2 = u[..., 2] if np.shape(u)[-1] == 3 else 0.0
    v2 = v[..., 2] if np.shape(v)[-1] == 3 else 0.0
    first, second = u[..., 1] * v2 - u2 * v[..., 1], u2 * v[..., 0] - u[..., 0] * v2
    return np.moveaxis(np.stack([first, second, third], -1), -1, axisc)


def multi_dot(arrays: Any) -> Any:
    """The product of many matrices, in the order that takes the fewest multiplications."""
    return chained(arrays, 0, len(arrays) - 1, cheapest_splits([np.shape(x) for x in arrays]))


def chained(arrays: Any, first: int, last: int, splits: Any) -> Any:
    """The product of arrays[first] to arrays[last]."""
    if first == last:
        return arrays[first]
    k = splits[first][last]
    return np.dot(chained(arrays, first, k, splits), chained(arrays, k + 1, last, splits))


def cheapest_splits(shapes: Any) -> list:
    """Where to split the product of the i-th to the j-th matrix, at [i][j].

    Source: Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, matrix-chain multiplication.
    """
    n = len(shapes)
    sides = [1 if len(shapes[0]) == 1 else shapes[0][0], *[s[0] for s in shapes[1:]]]
    sides.append(1 if len(shapes[-1]) == 1 else shapes[-1][-1])
    cost = [[0] * n for _ in range(n)]
    splits = [[0] * n for _ in range(n)]
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            costs = [cost[i][k] + cost[k + 1][j] + sides[i] * sides[k + 1] * sides[j + 1] for k in range(i, j)]
            cost[i][j] = min(costs)
            splits[i][j] = i + costs.index(cost[i][j])
    return splits


constant(cheapest_splits)
composition(np.cross, cross)
composition(np.linalg.multi_dot, multi_dot)

if hasattr(np.linalg, "matmul"):  # the names of the array API standard, from NumPy 2 on
    rule(
        np.linalg.matmul,
        mixes=True,
        x1=lambda d, out, x1, x2, /: matmul_left(d, x1, conj(x2)),
        x2=lambda d, out, x1, x2, /: matmul_right(d, conj(x1), x2),
    )
    rule(
        np.linalg.outer,
        mixes=True,
        x1=lambda d, out, x1, x2, /: np.matmul(d, conj(x2)),
        x2=lambda d, out, x1, x2, /: np.matmul(conj(x1), d),
    )
    rule(
        np.linalg.tensordot,
        mixes=True,
        x1=lambda d, out, x1, x2, /, *, axes=2: tensordot_left(d, x1, x2, axes),
        x2=lambda d, out, x1, x2, /, *, axes=2: tensordot_right(d, x1, x2, axes),
    )
    composition(np.linalg.cross, lambda x1, x2, /, *, axis=-1: cross(x1, x2, axis=axis))

# ---- vecdot(x1, x2) = Σ conj(x1) x2, matvec(A, x) = A x, vecmat(x, A) = xᴴ A, over stacks of vectors and matrices
for vecdot in [module.vecdot for module in (np, np.linalg) if hasattr(module, "vecdot")]:
    rule(
        vecdot,
        mixes=True,
        x1=lambda d, out, x1, x2, /, *, axis=-1, keepdims=False: along_vectors(conj(d), x2, x1, axis, keepdims),
        x2=lambda d, out, x1, x2, /, *, axis=-1, keepdims=False: along_vectors(d, x1, x2, axis, keepdims),
    )
if hasattr(np, "matvec"):
    rule(
        np.matvec,
        mixes=True,
        x1=lambda d, out, x1, x2, /: (
            rows_of(d, conj(x2)) if np.ndim(x2) == 1 else np.expand_dims(d, -1) * np.expand_dims(conj(x2), -2)
        ),
        x2=lambda d, out, x1, x2, /: np.matmul(np.swapaxes(conj(x1), -1, -2), np.expand_dims(d, -1))[..., 0],
    )
    rule(
        np.vecmat,
        mixes=True,
        x1=lambda d, out, x1, x2, /: np.matmul(x2, np.expand_dims(conj(d), -1))[..., 0],
        x2=lambda d, out, x1, x2, /: (
            rows_of(x1, d) if np.ndim(d) == 1 else np.expand_dims(x1, -1) * np.expand_dims(d, -2)
        ),
    )


def along_vectors(d: Any, other: Any, x: Any, axis: int, keepdims: bool) -> Any:
    """d times the other operand, with the vectors of `x` back on their axis."""
    last = np.shape(np.moveaxis(x, axis, -1))
    d = np.moveaxis(d, axis, -1) if keepdims else np.expand_dims(d, -1)
    return np.moveaxis(unbroadcast(d * np.moveaxis(other, axis, -1), last), -1, axis)


# ---- einsum
constant(np.einsum_path)


@vjp_of(np.einsum, mixes=True)
def einsum(
    d: Any, out: Any, *operands: Any, optimize: Any = False, dtype: Any = None, order: Any = "K", casting: Any = "safe"
) -> tuple:
    """Each operand's cotangent is an einsum itself: of `d` and the other operands, into the labels of this one.

    The operands come as a string of labels and the arrays, or as array, list of labels, array, list of labels, ...
    """
    if isinstance(operands[0], str):
        return None, *cotangents_of(d, operands[0], operands[1:], optimize)
    arrays, lists = operands[:-1:2], operands[1::2]
    subscripts = ",".join([letters(labels) for labels in lists])
    if len(operands) % 2:
        subscripts = subscripts + "->" + letters(operands[-1])
    found: list = []
    for c in cotangents_of(d, subscripts, arrays, optimize):
        found.extend([c, None])
    return *found, *operands[2 * len(arrays) :]


def letters(labels: Any) -> str:
    """A list of labels as the string that means the same; letters sort as the numbers do.

    >>> letters([0, ..., 27])
    'A...b'
    """
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(["..." if label is Ellipsis else alphabet[label] for label in labels])


def cotangents_of(d: Any, subscripts: str, operands: Any, optimize: Any) -> list:
    """The cotangent of each operand."""
    terms, result = explicit(subscripts, [np.ndim(x) for x in operands])
    cotangents = []
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        others = [conj(y) for i, y in enumerate(operands) if i != k]
        inputs = [result] + [t for i, t in enumerate(terms) if i != k]
        unique = "".join(dict.fromkeys(term))
        reached = "".join([label for label in unique if any(label in t for t in inputs)])
        c = np.einsum(",".join(inputs) + "->" + reached, d, *others, optimize=optimize)
        alone = tuple([i for i, label in enumerate(unique) if label not in reached])  # summed in this operand only
        sizes = dict(zip(term, np.shape(x), strict=True))
        c = unbroadcast(np.expand_dims(c, alone), tuple([sizes[label] for label in unique]))
        cotangents.append(c if unique == term else on_repeated(c, x, unique, term))
    return cotangents


def explicit(subscripts: str, ndims: list) -> tuple[list, str]:
    """The labels of each operand and of the result, with letters of their own for what `...` stands for.

    >>> explicit("...i,i", [3, 1])
    (['ABi', 'i'], 'AB')
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    widths = [ndim - len(term) + 3 if "..." in term else 0 for term, ndim in zip(inputs.split(","), ndims, strict=True)]
    letters = "".join(free[: max(widths)])
    terms = [
        term.replace("...", letters[len(letters) - w :]) for term, w in zip(inputs.split(","), widths, strict=True)
    ]
    if arrow:
        return terms, output.replace("...", letters)
    named = "".join(terms)
    return terms, letters + "".join(sorted([c for c in set(named) if named.count(c) == 1 and c not in letters]))


def on_repeated(c: Any, x: Any, unique: str, term: str) -> Any:
    """`c`, labelled `unique`, where the repeated labels of `term` read the operand `x`; zeros elsewhere."""
    grid = np.ix_(*[np.arange(n) for n in np.shape(c)])
    return scatter(c, x, tuple([grid[unique.index(label)] for label in term]))
