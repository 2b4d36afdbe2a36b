"""Functions of NumPy whose arguments or results are structures: lists that grew in a loop, several values at once.

Each entry takes (lowerer, args, kwargs) and returns an abstract value, or NotImplemented to be called as a primitive.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..rules.linalg import adjoint
from ..rules.registry import lookup, rule
from ..rules.shape import astype
from . import runtime
from .core import Const, Var
from .results import rows_type
from .types import PYTHON_KINDS, Array, NotTyped, Plain, Scalar, Seq, class_of_kind, is_complex, type_of
from .values import Grown, Ref, Tup

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def type_of_value(value: Any) -> Any:
    return type_of(value) if type(value) in (Var, Const) else None


def result_type(lowerer: Any, args: list, kwargs: dict) -> Any:
    samples = []
    for value in args:
        of = type_of_value(value)
        if isinstance(of, Array):
            samples.append(of.dtype)
        elif isinstance(of, Scalar) and len(of.kinds) == 1:
            (kind,) = of.kinds
            samples.append(PYTHON_KINDS[kind] if kind in PYTHON_KINDS else np.dtype(class_of_kind(kind)))
        elif type(value) is Const:
            samples.append(value.value)
        else:
            raise NotTyped("the result type of something else than arrays and numbers")
    return Const(np.result_type(*samples))


def cast(lowerer: Any, args: list, kwargs: dict) -> Any:
    """x.astype(dtype)."""
    of = type_of_value(args[0])
    known = len(args) == 2 and not kwargs and type(args[1]) is Const and isinstance(of, Array | Scalar)
    if not known or (isinstance(of, Scalar) and of.kinds & set(PYTHON_KINDS)):
        raise NotTyped("astype with more arguments")
    dtype = np.dtype(args[1].value)
    if dtype.kind not in "fciub" or (is_complex(of) and dtype.kind != "c"):
        raise NotTyped(f"astype({dtype})")
    return lowerer.let(runtime.cast, (args[0], Const(dtype)))


# ---- lists


def sequence_of(lowerer: Any, value: Any) -> Var | None:
    """The name of a list whose length is not known, or None."""
    if type(value) is Ref and type(lowerer.contents_of(value)) is Grown:
        value = lowerer.contents_of(value).atom
    return value if type(value) is Var and isinstance(value.type, Seq) else None


def joined(lowerer: Any, args: list, kwargs: dict) -> Any:
    """np.array and np.stack of a list that grew: an array with one row for each item."""
    seq = sequence_of(lowerer, args[0]) if args else None
    if seq is None:
        return NotImplemented
    axis = kwargs.get("axis", args[1] if len(args) > 1 else Const(0))
    if len(args) > 2 or kwargs.keys() - {"axis"} or type(axis) is not Const or type(axis.value) is not int:
        raise NotTyped("a list made an array, with more arguments")
    rows = lowerer.emit(runtime.joined, (seq,), rows_type(seq.type.item), must=lowerer.in_rule == 0)
    return rows if axis.value == 0 else lowerer.let(np.moveaxis, (rows, Const(0), axis))


# ---- determinants


rule(
    runtime.log_abs_det,  # a singular matrix has no inverse: NaN
    a=lambda d, out, a: (
        np.expand_dims(d, (-1, -2))
        * adjoint(np.linalg.inv(a + np.expand_dims(np.where(np.isinf(out), np.nan, 0.0), (-1, -2))))
    ),
)


def slogdet(lowerer: Any, args: list, kwargs: dict) -> Any:
    of = type_of_value(args[0]) if args else None
    if kwargs or len(args) != 1 or not isinstance(of, Array) or len(of.mask) < 2 or of.dtype.kind not in "f":
        raise NotTyped("slogdet of something else than real matrices")
    logarithm = lowerer.let(runtime.log_abs_det, (args[0],))
    sign = lowerer.emit(runtime.sign_of_det, (args[0],), type_of(logarithm))  # it raises nothing that this one does not
    return Tup((sign, logarithm), SlogdetResult)


# ---- several arrays without derivatives


def several(fn: Any) -> Any:
    def made(lowerer: Any, args: list, kwargs: dict) -> Any:
        """The tuple of arrays that `fn` returns, of the kinds that it returns for samples."""
        if lookup(fn) is not None and any(lowerer.depends(v) for v in (*args, *kwargs.values())):
            return NotImplemented
        atoms = tuple([lowerer.argument(a) for a in args])
        named = tuple([(k, lowerer.argument(v)) for k, v in kwargs.items()])
        samples = fn(*[sample(a) for a in atoms], **{k: sample(a) for k, a in named})
        if not isinstance(samples, tuple):
            return lowerer.let(fn, atoms, named)
        found = lowerer.emit(fn, atoms, Plain(tuple), named, must=lowerer.in_rule == 0)
        types = [Array(s.dtype, ("?",) * s.ndim) for s in samples]
        return Tup(tuple([lowerer.emit(operator.getitem, (found, Const(i)), t) for i, t in enumerate(types)]))

    return made


def sample(atom: Any) -> Any:
    of = type_of(atom)
    if type(atom) is Const:
        return atom.value
    if isinstance(of, Array):
        return np.ones((1,) * len(of.mask), of.dtype)
    if isinstance(of, Scalar):
        return 1
    raise NotTyped("an argument that is neither a number nor an array")


LIBRARY = {
    np.result_type: result_type, np.array: joined, np.stack: joined, np.linalg.slogdet: slogdet,
    **{fn: several(fn) for fn in (np.triu_indices, np.tril_indices, np.diag_indices, np.nonzero, np.unique)},
    astype: cast,
}  # fmt: skip
