"""A printed function made one that can be called."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..errors import register_generated
from ..frontend import compiled_before
from .emit import Names, name


class Compiled:
    """A function that is compiled when it is first needed, and may call itself."""

    has_pullback = False

    def __init__(self, title: str) -> None:
        self.__name__ = title
        self.function: Callable | None = None
        self.cells: list = []  # where it stands in functions that were compiled before it

    def __call__(self, *args: Any) -> Any:
        return self.ready()(*args)

    def ready(self) -> Callable:
        """The compiled function; itself while it is being compiled."""
        raise NotImplementedError

    def is_now(self, function: Callable) -> None:
        self.function = function
        for cell in self.cells:
            cell.cell_contents = function


def compile_function(
    definition: ast.FunctionDef, names: Names, filename: str, title: str, module_globals: dict
) -> Callable:
    """The function that a definition describes; its constants are its free variables: nothing enters any namespace."""
    constants = {n: value.ready() if isinstance(value, Compiled) else value for n, value in names.values.items()}
    outer = ast.FunctionDef(
        "make", ast.arguments([], [ast.arg(n) for n in constants], None, [], [], None, []),
        [definition, ast.Return(name(definition.name))], [],
    )  # fmt: skip
    module = ast.Module([outer], [])
    for node in ast.walk(module):
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword | ast.excepthandler) and not hasattr(
            node, "lineno"
        ):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    scope: dict[str, Any] = {}
    with compiled_before():
        code = compile(module, filename, "exec")
    exec(code, scope)
    made = scope["make"](**constants)
    register_generated(made.__code__)
    for cell in made.__closure__ or ():
        if isinstance(cell.cell_contents, Compiled):
            cell.cell_contents.cells.append(cell)
    return FunctionType(made.__code__, module_globals, title, None, made.__closure__)
