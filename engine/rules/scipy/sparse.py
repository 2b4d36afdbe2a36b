"""scipy.sparse: an array whose numbers are active is a list of them with their places, in Python that is followed.

What SciPy makes of active numbers is a `Sparse` in a program that is being differentiated; it does what is linear in
them. A sparse array without active numbers is SciPy's own, and its products with dense arrays have rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from ..registry import composition, constant, existing, refused, rule
from ..vocabulary import conj, is_moving, rebased, refuse

KINDS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
DENSE = "A.toarray(), and NumPy's functions"


class Sparse:
    """A sparse array or matrix with active numbers; those at the same place count together.

    `found` is SciPy's own, which gives every value; the numbers say how it moves. They are those of an array `source`,
    in an order, whose memory may be SciPy's, too: who writes to the one writes to the other.
    """

    __array_ufunc__ = None  # NumPy leaves `dense @ self` to it

    def __init__(self, source: Any, order: np.ndarray, row: np.ndarray, col: np.ndarray, found: Any) -> None:
        self.source = source
        self.order = order
        self.row = row
        self.col = col
        self.found = found

    @property
    def numbers(self) -> Any:
        """The numbers, as they are now, one for each row and column."""
        return np.ravel(self.source)[self.order]

    @property
    def data(self) -> Any:
        """SciPy's field of this name, where it is what the array was made of."""
        if not shares(self.found, self.source):
            refuse("the field data of a sparse array that SciPy has sorted or copied", "the numbers before that")
        return self.source

    @data.setter
    def data(self, value: Any) -> None:
        refuse("a new field data in a sparse array with active numbers", "another array of the same rows and columns")

    @property
    def __class__(self) -> type:
        """What it is to `isinstance`."""
        return type(self.found)

    @property
    def shape(self) -> tuple:
        return shape_of(self.found)

    @property
    def ndim(self) -> int:
        return 2

    @property
    def dtype(self) -> Any:
        return np.result_type(self.source)

    @property
    def T(self) -> Sparse:
        return self.transpose()

    def __getattr__(self, name: str) -> Any:
        if name in ("source", "order", "row", "col", "found") or name.startswith("__"):
            raise AttributeError(name)
        refuse(f"{name} of a sparse array with active numbers", DENSE)

    def no_rule(self, *_: Any) -> Any:
        """Stand for an operation that is not linear in the numbers, or that edits or compares them."""
        refuse("an index, a comparison, a power or another sparse operation with active numbers", DENSE)

    __getitem__ = __setitem__ = __iter__ = __pow__ = __abs__ = __rtruediv__ = __imul__ = no_rule
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = no_rule  # type: ignore[assignment]
    __hash__ = object.__hash__

    def moved(self, numbers: Any, name: str, *args: Any) -> Sparse:
        """SciPy's result of a method, with these numbers."""
        return listed(numbers, self.row, self.col, natively(self.found, name, args, {}))

    def transpose(self) -> Sparse:
        return self.turned_into(natively(self.found, "transpose", (), {}), self.col, self.row)

    def turned_into(self, found: Any, row: np.ndarray, col: np.ndarray) -> Sparse:
        """The same numbers, in SciPy's other array: its own copies of them, or the same memory."""
        if shares(found, self.source):
            return Sparse(self.source, self.order, row, col, found)
        return listed(self.numbers, row, col, found)

    def conj(self) -> Sparse:
        return self.moved(np.conj(self.numbers), "conj")

    conjugate = conj

    def copy(self) -> Sparse:
        return self.moved(self.numbers, "copy")

    def asformat(self, format: str, copy: bool = False) -> Sparse:
        return self.turned_into(natively(self.found, "asformat", (format, copy), {}), self.row, self.col)

    def tocsr(self, copy: bool = False) -> Sparse:
        return self.turned_into(natively(self.found, "tocsr", (copy,), {}), self.row, self.col)

    def tocsc(self, copy: bool = False) -> Sparse:
        return self.turned_into(natively(self.found, "tocsc", (copy,), {}), self.row, self.col)

    def tocoo(self, copy: bool = True) -> Sparse:
        return self.turned_into(natively(self.found, "tocoo", (copy,), {}), self.row, self.col)

    def toarray(self) -> Any:
        m, n = self.shape
        whole = summed(self.numbers, self.row * n + self.col, m * n)
        return rebased(natively(self.found, "toarray", (), {}), np.reshape(whole, (m, n)))

    def todense(self) -> Any:
        only_arrays(self.found, "todense()", "toarray()")
        return self.toarray()

    def diagonal(self) -> Any:
        on = self.row == self.col
        whole = summed(self.numbers[on], self.row[on], min(self.shape))
        return rebased(natively(self.found, "diagonal", (), {}), whole)

    def trace(self) -> Any:
        return rebased(natively(self.found, "trace", (), {}), np.sum(self.numbers[self.row == self.col]))

    def sum(self, axis: Any = None) -> Any:
        found = natively(self.found, "sum", (axis,), {})
        if axis is None:
            return rebased(found, np.sum(self.numbers))
        only_arrays(self.found, "sum(axis)", "toarray().sum(axis)")
        m, n = self.shape
        over_rows = axis % 2 == 0
        return rebased(found, summed(self.numbers, self.col, n) if over_rows else summed(self.numbers, self.row, m))

    def dot(self, other: Any) -> Any:
        return self * other if is_number(other) else self @ other

    def __matmul__(self, other: Any) -> Any:
        only_dense(other)
        found = natively(self.found, "__matmul__", (other,), {})
        return rebased(found, product(self.numbers, (self.row, self.col, self.shape), other))

    def __rmatmul__(self, other: Any) -> Any:
        only_dense(other)
        place = (self.col, self.row, self.shape[::-1])
        moving = np.transpose(product(self.numbers, place, np.transpose(other)))
        return rebased(natively(self.found, "__rmatmul__", (other,), {}), moving)

    def multiply(self, other: Any) -> Sparse:
        if is_sparse(other):
            refuse("the product of two sparse arrays, entry by entry", DENSE)
        factors = other if np.ndim(other) == 0 else np.broadcast_to(other, self.shape)[self.row, self.col]
        return self.moved(self.numbers * factors, "multiply", other)

    def __mul__(self, other: Any) -> Any:
        if is_number(other):
            return self.moved(self.numbers * other, "__mul__", other)
        return self.multiply(other) if is_array(self.found) else self @ other

    def __rmul__(self, other: Any) -> Any:
        if is_number(other):
            return self.moved(other * self.numbers, "__rmul__", other)
        return self.multiply(other) if is_array(self.found) else other @ self

    def __truediv__(self, other: Any) -> Sparse:
        if not is_number(other):
            refuse("a sparse array divided by an array", "A.multiply(1 / b)")
        return self.moved(self.numbers / other, "__truediv__", other)

    def __neg__(self) -> Sparse:
        return self.moved(-self.numbers, "__neg__")

    def __add__(self, other: Any) -> Any:
        if not is_sparse(other):
            return self.toarray() + other
        other = as_sparse(other)
        rows, cols = np.concatenate([self.row, other.row]), np.concatenate([self.col, other.col])
        found = natively(self.found, "__add__", (other.found,), {})
        return listed(np.concatenate([self.numbers, other.numbers]), rows, cols, found)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if not is_sparse(other):
            return self.toarray() - other
        other = as_sparse(other)
        rows, cols = np.concatenate([self.row, other.row]), np.concatenate([self.col, other.col])
        found = natively(self.found, "__sub__", (other.found,), {})
        return listed(np.concatenate([self.numbers, -other.numbers]), rows, cols, found)

    def __rsub__(self, other: Any) -> Any:
        return as_sparse(other) - self if is_sparse(other) else other - self.toarray()


def listed(numbers: Any, row: np.ndarray, col: np.ndarray, found: Any) -> Sparse:
    """A sparse array with these numbers, which nobody else can write to."""
    return Sparse(numbers, np.arange(np.size(numbers)), row, col, found)


# ---- what they are made of
def product(data: Any, place: tuple, x: Any) -> Any:
    """The sparse matrix with these numbers at these rows and columns, times a dense vector or matrix."""
    return assembled(data, place) @ x


def summed(data: Any, index: np.ndarray, n: int) -> Any:
    """The sums of the numbers that have the same index, one for each below n."""
    total = np.zeros(n, np.result_type(data))
    np.add.at(total, index, data)
    return total


def assembled(data: np.ndarray, place: tuple) -> Any:
    """SciPy's matrix."""
    row, col, shape = place
    return sparse.csr_matrix((data, (row, col)), shape=shape)


def turned(place: tuple) -> tuple:
    """The places of the transpose."""
    row, col, shape = place
    return col, row, shape[::-1]


def at_places(left: Any, right: Any, place: tuple) -> Any:
    """The numbers of left rightᴴ at these places."""
    pairs = left[place[0]] * conj(right)[place[1]]
    return pairs if np.ndim(pairs) == 1 else np.sum(pairs, 1)


rule(
    product,
    data=lambda d, out, data, place, x: at_places(d, x, place),
    x=lambda d, out, data, place, x: product(conj(data), turned(place), d),
)


def is_sparse(x: Any) -> bool:
    """Is it a sparse array, with active numbers or without?"""
    return isinstance(x, Sparse) or sparse.issparse(x)


def is_number(x: Any) -> bool:
    """Is it a factor of all entries?"""
    return not is_sparse(x) and np.ndim(x) == 0


def is_array(found: Any) -> bool:
    """Is it a sparse array, not a matrix, which multiplies by `*`?"""
    return not isinstance(found, sparse.spmatrix)


def shape_of(found: Any) -> tuple:
    """The shape."""
    return found.shape


def only_arrays(found: Any, what: str, way_out: str) -> None:
    """Refuse what gives an np.matrix."""
    if not is_array(found):
        refuse(f"{what} of a sparse matrix with active numbers, an np.matrix", f"a sparse array, or {way_out}")


def only_dense(other: Any) -> None:
    """Refuse a product of two sparse arrays."""
    if is_sparse(other):
        refuse("the product of two sparse arrays of which one has active numbers", DENSE)


def as_sparse(x: Any) -> Sparse:
    """SciPy's array as the list of its numbers, which are active where its field `data` is."""
    if type(x) is Sparse:
        return x
    if is_flat(type(x)):
        order, row, col = places_of(x)
        return Sparse(x.data, order, row, col, itself(x))
    return listed(*parts_of(x), itself(x))


def shares(found: Any, source: np.ndarray) -> bool:
    """Is the memory of an array that of SciPy's field `data`, in the same shape?"""
    data = getattr(found, "data", None)
    return isinstance(data, np.ndarray) and data.shape == np.shape(source) and np.shares_memory(data, source)


def itself(x: Any) -> Any:
    """SciPy's array, of which the numbers are not looked at."""
    return x


def has_moving_numbers(x: Any) -> bool:
    """Is a derivative by the numbers of a sparse array being taken?"""
    return type(x) is Sparse or is_flat(type(x)) and is_moving(x.data)


def is_flat(kind: type) -> bool:
    """Does this class of SciPy keep its numbers in an array, `data`?"""
    return kind.__name__[:3] in ("bsr", "coo", "csc", "csr", "dia")


def places_of(x: Any) -> tuple:
    """The order, the rows and the columns of the numbers in the field `data` of SciPy's array."""
    numbered = x.copy()
    numbered.data = np.reshape(np.arange(1, x.data.size + 1), x.data.shape)
    found = numbered.tocoo()
    return found.data - 1, found.row, found.col


def parts_of(x: Any) -> tuple:
    """The numbers of SciPy's array, their rows and columns."""
    found = x.tocoo()
    return found.data, found.row, found.col


def built(kind: type, *args: Any, **kwargs: Any) -> Any:
    """SciPy's array."""
    return kind(*args, **kwargs)


def constructor(kind: type) -> Callable:
    """What stands for a class of SciPy where its numbers may be active."""

    def made(arg1: Any, shape: Any = None, dtype: Any = None, copy: bool = False) -> Any:
        if type(arg1) is Sparse or sparse.issparse(arg1):
            if not has_moving_numbers(arg1):
                return built(kind, arg1, shape, dtype, copy)
            given = as_sparse(arg1)
            return given.turned_into(built(kind, given.found, shape, dtype, copy), given.row, given.col)
        of_parts = isinstance(arg1, tuple)
        data = np.asarray(arg1[0] if of_parts else arg1)
        if not is_moving(data):
            return built(kind, arg1, shape, dtype, copy)
        data = data if dtype is None else data.astype(dtype)
        if not of_parts:
            if np.ndim(data) != 2:
                refuse("a sparse array of one dimension with active numbers", "a matrix of one row")
            row, col = np.indices(np.shape(data))
            return listed(data.flatten(), np.ravel(row), np.ravel(col), built(kind, data, shape))
        found = built(kind, (data, *arg1[1:]), shape, None, copy)
        if len(arg1) == 2 and kind.__name__[:3] != "dia":
            order, row, col = np.arange(np.size(data)), np.asarray(arg1[1][0]), np.asarray(arg1[1][1])
        else:
            order, row, col = places_of(found)
        whole = Sparse(data, order, row, col, found)
        return whole if shares(found, data) else listed(whole.numbers, row, col, found)

    return made


def natively(x: Any, name: str, args: tuple, kwargs: dict) -> Any:
    """SciPy's method."""
    return getattr(x, name)(*args, **kwargs)


def compressed(x: Any) -> Any:
    """SciPy's array in a format that it multiplies in; a dict of keys is none."""
    return x if is_flat(type(x)) else x.tocsr()


def applied(matrix: Any, other: Any) -> Any:
    """A sparse array without active numbers times a dense one."""
    return matrix @ other


rule(applied, other=lambda d, out, matrix, other: applied(matrix.conj().T, d))


def followed(name: str) -> Callable:
    """What stands for a method of SciPy's arrays where it, or what it is given, may be active."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = tuple([np.asarray(a) if isinstance(a, list | tuple) and name != "asformat" else a for a in args])
        if not has_moving_numbers(self):
            moving = any(has_moving_numbers(a) if is_sparse(a) else is_moving(a) for a in given)
            if not moving:
                return natively(self, name, args, kwargs)
            if name in ("__matmul__", "dot") and np.ndim(given[0]) in (1, 2):
                return applied(compressed(self), given[0])
        return getattr(as_sparse(self), name)(*given, **kwargs)

    return method


def flipped(self: Any) -> Any:
    """The attribute T."""
    return self.transpose()


CLASSES = [getattr(sparse, f"{kind}_{form}") for kind in KINDS for form in ("array", "matrix")]
METHODS = (
    "__matmul__ __rmatmul__ __mul__ __rmul__ __truediv__ __neg__ __add__ __radd__ __sub__ __rsub__ dot multiply sum"
    " toarray todense diagonal trace transpose conj conjugate copy tocsr tocsc tocoo asformat"
)
for _class in CLASSES:
    composition(_class, constructor(_class))
for _name in METHODS.split():
    for _method in dict.fromkeys([getattr(_class, _name) for _class in CLASSES if hasattr(_class, _name)]):
        composition(_method, followed(_name))
for _attribute in dict.fromkeys([_class.T.fget for _class in CLASSES]):
    composition(_attribute, flipped)
for _name in ("shape", "ndim", "nnz", "format", "dtype"):
    constant(
        *dict.fromkeys(
            [getattr(_class, _name).fget for _class in CLASSES if hasattr(getattr(_class, _name, None), "fget")]
        )
    )


constant(assembled, built, compressed, is_array, is_flat, itself, natively, parts_of, places_of, shape_of, shares)

constant(
    *existing(sparse, "issparse isspmatrix get_index_dtype eye eye_array identity load_npz safely_cast_index_arrays"),
    *existing(sparse, " ".join(f"isspmatrix_{kind}" for kind in KINDS)),
    reason="it depends on sizes and kinds only",
)
refused(
    *existing(
        sparse,
        "block_array block_diag bmat diags diags_array expand_dims find hstack kron kronsum"
        " matrix_transpose permute_dims rand random random_array save_npz sparray spdiags spmatrix swapaxes"
        " tril triu vstack",
    ),
    reason="it makes a sparse array from others, out of sight",
    way_out="scipy.sparse.coo_array((numbers, (rows, columns)), shape), or a dense array",
)
