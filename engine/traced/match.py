"""`match`: a pattern becomes data in the rewritten code, and `matches` walks it over the subject.

case Point(x=0, y=y) if y > 0:      ->      bound = matches(subject, ("class", Point, (), (("x", ("value", 0)), ...)))
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from .levels import plain

__all__ = ["matches", "pattern_spec"]


def pattern_spec(rewriter: Any, pattern: ast.pattern) -> tuple[ast.expr, list[str]]:
    """The pattern as a tuple display, and the names it binds."""
    captures: list[str] = []

    def tuple_of(items: list[ast.expr]) -> ast.Tuple:
        return ast.Tuple(items, ast.Load())

    def build(p: ast.pattern | None) -> ast.expr:
        if isinstance(p, ast.MatchValue):
            return tuple_of([ast.Constant("value"), rewriter.expr(p.value)])
        if isinstance(p, ast.MatchSingleton):
            return tuple_of([ast.Constant("is"), ast.Constant(p.value)])
        if isinstance(p, ast.MatchSequence):
            return tuple_of([ast.Constant("sequence"), tuple_of([build(q) for q in p.patterns])])
        if isinstance(p, ast.MatchStar):
            if p.name:
                captures.append(p.name)
            return tuple_of([ast.Constant("star"), ast.Constant(p.name)])
        if isinstance(p, ast.MatchMapping):
            if p.rest:
                captures.append(p.rest)
            pairs = [tuple_of([rewriter.expr(k), build(q)]) for k, q in zip(p.keys, p.patterns, strict=True)]
            return tuple_of([ast.Constant("mapping"), tuple_of(pairs), ast.Constant(p.rest)])
        if isinstance(p, ast.MatchClass):
            named = [tuple_of([ast.Constant(k), build(q)]) for k, q in zip(p.kwd_attrs, p.kwd_patterns, strict=True)]
            positional = tuple_of([build(q) for q in p.patterns])
            return tuple_of([ast.Constant("class"), rewriter.expr(p.cls), positional, tuple_of(named)])
        if isinstance(p, ast.MatchAs):
            if p.name:
                captures.append(p.name)
            inner = build(p.pattern) if p.pattern is not None else ast.Constant(None)
            return tuple_of([ast.Constant("as"), inner, ast.Constant(p.name)])
        assert isinstance(p, ast.MatchOr)
        return tuple_of([ast.Constant("or"), tuple_of([build(q) for q in p.patterns])])

    return build(pattern), list(dict.fromkeys(captures))


def matches(subject: Any, spec: tuple) -> dict[str, Any] | None:
    """What the pattern binds when it matches, else None."""
    bound: dict[str, Any] = {}
    return bound if _match(subject, spec, bound) else None


def _match(subject: Any, spec: tuple, bound: dict[str, Any]) -> bool:
    from .operators import COMPARE

    kind = spec[0]
    if kind == "value":
        return bool(COMPARE["eq"](subject, spec[1]))
    if kind == "is":
        return plain(subject) is spec[1]
    if kind == "as":
        if spec[1] is not None and not _match(subject, spec[1], bound):
            return False
        if spec[2] is not None:
            bound[spec[2]] = subject
        return True
    if kind == "or":
        return any(_match(subject, alternative, bound) for alternative in spec[1])
    if kind == "sequence":
        return _match_sequence(subject, spec[1], bound)
    if kind == "mapping":
        return _match_mapping(subject, spec[1], spec[2], bound)
    return _match_class(subject, spec, bound)


def _match_sequence(subject: Any, patterns: tuple, bound: dict[str, Any]) -> bool:
    from .items import iterate, make_list

    bare = plain(subject)
    if not isinstance(bare, Sequence) or isinstance(bare, str | bytes | bytearray):
        return False
    star = next((i for i, p in enumerate(patterns) if p[0] == "star"), None)
    if star is None:
        if len(bare) != len(patterns):
            return False
    elif len(bare) < len(patterns) - 1:
        return False
    items = list(iterate(subject))
    if star is None:
        return all(_match(item, p, bound) for item, p in zip(items, patterns, strict=True))
    after = len(patterns) - star - 1
    middle = items[star : len(items) - after]
    if patterns[star][1] is not None:
        bound[patterns[star][1]] = make_list(middle)
    front = all(_match(item, p, bound) for item, p in zip(items[:star], patterns[:star], strict=True))
    back = items[len(items) - after :]
    return front and all(_match(item, p, bound) for item, p in zip(back, patterns[star + 1 :], strict=True))


def _match_mapping(subject: Any, pairs: tuple, rest: str | None, bound: dict[str, Any]) -> bool:
    from .items import getitem, make_dict

    if not isinstance(subject, Mapping):
        return False
    for key, pattern in pairs:
        if plain(key) not in subject or not _match(getitem(subject, key), pattern, bound):
            return False
    if rest is not None:
        taken = {plain(key) for key, _ in pairs}
        bound[rest] = make_dict([(k, getitem(subject, k)) for k in subject if k not in taken])
    return True


def _match_class(subject: Any, spec: tuple, bound: dict[str, Any]) -> bool:
    from .attributes import get_attribute

    _, cls, positional, named = spec
    bare = plain(subject)
    if not isinstance(bare, cls):
        return False
    if positional:
        if cls in (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple):
            return len(positional) == 1 and _match(subject, positional[0], bound)
        labels = getattr(cls, "__match_args__", ())
        if len(labels) < len(positional):
            raise TypeError(f"{cls.__name__}() accepts {len(labels)} positional sub-patterns ({len(positional)} given)")
        named = (*zip(labels, positional, strict=False), *named)
    return all(
        hasattr(bare, label) and _match(get_attribute(subject, label), pattern, bound) for label, pattern in named
    )
