"""Attributes, subscripts and the contents of containers, read and written."""

from __future__ import annotations

import ast
import operator
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from ..rules.methods import ATTRIBUTES, METHODS
from . import runtime
from .core import Const, Each, Pack, Var
from .expressions import BINARY
from .results import getitem_type, item_of
from .types import INT, Array, Length, NotTyped, Plain, Scalar, Seq, is_scalar, type_of
from .values import Bound, DictOf, Fields, Func, Grown, Iter, ListOf, Method, Outside, Ref, Tup

UNSET = object()


class Access:
    """The part of the lowerer that looks into objects."""

    def contents_of(self, value: Any) -> Any:
        """What is in a list, dict or object; items of outside containers become places as they are read."""
        if type(value) is Ref:
            return self.defined((value.number, "contents"), "an object")
        concrete, places = value.place.value, self.places
        if type(concrete) is list:
            return ListOf(tuple([places.child(value.place, "item", i, v) for i, v in enumerate(concrete)]))
        if type(concrete) is dict:
            if not all(type(k) in (str, int) for k in concrete) or len(concrete) > 64:
                raise NotTyped("a dict of other keys than strings and ints")
            value.place.check = ("keys", tuple(concrete))
            return DictOf({k: places.child(value.place, "key", k, v) for k, v in concrete.items()})
        return Fields(type(concrete), {})

    def items_of(self, value: Any) -> list:
        """The items of an iterable of known length."""
        items = self.known_items(value)
        if items is None:
            raise NotTyped("an iterable whose length is not known")
        return items

    def known_items(self, value: Any) -> list | None:
        if type(value) is Tup:
            return list(value.items)
        if type(value) is Const and type(value.value) in (str, tuple):
            return [Const(v) for v in value.value]
        if type(value) in (Ref, Outside):
            contents = self.contents_of(value)
            if type(contents) is ListOf:
                return list(contents.items)
            if type(contents) is DictOf:
                return [Const(k) for k in contents.items]
            if type(contents) is Fields:
                raise NotTyped("iteration over an object")
        if type(value) is Iter:
            parts = [self.known_items(p) for p in value.parts]
            if value.kind == "enumerate":
                return None if parts[0] is None else [Tup((Const(i), v)) for i, v in enumerate(parts[0])]
            if value.kind == "reversed":
                return None if parts[0] is None else parts[0][::-1]
            known = [p for p in parts if p is not None]
            if len(known) == len(parts):
                return [Tup(items) for items in zip(*parts, strict=False)]
            if known and all(type(p) is Const or type(p) is Var for p in value.parts if self.known_items(p) is None):
                raise NotTyped("zip of lists of known and unknown lengths")
        return None

    def constant_range(self, value: Any) -> range | None:
        """The numbers a range runs over, where they are known."""
        if type(value) is Var and value.type == Plain(range):
            for stmt in reversed(self.block.stmts):
                if stmt.__class__.__name__ == "Let" and stmt.out is value:
                    bounds = [self.places.fold(a) if type(a) is Var else a for a in stmt.args]
                    return range(*[b.value for b in bounds]) if all(bounds) else None
        return None

    def elements(self, value: Any) -> tuple[list, Any]:
        """How a Loop runs over an iterable: what it consumes, and what gives the element at the start of the body."""
        if type(value) is Var and value.type == Plain(range):
            index = Var(INT, "i")
            return [Each(index, value)], lambda: index
        length, item = self.indexed(value)
        index = Var(INT, "i")
        numbers = self.let(range, (length,))
        return [Each(index, numbers)], lambda: item(index)

    def indexed(self, value: Any) -> tuple[Any, Any]:
        """(length, item at i) of an iterable of unknown length."""
        if type(value) is Ref and type(self.contents_of(value)) is Grown:
            value = self.contents_of(value).atom
        if type(value) is Var and isinstance(value.type, Seq | Array):
            if isinstance(value.type, Array) and not value.type.mask:
                raise NotTyped("iteration over a 0-d array")
            length = (
                self.let(len, (value,)) if isinstance(value.type, Seq) else self.let(runtime.dim, (value, Const(0)))
            )
            return length, lambda i: self.element(value, i, safe=True)
        if type(value) is Var and value.type == Plain(range):
            return self.let(len, (value,)), lambda i: self.emit(operator.getitem, (value, i), INT)
        if type(value) is Iter and value.kind == "enumerate":
            length, item = self.indexed(value.parts[0])
            return length, lambda i: Tup((i, item(i)))
        if type(value) is Iter and value.kind == "zip":
            pairs = [self.indexed(p) for p in value.parts]
            length = pairs[0][0]
            for other, _ in pairs[1:]:
                if other is not length:
                    length = self.minimum(length, other)
            return length, lambda i: Tup(tuple([item(i) for _, item in pairs]))
        if type(value) is Iter and value.kind == "reversed":
            length, item = self.indexed(value.parts[0])
            return length, lambda i: item(self.let(operator.sub, (self.let(operator.sub, (length, Const(1))), i)))
        raise NotTyped(f"a loop over a {type(value).__name__}")

    def minimum(self, a: Any, b: Any) -> Any:
        return self.branch(self.let(operator.lt, (b, a)), lambda: b, lambda: a)

    def element(self, seq: Var, index: Any, safe: bool = False) -> Any:
        """seq[index]; `safe` where the index is known to be inside."""
        type_ = item_of((seq,), {}) if isinstance(seq.type, Seq) else getitem_type(seq, index)
        return self.emit(operator.getitem, (seq, index), type_, must=self.in_rule == 0 and not safe)

    # ---- subscripts

    def _Subscript(self, node: ast.Subscript) -> Any:
        value, index = self.expr(node.value), self.expr(node.slice)
        self.at(node)
        return self.subscript(value, index)

    def subscript(self, value: Any, index: Any) -> Any:
        if type(value) is Var and isinstance(value.type, Array):
            return self.let(operator.getitem, (value, as_index(self.argument(index))))
        if type(value) is Var and isinstance(value.type, Seq):
            if isinstance(type_of(index), Scalar):
                return self.element(value, index)
            raise NotTyped("a slice of a growing list")
        if type(value) is Tup:
            return self.known_item(Tup, value.items, index, value)
        if type(value) in (Ref, Outside):
            contents = self.contents_of(value)
            if type(contents) is ListOf:
                return self.known_item(ListOf, contents.items, index, value)
            if type(contents) is Grown:
                return self.subscript(contents.atom, index)
            if type(contents) is DictOf:
                if type(index) is Const and index.value in contents.items:
                    return contents.items[index.value]
                raise NotTyped("a computed or missing key")
            method = self.special_method(value, "__getitem__")
            if method is not None:
                return self.call(method, [index], {})
        if type(value) is Const and type(value.value) in (str, tuple, dict) and type(index) is Const:
            return Const(value.value[index.value])
        if type(value) is Const and isinstance(value.value, np.ndarray):
            return self.let(operator.getitem, (value, self.argument(index)))
        raise NotTyped(f"a subscript of a {type(value).__name__}")

    def known_item(self, kind: type, items: tuple, index: Any, value: Any) -> Any:
        if type(index) is Pack and index.kind is slice:
            bounds = [self.known_int(p) for p in index.items]
            chosen = items[slice(*bounds)]
            return Tup(chosen) if kind is Tup else self.new_object(ListOf(chosen))
        i = self.known_int(index)
        if i is None or not -len(items) <= i < len(items):
            raise NotTyped("an index out of range")
        return items[i]

    def known_int(self, value: Any) -> int | None:
        if type(value) is Var:
            value = self.places.fold(value)
        if type(value) is not Const or type(value.value) not in (int, bool, type(None)):
            raise NotTyped("an index into a tuple or list that is not known")
        return value.value

    # ---- attributes

    def _Attribute(self, node: ast.Attribute) -> Any:
        value = self.expr(node.value)
        self.at(node)
        return self.attribute(value, self.mangled(node.attr))

    def mangled(self, name: str) -> str:
        frame = self.frame
        while frame is not None and frame.class_name is None:
            frame = frame.parent
        private = name.startswith("__") and not name.endswith("__")
        return f"_{frame.class_name.lstrip('_')}{name}" if private and frame is not None else name

    def attribute(self, value: Any, name: str) -> Any:
        if type(value) is Const:
            return self.constant_attribute(value.value, name)
        if type(value) is Var and isinstance(value.type, Array | Scalar):
            return self.number_attribute(value, name)
        if type(value) is Tup and name in getattr(value.cls, "_fields", ()):
            return value.items[value.cls._fields.index(name)]
        if type(value) in (Ref, Outside):
            return self.object_attribute(value, name)
        if type(value) is Bound and name == "__self__":
            return value.receiver
        raise NotTyped(f"the attribute {name} of a {type(value).__name__}")

    def constant_attribute(self, owner: Any, name: str) -> Any:
        if not isinstance(owner, ModuleType | type | np.dtype) and not any(
            owner is ufunc for ufunc in (np.add, np.multiply, np.maximum, np.minimum)
        ):
            raise NotTyped(f"the attribute {name} of {owner!r}")
        try:
            found = getattr(owner, name)
        except AttributeError as error:
            raise NotTyped(str(error)) from error
        library = getattr(owner, "__name__", "").split(".")[0] in (
            "numpy",
            "math",
            "cmath",
            "operator",
            "builtins",
            "functools",
        )
        if library or isinstance(owner, np.ufunc | np.dtype):
            return Const(found)
        if isinstance(owner, type) and isinstance(found, FunctionType):
            return Func(found, self.class_place(owner, name, found))
        return self.places.child(self.places.constant(owner), "attr", name, found)

    def class_place(self, cls: type, name: str, found: Any) -> Any:
        """The place of an entry of a class: relied on by identity."""
        root = self.places.constant(cls)
        self.places.child(root, "attr", name, found)
        return root.children["attr", name]

    def number_attribute(self, value: Var, name: str) -> Any:
        of = value.type
        if isinstance(of, Array):
            if name == "ndim":
                return Const(len(of.mask))
            if name == "dtype":
                return Const(of.dtype)
            if name == "shape":
                return Tup(tuple([self.dimension(value, i) for i in range(len(of.mask))]))
            if name == "size":
                return self.size_of(value)
            if name in ATTRIBUTES:
                return self.call_primitive_or_inline(ATTRIBUTES[name], [value], {})
        elif of.kinds <= {"float", "int", "bool"} or not of.kinds & {"float", "int", "bool", "complex"}:
            if name == "shape":
                return Tup(())
            if name in ("real", "imag"):
                return self.let(np.real if name == "real" else np.imag, (value,))
        if name in METHODS and (isinstance(of, Array) or not of.kinds & {"float", "int", "bool", "complex"}):
            return Method(value, name)
        raise NotTyped(f"the attribute {name} of a number or array")

    def dimension(self, value: Var, i: int) -> Any:
        of = value.type.mask[i]
        if of == "1":
            return Const(1)
        if self.in_rule and not self.writes:  # what was written to is better not looked at again
            value = self.models.get(value, value)
        length = self.emit(runtime.dim, (value, Const(i)), Length.of(of))
        known = self.number_of(length) if self.unrolling else None
        return length if known is None else Const(known)

    def size_of(self, value: Var) -> Any:
        size = Const(1)
        for i in range(len(value.type.mask)):
            n = self.dimension(value, i)
            size = n if type(size) is Const and size.value == 1 else self.let(operator.mul, (size, n))
        return size

    def object_attribute(self, value: Any, name: str) -> Any:
        contents = self.contents_of(value)
        if type(contents) is not Fields:
            return Method(value, name)
        cls = contents.cls
        found = UNSET
        for base in cls.__mro__:
            if name in base.__dict__:
                found = base.__dict__[name]
                break
        self.plain_access(cls)
        if isinstance(found, property):
            self.class_place(cls, name, found)
            return self.inline_function(found.fget, self.places.constant(found.fget), [value], {})
        if name in contents.items:
            return contents.items[name]
        if type(value) is Outside and name in vars_of(value.place.value):
            return self.places.child(value.place, "attr", name, vars_of(value.place.value)[name])
        if type(value) is Outside:
            self.places.lacks(value.place, name)
        if isinstance(found, FunctionType):
            return Bound(Func(found, self.class_place(cls, name, found)), value)
        if isinstance(found, staticmethod) and isinstance(found.__func__, FunctionType):
            return Func(found.__func__, self.class_place(cls, name, found.__func__))
        if isinstance(found, classmethod):
            self.class_place(cls, name, getattr(cls, name))
            return Bound(Func(found.__func__, self.places.constant(found.__func__)), Const(cls))
        if found is UNSET or hasattr(type(found), "__get__"):
            raise NotTyped(f"the attribute {name} of {cls.__name__}")
        return self.places.child(self.places.constant(cls), "attr", name, found)

    def plain_access(self, cls: type) -> None:
        """Does reading an attribute of `cls` do what Python does by default?"""
        if cls is SimpleNamespace:
            return
        if cls.__getattribute__ is not object.__getattribute__ or hasattr(cls, "__getattr__"):
            raise NotTyped(f"{cls.__name__} computes its attributes")
        if not hasattr(cls, "__dict__") or type(cls) is not type or cls.__dictoffset__ == 0:
            raise NotTyped(f"{cls.__name__} keeps its attributes elsewhere")

    def special_method(self, value: Any, name: str) -> Any:
        """A method of the class of `value`, for operators and calls; None where there is none."""
        if type(value) not in (Ref, Outside):
            return None
        contents = self.contents_of(value)
        if type(contents) is not Fields:
            return None
        found = getattr(contents.cls, name, None)
        if not isinstance(found, FunctionType):
            return None
        return Bound(Func(found, self.class_place(contents.cls, name, found)), value)

    # ---- writing

    def assign_into(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Attribute):
            self.store_attribute(self.expr(target.value), self.mangled(target.attr), value)
        elif isinstance(target, ast.Subscript):
            self.store_item(self.expr(target.value), self.expr(target.slice), value)
        else:
            raise NotTyped("an assignment to something else than a name")

    def store_attribute(self, owner: Any, name: str, value: Any) -> None:
        contents = self.contents_of(owner) if type(owner) is Ref else None
        if type(contents) is not Fields:
            raise NotTyped(f"a store to the attribute {name} of an object from outside")
        cls = contents.cls
        self.plain_access(cls)
        if cls.__setattr__ is not object.__setattr__ or hasattr(getattr(cls, name, None), "__set__"):
            raise NotTyped(f"{cls.__name__} computes its attributes")
        self.store[owner.number, "contents"] = Fields(cls, {**contents.items, name: value})

    def store_item(self, owner: Any, index: Any, value: Any) -> None:
        if type(owner) is Var and isinstance(owner.type, Array):
            self.store_array(owner, index, value)
            return
        contents = self.contents_of(owner) if type(owner) is Ref else None
        if type(contents) is DictOf and type(index) is Const and type(index.value) in (str, int):
            made: Any = DictOf({**contents.items, index.value: value})
        elif type(contents) is ListOf and type(index) is Const and type(index.value) is int:
            i = index.value
            if not -len(contents.items) <= i < len(contents.items):
                raise NotTyped("an index out of range")
            items = list(contents.items)
            items[i] = value
            made = ListOf(tuple(items))
        elif type(contents) is Grown and is_scalar(type_of(index)):
            made = Grown(self.let(runtime.put_item, (contents.atom, index, value)))
        else:
            raise NotTyped("a store into a container from outside")
        self.not_iterated(owner)
        self.store[owner.number, "contents"] = made

    def not_iterated(self, owner: Ref) -> None:
        if any(one is owner for one in self.iterated):
            raise NotTyped("a write to a list that is being iterated over")

    def augmented(self, stmt: ast.AugAssign) -> None:
        target, fn = stmt.target, BINARY[type(stmt.op)]
        if isinstance(target, ast.Name):
            old, owner, index = self.read(target.id), None, None
        elif isinstance(target, ast.Attribute):
            owner, index = self.expr(target.value), self.mangled(target.attr)
            old = self.attribute(owner, index)
        else:
            owner, index = self.expr(target.value), self.expr(target.slice)
            if type(owner) is Var and isinstance(owner.type, Array):
                self.add_to_array(fn, owner, index, self.expr(stmt.value))
                return
            if type(owner) is not Ref:
                raise NotTyped("a store into a container from outside")
            old = self.subscript(owner, index)
        if isinstance(type_of_any(old), Array):
            self.write_whole(fn, old, self.expr(stmt.value))
            return
        if type(old) in (Ref, Outside) or isinstance(type_of_any(old), Seq):
            raise NotTyped("an augmented assignment, which writes in place")
        value = self.binary(fn, old, self.expr(stmt.value))
        if isinstance(target, ast.Name):
            self.assign(target, value)
        elif isinstance(target, ast.Attribute):
            self.store_attribute(owner, index, value)
        else:
            self.store_item(owner, index, value)


def as_index(index: Any) -> Any:
    """A list of ints in an index is an array of them."""
    if (
        type(index) is Pack
        and index.kind is list
        and all(type(i) is Const and type(i.value) is int for i in index.items)
    ):
        return Const(np.array([i.value for i in index.items], dtype=np.intp))
    if type(index) is Pack and index.kind is tuple:
        return Pack(tuple, tuple([as_index(i) for i in index.items]))
    return index


def vars_of(value: Any) -> dict:
    try:
        return vars(value)
    except TypeError as error:
        raise NotTyped(f"a {type(value).__name__}") from error


def type_of_any(value: Any) -> Any:
    return value.type if type(value) is Var else None
