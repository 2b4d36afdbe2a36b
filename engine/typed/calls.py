"""Calls: primitives become statements, Python functions are inlined, and builtins are what they mean for known
structures.
"""

from __future__ import annotations

import ast
import inspect
import operator
import sys
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from ..frontend import source_of
from ..rules.registry import SEQUENCE_PARAMETERS, composed, is_constant, lookup, refusal
from . import exits
from .builtins import BUILTINS
from .core import Const, Pack, Var
from .library import LIBRARY
from .lower_frames import Frame
from .methods import list_method
from .nested import call_derivative, lower_derivative
from .recursion import Recursion
from .results import OPERATORS, is_library, is_of_rules, is_primitive
from .types import NotTyped
from .values import Bound, Closure, Derivative, DictOf, Fields, Func, ListOf, Method, Outside, Ref, Tup, flatten

RETURN, EXIT = "$return", "$exit"
DEPTH = 60
UNDECIDED = 3  # conditions that numbers decide, around a call inside a call of the same function
REPEATS = 200  # of calls inside calls of the same function
CONSTANTS = (bool, int, float, str, type(None))
PLACES_OF_OUT = {"reduce": 3, "accumulate": 3, "reduceat": 4, "concatenate": 2, "dot": 2}


def shape_of(value: Any) -> Any:
    """What is known of an argument but for its numbers and arrays."""
    skeleton, leaves = flatten(value)
    return skeleton, tuple([(type(v.value), v.value) if type(v) is Const else Var for v in leaves])


def holds_names(arg: Any) -> bool:
    """Is there anything but constants in this argument?"""
    return any(map(holds_names, arg.items)) if type(arg) is Pack else type(arg) is Var


def place_of_out(fn: Any) -> int:
    """The position at which a function of NumPy takes the array to write to; beyond all where it takes none."""
    if isinstance(fn, np.ufunc):
        return fn.nin
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, np.ufunc):
        return PLACES_OF_OUT.get(fn.__name__, sys.maxsize)
    if not (getattr(fn, "__module__", None) or "").startswith("numpy"):
        return sys.maxsize
    try:
        parameters = [p.name for p in inspect.signature(fn).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    except (TypeError, ValueError):  # written in C, in a release that does not tell
        return PLACES_OF_OUT.get(getattr(fn, "__name__", ""), sys.maxsize)
    return parameters.index("out") if "out" in parameters else sys.maxsize


class Calls:
    """The part of the lowerer that calls."""

    def _Call(self, node: ast.Call) -> Any:
        callee = self.expr(node.func)
        args = self.display(node.args)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.expr(keyword.value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
                continue
            contents = self.contents_of(value) if type(value) in (Ref, Outside) else None
            if type(contents) is not DictOf or not all(isinstance(k, str) for k in contents.items):
                raise NotTyped("a ** of something else than a dict")
            kwargs.update(contents.items)
        self.at(node)
        return self.call(callee, args, kwargs)

    def call(self, callee: Any, args: list, kwargs: dict) -> Any:
        kind = type(callee)
        if kind is Const:
            return self.call_constant(callee.value, args, kwargs)
        if kind is Bound:
            return self.call(callee.function, [callee.receiver, *args], kwargs)
        if kind is Func:
            if refusal(callee.function) is not None:
                raise NotTyped(f"{callee.function.__name__}, which is refused")
            if is_of_rules(callee.function):
                return self.let(callee.function, tuple(args), tuple(kwargs.items()))
            constant = is_constant(callee.function) and not (callee.function.__module__ or "").startswith("engine.")
            if lookup(callee.function) is not None or constant:
                raise NotTyped(f"a rule of the user's for {callee.function.__name__}")
            nested = lower_derivative(self, callee, args, kwargs)
            if nested is not None:
                return nested
            substitute = composed(callee.function)
            if substitute is not None:
                return self.inline_function(substitute, self.places.constant(substitute), args, kwargs)
            return self.inline_function(callee.function, callee.place, args, kwargs)
        if kind is Derivative:
            return call_derivative(self, callee, args, kwargs)
        if kind is Closure:
            return self.inline_closure(callee, args, kwargs)
        if kind is Method:
            return self.call_method(callee, args, kwargs)
        method = self.special_method(callee, "__call__")
        if method is not None:
            return self.call(method, args, kwargs)
        raise NotTyped(f"a call of a {kind.__name__}")

    def call_constant(self, fn: Any, args: list, kwargs: dict) -> Any:
        try:
            builtin = BUILTINS.get(fn)
        except TypeError as error:
            raise NotTyped(f"a call of {fn!r}") from error
        builtin = builtin or LIBRARY.get(fn)
        place = place_of_out(fn)
        outs = args[place:] if isinstance(fn, np.ufunc) else args[place:][:1]
        if any(type(a) is not Const or a.value is not None for a in outs):
            raise NotTyped("an array to write to, given by its place")
        if isinstance(fn, np.ufunc):
            args = args[:place]
        if builtin is not None:
            result = builtin(self, args, kwargs)
            if result is not NotImplemented:
                return result
        return self.call_primitive_or_inline(fn, args, kwargs)

    def call_primitive_or_inline(self, fn: Any, args: list, kwargs: dict) -> Any:
        substitute = composed(fn)
        if substitute is not None:
            return self.inline_function(substitute, self.places.constant(substitute), args, kwargs)
        if is_primitive(fn):
            if "out" in kwargs:
                raise NotTyped("out=, which writes in place")
            if fn in OPERATORS and any(type(a) in (Tup, Ref, Outside) for a in args):
                if len(args) != 2 or fn in (operator.eq, operator.ne):
                    raise NotTyped(f"{fn.__name__} of a structure")
                return self.binary(fn, *args)
            args, kwargs = self.as_arrays(fn, args, kwargs)
            return self.let(fn, tuple(args), tuple(kwargs.items()))
        if isinstance(fn, FunctionType) and not is_library(fn):
            return self.call(Func(fn, self.places.constant(fn)), args, kwargs)
        if isinstance(fn, MethodType) and isinstance(fn.__self__, type):
            return self.call(Func(fn.__func__, self.places.constant(fn.__func__)), [Const(fn.__self__), *args], kwargs)
        if isinstance(fn, type):
            return self.construct(fn, args, kwargs)
        raise NotTyped(f"a call of {getattr(fn, '__qualname__', fn)}")

    def as_arrays(self, fn: Any, args: list, kwargs: dict) -> tuple[list, dict]:
        """The arguments, sequences of numbers made arrays: rules see arrays (see `registry.SEQUENCE_PARAMETERS`)."""
        made = lookup(fn)
        if made is None or made.procedure is not None:
            return args, kwargs
        carrying, parameters = made.differentiable(), list(made.signature.parameters.values())

        def fitted(parameter: inspect.Parameter, value: Any) -> Any:
            if type(value) not in (Tup, Ref, Outside):
                return value
            if made.whole is not None:
                takes_one = parameter.kind is parameter.VAR_POSITIONAL
            else:
                takes_one = parameter.name in carrying and parameter.name not in SEQUENCE_PARAMETERS
            return self.let(np.array, (value,)) if takes_one and holds_names(self.argument(value)) else value

        args = [fitted(parameters[min(i, len(parameters) - 1)], value) for i, value in enumerate(args)]
        named = {p.name: p for p in parameters}
        return args, {name: fitted(named[name], v) if name in named else v for name, v in kwargs.items()}

    def call_method(self, method: Method, args: list, kwargs: dict) -> Any:
        if type(method.receiver) is Var:
            from ..rules.methods import METHODS

            return self.call_constant(METHODS[method.name], [method.receiver, *args], kwargs)
        return list_method(self, method.receiver, method.name, args, kwargs)

    def construct(self, cls: type, args: list, kwargs: dict) -> Any:
        """An object of a user's class, made by its own `__init__`; a namedtuple."""
        if cls.__bases__ == (tuple,) and hasattr(cls, "_fields"):
            items = dict(zip(cls._fields, args, strict=False)) | kwargs
            if set(items) != set(cls._fields):
                raise NotTyped("a namedtuple with defaults")
            return Tup(tuple([items[name] for name in cls._fields]), cls)
        init = cls.__init__
        if type(cls) is not type or cls.__new__ is not object.__new__ or cls.__module__ in ("builtins", "numpy"):
            raise NotTyped(f"a {cls.__name__} is made")
        made = self.new_object(Fields(cls, {}))
        if isinstance(init, FunctionType):
            if init.__code__.co_filename == "<string>" and hasattr(cls, "__dataclass_fields__"):
                self.fill_dataclass(made, cls, args, kwargs)
            else:
                self.inline_function(init, self.class_place(cls, "__init__", init), [made, *args], kwargs)
        elif args or kwargs:
            raise NotTyped(f"a {cls.__name__} is made with arguments")
        return made

    def fill_dataclass(self, made: Ref, cls: type, args: list, kwargs: dict) -> None:
        names = list(cls.__dataclass_fields__)
        given = dict(zip(names, args, strict=False)) | kwargs
        if set(given) != set(names) or hasattr(cls, "__post_init__"):
            raise NotTyped("a dataclass with defaults or __post_init__")
        self.store[made.number, "contents"] = Fields(cls, given)

    # ---- Python functions

    def closure(self, node: ast.FunctionDef | ast.Lambda, name: str) -> Closure:
        a = node.args
        defaults = {
            arg.arg: self.expr(value)
            for arg, value in zip(reversed([*a.posonlyargs, *a.args]), reversed(a.defaults), strict=False)
        }
        defaults.update(
            (arg.arg, self.expr(v)) for arg, v in zip(a.kwonlyargs, a.kw_defaults, strict=True) if v is not None
        )
        frame: Frame | None = self.frame
        while frame is not None:
            frame.captured, frame = True, frame.parent
        return Closure(node, self.frame, defaults, name)

    def inline_closure(self, callee: Closure, args: list, kwargs: dict) -> Any:
        parent = callee.frame
        frame = Frame(self.new_number(), parent.globals, parent.filename)
        frame.parent = parent
        return self.enter(frame, callee.node, callee.defaults, args, kwargs, id(callee.node))

    def inline_function(self, function: FunctionType, place: Any, args: list, kwargs: dict) -> Any:
        source = source_of(function)
        code = function.__code__
        frame = Frame(self.new_number(), function.__globals__, source.filename)
        frame.class_name = source.class_name
        frame.cells = {name: (place, i) for i, name in enumerate(code.co_freevars)}
        frame.place = place
        node = source.node
        defaults = self.defaults_of(function, node, place)
        return self.enter(frame, node, defaults, args, kwargs, id(code))

    def defaults_of(self, function: FunctionType, node: Any, place: Any) -> dict:
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        values = function.__defaults__ or ()
        found: dict[str, Any] = {}
        for i, value in enumerate(values):
            found[names[len(names) - len(values) + i]] = ("default", i - len(values), value, place)
        for name, value in (function.__kwdefaults__ or {}).items():
            found[name] = ("kwdefault", name, value, place)
        if (function.__module__ or "").startswith("engine."):  # a rule's defaults are part of it
            found = {name: Const(value) if type(value) in CONSTANTS else how for name, how in found.items()
                     for value in [how[2]]}  # fmt: skip
        return found

    def enter(self, frame: Frame, node: Any, defaults: dict, args: list, kwargs: dict, key: int) -> Any:
        """Interpret the body of a function in a frame of its own; the value it returns."""
        if isinstance(node, ast.AsyncFunctionDef) or exits.is_generator(node):
            raise NotTyped("a generator")
        unrolled = key in self.unrolled
        if key in self.recursive and not unrolled:
            self.bind(frame, node.args, defaults, args, kwargs)
            return self.called(frame, node, key)
        self.meet(key, args, kwargs)
        self.bind(frame, node.args, defaults, args, kwargs)
        self.unrolling += unrolled
        value = self.run_body(frame, node)
        self.unrolling -= unrolled
        self.callees.pop()
        return value

    def run_body(self, frame: Frame, node: Any) -> Any:
        """Interpret the body of a function whose arguments are bound in `frame`."""
        outer, line = self.frame, self.line
        self.frame = frame
        if isinstance(node, ast.Lambda):
            frame.locals |= set(exits.assigned(node))
            self.at(node)
            value = self.expr(node.body)
        else:
            frame.locals |= set(exits.assigned_in(node))
            exits.refuse_scope_statements(node)
            self.store[frame.number, EXIT] = Const(False)
            self.statements(node.body)
            value = self.returned(frame)
        self.frame, self.line = outer, line
        self.forget(frame)
        return value

    def meet(self, key: int, args: list, kwargs: dict) -> None:
        """Note an activation; one of the same function with arguments of the same structure may never end."""
        shape = tuple([shape_of(v) for v in (*args, *kwargs.values())])
        again = [known for other, known in self.callees if other == key]
        self.repeats += bool(again)
        endless = shape in again and key not in self.unrolled
        endless = endless or (again and self.undecided > UNDECIDED)
        if endless or len(self.callees) > DEPTH or self.repeats > REPEATS:
            raise Recursion(key) if again and not self.in_rule else NotTyped("calls inside each other")
        self.callees.append((key, shape))

    def forget(self, frame: Frame) -> None:
        """Drop the names of an activation that has ended, unless a function defined in it may still read them."""
        if not frame.captured:
            for key in [key for key in self.store if key[0] == frame.number]:
                del self.store[key]

    def returned(self, frame: Frame) -> Any:
        left = self.store.get((frame.number, EXIT), Const(False))
        value = self.store.get((frame.number, RETURN), Const(None))
        if type(left) is Const:
            value = value if left.value else Const(None)
            return self.certain(value.value if type(value).__name__ == "Maybe" else value)
        self.branch(left, lambda: None, lambda: self.give_up("a function that has come to its end without a return"))
        return self.certain(value.value if type(value).__name__ == "Maybe" else value)

    def bind(self, frame: Frame, a: ast.arguments, defaults: dict, args: list, kwargs: dict) -> None:
        kwargs = dict(kwargs)
        positional = [*a.posonlyargs, *a.args]
        frame.locals = {arg.arg for arg in (*positional, *a.kwonlyargs)}
        values: dict[str, Any] = {}
        for arg, value in zip(positional, args, strict=False):
            values[arg.arg] = value
        extra = list(args[len(positional) :])
        if extra and a.vararg is None:
            raise NotTyped("too many arguments")
        if a.vararg is not None:
            frame.locals.add(a.vararg.arg)
            values[a.vararg.arg] = Tup(tuple(extra))
        for arg in (*positional, *a.kwonlyargs):
            name = arg.arg
            if name in kwargs and arg not in a.posonlyargs:
                if name in values:
                    raise NotTyped("an argument given twice")
                values[name] = kwargs.pop(name)
            if name not in values:
                if name not in defaults:
                    raise NotTyped(f"the argument {name} is missing")
                value = defaults[name]
                if type(value) is tuple:
                    how, key, concrete, place = value
                    value = self.places.child(place, how, key, concrete)
                values[name] = value
        if a.kwarg is not None:
            frame.locals.add(a.kwarg.arg)
            values[a.kwarg.arg] = self.new_object(DictOf(kwargs))
        elif kwargs:
            raise NotTyped("an unknown keyword argument")
        for name, value in values.items():
            self.store[frame.number, name] = value

    def cell(self, where: tuple, name: str) -> Any:
        """A free variable of a real function."""
        place, i = where
        function = place.value.fget if isinstance(place.value, property) else place.value
        try:
            value = function.__closure__[i].cell_contents
        except ValueError as error:
            raise NotTyped(f"the free variable {name} is not bound yet") from error
        return self.places.child(place, "cell", i, value)

    def global_name(self, module_globals: dict, name: str) -> Any:
        from .places import global_value

        value = global_value(module_globals, name)
        if name not in module_globals or module_globals.get("__name__", "").startswith("engine."):
            return Const(value)  # the engine's own modules do not change
        return self.places.child(self.places.constant(module_globals), "global", name, value)

    # ---- comprehensions

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Any:
        """A list, built as a loop with append would build it, in a frame of its own."""
        frame = Frame(self.new_number(), self.frame.globals, self.frame.filename)
        frame.parent = self.frame
        made = self.new_object(ListOf(()))
        frame.locals = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)} | {
            "$made"
        }
        first = self.expr(node.generators[0].iter)
        self.store[frame.number, "$made"] = made
        self.store[frame.number, "$first"] = first
        outer, self.frame = self.frame, frame
        self.statements([exits.comprehension_loop(node)])
        self.frame = outer
        self.forget(frame)
        return made

    def _Append(self, stmt: Any) -> None:
        """What a comprehension does with each item."""
        list_method(self, self.read("$made"), "append", [self.expr(stmt.value)], {})
