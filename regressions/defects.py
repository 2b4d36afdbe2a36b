"""Ways to put a reported bug back into the reference engine, for as long as a context lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from engine import errors
from engine.rules import registry

__all__ = ["declared_constant", "patched", "raising", "with_rule", "without_rule"]

Defect = Callable[[], AbstractContextManager]


def without_rule(*primals: Callable) -> Defect:
    """The rules of these functions were never written: a call to one is a foreign call."""
    return lambda: registry.removed(*primals)


def with_rule(primal: Callable, **pullbacks: Callable) -> Defect:
    """The rule of this function is another, wrong one."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.rule(primal, **pullbacks)
            yield

    return defect


def declared_constant(*primals: Callable) -> Defect:
    """These functions are marked as having no derivative: what goes through them is cut off."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope():
            registry.constant(*primals)
            yield

    return defect


def raising(primal: Callable, kind: str, message: str) -> Defect:
    """Calls of this function are refused, with an error of this kind and message."""
    error = {"mutation": errors.MutationError, "foreign-call": errors.ForeignCallError}[kind]

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error(message)

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.procedure(primal)(refuse)
            yield

    return defect


def patched(owner: Any, name: str, wrong: Any) -> Defect:
    """A part of the engine's machinery, `owner.name`, does something else."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), mock.patch.object(owner, name, wrong):
            registry.generation.bump()
            yield

    return defect
