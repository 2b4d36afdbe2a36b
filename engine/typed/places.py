"""Where the values of an instance come from: arguments, globals, cells, and what is inside them.

Lowering reads a place when it needs it; what it then relied on (a type, a length, an identity) becomes a check at the
entry of the printed function. Numbers and arrays are loaded, whoever rebinds them; functions, modules and classes are
relied on by identity. Nothing that was not read is checked.
"""

from __future__ import annotations

import builtins
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from .core import Const, Var
from .types import FLOAT, NotTyped, Seq, type_of_value
from .values import Bound, Func, Outside, Tup

LIBRARY = ("builtins", "numpy", "collections", "itertools", "types")  # modules of classes that are no plain objects
LONG = 16  # a list of floats longer than this is one name of type Seq, not so many names


class Place:
    """One place. `how` says how it is read from its parent:

    arg i | function | constant object      roots
    lacks name | attr name | item i | key k | cell i | default i | kwdefault name | globals name | code
    """

    def __init__(self, how: str, key: Any, parent: Place | None, value: Any) -> None:
        self.how, self.key, self.parent, self.value = how, key, parent, value
        self.children: dict[Any, Place] = {}
        self.check: tuple | None = None
        self.var: Var | None = None
        self.abstract: Any = None
        self.number = -1

    def root(self) -> Place:
        return self if self.parent is None else self.parent.root()

    def path(self) -> str:
        """For people, and for the names of variables."""
        if self.how == "arg":
            return f"a{self.key}"
        if self.how in ("attr", "global"):
            return str(self.key)
        return f"{self.parent.path() if self.parent else ''}_{self.key}"


class Places:
    """All places of one instance, in the order in which they were first read."""

    def __init__(self) -> None:
        self.read: list[Place] = []
        self.constants: dict[int, Place] = {}
        self.containers: dict[int, Place] = {}
        self.identical: list[tuple[Place, Place]] = []  # places that are relied on to hold one object
        self.shapes: dict[Place, tuple] = {}  # arrays whose shape is relied on
        self.same_shapes: dict[Place, Place] = {}  # arrays and an earlier one whose shape each is relied on to have

    def constant(self, value: Any) -> Place:
        """The root place of an object that is known for good: a callee, a module's globals."""
        return self.constants.setdefault(id(value), Place("constant", None, None, value))

    def child(self, parent: Place, how: str, key: Any, value: Any) -> Any:
        """The abstract value of what is read at `how key` inside `parent`."""
        place = parent.children.get((how, key))
        if place is None:
            place = parent.children[how, key] = Place(how, key, parent, value)
        return self.value(place)

    def lacks(self, parent: Place, name: str) -> None:
        """Rely on an object not having an attribute of its own that would hide the one of its class."""
        if ("lacks", name) not in parent.children:
            place = parent.children["lacks", name] = Place("lacks", name, parent, None)
            place.check, place.abstract, place.number = ("lacks", name), Const(None), len(self.read)
            self.read.append(place)

    def value(self, place: Place) -> Any:
        """The abstract value at a place; from now on the instance depends on it."""
        if place.abstract is None:
            place.abstract = self._abstract(place)
            place.number = len(self.read)
            self.read.append(place)
        return place.abstract

    def _abstract(self, place: Place) -> Any:
        value = place.value
        cls = type(value)
        if cls in (float, int, complex, np.ndarray) or isinstance(value, np.generic):
            place.check = ("type", type_of_value(value))
            place.var = Var(place.check[1], place.path())
            if type(value) is np.ndarray or place.check[1].__class__.__name__ == "Scalar":
                return place.var
        if value is None or cls is bool or value is Ellipsis:
            place.check = ("is", value)
            return Const(value)
        if cls is str:
            place.check = ("equal", value)
            return Const(value)
        if cls is FunctionType and (value.__module__ or "").split(".")[0] in ("numpy", "math", "operator"):
            place.check = ("is", value)
            return Const(value)
        if cls is FunctionType:
            place.check = ("is", value) if place.how in ("global", "attr", "class", "key") else ("code", value)
            return Func(value, place)
        if cls is MethodType:
            place.check = ("class", cls)
            function = self.child(place, "attr", "__func__", value.__func__)
            return Bound(function, self.child(place, "attr", "__self__", value.__self__))
        if (
            cls in (ModuleType, BuiltinFunctionType, np.ufunc, np.dtype)
            or isinstance(value, type)
            or _is_primitive(value)
        ):
            place.check = ("is", value)
            return Const(value)
        if isinstance(value, tuple):
            if cls is not tuple and not (hasattr(cls, "_fields") and cls.__bases__ == (tuple,)):
                raise NotTyped(f"a {cls.__name__}, which is a kind of tuple")
            place.check = ("length", cls, len(value))
            return Tup(tuple([self.child(place, "item", i, v) for i, v in enumerate(value)]), cls)
        if cls is list and len(value) > LONG and set(map(type, value)) == {float}:
            place.check = ("floats",)
            place.var = Var(Seq(FLOAT), place.path())
            self._contain(place)
            return place.var
        if cls is list:
            if len(value) > 4 * LONG:
                raise NotTyped("a long list that is not of floats")
            place.check = ("length", list, len(value))
        elif isinstance(value, list | dict | set) and cls is not dict:
            raise NotTyped(f"a {cls.__name__}")
        elif cls.__module__ in LIBRARY and cls not in (dict, SimpleNamespace):
            raise NotTyped(f"a {cls.__name__}")
        else:
            place.check = ("class", cls)
        self._contain(place)
        return Outside(place)

    def _contain(self, place: Place) -> None:
        """A mutable object is one variable per identity: two ways to reach it are beyond this tier."""
        if id(place.value) in self.containers:
            raise NotTyped("one mutable object that is reached in two ways")
        self.containers[id(place.value)] = place

    def alike(self, var: Var) -> Var:
        """The first array loaded that has the shape of the array `var`, if that was loaded: the entry checks it."""
        place = next((p for p in self.read if p.var is var), None)
        if place is None:
            return var
        for other in self.read:
            if other is place:
                return var
            if other.var is not None and other.var.type == var.type and other.value.shape == place.value.shape:
                self.same_shapes[place] = other
                return other.var
        return var

    def fold(self, var: Var) -> Const | None:
        """The value of a loaded int, from now on relied on: it decides structure."""
        for place in self.read:
            if place.var is var and type(place.value) is int:
                place.check = ("equal", place.value)
                return Const(place.value)
        return None


def _is_primitive(value: Any) -> bool:
    """A callable of NumPy or of the standard library that is not Python: a C function wrapped by a dispatcher, say."""
    module = getattr(value, "__module__", None) or ""
    return callable(value) and (
        type(value).__module__ in ("builtins", "numpy", "functools") or module.startswith("numpy")
    )


def global_value(module_globals: dict, name: str) -> Any:
    """The concrete value of a global or builtin; NotTyped where there is none."""
    if name in module_globals:
        return module_globals[name]
    if hasattr(builtins, name):
        return getattr(builtins, name)
    raise NotTyped(f"the name {name} is not defined")
