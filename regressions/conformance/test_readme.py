"""The README is true: its programs run and print what it says they print, and what it names is there.

A fence marked `python` is a program; one whose mark ends in `output` is what the program before it prints.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.compare.tables import between
from benchmarks.gradbench.beside import SIZES
from benchmarks.workloads import WORKLOADS
from regressions.corpus import all_cases

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\S+)( output)?\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_programs_print_what_stands_below_them(tmp_path, capsys):
    namespace = {"__name__": "readme"}
    printed, expected, programs = "", "", 0
    for number, (language, output, text) in enumerate(FENCES):
        if output:
            expected = text
            assert printed == expected
            printed = ""
        elif language == "python":
            assert printed == "", "a program that prints is followed by what it prints"
            file = tmp_path / f"readme_{number}.py"
            file.write_text(text, encoding="utf-8")
            exec(compile(text, str(file), "exec"), namespace)
            printed = capsys.readouterr().out
            programs += 1
    assert printed == ""
    assert programs >= 3 and expected


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (?:\w+=\S+ )*([\w-]+)", README, flags=re.MULTILINE))))
def test_make_targets_exist(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^(?:[\w-]+ )*{target}(?: [\w-]+)*:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:engine|regressions|benchmarks)/[\w./-]*)`", README))))
def test_paths_exist(path):
    assert (ROOT / path).exists()


def test_table_of_ratios_has_a_row_for_each_workload():
    """The numbers are those of the day below it; the rows are today's."""
    lines = between("ratios").search(README)[0].strip().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")][2:]
    assert [row[0] for row in rows] == list(WORKLOADS)
    for name, *ratios in rows:
        counts = {len({WORKLOADS[name].sizes[i].name for i in (0, -1)})}
        assert {len(cell.split(", ")) for cell in ratios} == counts, name
    assert re.match(r"20\d\d-\d\d-\d\d, .*Python 3\.\d+\.\d+, NumPy ", lines[-1])


def test_table_beside_another_tool_has_a_row_for_each_eval():
    lines = between("beside").search(README)[0].strip().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")][2:]
    assert [row[0] for row in rows] == list(SIZES)
    for name, sizes, *ratios in rows:
        assert sizes in ("; ".join(SIZES[name]), "not in it"), name
        counts = {len(SIZES[name]) if sizes != "not in it" else 1}
        assert {len(cell.split(", ")) for cell in ratios} == counts, name
    assert re.match(r"Beside \w.*, 20\d\d-\d\d-\d\d, .*Python 3\.\d+\.\d+, NumPy ", lines[-1])


def test_each_limit_names_what_pins_it():
    limits = README.split("## Known limits")[1].split("\n## ")[0].split("\n- ")[1:]
    ids = {case.id for case in all_cases()}
    for limit in limits:
        named = re.findall(r"`([\w-]+-\d+-\w+|test_\w+\.py::\w+)`", limit)
        assert named, limit
        for name in named:
            file, _, function = name.partition("::")
            if function:
                assert f"def {function}(" in (Path(__file__).parent / file).read_text(encoding="utf-8"), name
            else:
                assert name in ids, name
