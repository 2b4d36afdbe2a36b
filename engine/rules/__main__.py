"""python -m engine.rules: what the table knows of each public callable of NumPy, SciPy and the standard library."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import engine  # noqa: F401  its tiers bring the procedures

from .coverage import LATE_MODULES, entries, report

if importlib.util.find_spec("scipy"):
    for name in LATE_MODULES:
        importlib.import_module(name)

found = entries()
for line in report(found):
    print(line)
sys.exit(any(entry.state is None for entry in found))
