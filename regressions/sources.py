"""A case's program as it is written, with what it reads of its module and its point, without the answer above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from .case import Case
from .corpus import program_file

__all__ = ["answer_of", "names_bound", "names_read", "program_text"]


def program_text(case: Case, skip: Collection[str] = ("np",)) -> str:
    """The statements of the case's module that its program and its point need, and at the end the point.

    What gives a name in `skip` its meaning is left out, and so is what is imported from this suite.

    >>> from regressions.corpus import find
    >>> print(program_text(*find("autograd-789")))
    def product_and_maximum_with_all_keywords(x):
        return np.prod(x, axis=None, dtype=None, out=None) + np.max(x, axis=None, out=None)
    <BLANKLINE>
    <BLANKLINE>
    at = (np.array([2.0, 3.0]),)
    """
    text, parts, programs = _parsed(program_file(case))
    program, point = programs[case.program.__name__]
    needed = names_read(program) | (names_read(point.value) if point else set())
    chosen: set[ast.stmt] = {program}
    while more := {node for node, names in parts if node not in chosen and names & needed and not names <= set(skip)}:
        chosen |= more
        needed |= set().union(*map(names_read, more))
    written, lines = "", text.splitlines()
    for node in sorted(chosen, key=lambda node: node.lineno):
        source = "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n"
        written += f"\n\n{source}\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else source
    where = ast.get_source_segment(text, point.value) if point else None
    written += f"{point.arg} = " + where.replace("\n    ", "\n") if point and where else "at = ()"
    return re.sub("\n{4,}", "\n\n\n", written.lstrip("\n"))


@cache
def _parsed(
    file: Path,
) -> tuple[str, list[tuple[ast.stmt, set[str]]], dict[str, tuple[ast.FunctionDef, ast.keyword | None]]]:
    """Its text; its statements but for cases, and the names they are about; of each case the program and the point."""
    text = file.read_text()
    parts, programs = [], {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and (answer := answer_of(node)):
            node.decorator_list.remove(answer)
            programs[node.name] = node, next((word for word in answer.keywords if word.arg in ("at", "wrt")), None)
        elif not (isinstance(node, ast.ImportFrom) and node.level > 0):
            parts.append((node, names_bound(node)))
    return text, parts, programs


def answer_of(program: ast.FunctionDef) -> ast.Call | None:
    """The call of `case` above a program, None for a function that is no case."""
    calls = (call for call in program.decorator_list if isinstance(call, ast.Call))
    return next((call for call in calls if getattr(call.func, "id", "") == "case"), None)


def names_read(node: ast.AST) -> set[str]:
    """The names in a piece of program."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def names_bound(node: ast.stmt) -> set[str]:
    """The names that a statement of a module gives a meaning, or whose meaning it changes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {name for target in targets for name in names_read(target)}
    return names_read(node) if isinstance(node, ast.Expr) else set()
