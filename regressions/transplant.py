"""A program of plain NumPy, over another array library: its code again, with other globals.

A function is rebuilt around the same code object with `np` standing for the other library's namespace, arrays that it
reads from its module, its closure and its defaults turned into that library's own, and every function and class of its
module that it reaches rebuilt likewise. Nothing of the module itself is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any

import numpy as np

from .adapters import CannotBeAsked

__all__ = ["Namespace", "transplanted"]


ALIKE = {"e", "errstate", "euler_gamma", "inf", "nan", "ndindex", "newaxis", "pi"}  # no arrays of any library in them


class Namespace:
    """An array library under the name np: what it does not have cannot be asked.

    >>> import math
    >>> Namespace(math).sqrt(4.0)
    2.0
    >>> Namespace(math).linalg
    Traceback (most recent call last):
    regressions.adapters.CannotBeAsked: np.linalg
    """

    def __init__(self, library: Any, name: str = "np", **additions: Any) -> None:
        self._library, self._name = library, name
        vars(self).update(additions)

    def __getattr__(self, name: str) -> Any:
        try:
            found = getattr(self._library, name)
        except AttributeError:
            if name in ALIKE and self._name == "np":
                return getattr(np, name)
            if name.startswith("__"):  # Python asks for these itself
                raise
            raise CannotBeAsked(f"{self._name}.{name}") from None
        return Namespace(found, f"{self._name}.{name}") if isinstance(found, ModuleType) else found


def transplanted(program: Callable, namespace: Any, lift: Callable[[np.ndarray], Any], scipy: Any = None) -> Callable:
    """The program over `namespace`, and `scipy` for SciPy's; `lift` turns an array of NumPy into one of the library's.

    >>> import math
    >>> transplanted(lambda x: np.sqrt(x), Namespace(math), lambda array: array)(4.0)
    2.0
    """
    return _Transplant(program, namespace, lift, Namespace(scipy, "scipy")).of(program)


class _NumberType(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, float)


class Number(metaclass=_NumberType):
    """What stands for `float`: a number of the library's, an array without dimensions, stays what it is.

    >>> isinstance(1.0, Number), Number("2"), np.zeros(1, dtype=Number).dtype
    (True, 2.0, dtype('float64'))
    """

    dtype = np.dtype(float)

    def __new__(cls, x: Any = 0.0) -> Any:
        if isinstance(x, float | int | str | np.ndarray | np.generic) or getattr(x, "shape", None) != ():
            return float(x)
        return x if str(x.dtype).endswith("float64") else x.astype(np.float64)


class _Transplant:
    def __init__(self, program: Any, namespace: Any, lift: Callable[[np.ndarray], Any], scipy: Any) -> None:
        self.namespace, self.lift, self.scipy = namespace, lift, scipy
        self.module, self.origin = program.__module__, program.__globals__
        self.globals: dict[str, Any] = {"__name__": self.module, "__builtins__": self.origin["__builtins__"]}
        self.made: dict[int, Any] = {}  # by identity: functions that call each other, arrays that are shared
        self.kept: list[Any] = []

    def of(self, x: Any) -> Any:
        if id(x) not in self.made:
            self.kept.append(x)  # or its identity might be given to another
            self.made[id(x)] = x
            self.made[id(x)] = self._new(x)
        return self.made[id(x)]

    def _new(self, x: Any) -> Any:
        if x is np:
            return self.namespace
        if isinstance(x, ModuleType) and x.__name__.startswith("numpy."):
            return _reached(self.namespace, x.__name__.split(".")[1:])
        if isinstance(x, ModuleType) and x.__name__.partition(".")[0] == "scipy":
            return _reached(self.scipy, x.__name__.split(".")[1:])
        if isinstance(x, np.ufunc) or (callable(x) and _module_of(x).startswith(("numpy", "scipy"))):
            return self._library_function(x)
        if isinstance(x, np.ndarray) and x.dtype.kind in "fciub":
            return self.lift(x)
        if isinstance(x, FunctionType) and x.__globals__ is self.origin:
            return self._function(x)
        if isinstance(x, type) and x.__module__ == self.module:
            return self._class(x)
        if isinstance(x, partial):
            return partial(self.of(x.func), *map(self.of, x.args), **{k: self.of(v) for k, v in x.keywords.items()})
        return self._container(x)

    def _library_function(self, x: Any) -> Any:
        """np.tanh or scipy.special.gammaln, imported or handed on as a value."""
        if isinstance(x, type):
            return x
        name: str = x.__name__
        for package, there in (("numpy", self.namespace), ("scipy", self.scipy)):
            for path in ([], ["linalg"], ["fft"], ["special"], ["integrate"], ["signal"], ["sparse"], ["stats"]):
                module = sys.modules.get(".".join([package, *path]))
                if getattr(module, name, None) is x:
                    return _reached(there, [*path, name])
        raise CannotBeAsked(f"{_module_of(x)}.{name}")

    def _container(self, x: Any) -> Any:
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(self.of, x))
        if type(x) in (tuple, list):
            return type(x)(map(self.of, x))
        if type(x) is dict:
            return {key: self.of(part) for key, part in x.items()}
        if hasattr(x, "__dict__") and type(x).__module__ == self.module:
            twin = object.__new__(self.of(type(x)))
            self.made[id(x)] = twin
            vars(twin).update({name: self.of(part) for name, part in vars(x).items()})
            return twin
        return x

    def _function(self, f: FunctionType) -> FunctionType:
        self._fill(f.__code__)
        cells = tuple(CellType() for _ in f.__closure__ or ())
        twin = FunctionType(f.__code__, self.globals, f.__name__, None, cells)
        self.made[id(f)] = twin
        twin.__kwdefaults__ = {name: self.of(x) for name, x in (f.__kwdefaults__ or {}).items()} or None
        twin.__defaults__ = tuple(map(self.of, f.__defaults__)) if f.__defaults__ else None
        twin.__module__, twin.__qualname__ = f.__module__, f.__qualname__
        for new, old in zip(cells, f.__closure__ or (), strict=True):
            try:
                new.cell_contents = self.of(old.cell_contents)
            except ValueError:  # not bound yet
                pass
        return twin

    def _fill(self, code: CodeType) -> None:
        """Give the twins the globals that the code names, in it and in the functions written inside it."""
        for name in code.co_names:
            if name == "float" and name not in self.origin:
                self.globals[name] = Number
            if name in self.origin and name not in self.globals:
                self.globals[name] = None
                self.globals[name] = self.of(self.origin[name])
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._fill(constant)

    def _class(self, cls: type) -> type:
        own = {name: part for name, part in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        body: dict[str, Any] = {name: own[name] for name in ("__module__", "__slots__") if name in own}
        twin = type(cls)(cls.__name__, tuple(map(self.of, cls.__bases__)), body)
        self.made[id(cls)] = twin
        for name, part in own.items():
            if isinstance(part, staticmethod | classmethod):
                setattr(twin, name, type(part)(self.of(part.__func__)))
            elif isinstance(part, property):
                setattr(twin, name, property(*(f and self.of(f) for f in (part.fget, part.fset, part.fdel))))
            elif name not in ("__module__", "__doc__", "__slots__") and not isinstance(part, MemberDescriptorType):
                setattr(twin, name, self.of(part))
        return twin


def _module_of(x: Any) -> str:
    return getattr(x, "__module__", None) or ""


def _reached(namespace: Any, path: list[str]) -> Any:
    for name in path:
        namespace = getattr(namespace, name)
    return namespace
