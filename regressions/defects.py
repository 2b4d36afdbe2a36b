"""Ways to put a reported bug back into the reference engine, for as long as a context lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from engine import rules

__all__ = ["declared_constant", "patched", "with_rule", "without_rule"]

Defect = Callable[[], AbstractContextManager]


def without_rule(*primals: Callable) -> Defect:
    """The rules of these functions were never written: a call to one is a foreign call."""
    return lambda: rules.removed(*primals)


def with_rule(primal: Callable, **pullbacks: Callable) -> Defect:
    """The rule of this function is another, wrong one."""

    @contextmanager
    def defect() -> Iterator[None]:
        with rules.scope(), rules.removed(primal):
            rules.rule(primal, **pullbacks)
            yield

    return defect


def declared_constant(*primals: Callable) -> Defect:
    """These functions are marked as having no derivative: what goes through them is cut off."""

    @contextmanager
    def defect() -> Iterator[None]:
        with rules.scope():
            rules.constant(*primals)
            yield

    return defect


def patched(owner: Any, name: str, wrong: Any) -> Defect:
    """A part of the engine's machinery, `owner.name`, does something else."""

    @contextmanager
    def defect() -> Iterator[None]:
        with rules.scope(), mock.patch.object(owner, name, wrong):
            rules.generation.bump()
            yield

    return defect
