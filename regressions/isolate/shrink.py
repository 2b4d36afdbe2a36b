"""A program that fails -> the smallest program found that still fails: pure functions over the text of programs.

`shrink` knows nothing of programs: it walks down from one candidate to a smaller one for as long as one is found that
still fails. `candidates` are the smaller programs that are one step away from a text, the boldest steps first:
statements dropped and unwrapped, expressions replaced by a part of themselves, variables and functions inlined,
parameters dropped, lengths cut, numbers made simple. A step may make nonsense; whoever judges finds out.

In a text that is shrunk the arguments stand in a last statement, `at = (...)`, and the function they are for is named.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

__all__ = ["candidates", "shrink", "size"]

T = TypeVar("T", bound=Hashable)


def shrink(
    start: T,
    smaller: Callable[[T], Iterator[T]],
    fails: Callable[[T], bool],
    size: Callable[[T], Any],
    over: Callable[[], bool] = lambda: False,
) -> T:
    """The last of a descent from `start`: it fails, and nothing in `smaller` of it is smaller and fails.

    `start` fails. The sizes are ordered such that there is no endless descent. When it is `over`, the best so far.

    >>> shrink(97, lambda n: iter([n // 2, n - 2]), lambda n: n % 2 == 1 and n > 20, size=abs)
    21
    """
    best, seen = start, {start}
    found = True
    while found:
        found = False
        for candidate in smaller(best):
            if over():
                return best
            if candidate in seen or not size(candidate) < size(best):
                continue
            seen.add(candidate)
            if fails(candidate):
                best, found = candidate, True
                break
    return best


def size(text: str) -> tuple[int, int, int]:
    """How large a program is: nodes of its tree, characters, then how far its numbers are from one.

    >>> size("x = 1.0") < size("x = 3.0") < size("x = 3.25") < size("x = 1.0 + 1.0")
    True
    """
    tree = ast.parse(text)
    numbers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return sum(1 for _ in ast.walk(tree)), len(ast.unparse(tree)), sum(map(_oddness, numbers))


def _oddness(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value == 1:
        return 0
    if value != value or abs(value) > 1000:
        return 1003
    return 1 if value == 0 else 2 + int(abs(value))


def candidates(text: str, name: str = "") -> Iterator[str]:
    """Programs that are one step from `text`, whose arguments `at` are for the function `name`.

    >>> list(candidates("x = f(1)"))[:3]
    ['pass', 'x = 1.0', 'x = 1']
    """
    tree = ast.parse(text)
    for step in (
        _without_statements, _unwrapped, _shorter, _without_parameters, _parts_of_expressions, _without_arguments,
        _inlined_functions, _inlined_bodies, _inlined_variables, _bare_definitions, _simpler_numbers,
    ):  # fmt: skip
        for changed in step(tree, name):
            try:
                smaller = ast.unparse(ast.fix_missing_locations(changed))
                ast.parse(smaller)
            except (SyntaxError, ValueError):  # a step may leave a slice or a piece of an f-string where none can stand
                continue
            yield smaller


Step = Iterator[ast.Module]


def _twin(tree: ast.Module, *nodes: Any) -> tuple[Any, ...]:
    """A copy of a tree, and in it the twins of some of its nodes."""
    numbers = {id(node): i for i, node in enumerate(ast.walk(tree))}
    twin = copy.deepcopy(tree)
    twins = list(ast.walk(twin))
    return (twin, *(twins[numbers[id(node)]] for node in nodes))


def _lists(tree: ast.AST, kind: type) -> Iterator[tuple[Any, str, list]]:
    """The fields that hold lists of nodes of a kind: their owner, their name and themselves."""
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], kind):
                yield node, field, value


def _runs(length: int) -> Iterator[slice]:
    """Parts of a list to be dropped: all of it, halves, quarters, down to single ones from the end."""
    part = length
    while part:
        for start in range(length - 1 - (length - 1) % part, -1, -part):
            yield slice(start, start + part)
        part //= 2


def _without_statements(tree: ast.Module, name: str) -> Step:
    for owner, field, body in _lists(tree, ast.stmt):
        for run in _runs(len(body)):
            twin, same = _twin(tree, owner)
            del getattr(same, field)[run]
            if field == "body" and not same.body:
                same.body = [ast.Pass()]
            if body != [*body[run]] or not isinstance(body[0], ast.Pass):
                yield twin


def _unwrapped(tree: ast.Module, name: str) -> Step:
    """What stands in an `if`, a loop, a `with` or a `try`, without it."""
    for owner, field, body in _lists(tree, ast.stmt):
        for i, statement in enumerate(body):
            for inner in ("body", "orelse", "finalbody"):
                inside = getattr(statement, inner, None)
                if inside and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                    twin, same, ours = _twin(tree, owner, statement)
                    getattr(same, field)[i : i + 1] = getattr(ours, inner)
                    yield twin


def _shorter(tree: ast.Module, name: str) -> Step:
    """All lists of one length in the arguments cut to another, with and without the numbers that say the length."""
    at = _statement_at(tree)
    rows = [node for node in ast.walk(at) if isinstance(node, ast.List)] if at is not None else []
    numbers: list[Any] = [
        n for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int and n.value > 1
    ]
    lengths = {len(row.elts) for row in rows} | {number.value for number in numbers}
    for length in sorted(lengths, reverse=True):
        for shorter in sorted({1, 2, length // 2, length - 1}):
            if not 0 < shorter < length:
                continue
            ours = [row for row in rows if len(row.elts) == length]
            saying = [number for number in numbers if number.value == length]
            for cut, said in ((ours, saying), (ours, []), *(([row], []) for row in ours)):
                twin, *changed = _twin(tree, *cut, *said)
                for node in changed:
                    if isinstance(node, ast.List):
                        del node.elts[shorter:]
                    else:
                        node.value = shorter
                if changed:
                    yield twin


def _statement_at(tree: ast.Module) -> ast.Assign | None:
    last = tree.body[-1] if tree.body else None
    return last if isinstance(last, ast.Assign) and ast.unparse(last.targets[0]) == "at" else None


def _without_parameters(tree: ast.Module, name: str) -> Step:
    """A parameter dropped, and what is given for it: in `at`, or in the calls by name."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for i in range(len(function.args.args)):
            twin, same = _twin(tree, function)
            at = _statement_at(twin)
            given = at.value.elts if at is not None and isinstance(at.value, ast.Tuple) else []
            without_default = len(same.args.args) - len(same.args.defaults)
            if i >= without_default:
                del same.args.defaults[i - without_default]
            del same.args.args[i]
            calls = [n.args for n in ast.walk(twin) if isinstance(n, ast.Call) and _is_name(n.func, same.name)]
            for arguments in [given, *calls] if same.name == name else calls:
                del arguments[i : i + 1]
            yield twin


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _parts_of_expressions(tree: ast.Module, name: str) -> Step:
    for parent, field, index, node in _expressions(tree):
        inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if isinstance(node, ast.Call):
            inside = [*inside[1:], *(keyword.value for keyword in node.keywords), inside[0]]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inside.append(node.func.value)
        simplest = [ast.Constant(1.0)] if field != "func" else []
        for part in [*simplest, *inside] if inside else []:
            twin, place, *there = _twin(tree, parent, *([part] if part in inside else []))
            _put(place, field, index, there[0] if there else part)
            yield twin


def _expressions(tree: ast.AST) -> Iterator[tuple[Any, str, int | None, ast.expr]]:
    """Each expression that is read, with its parent, the field, and the place in that if it is a list."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
                    yield parent, field, index if isinstance(value, list) else None, node


def _put(parent: Any, field: str, index: int | None, node: ast.expr) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _without_arguments(tree: ast.Module, name: str) -> Step:
    """Arguments of calls, items of displays and imported names dropped; those of `at` go with their parameters."""
    at = _statement_at(tree)
    kinds = ast.Call | ast.List | ast.Set | ast.Tuple | ast.ImportFrom
    for owner, field, items in [*_lists(tree, ast.expr), *_lists(tree, ast.keyword), *_lists(tree, ast.alias)]:
        if isinstance(owner, kinds) and (at is None or owner is not at.value):
            for run in _runs(len(items)):
                if isinstance(owner, ast.ImportFrom) and items == items[run]:
                    continue
                twin, same = _twin(tree, owner)
                del getattr(same, field)[run]
                yield twin


class _Substitution(ast.NodeTransformer):
    """Expressions in the place of names that are read."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return (
            copy.deepcopy(self.values[node.id]) if isinstance(node.ctx, ast.Load) and node.id in self.values else node
        )


def _inlined_functions(tree: ast.Module, name: str) -> Step:
    """A function that only returns an expression, written out where it is called."""
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name == name:
            continue
        last, parameters = function.body[-1], [a.arg for a in function.args.args]
        if len(function.body) == 1 and isinstance(last, ast.Return) and last.value is not None:
            twin, same = _twin(tree, function)
            twin.body.remove(same)
            yield _Inlining(function.name, parameters, last.value).visit(twin)


class _Inlining(ast.NodeTransformer):
    """The value of a function in the place of its calls; its parameters are `bound`, or what is given for them."""

    def __init__(self, name: str, parameters: list[str], value: ast.expr, bound: bool = False) -> None:
        self.name, self.parameters, self.value, self.bound = name, parameters, value, bound

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not _is_name(node.func, self.name) or node.keywords or len(node.args) != len(self.parameters):
            return node
        values = {} if self.bound else dict(zip(self.parameters, node.args, strict=True))
        return _Substitution(values).visit(copy.deepcopy(self.value))


def _inlined_bodies(tree: ast.Module, name: str) -> Step:
    """A function of several statements, the last of which returns, put before the one statement that calls it."""
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name == name:
            continue
        *before, last = function.body
        returns = sum(isinstance(node, ast.Return) for node in ast.walk(function))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_name(node.func, function.name)]
        if not before or returns > 1 or not isinstance(last, ast.Return) or last.value is None or len(calls) != 1:
            continue
        for owner, field, body in _lists(tree, ast.stmt):
            for i, statement in enumerate(body):
                if any(node is calls[0] for node in ast.walk(statement)) and not hasattr(statement, "body"):
                    twin, same, ours, place = _twin(tree, owner, function, statement)
                    given = [ast.Assign([ast.Name(a.arg, ast.Store())], ast.Constant(None)) for a in ours.args.args]
                    for assignment, value in zip(given, calls[0].args, strict=False):
                        assignment.value = copy.deepcopy(value)
                    _Inlining(ours.name, [a.arg for a in ours.args.args], ours.body[-1].value, bound=True).visit(place)
                    getattr(same, field)[i : i + 1] = [*given, *ours.body[:-1], place]
                    twin.body.remove(ours)
                    yield twin


def _inlined_variables(tree: ast.Module, name: str) -> Step:
    """A variable that is assigned once, written out where it is read."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        stored = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        for owner, field, body in _lists(function, ast.stmt):
            for statement in body:
                target = statement.targets[0] if isinstance(statement, ast.Assign) else None
                if isinstance(target, ast.Name) and stored.count(target.id) == 1 and len(body) > 1:
                    twin, inside, same, ours = _twin(tree, owner, function, statement)
                    getattr(inside, field).remove(ours)
                    _Substitution({target.id: ours.value}).visit(same)
                    yield twin


def _bare_definitions(tree: ast.Module, name: str) -> Step:
    """Definitions without what is said of their parameters and results, and without decorators."""
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None and not isinstance(node, ast.AnnAssign):
                twin, same = _twin(tree, node)
                setattr(same, field, None)
                yield twin
        if getattr(node, "decorator_list", None):
            twin, same = _twin(tree, node)
            same.decorator_list = []
            yield twin


def _simpler_numbers(tree: ast.Module, name: str) -> Step:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            continue
        value: Any = node.value
        kind: Any = type(value)
        finite = value - value == 0
        for simple in dict.fromkeys([1, 0, 2, *([round(value), round(value, 1), value // 2] if finite else [])]):
            twin, same = _twin(tree, node)
            same.value = kind(simple)
            yield twin
