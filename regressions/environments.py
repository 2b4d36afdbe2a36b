"""An environment of its own for a release of an engine: made once, kept under a cache directory, asked in a process.

Names are written like requirements: `autograd==1.5`, or `autograd` for the release that `adapters/releases.toml` gives.
The cache is $GRADPIN_CACHE, or gradpin in the user's cache directory; removing a directory there is always safe.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from .bisect.axis import CannotAsk, Where, put

__all__ = [
    "Release",
    "Unusable",
    "cache_directory",
    "compared",
    "installable",
    "interpreter",
    "locked",
    "published",
    "release_of",
]

RELEASES = Path(__file__).parent / "adapters" / "releases.toml"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
INSTALL_SECONDS = 1200


class Unusable(Exception):
    """A release that does not install or import here: it cannot be asked, and the message says why."""


@dataclass(frozen=True)
class Release:
    """One release of an engine."""

    engine: str
    version: str

    def __str__(self) -> str:
        return f"{self.engine}=={self.version}"

    @property
    def choices(self) -> list[list[str]]:
        """What may be installed for it, the newest dependencies first; the oracles of cases need mpmath."""
        own = [name.format(release=self.version) for name in _releases()[self.engine]["packages"]]
        return [[*own, *beside, "mpmath"] for beside in _releases()["dependencies"]]

    @property
    def note(self) -> dict[str, Any]:
        """Of its environment: the "packages" it was made for, what is "beside" it, and the "problem" it has, if any."""
        file = self.directory / "gradpin.json"
        return json.loads(file.read_text()) if file.exists() else {}

    @property
    def made(self) -> bool:
        """Is its environment there, as it would be made now? What does not install or import counts too."""
        return self.note.get("packages") in self.choices

    @property
    def directory(self) -> Path:
        """Where its environment is kept."""
        python = f"py{sys.version_info[0]}.{sys.version_info[1]}"
        return cache_directory() / "environments" / f"{self.engine}-{self.version}-{python}"


def release_of(name: str) -> Release:
    """The release called so.

    >>> release_of("autograd==1.5")
    Release(engine='autograd', version='1.5')

    Raises:
        ValueError: there is no such engine, or that is no version; the message lists the engines.
    """
    engine, _, version = name.partition("==")
    if engine not in installable():
        raise ValueError(f"there is no way to install {engine!r}; there is one for {', '.join(installable())}")
    try:
        return Release(engine, str(Version(version)) if version else _releases()[engine]["release"])
    except InvalidVersion:
        example = _releases()[engine]["release"]
        raise ValueError(f"{version!r} is no version; write it like {engine}=={example}") from None


def installable() -> list[str]:
    """The engines that `releases.toml` knows how to install."""
    return sorted(name for name, entry in _releases().items() if isinstance(entry, dict))


def compared(engine: str) -> list[Release]:
    """The releases of an engine that the matrix puts side by side, unless others are named."""
    return [Release(engine, version) for version in _releases()[engine]["compared"]]


def published(engine: str) -> list[Release]:
    """The releases of an engine that the package index offers for this interpreter, oldest first.

    Raises:
        Unusable: the index does not answer.
    """
    distribution = _releases()[engine]["distribution"]
    listing = _checked([*PIP, "index", "versions", distribution], "cannot be listed")
    (line,) = (line for line in listing.splitlines() if line.startswith("Available versions:"))
    versions = line.removeprefix("Available versions:").split(",")
    return [Release(engine, str(version)) for version in sorted(Version(text.strip()) for text in versions)]


@cache
def _releases() -> dict[str, Any]:
    return tomllib.loads(RELEASES.read_text())


def cache_directory() -> Path:
    """Where environments and results are kept."""
    own = os.environ.get("GRADPIN_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gradpin"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time inside, on this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def interpreter(release: Release, say: Callable[[str], None] = lambda line: None) -> Path:
    """The Python of the release's environment, which is made now if there is none.

    Raises:
        Unusable: the release does not install, or does not import.
    """
    directory, python = release.directory, release.directory / "bin" / "python"
    with locked(directory.with_suffix(directory.suffix + ".lock")):
        if not release.made:
            say(f"{release}: making an environment in {directory}")
            venv.create(directory, clear=not release.note)
            note = _installed(release, python, say)
            (directory / "gradpin.json").write_text(json.dumps(note))
            say(f"{release}: {note.get('problem') or 'ready, with ' + note['beside']}")
    if reason := release.note.get("problem"):
        raise Unusable(reason)
    return python


def _installed(release: Release, python: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Install it with the newest dependencies with which it imports, and note what came of it.

    Raises:
        Unusable: it does not install. That may be the index' fault, and is not noted.
    """
    notes, problem = [], ""
    for packages in release.choices:
        say(f"{release}: installing {' '.join(packages)}")
        try:
            _checked([*PIP, "--python", str(python), "install", "-q", *packages], "does not install")
            seen = put({"engine": release.engine}, Where(python))
        except Unusable as reason:
            problem = str(reason)
            continue
        except CannotAsk as reason:
            seen = {"unusable": str(reason)}
        if "beside" in seen:
            return {"packages": packages, **seen}
        notes.append({"packages": packages, "problem": seen["unusable"]})
    if not notes:
        raise Unusable(problem)
    return notes[-1]


def _checked(command: list[str], problem: str) -> str:
    """What the command prints."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unusable(f"{problem}: not done after {INSTALL_SECONDS} seconds") from None
    if run.returncode:
        lines = [line.strip() for line in (run.stderr or run.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR:") and "ResolutionImpossible" not in line]
        told = (errors or lines or ["no message"])[-1]
        raise Unusable(f"{problem}: {told}")
    return run.stdout
