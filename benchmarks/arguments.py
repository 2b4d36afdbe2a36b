"""Arguments of the commands, checked when they are read: what makes no sense is answered in one line, exit status 2."""

from __future__ import annotations

import argparse
import difflib
import math
import os
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

__all__ = ["Parser", "command", "file", "folder", "number", "one_of", "pattern", "processors"]


class Parser(argparse.ArgumentParser):
    """Says what is wrong, without a page about what would be right; that is `--help`."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def one_of(kind: str, names: Iterable[str]) -> Callable[[str], str]:
    """A name that is known.

    >>> one_of("workload", ["mlp", "rnn"])("mpl")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: there is no workload 'mpl'; the nearest is mlp
    """
    known = list(names)

    def read(word: str) -> str:
        if word in known:
            return word
        near = difflib.get_close_matches(word, known, 1, 0)[0]
        raise argparse.ArgumentTypeError(f"there is no {kind} {word!r}; the nearest is {near}")

    return read


def number(kind: type, least: float, most: float = math.inf) -> Callable[[str], float]:
    """An `int` or a `float` that is finite, at least `least` and at most `most`.

    >>> number(int, 1, 2)("3")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: '3' is no whole number from 1 to 2
    """
    bounds = f"from {least}" + ("" if most == math.inf else f" to {most}")

    def read(word: str) -> float:
        try:
            value: float = kind(word)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and least <= value <= most):
            raise argparse.ArgumentTypeError(f"{word!r} is no {'whole ' if kind is int else ''}number {bounds}")
        return value

    return read


def pattern(word: str) -> str:
    """A regular expression.

    >>> pattern("^(calls")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: '^(calls' is no regular expression: missing ), unterminated subpattern at position 1
    """
    try:
        re.compile(word)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{word!r} is no regular expression: {error}") from None
    return word


def command(word: str) -> list[str]:
    """A program and its arguments, as a shell splits them.

    >>> command("python3 'a tool.py'")
    ['python3', 'a tool.py']
    >>> command("'")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: "'" is no command: No closing quotation
    """
    try:
        words = shlex.split(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{word!r} is no command: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError(f"{word!r} is no command: it is empty")
    return words


def file(word: str) -> Path:
    """A file that can be written, which is known before anything is measured."""
    path = Path(word)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{word} is no file that can be written")
    return path


def folder(word: str) -> Path:
    """A directory that can be written into, or made."""
    path = Path(word)
    nearest = next(parent for parent in (path, *path.resolve().parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise argparse.ArgumentTypeError(f"{word} is no directory that can be written")
    return path


def processors() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
