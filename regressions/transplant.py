"""A program of plain NumPy, over another array library: its code again, with other globals.

A function is rebuilt around the same code object with `np` standing for the other library's namespace, arrays that it
reads from its module, its closure and its defaults turned into that library's own, and every function and class of its
module that it reaches rebuilt likewise. Nothing of the module itself is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .adapters import CannotBeAsked

__all__ = ["Namespace", "transplanted"]


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
            if name.startswith("__"):  # Python asks for these itself
                raise
            raise CannotBeAsked(f"{self._name}.{name}") from None
        return Namespace(found, f"{self._name}.{name}") if isinstance(found, ModuleType) else found


def transplanted(program: Callable, namespace: Any, lift: Callable[[np.ndarray], Any]) -> Callable:
    """The program over `namespace`; `lift` turns an array of NumPy into one of the library's.

    >>> import math
    >>> transplanted(lambda x: np.sqrt(x), Namespace(math), lambda array: array)(4.0)
    2.0
    """
    return _Transplant(program.__module__, namespace, lift).of(program)


class _Transplant:
    def __init__(self, module: str, namespace: Any, lift: Callable[[np.ndarray], Any]) -> None:
        self.module, self.namespace, self.lift = module, namespace, lift
        self.origin = vars(sys.modules[module])
        self.globals: dict[str, Any] = {"__name__": module, "__builtins__": self.origin["__builtins__"]}
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
        if isinstance(x, np.ufunc) or getattr(x, "__module__", "") in ("numpy", "numpy.linalg", "numpy.fft"):
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
        """np.tanh, handed on as a value."""
        path = [*getattr(x, "__module__", "numpy").split(".")[1:], x.__name__]
        if isinstance(x, type) or not hasattr(np, path[0]):
            return x
        return _reached(self.namespace, path)

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
            if name in self.origin and name not in self.globals:
                self.globals[name] = None
                self.globals[name] = self.of(self.origin[name])
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._fill(constant)

    def _class(self, cls: type) -> type:
        own = {name: part for name, part in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        twin = type(cls)(cls.__name__, tuple(map(self.of, cls.__bases__)), {"__module__": cls.__module__})
        self.made[id(cls)] = twin
        for name, part in own.items():
            if isinstance(part, staticmethod | classmethod):
                setattr(twin, name, type(part)(self.of(part.__func__)))
            elif isinstance(part, property):
                setattr(twin, name, property(*(f and self.of(f) for f in (part.fget, part.fset, part.fdel))))
            elif name not in ("__module__", "__doc__"):
                setattr(twin, name, self.of(part))
        return twin


def _reached(namespace: Any, path: list[str]) -> Any:
    for name in path:
        namespace = getattr(namespace, name)
    return namespace
