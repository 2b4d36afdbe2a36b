"""Calling something: what a call means, by what the callee is.

What is called, and what is done:

    a rule, a constant, a procedure      as the rule table says
    a Python function                    its rewritten form (see `rewrite`)
    a method                             its function, with the receiver in front
    a class                              made as Python makes it, `__init__` through here (see `construct`)
    anything else                        a foreign call: plain if nothing active is within its reach, else refused
"""

from __future__ import annotations

import functools
import operator
import os
import sysconfig
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import (
    BuiltinMethodType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from ..errors import SourceError, call_chain, where
from ..rules import METHODS, SEQUENCE_PARAMETERS, composed, is_constant, lookup
from ..rules.methods import conjugate
from . import reach, tape
from .arguments import by_name, unknown_to
from .arrays import in_place
from .foreign import foreign
from .levels import Traced, live, plain
from .primitives import apply
from .rewrite import rewritten
from .storage import is_tracked, load

__all__ = ["SEQUENCES", "call", "call_method"]


def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, recorded."""
    kind = type(function)
    if kind is MethodType:
        return call(function.__func__, function.__self__, *args, **kwargs)
    rule = lookup(function)
    if rule is not None:
        if rule.procedure is not None:
            return rule.procedure(*args, **kwargs)
        return _by_rule(function, rule, args, kwargs)
    if is_constant(function):
        return _constant(function, args, kwargs)
    composition = composed(function)
    if composition is not None:
        return _by_composition(function, composition, args, kwargs)
    if kind is FunctionType:
        return _python(function, args, kwargs)
    if function is type.__call__:
        return call(function.__get__(args[0]), *args[1:], **kwargs)
    if kind is MethodWrapperType:
        if function.__name__ == "__call__":
            if isinstance(function.__self__, type):
                from .construct import instance_of

                return instance_of(function.__self__, args, kwargs)
            return call(function.__self__, *args, **kwargs)
        return _method_of_value(function.__name__, (function.__self__, *args), kwargs, _descriptor(function), function)
    if kind is BuiltinMethodType and not isinstance(function.__self__, ModuleType | None):
        return _builtin_method(function, args, kwargs)
    if kind in (MethodDescriptorType, WrapperDescriptorType) and args:
        return _method_of_value(function.__name__, args, kwargs, function)
    if kind.__name__ == "Method" and kind.__module__ == "engine.traced.attributes":
        return call_method(function.receiver, function.name, *args, **kwargs)
    if isinstance(function, type):
        from .construct import construct

        return construct(function, args, kwargs)
    if isinstance(function, functools._lru_cache_wrapper):
        return _cached(function, args, kwargs)
    if isinstance(function, functools.partial):
        return _partial(function, args, kwargs)
    if kind in _GETTERS:  # an itemgetter made by code that was not rewritten
        made, given = function.__reduce__()[:2]
        return call(made, *given)(*args)
    if getattr(kind, "_is_engine_callable", False):
        return function(*args, **kwargs)
    method = getattr(kind, "__call__", None)  # noqa: B004
    if type(method) is FunctionType and (not is_numpy(kind) or composed(method) is not None):
        return call(method, function, *args, **kwargs)
    return foreign(function, args, kwargs)


tape.transformed_call = call

_GETTERS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)


def call_method(receiver: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """`receiver.name(*args, **kwargs)`."""
    if type(receiver) is Traced or isinstance(receiver, np.ndarray | np.generic):
        return _method_of_value(name, (receiver, *args), kwargs, None)
    from .attributes import get_attribute

    return call(get_attribute(receiver, name), *args, **kwargs)


def _by_composition(function: Callable, composition: FunctionType, args: tuple, kwargs: dict) -> Any:
    """The composition in the place of the primitive; an `out=` that it does not know of itself is filled."""
    if is_numpy(function):
        args, kwargs = by_name(function, composition, args, kwargs)
        unknown = unknown_to(composition, kwargs) if kwargs else []
        if unknown:
            return foreign(function, args, kwargs, because=f"its rule does not cover the argument {unknown[0]!r}")
        several = {i for i, n in enumerate(composition.__code__.co_varnames) if n in SEQUENCE_PARAMETERS}
        args = tuple([a if i in several else _array_of(a) for i, a in enumerate(args)])
        kwargs = {name: a if name in SEQUENCE_PARAMETERS else _array_of(a) for name, a in kwargs.items()}
    if kwargs.get("out") is None or "out" in composition.__code__.co_varnames:
        return call(composition, *args, **kwargs)
    out = kwargs.pop("out")
    result = call(composition, *args, **kwargs)
    return in_place(out, result, lambda: function(*map(plain, args), out=plain(out), **kwargs))


def _by_rule(function: Callable, rule: Any, args: tuple, kwargs: dict) -> Any:
    args = tuple([tuple(a) if _is_walk(a) and not (is_numpy(function) and _is_view(a)) else a for a in args])
    if any(_is_object(a) or isinstance(a, SEQUENCES) for a in args):
        found = _by_class(function, args)
        if found is None and isinstance(function, np.ufunc):
            from .ufuncs import by_override

            found = by_override(function, args, kwargs)
        if found is not None:
            return found[0]
        if any(_is_object(a) for a in args) and reach.is_active(args):
            if rule.partials or kwargs or is_numpy(function):
                return foreign(function, args, kwargs)
            from .structured import apply_to_objects, is_container

            if any(_is_object(a) and not is_container(a) and reach.is_active(a) for a in args):
                return foreign(function, args, kwargs)

            return apply_to_objects(function, rule, args, kwargs)
    args = tuple([_operand(rule, i, a) for i, a in enumerate(args)])
    if isinstance(function, np.ufunc) and function.signature is None and (kwargs or len(args) > function.nin):
        from .ufuncs import call_ufunc

        return call_ufunc(function, args, kwargs)
    if len(args) > 1 or kwargs:
        args, kwargs = by_name(function, rule, args, kwargs)
    out = kwargs.pop("out", None)
    if isinstance(out, tuple):
        (out,) = out
    names = rule.parameters
    kwargs = {name: _operand(rule, names.index(name), a) if name in names else a for name, a in kwargs.items()}
    result = apply(function, rule, args, kwargs)
    if out is None:
        return result
    return in_place(out, result, lambda: function(*map(plain, args), out=plain(out), **kwargs))


SEQUENCES = (list, tuple, deque)
_PRIMITIVES = (
    int,
    float,
    complex,
    str,
    bytes,
    np.ndarray,
    np.generic,
    *SEQUENCES,
    slice,
    range,
    type,
    type(None),
    type(...),
)


def _is_object(value: Any) -> bool:
    """Is this an operand whose class may define what a primitive means for it?"""
    kind = type(value)
    if kind is Traced or isinstance(value, _PRIMITIVES) or _is_flat(value):
        return False
    return not is_numpy(kind) or kind.__module__.startswith("scipy.sparse")


def _is_view(value: Any) -> bool:
    """Is this the view of a dict (see `items`)?"""
    return getattr(type(value), "_is_view", False)


def _is_walk(value: Any) -> bool:
    """Is this a walk over traced values: a generator of the runtime's, or the view of a dict?"""
    return type(value) is GeneratorType or _is_view(value)


def _is_flat(value: Any) -> bool:
    """Is this `x.flat` (see `elements`)?"""
    return getattr(type(value), "_is_elements", False)


@functools.cache
def _special_methods() -> dict[Callable, str]:
    """Built-in functions that a class implements by a method."""
    import math
    import operator as op

    table: dict[Callable, str] = {abs: "__abs__", float: "__float__", complex: "__complex__", math.floor: "__floor__",
                                  math.ceil: "__ceil__", math.trunc: "__trunc__"}  # fmt: skip
    table |= {op.neg: "__neg__", op.pos: "__pos__", op.abs: "__abs__", op.invert: "__invert__"}
    return table


def _by_class(function: Callable, args: tuple) -> tuple[Any] | None:
    """The result of a built-in function on a sequence, or on an object whose class defines it; None: it does not."""
    from .operators import BINARY

    name = next((method for known, method in _special_methods().items() if known is function), None)
    if name is not None:
        method = getattr(type(args[0]), name, None)
        if type(method) is not FunctionType:
            return (function(plain(args[0])),) if isinstance(args[0], SEQUENCES) else None
        return (call(method, args[0]),)
    label = getattr(function, "__name__", "")
    if getattr(operator, label, None) is function or function is pow and len(args) == 2:
        operate = BINARY.get(label)
        forward, backward = f"__{label.rstrip('_')}__", f"__r{label.rstrip('_')}__"
        if operate is not None and any(
            isinstance(a, SEQUENCES) or type(getattr(type(plain(a)), n, None)) is FunctionType
            for a, n in zip(args, (forward, backward), strict=False)
        ):
            return (operate(*args),)
    return None


def _constant(function: Callable, args: tuple, kwargs: dict) -> Any:
    out = kwargs.pop("out", None)
    outside, live.levels = live.levels, []  # it runs as it is, also where it takes a derivative itself
    try:
        result = function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    finally:
        live.levels = outside
    if out is None:
        return result
    out = out[0] if isinstance(out, tuple) else out
    return in_place(out, result, lambda: None)


def _operand(rule: Any, position: int, value: Any) -> Any:
    """An argument as rules see it: a sequence of arrays stays one, a list of numbers for an array becomes the array."""
    if isinstance(value, SEQUENCES):
        value = as_tuples(value)
        if any(_is_object(leaf) and reach.is_active(leaf) for leaf in _leaves(value)):
            return foreign(rule.primal, (value,), {})
    if isinstance(value, tuple) and _has_traced(value):
        parameters = list(rule.signature.parameters.values())
        parameter = parameters[min(position, len(parameters) - 1)]
        one_array = rule.whole is None and parameter.name not in SEQUENCE_PARAMETERS
        if one_array or parameter.kind is parameter.VAR_POSITIONAL:
            return call(np.array, tuple(value))
    if _is_flat(value):
        return call(np.ravel, value.array)
    return value


def as_tuples(value: Any) -> Any:
    """A sequence given to a rule, all the way down: a tuple of its traced items, a list when nothing in it is active.

    The copy matters: the program may edit the list later, and the sweep wants the operands of its own time.
    """
    if isinstance(value, tuple):
        items = [as_tuples(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else tuple(items)
    if not isinstance(value, list | deque):
        return value
    items = [as_tuples(load(value, i, item, len(value))) for i, item in enumerate(value)]
    if any(_has_traced(item) for item in items) or any(isinstance(i, np.ndarray) for i in items):
        return tuple(items)
    return items


def _array_of(value: Any) -> Any:
    """The array of a sequence of numbers of which one is active; anything else as it is."""
    items = as_tuples(value) if isinstance(value, SEQUENCES) else None
    if not isinstance(items, tuple) or not _has_traced(items):
        return value
    numbers = all(isinstance(plain(leaf), int | float | complex | np.ndarray | np.generic) for leaf in _leaves(items))
    return call(np.array, tuple(items)) if numbers else value


def _leaves(value: Any) -> Iterator[Any]:
    """What a nested sequence is made of."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _has_traced(value: Any) -> bool:
    return type(value) is Traced or (isinstance(value, tuple) and any(_has_traced(v) for v in value))


# ---------------------------------------------------------------------------------------------------------------------
# Python functions


_LIBRARY = (sysconfig.get_paths()["stdlib"] + os.sep, "<frozen ")
_ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LEVEL_AWARE = (os.path.join(_ENGINE, "api.py"), os.path.join(_ENGINE, "traced", ""))
"""Files whose functions take traced values as they are: a derivative asked for inside a derivative. Not modules: the
examples in a docstring belong to their module, and are the user's."""
_SITE = ("site-packages", "dist-packages")


def _python(function: FunctionType, args: tuple, kwargs: dict) -> Any:
    if not live.levels:
        return function(*args, **kwargs)
    filename = function.__code__.co_filename
    if filename.startswith(_LEVEL_AWARE):
        return function(*args, **kwargs)
    if is_numpy(function):
        return foreign(function, args, kwargs)
    if (function.__module__, function.__qualname__) in _KEEPERS:
        return function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    if function.__module__ == "random":  # it draws, also where it runs as it is
        live.draws += 1
    if is_library(filename) and not reach.is_active((function, args, kwargs)) and not reach.callbacks((args, kwargs)):
        return function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    if filename == "<string>" or filename.startswith("<string>"):
        from .construct import generated

        known = generated(function, args, kwargs)
        if known is not None:
            return known[0]
    if is_tracked(function):
        args, kwargs = _with_defaults(function, args, kwargs)
    try:
        made = rewritten(function)
    except SourceError as error:
        if reach.is_active((function, args, kwargs)):
            raise SourceError(f"{error}\n  at {where(call_chain())}") from None
        return function(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    return made(*args, **kwargs)


_KEEPERS = {
    ("functools", "singledispatch.<locals>.dispatch"),
    ("functools", "singledispatch.<locals>.register"), ("functools", "singledispatchmethod.register"),
    ("functools", "lru_cache.<locals>.decorating_function"),
}  # fmt: skip
"""Functions of the library that only put a function away or look one up."""


def is_library(filename: str) -> bool:
    return filename.startswith(_LIBRARY) and not any(part in filename for part in _SITE)


def is_numpy(function: Any) -> bool:
    """NumPy's or SciPy's own: the rules speak for it. What is Python like the user's is read as such."""
    module = getattr(function, "__module__", None) or ""
    return module.split(".")[0] in ("numpy", "scipy") and not module.startswith(
        ("numpy.polynomial", "numpy.lib.mixins")
    )


def _with_defaults(function: FunctionType, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments, with the defaults that carry a derivative filled in from where they are stored."""
    import inspect

    bound = inspect.signature(function).bind(*args, **kwargs)
    missing = {
        name: parameter.default
        for name, parameter in bound.signature.parameters.items()
        if name not in bound.arguments and parameter.default is not parameter.empty
    }
    bound.apply_defaults()
    for name, default in missing.items():
        bound.arguments[name] = load(function, name, default)
    return bound.args, bound.kwargs


# ---------------------------------------------------------------------------------------------------------------------
# Methods of built-in values


def _builtin_method(function: Any, args: tuple, kwargs: dict) -> Any:
    receiver, name = function.__self__, function.__name__
    if isinstance(receiver, type):  # a class method such as dict.fromkeys
        found = lookup(function)
        if found is not None:
            return call(function, *args, **kwargs)
        return foreign(function, args, kwargs)
    if isinstance(receiver, np.ufunc) and (name == "at" or lookup(receiver) is not None):
        from .ufuncs import UFUNC_METHODS

        return UFUNC_METHODS[name](receiver, *args, **kwargs)
    if isinstance(receiver, np.ufunc) and is_constant(receiver):
        return _constant(function, args, kwargs)
    descriptor = _written_in_c(type(receiver), name)
    return _method_of_value(name, (receiver, *args), kwargs, descriptor, function)


def _written_in_c(kind: type, name: str) -> Any:
    """The method of that name that a built-in base defines, also where a subclass overrides it."""
    for owner in kind.__mro__:
        found = owner.__dict__.get(name)
        if found is not None and type(found) is not FunctionType:
            return found
    return None


def _descriptor(wrapper: Any) -> Any:
    """The slot of the class that a bound one, `x.__add__` or `super().__init__`, comes from."""
    return wrapper.__objclass__.__dict__[wrapper.__name__]


def _method_of_value(name: str, args: tuple, kwargs: dict, descriptor: Any, bound: Any = None) -> Any:
    """A method of an array, a number or a container written in C; the receiver comes first in `args`."""
    receiver = args[0]
    bare = plain(receiver)
    if isinstance(bare, BaseException) and name == "__init__":
        return call(BaseException.__init__, *args, **kwargs)
    if isinstance(bare, np.ndarray | np.generic):
        descriptor = getattr(type(bare), name)
    elif descriptor is None:
        descriptor = getattr(type(bare), name)
    rule = lookup(descriptor)
    if rule is not None and rule.procedure is not None:
        return rule.procedure(*args, **kwargs)
    if isinstance(bare, np.ndarray | np.generic) and name in METHODS:
        return call(METHODS[name], *args, **kwargs)
    if isinstance(bare, float | complex | np.generic | np.ndarray) and name in _number_methods():
        return call(_number_methods()[name], *args, **kwargs)
    if rule is not None:
        return _by_rule(descriptor, rule, args, kwargs)
    if is_constant(descriptor):
        return _constant(descriptor, args, kwargs)
    if isinstance(bare, str | bytes | int | range | slice) and not reach.callbacks((args[1:], kwargs)):
        return getattr(bare, name)(*[plain(a) for a in args[1:]], **{k: plain(v) for k, v in kwargs.items()})
    if type(receiver) is Traced:
        return foreign(descriptor, args, kwargs)
    return foreign(bound if bound is not None else descriptor, args if bound is None else args[1:], kwargs, args)


@functools.cache
def _number_methods() -> dict[str, Callable]:
    table: dict[str, Callable] = {
        f"__{name}__": getattr(operator, f"__{name}__")
        for name in ("add", "sub", "mul", "truediv", "pow", "neg", "pos", "abs", "matmul", "floordiv", "mod", "getitem",
                     "eq", "ne", "lt", "le", "gt", "ge")
    }  # fmt: skip
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod"):
        table[f"__r{name}__"] = functools.partial(_reflected, getattr(operator, f"__{name}__"))
    table["conjugate"] = conjugate
    return table


def _reflected(function: Callable, right: Any, left: Any) -> Any:
    return call(function, left, right)


_reflected._is_engine_callable = True  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------------------------
# Classes, partials, foreign functions


def _partial(function: functools.partial, args: tuple, kwargs: dict) -> Any:
    held = [load(function, i, value) for i, value in enumerate(function.args)]
    if len(args) < (wanted := sum(value is PLACEHOLDER for value in held)):
        raise TypeError(f"missing positional arguments in 'partial' call; expected at least {wanted}, got {len(args)}")
    named = {name: load(function.keywords, name, value) for name, value in function.keywords.items()}
    return call(function.func, *filled(held, args), **{**named, **kwargs})


PLACEHOLDER = getattr(functools, "Placeholder", object())  # Python 3.14: the place of an argument to come


def filled(held: Iterable[Any], args: Iterable[Any]) -> list[Any]:
    """The arguments that a partial holds and those it is given, which first take the places kept for them."""
    given = iter(args)
    return [*[next(given, PLACEHOLDER) if value is PLACEHOLDER else value for value in held], *given]


def _cached(function: Any, args: tuple, kwargs: dict) -> Any:
    """A call of an lru_cache: through the cache where nothing active is in reach.

    With active arguments the function itself is called. With an active captured variable the level keeps a cache of its
    own, since what was computed first is what the program goes on with.
    """
    wrapped = function.__wrapped__
    if reach.is_active((args, kwargs)):
        return call(wrapped, *args, **kwargs)
    level = live.levels[-1]
    if not level.implicit and not reach.is_active(wrapped):
        return function(*args, **kwargs)
    cache = level.caches.setdefault(id(function), (function, {}))[1]
    key = (args, tuple(sorted(kwargs.items())))
    if key not in cache:
        cache[key] = call(wrapped, *args, **kwargs)
    return cache[key]
