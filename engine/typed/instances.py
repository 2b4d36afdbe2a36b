"""A function and concrete arguments -> a compiled instance: lowered, differentiated, optimised, printed, guarded.

An instance is kept with the code object it came from and tried first the next time; its own entry checks whether it
fits and returns MISS where it does not. What could not be typed is remembered too, so that the next call costs one
look-up.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..errors import SourceError
from ..rules.registry import generation, lookup
from . import runtime
from .adjoint import differentiate
from .checker import Checker
from .compiled import compile_function
from .core import Const, Let, Pack, Program, Var, walk
from .doubts import FLOATING, MISS, Doubt, doubting, handling
from .emit import Emitter, Names
from .entry import Entry
from .lower import Lowerer
from .nested import differentiated, is_derivative
from .optimise import optimise
from .places import Place, Places
from .procedures import Procedure
from .projections import whole
from .recursion import Recursion
from .stores import settle
from .types import FLOAT, Array, NotTyped, Plain, Scalar, Seq, class_of_kind, is_active_type, type_of
from .values import Outside, Tup

LEFT = (*FLOATING, RecursionError)  # it has room for more levels, too
MOST = 16  # instances of one code object
checking = bool(os.environ.get("GRADPIN_CHECK_CORE"))


class Instances(list):
    """The instances made from one code object, the latest first, and the argument types that could not be typed."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner  # keeps the id that this is filed under from being used again
        self.refused: dict[tuple, str] = {}


class Trace:
    """What lowering found, before it is printed: the program, its places, and whether it leaves entries out."""

    def __init__(self, program: Program, places: Places, filename: str, title: str) -> None:
        self.program, self.places, self.filename, self.title = program, places, filename, title
        self.handles = False
        self.may_read_nothing = False
        self.selects = any(leaves_out(stmt) for stmt in walk(program.body) if type(stmt) is Let)


def leaves_out(stmt: Let) -> bool:
    """Is there an entry of an argument that the result may not depend on?"""
    if stmt.fn in (runtime.put, runtime.read) or type(stmt.fn) is Procedure:
        return True
    made = lookup(stmt.fn)
    return made is not None and (made.careful is not None or made.leaves_out(dict(stmt.kw)))


def lower_call(f: Any, args: tuple, kwargs: dict, user: Any = None) -> tuple[Lowerer, Any, list, int]:
    """Lower f(*args, **kwargs); (lowerer, its value, the abstract arguments, where its statements start).

    user: the function whose lines the program's statements carry, if that is not f.
    """
    recursive: set = set()
    unrolled: set = set()
    while True:
        try:
            return lowered(f, args, kwargs, user, recursive, unrolled)
        except Recursion as met:
            if met.key in unrolled:
                raise
            (unrolled if met.key in recursive else recursive).add(met.key)


def lowered(
    f: Any, args: tuple, kwargs: dict, user: Any, recursive: set, unrolled: set
) -> tuple[Lowerer, Any, list, int]:
    """The same; the functions that call themselves are known: those to be called, and those to be unrolled."""
    places = Places()
    root = Place("function", None, None, f)
    function = places.value(root)
    given = [places.value(place_of_argument(places, "arg", i, a)) for i, a in enumerate(args)]
    named = {k: places.value(place_of_argument(places, "kwarg", k, v)) for k, v in kwargs.items()}
    user = user or f
    while is_derivative(user):
        user = differentiated(user)
    code = user.__code__ if isinstance(user, FunctionType) else None
    lowerer = Lowerer(places, code.co_filename if code else "<typed>")
    lowerer.line = code.co_firstlineno if code else 1
    lowerer.recursive, lowerer.unrolled = recursive, unrolled
    if user is f:
        hint_arguments(code, given)
    value = lowerer.call(function, list(given), named)
    return lowerer, value, given, 0


def place_of_argument(places: Places, how: str, key: Any, value: Any) -> Place:
    if type(value).__name__ in ("function",) and not isinstance(value, FunctionType):
        raise NotTyped("an argument")
    return Place(how, key, None, value)


def hint_arguments(code: CodeType | None, given: list) -> None:
    if code is not None:
        for value, text in zip(given, code.co_varnames, strict=False):
            if type(value) is Var:
                value.hint = text


def joint(f: Any, args: tuple, kwargs: dict, with_value: bool = True, wrt: tuple | None = None) -> Trace:
    """The program that computes f(*args, **kwargs), if it is asked for, and its gradient."""
    lowerer, value, given, start = lower_call(f, args, kwargs)
    given = chosen(given, wrt)
    if not isinstance(type_of(value) if type(value) in (Var, Const) else None, Scalar | Array):
        raise NotTyped("a loss that is no number")
    check_loss(type_of(value))
    settle(lowerer, lowerer.block, [value])
    targets: list = []
    for v in given:
        collect_leaves(v, targets)
    cotangents = {}
    if type(value) is Var:
        cotangents = differentiate(lowerer, start, {value: Const(1.0)}, targets)
    lowerer.in_rule += 1
    grads = [gradient_of(lowerer, v, cotangents) for v in given]
    lowerer.in_rule -= 1
    return finish(lowerer, Pack(tuple, (value if with_value else Const(None), Pack(tuple, tuple(grads)))), f)


def chosen(given: list, wrt: tuple | None) -> list:
    """The arguments at the positions `wrt`; all of them where that is None."""
    return given if wrt is None else [given[i] for i in wrt]


def outcome(operator: Callable, f: Any, rest: tuple) -> Trace:
    """The program that computes operator(f, *rest)."""
    lowerer, value, _, _ = lower_call(operator, (f, *rest), {}, f)
    lowerer.in_rule += 1
    found = given(lowerer, value)
    lowerer.in_rule -= 1
    return finish(lowerer, Pack(tuple, (Const(None), found)), f)


def given(lowerer: Lowerer, value: Any) -> Any:
    """A number, an array or a tuple of them as the user gets it: owned by nobody else."""
    if type(value) is Tup:
        items = Pack(tuple, tuple([given(lowerer, item) for item in value.items]))
        return (
            items
            if value.cls is tuple
            else lowerer.emit(runtime.named_tuple, (Const(value.cls), items), Plain(value.cls))
        )
    if type(value) not in (Var, Const) or not isinstance(type_of(value), Scalar | Array):
        raise NotTyped("a derivative that is neither a number nor an array")
    return lowerer.let(runtime.owned, (value,)) if isinstance(type_of(value), Array) else value


def check_loss(type_: Any) -> None:
    if isinstance(type_, Array) and type_.mask:
        raise NotTyped("a loss that is an array")
    kinds = type_.kinds if isinstance(type_, Scalar) else {type_.dtype.name}
    if any(np.dtype(class_of_kind(k)).kind != "f" for k in kinds):
        raise NotTyped("a loss that is no real number")


def finish(lowerer: Lowerer, results: Any, f: Any, more: list | tuple = ()) -> Trace:
    """The optimised program; `more`: parameters besides what is loaded at the entry."""
    params = [p.var for p in lowerer.places.read if p.var is not None]
    program = Program([*params, *more], lowerer.block, results)
    trace = Trace(program, lowerer.places, lowerer.filename, getattr(f, "__name__", type(f).__name__))
    trace.handles = lowerer.handles
    trace.may_read_nothing = bool(lowerer.may_be_unread)
    check = Checker(program, lowerer.places) if checking and not more else None
    if check is not None:
        check(program, "the adjoint")
    optimise(program, *([] if check is None else [check]))
    return trace


# ---- the gradient of each argument, in its own structure


def collect_leaves(value: Any, found: list) -> None:
    """The names in an argument that were read and can carry a derivative."""
    if type(value) is Var:
        if is_active_type(value.type):
            found.append(value)
    elif type(value) is Tup:
        for item in value.items:
            collect_leaves(item, found)
    elif type(value) is Outside:
        for child in value.place.children.values():
            if child.abstract is not None:
                collect_leaves(child.abstract, found)


def gradient_of(lowerer: Lowerer, value: Any, cotangents: dict) -> Any:
    """The gradient of one argument as an atom; Const(None) where nothing depends on it."""
    if type(value) is Var:
        d = cotangents.get(value)
        return Const(None) if d is None else final(lowerer, value, d)
    if type(value) is Tup:
        items = [gradient_of(lowerer, item, cotangents) for item in value.items]
        if all(is_none(item) for item in items):
            return Const(None)
        packed = Pack(tuple, tuple(items))
        return (
            packed
            if value.cls is tuple
            else lowerer.emit(runtime.named_tuple, (Const(value.cls), packed), Plain(value.cls))
        )
    if type(value) is Outside:
        children = [
            (c.key, gradient_of(lowerer, c.abstract, cotangents))
            for c in value.place.children.values()
            if c.abstract is not None and c.how in ("attr", "item", "key")
        ]
        children = [(k, d) for k, d in children if not is_none(d)]
        if not children:
            return Const(None)
        place = value.place
        if place.var is None:
            place.var = Var(Plain(type(place.value)), place.path())
        keys = tuple([k for k, _ in children])
        return lowerer.emit(
            runtime.structure, (place.var, Const(keys), Pack(tuple, tuple([d for _, d in children]))), Plain(object)
        )
    return Const(None)


def is_none(arg: Any) -> bool:
    return type(arg) is Const and arg.value is None


def final(lowerer: Lowerer, v: Var, d: Any) -> Any:
    """A cotangent as it is given to the user: whole, of the primal's class, owned by nobody else."""
    if isinstance(v.type, Array):
        return lowerer.let(runtime.owned, (whole(lowerer, v, d),))
    if isinstance(v.type, Seq):
        return lowerer.emit(runtime.float_list, (d,), v.type)
    (kind,) = v.type.kinds
    if v.type == FLOAT:
        return d if type_of(d) == FLOAT else lowerer.let(runtime.as_float, (d,))
    if kind == "complex":
        return lowerer.emit(runtime.as_complex, (d,), v.type)
    return d if type_of(d) == v.type else lowerer.let(runtime.cast, (d, Const(np.dtype(kind))))


# ---- printing


def print_function(trace: Trace, checked: bool, names: Names) -> ast.FunctionDef:
    """The joint form as a function definition; with checks it takes (function, args, kwargs), else the arguments."""
    for reserved in ("function", "args", "kwargs"):
        names.taken.add(reserved)
    emitter = Emitter(trace.program, names)
    wanted = set(emitter.program.params)
    body = emitter.body()
    used = {v for v in wanted if v in emitter.uses}
    entry = Entry(trace.places, names, used, emitter.name_of, MISS)
    loads = entry.statements(checked)
    emitter.line = 1
    if checked and loads:
        errors = ast.Tuple(
            [names.constant(e) for e in (AttributeError, KeyError, IndexError, TypeError, ValueError)], ast.Load()
        )
        handler = ast.ExceptHandler(errors, None, [ast.Return(names.constant(MISS))])
        loads = [ast.Try(loads, [handler], [], [])]
    body = loads + body
    body.append(emitter.at(ast.Return(emitter.arg(trace.program.results))))
    parameters = ["function", "args", "kwargs"]
    arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
    return ast.FunctionDef(names.fresh(f"gradient_of_{trace.title}".replace("<lambda>", "lambda")), arguments, body, [])


def build(f: Any, trace: Trace, zeros: bool = True) -> Callable:
    """The compiled instance of a program that returns (value, derivative); with `zeros` where nothing is read."""
    instance = compile_trace(f, trace)
    doubt = Doubt(trace.program.results.items[1], trace.selects, trace.may_read_nothing and not zeros)
    return doubting(instance, doubt) if doubt.of_nan or doubt.of_zeros else instance


def compile_trace(f: Any, trace: Trace) -> Callable:
    """A program as a function that checks its arguments and runs, in the globals of the user's function `f`."""
    names = Names()
    definition = print_function(trace, True, names)
    made = compile_function(definition, names, trace.filename, trace.title, getattr(f, "__globals__", {}))
    return handling(made) if trace.handles else made


_tables: dict[Any, dict[int, Instances]] = {}  # by what is asked, and by the id of the code object or class


def table_of(kind: Any) -> dict[int, Instances]:
    """The instances that answer one question, by the id of their owner; `forget` empties this very dict."""
    return _tables.setdefault(kind, {})


def gradient(
    f: Any, args: tuple, kwargs: dict, with_value: bool = True, wrt: tuple | None = None, zeros: bool = True
) -> tuple[Any, tuple]:
    """(f(*args, **kwargs), the gradient with respect to each of args, or of those at the positions `wrt`).

    Without the value, (None, the gradient): what only the value needs is then not computed. zeros: they may stand where
    nothing is read, and None need not.
    """
    return run(
        (with_value, wrt, zeros), f, f, args, kwargs, lambda: build(f, joint(f, args, kwargs, with_value, wrt), zeros)
    )


def derived(operator: Callable, f: Any, *rest: Any) -> Any:
    """operator(f, *rest), for an operator of the public face that returns derivatives: jvp, hvp."""
    return run(operator, f, operator, (f, *rest), {}, lambda: build(f, outcome(operator, f, rest)))[1]


def run(kind: Any, f: Any, function: Any, args: tuple, kwargs: dict, made: Callable[[], Callable]) -> Any:
    """What the instance of `function` for these arguments returns; instances are kept with the code of `f`."""
    while is_derivative(f):  # one code for the gradients of all functions
        f, kind = differentiated(f), (kind, f.__name__)
    result = known(kind, f, function, args, kwargs)
    if result is not MISS:
        return result
    owner = owner_of(f)
    instances = table_of(kind).setdefault(id(owner), Instances(owner))
    try:
        return first(instances, f, function, args, kwargs, made)
    except LEFT as error:
        raise NotTyped(str(error)) from error


def owner_of(f: Any) -> Any:
    """What the instances of a function are kept with."""
    return f.__code__ if type(f) is FunctionType else type(f)


def known(kind: Any, f: Any, function: Any, args: tuple, kwargs: dict) -> Any:
    """What an instance that was made before returns; MISS where none fits."""
    try:
        for instance in table_of(kind).get(id(owner_of(f)), ()):
            result = instance(function, args, kwargs)
            if result is not MISS:
                return result
    except LEFT as error:
        raise NotTyped(str(error)) from error
    return MISS


def first(known: Instances, f: Any, function: Any, args: tuple, kwargs: dict, made: Callable[[], Callable]) -> Any:
    key = tuple([type(a) for a in args]), tuple(kwargs)
    if key in known.refused:
        raise NotTyped(known.refused[key])
    try:
        if len(known) >= MOST:
            raise NotTyped("a function called with ever other types")
        instance = made()
    except (NotTyped, SourceError, RecursionError) as error:
        known.refused[key] = str(error)
        raise NotTyped(str(error)) from error
    known.insert(0, instance)
    result = instance(function, args, kwargs)
    if result is MISS:
        raise AssertionError(f"the instance of {f} does not fit the arguments it was made for")
    return result


def forget() -> None:
    """Drop every instance: a switch was thrown, say, or a rule was changed."""
    for table in list(_tables.values()):
        table.clear()


generation.dropping.append(forget)
