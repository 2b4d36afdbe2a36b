"""A function object -> its syntax tree, exact also for lambdas, with the file and the lines it came from.

The tree is found in the parsed file by position: a `def` by its name and first line, a lambda by the span that
contains every position of its code object (so two lambdas on one line are told apart). A file is read and indexed
once. Source typed into a doctest or IPython is found where those tools keep it, in `linecache`.
"""

from __future__ import annotations

import ast
import dis
import linecache
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType

from .errors import SourceError

__all__ = ["Source", "compiled_before", "source_of"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Source:
    """The definition of one function: its syntax tree (shared, never to be edited) and its file."""

    node: FunctionNode
    filename: str
    module: ast.Module
    class_name: str | None  # of the class whose body holds the definition; `self.__v` is mangled by it


@dataclass(frozen=True)
class _Index:
    module: ast.Module
    functions: dict[tuple[str, int], list[tuple[FunctionNode, str | None]]]
    lambdas: dict[int, list[tuple[ast.Lambda, str | None]]]


def source_of(function: FunctionType | CodeType, module_globals: dict | None = None) -> Source:
    """The source of `function` (or of a code object, with the globals it runs in).

    Raises:
        SourceError: the text cannot be found, or what is found is not what the function was compiled from.

    >>> import ast
    >>> from engine.api import pullback
    >>> ast.unparse(source_of(pullback).node).startswith("def pullback")
    True
    """
    code = function.__code__ if isinstance(function, FunctionType) else function
    if isinstance(function, FunctionType):
        module_globals = function.__globals__
    lines = linecache.getlines(code.co_filename, module_globals)
    if not lines:
        raise _no_source(code, "its text is in no file")
    index = _index(code.co_filename, "".join(lines))
    if code.co_name == "<lambda>":
        found = _find_lambda(index, code)
    else:
        found = [
            entry
            for entry in index.functions.get((code.co_name, code.co_firstlineno), [])
            if _arguments(entry[0]) == _code_arguments(code)
        ]
    if not found:
        raise _no_source(code, "the file has changed since it was imported, or the code was rewritten")
    node, class_name = found[-1]
    return Source(node, code.co_filename, index.module, class_name)


def _no_source(code: CodeType, reason: str) -> SourceError:
    return SourceError(
        f"cannot differentiate {code.co_qualname}: its Python source is needed, and {reason} "
        f"({code.co_filename}:{code.co_firstlineno}).\n"
        f"  Ways out: define it in a file, a doctest or IPython; give it a derivative, "
        f"engine.rule({code.co_name}, ...); or, if it has none, declare it with engine.constant({code.co_name})."
    )


@contextmanager
def compiled_before() -> Iterator[None]:
    """What the compiler warns of in a program (`x is 3`, `return` in `finally`) it said when that was imported.

    Said again where warnings are errors, it would be a program that does not compile.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # which it was for "\d" in Python 3.11
        yield


@lru_cache(maxsize=512)
def _index(filename: str, text: str) -> _Index:
    try:
        with compiled_before():
            module = ast.parse(text, filename)
    except SyntaxError as error:
        raise SourceError(f"the text of {filename} does not parse: {error}") from error
    index = _Index(module, {}, {})
    _collect(module, None, index)
    return index


def _collect(node: ast.AST, class_name: str | None, index: _Index) -> None:
    pending = [(node, class_name)]
    while pending:
        node, class_name = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            index.functions.setdefault((node.name, first), []).append((node, class_name))
        elif isinstance(node, ast.Lambda):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                index.lambdas.setdefault(line, []).append((node, class_name))
        elif isinstance(node, ast.ClassDef):
            class_name = node.name
        pending.extend((child, class_name) for child in ast.iter_child_nodes(node))


def _find_lambda(index: _Index, code: CodeType) -> list[tuple[FunctionNode, str | None]]:
    """The innermost lambda whose body spans every position of `code`."""
    positions = [p for p in code.co_positions() if None not in p and (p[2], p[3]) != (0, 0)]
    if not positions:
        return [entry for entry in index.lambdas.get(code.co_firstlineno, []) if is_constant_lambda(entry[0], code)]
    start = min((line, column) for line, _, column, _ in positions)
    end = max((line, column) for _, line, _, column in positions)
    best = []
    for node, class_name in index.lambdas.get(code.co_firstlineno, []):
        body = node.body
        if (
            (body.lineno, body.col_offset) <= start
            and end <= (body.end_lineno, body.end_col_offset)
            and _arguments(node) == _code_arguments(code)
        ):
            best.append(((body.lineno, body.col_offset), node, class_name))
    best.sort(key=lambda entry: entry[0])
    return [(node, class_name) for _, node, class_name in best]


def is_constant_lambda(node: FunctionNode, code: CodeType) -> bool:
    """Is `code` that of this lambda, which returns a constant? Python 3.12 gives such code no positions at all."""
    if not isinstance(node, ast.Lambda) or _arguments(node) != _code_arguments(code):
        return False
    with compiled_before():
        body = compile(ast.fix_missing_locations(ast.Expression(node.body)), code.co_filename, "eval")

    def returned(of: CodeType) -> list[str]:
        return [repr(i.argval) for i in dis.get_instructions(of) if i.opname == "RETURN_CONST"]

    return bool(returned(code)) and returned(body) == returned(code)


def _arguments(node: FunctionNode) -> tuple[str, ...]:
    a = node.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    names += [arg.arg for arg in (a.vararg, a.kwarg) if arg is not None]
    return tuple(name.lstrip("_") if name.startswith("__") else name for name in names)


def _code_arguments(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return tuple(_unmangled(name) for name in code.co_varnames[:count])


def _unmangled(name: str) -> str:
    """`_Class__v` -> `v`, as `_arguments` writes a private name, whatever the class is called."""
    if name.startswith("_") and "__" in name[1:] and not name.startswith("__"):
        return name[1:].split("__", 1)[1]
    return name.lstrip("_") if name.startswith("__") else name
