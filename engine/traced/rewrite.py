"""A Python function -> the same function with every operation written as a call of the runtime, which records it.

    def f(x, l):                            def f(x, l):
        l.append(x * 2)          ->             call_method(l, "append", mul(x, 2))
        if x > 0:                               if truth(gt(x, 0)):
            return l[-1]                            return getitem(l, -1)

Statements stay what they are: loops, `try`, `with`, generators and early exits are Python's own, so their meaning is
Python's too. Variables that nested functions capture live in explicit cells; a nested function is made from its own
original code over those cells, so it is the plain function that it would be without the engine, and it is rewritten
when it is called. Rewritten code keeps the user's file name and line numbers.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

from ..errors import SourceError, UnsupportedSyntaxError, register_generated
from ..frontend import Source, compiled_before, source_of
from .nodes import PREFIX, name, unsupported
from .statements import Rewriter

__all__ = ["rewritten", "rewritten_source"]

_factories: dict[tuple[CodeType, int], Any] = {}


def rewritten(function: FunctionType) -> Callable:
    """The rewritten form of a function, over the same globals, cells and defaults."""
    code = function.__code__
    key = (code, id(code))  # code objects compare by value: two equal lambdas are two functions
    factory = _factories.get(key)
    if factory is None:
        factory = _factories[key] = _factory(function)
    made = factory(function.__globals__, function.__closure__ or ())
    made.__qualname__ = function.__qualname__  # by which Python's own errors call it
    made.__defaults__ = function.__defaults__
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def rewritten_source(f: Any) -> str:
    """The rewritten form as text: of the function that a partial, a bound method or a callable object comes down to.

    Raises:
        SourceError: there is none, or its source cannot be had.
    """
    function = _function_of(f)
    module, _ = _rewrite(function, source_of(function))
    return ast.unparse(module.body[0].body[0])  # type: ignore[attr-defined]


def _function_of(f: Any) -> FunctionType:
    while type(f) is not FunctionType:
        if isinstance(f, functools.partial):
            f = f.func
        elif isinstance(f, MethodType):
            f = f.__func__
        elif isinstance(type(f).__call__, FunctionType):
            f = type(f).__call__
        else:
            raise SourceError(f"{f!r} is not written in Python: there is no program to show")
    return f


def _factory(function: FunctionType) -> Callable[[dict, tuple], FunctionType]:
    from .runtime import RUNTIME

    source = source_of(function)
    module, constants = _rewrite(function, source)
    try:
        with compiled_before():
            compiled = compile(module, source.filename, "exec")
    except SyntaxError as error:
        raise UnsupportedSyntaxError(
            f"cannot differentiate {function.__qualname__} ({source.filename}:{error.lineno}): {error.msg}\n"
            f"  Way out: move the assignment expression out of the comprehension's iterable, or the like."
        ) from error
    register_generated(compiled)
    code = function.__code__  # of the function no more than its code is kept: it holds on to what it has captured
    renamed: list[CodeType] = []

    def make(module_globals: dict, cells: tuple[CellType, ...]) -> FunctionType:
        built: dict[str, Any] = {}
        exec(compiled, module_globals, built)
        given = {f"{PREFIX}cell_{name}": cell for name, cell in zip(code.co_freevars, cells, strict=True)}
        made = built["_make"](**given, **constants, **{f"{PREFIX}{n}": r for n, r in RUNTIME.items()},
                              **{f"{PREFIX}globals": module_globals})  # fmt: skip
        if not renamed:
            renamed.append(made.__code__.replace(co_name=code.co_name, co_qualname=code.co_qualname))
            register_generated(renamed[0])
        made.__code__ = renamed[0]
        made.__name__ = code.co_name
        return made

    return make


def _rewrite(function: FunctionType, source: Source) -> tuple[ast.Module, dict[str, Any]]:
    from .runtime import RUNTIME

    node = source.node
    if isinstance(node, ast.AsyncFunctionDef):
        raise unsupported(node, source, "an async function", "write it as a plain function")
    rewriter = Rewriter(function.__code__, node, source, {})
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Return(rewriter.expr(node.body))]
    else:
        body = rewriter.body(node.body)
    body = rewriter.prologue() + body
    definition = ast.FunctionDef(
        # Not its own name: that is looked up where the user put it.
        name=f"{PREFIX}def_{getattr(node, 'name', 'lambda')}",
        args=rewriter.bare_arguments(node.args), body=body, decorator_list=[], returns=None, type_params=[],
    )  # fmt: skip
    cells = [f"{PREFIX}cell_{name}" for name in function.__code__.co_freevars]
    given = [*cells, *rewriter.constants, *(f"{PREFIX}{n}" for n in RUNTIME), f"{PREFIX}globals"]
    outer = ast.FunctionDef(
        name="_make",
        args=ast.arguments([], [], None, [ast.arg(n) for n in given], [None] * len(given), None, []),
        body=[definition, ast.Return(name(definition.name))], decorator_list=[], returns=None, type_params=[],
    )  # fmt: skip
    ast.copy_location(definition, node)
    ast.copy_location(outer, node)
    module = ast.Module([outer], [])
    ast.fix_missing_locations(module)
    return module, rewriter.constants
