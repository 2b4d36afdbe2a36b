"""A function at a point -> a text of its own, with what it reads of its module; and such a text -> a program to ask.

The text ends with `at = (...)`. It has the helpers of the module in it; or, where the failure hangs on those very
functions (on a rule that one of them was given), imports them from there.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..sources import answer_of, names_bound, names_read
from .symptoms import Subject

__all__ = ["NoText", "as_written", "subject_of", "texts"]

LARGEST = 400  # numbers that are written out
_numbers = count(1)


class NoText(Exception):
    """The program cannot be taken out of its module; the message says why."""


ASKED = "wrt", "rules", "at"  # what a program is asked with, in the order in which it is written below it


def as_written(program: Callable) -> dict[str, str]:
    """What is asked of the program of a case, as it is written above it, by name.

    Raises:
        NoText: nothing is written there.
    """
    _, definition, text = _definition(program)
    answer = answer_of(definition)
    keywords = {keyword.arg: keyword.value for keyword in answer.keywords} if answer else {}
    return {name: ast.get_source_segment(text, keywords[name]) or "" for name in ASKED if name in keywords}


def texts(program: Callable, subject: Subject, asked: Mapping[str, str]) -> Iterator[str]:
    """Programs of their own that ask what the subject asks, which is `asked` as it is written.

    Raises:
        NoText: the function is not a `def` of a module.
    """
    module, definition, _ = _definition(program)
    asked = {**asked, "at": written(subject.at) or asked.get("at", "()")}
    points = [ast.parse(f"{name} = {asked[name]}").body[0] for name in ASKED if name in asked]
    if answer := answer_of(definition):
        definition.decorator_list.remove(answer)
    names = names_read(definition).union(*map(names_read, points))
    own = [_absolute(node, program) for node in _needed(module.body, definition, names)]
    yield _joined(own, points)
    known = inspect.unwrap(program).__globals__
    imports = [node for node in own if isinstance(node, ast.Import)]
    there = names - {alias.asname or alias.name for node in imports for alias in node.names} - {definition.name}
    taken = sorted(name for name in there if name in known and not hasattr(builtins, name))
    if taken:
        lines = ast.parse(f"from {program.__module__} import {', '.join(taken)}").body
        yield _joined([*imports, *lines, definition], points)


def _joined(statements: list[ast.stmt], points: list[ast.stmt]) -> str:
    """The statements, then what is asked; `np` is NumPy if nothing else says what it is."""
    bound = {
        alias.asname for node in statements for alias in getattr(node, "names", []) if isinstance(node, ast.Import)
    }
    read = set().union(*map(names_read, points))
    first = ast.parse("import numpy as np").body if "np" not in bound and "np" in read else []
    return ast.unparse(ast.Module([*first, *statements, *points], []))


def _definition(program: Callable) -> tuple[ast.Module, ast.FunctionDef, str]:
    """The module a function is written in, its definition there, and the text."""
    if not inspect.isfunction(program) or program.__closure__ or program.__name__ == "<lambda>":
        raise NoText("what is no `def` of a module is not shrunk")
    text = Path(program.__code__.co_filename).read_text()
    module = ast.parse(text)
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == program.__name__:
            return module, node, text
    raise NoText("what is no `def` of a module is not shrunk")


def _needed(body: list[ast.stmt], program: ast.stmt, names: set[str]) -> list[ast.stmt]:
    """The program and the statements that give the names a meaning, and in turn theirs; no cases."""
    parts = [n for n in body if not (isinstance(n, ast.FunctionDef) and answer_of(n)) and n is not program]
    chosen: set[ast.stmt] = {program}
    while more := {node for node in parts if node not in chosen and names_bound(node) & names}:
        chosen |= more
        names = names.union(*map(names_read, more))
    return [node for node in body if node in chosen]


def _absolute(node: ast.stmt, program: Callable) -> ast.stmt:
    """An import without dots in front."""
    if not isinstance(node, ast.ImportFrom) or not node.level:
        return node
    package = program.__module__.split(".")[: -node.level]
    return ast.ImportFrom(".".join([*package, *filter(None, [node.module])]), node.names, 0)


def written(x: Any) -> str:
    """Numbers and arrays, and structures of them, as Python; nothing for what cannot be written, or is large.

    >>> written(([1.0, np.nan], np.zeros(2), np.float32(2.0)))
    "([1.0, float('nan')], np.array([0.0, 0.0]), np.float32(2.0))"
    """
    if isinstance(x, np.ndarray):
        if x.size > LARGEST or x.dtype.kind not in "fciub" or type(x) is not np.ndarray:
            return ""
        if not x.size:
            return f"np.zeros({x.shape}, np.{x.dtype.name})"
        kind = "" if x.dtype.char in "dDl?" else f", np.{x.dtype.name}"
        return f"np.array({written(x.tolist())}{kind})"
    if isinstance(x, np.generic):
        return f"np.{x.dtype.name}({written(x.item())})" if x.dtype.kind in "fciu" else ""
    if isinstance(x, float) and not np.isfinite(x):
        return f"float({str(x)!r})"
    if x is None or type(x) in (bool, int, float, complex, str):
        return repr(x) if not isinstance(x, complex) or np.isfinite(x) else ""
    if type(x) in (list, tuple):
        parts = [written(part) for part in x]
        inside = ", ".join(parts) + ("," if type(x) is tuple and len(x) == 1 else "")
        return ("[{}]" if type(x) is list else "({})").format(inside) if all(parts) else ""
    if type(x) is dict:
        pairs = {written(key): written(part) for key, part in x.items()}
        return "{" + ", ".join(f"{k}: {v}" for k, v in pairs.items()) + "}" if all(map(all, pairs.items())) else ""
    return ""


def subject_of(text: str, name: str, like: Subject) -> Subject:
    """The program in a text, asked the same as another; its source can be found, so that an engine can read it.

    Raises whatever the text raises.
    """
    filename = f"<isolate-{next(_numbers)}>"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(text, filename, "exec")
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"__name__": like.program.__module__, "__builtins__": builtins}
    exec(code, names)
    if not isinstance(names["at"], tuple):
        raise TypeError("the arguments are a tuple")
    wrt = None if like.wrt is None else tuple(names["wrt"])
    return replace(like, program=names[name], at=names["at"], wrt=wrt, rules=names["rules"] if like.rules else ())
