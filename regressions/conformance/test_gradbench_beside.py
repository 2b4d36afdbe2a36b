"""Beside another tool of GradBench: one that is right, wrong, lacks evals, dies, hangs, or talks nonsense."""

from __future__ import annotations

import json
import shlex
import sys

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.gradbench import beside, tool
from benchmarks.gradbench.samples import ode_sample
from benchmarks.gradbench.session import Session, ToolError
from benchmarks.measure import Ratio
from benchmarks.workloads import ode

FAKE = """
import json, os, sys, time

def evaluated(message):
    x = message["input"]
    if message["module"] == "hello":
        output = x * x if message["function"] == "square" else 2 * x
    else:
        (outer, inner), output = message["function"], [0.0, 0.0, 0.0, 0.0]
    return {{"success": True, "output": output, "timings": [{{"name": "prepare", "nanoseconds": 1}}, *timings(50, 40)]}}

def timings(*runs):
    return [{{"name": "evaluate", "nanoseconds": run}} for run in runs]

for line in sys.stdin:
    message = json.loads(line)
    kind, answer = message["kind"], {{}}
    if kind == "start":
        answer = {{"tool": "fake"}}
    elif kind == "define":
        known = message["module"] in ("hello", "saddle")
        answer = {{"success": True}} if known else {{"success": False, "error": "no such\\nmodule"}}
    elif kind == "evaluate":
        answer = evaluated(message)
    {twist}
    print(json.dumps({{"id": message["id"], **answer}}), flush=True)
"""


@pytest.fixture
def fake(tmp_path):
    """A command that runs a tool which knows hello, all in all right; `twist` is a line about `kind` and `answer`."""

    def written(twist="pass"):
        file = tmp_path / "a tool.py"
        file.write_text(FAKE.format(twist=twist), encoding="utf-8")
        return [sys.executable, str(file)]

    return written


@pytest.fixture(autouse=True)
def nothing_to_wait_for(monkeypatch):
    monkeypatch.setattr(beside, "TURN", beside.ONCE)


def compared(command, *evals, rounds=3, limit=60.0):
    record = beside.Record()
    beside.run(record, command, evals or ["hello"], rounds, limit, lambda line: None)
    return record


def text(record):
    machine = {"engines": {}, "date": "2026-01-01", "processor": "P", "python": "3", "numpy": "2", "threads": 1}
    return "\n".join(beside.report(record, machine | {"clock": "wall", "load_average": 0.5}))


def test_tool_that_is_right_has_its_own_times(fake):
    record = compared(fake())
    square, double = record.rows
    assert record.tool == "fake" and not record.absent
    assert [row.function for row in record.rows] == ["square", "double"]
    assert [row.derivative for row in record.rows] == [False, True]
    for row in (square, double):
        assert row.problems == {} and row.seconds["theirs"] == 40e-9, "the least, without what it calls otherwise"
        assert row.ratio.value == row.seconds["ours"] / 40e-9
    assert "load average 0.5" in text(record)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("double", "hello, 1, double: theirs: wrong: off by 0.01 of the largest entry"),
        ("square", "hello, 1, square: theirs: not what ours is: off by 0.01 of the largest entry"),
    ],
)
def test_tool_that_is_wrong_by_a_factor_has_no_speed(fake, function, said):
    twist = f"if message.get('function') == '{function}': answer['output'] *= 1.01"
    record = compared(fake(twist))
    wrong = next(row for row in record.rows if row.function == function)
    assert wrong.seconds.keys() == {"ours"} and wrong.ratio is None
    assert said in text(record)
    (right,) = (row for row in record.rows if row is not wrong)
    assert right.ratio is not None


def test_which_of_the_two_is_wrong_the_independent_derivative_says(fake, monkeypatch):
    program = (
        "from benchmarks.gradbench import tool; from benchmarks.__main__ import main\n"
        "tool.EVALS['hello']['double'] = tool.Function(tool.hello_input, lambda x: 2.02 * x)\n"
        "main(['gradbench'])"
    )
    monkeypatch.setattr(beside, "OURS", [sys.executable, "-c", program])
    _, double = compared(fake()).rows
    assert double.problems == {"ours": "wrong: off by 0.01 of the largest entry"}
    assert double.seconds.keys() == {"theirs"}
    assert main(["gradbench", "--beside", shlex.join(fake()), "--eval", "hello", "--rounds", "1"]) == 1


def test_refused_input_is_told(fake):
    record = compared(fake("if kind == 'evaluate': answer = {'success': False, 'error': 'x ' * 500 + 'end'}"))
    assert all(row.problems["theirs"].startswith("no answer: ... ") for row in record.rows)
    assert "x end" in text(record) and all(row.seconds.keys() == {"ours"} for row in record.rows)


def test_time_of_nothing_has_no_ratio(fake):
    record = compared(fake("if kind == 'evaluate': answer['timings'] = timings(30, 0)"))
    assert all(row.problems == {"theirs": "too short for its clock"} and row.ratio is None for row in record.rows)


def test_what_a_tool_lacks_is_not_in_it(fake):
    record = compared(fake(), "lse", "hello")
    assert record.absent == {"lse": "no such module"} and {row.eval for row in record.rows} == {"hello"}
    assert "lse: not in it: no such module" in text(record)


@pytest.mark.parametrize(
    ("twist", "message"),
    [
        ("sys.exit('out of\\nwords')", "died instead of answering start: words"),
        ("os._exit(1)", "died instead of answering start, without a word"),
        ("if kind == 'evaluate': os._exit(1)", "died instead of answering evaluate hello square, without a word"),
        ("print('loading')", "answers start with 'loading', which is no JSON"),
        ("print('[1]')", "answers start with '[1]', not an object with its id"),
        ("message['id'] = 7", "not an object with its id"),
        ("sys.stdout.buffer.write(b'\\xff\\n')", "which is no JSON"),
        ("answer.pop('timings', 0)", "answers evaluate without the nanoseconds of its runs"),
        ("answer['timings'] = timings(1.5)", "answers evaluate without the nanoseconds of its runs"),
        ("answer['timings'] = 3", "answers evaluate without the nanoseconds of its runs"),
        ("time.sleep(60)", "has not answered start in 2 seconds"),
        ("print('{', end='', flush=True); time.sleep(60)", "has not answered start in 2 seconds"),
    ],
)  # fmt: skip
def test_command_that_is_no_tool_is_an_error(fake, twist, message, monkeypatch):
    monkeypatch.setattr(beside, "OURS", fake())
    with pytest.raises(ToolError) as error:
        compared(fake(twist), limit=2.0 if "sleep" in twist else 60.0)
    assert str(error.value).endswith(message) and "a tool.py" in str(error.value)


def test_what_a_tool_has_started_ends_with_it_and_a_long_message_does_not_wait_for_a_reader(tmp_path):
    """The child holds the output open; nobody reads a message that is longer than a pipe."""
    shell = ["sh", "-c", f"sleep 60 & echo $! > {shlex.quote(str(tmp_path / 'child'))}; sleep 60"]
    with Session(shell, 1.0) as session, pytest.raises(ToolError, match="has not answered evaluate in 1 seconds"):
        session.ask("evaluate", input="x" * 1_000_000)
    child = int((tmp_path / "child").read_text())
    stat = f"/proc/{child}/stat"
    try:
        with open(stat) as file:
            assert file.read().split()[2] == "Z", "ended, if nobody has asked for its status"
    except FileNotFoundError:
        pass


def test_error_keeps_what_there_is_and_has_the_exit_status_of_usage(fake, tmp_path, capsys):
    file, readme = tmp_path / "beside.json", tmp_path / "README.md"
    readme.write_text("<!-- beside -->\nold\n<!-- end of beside -->\n")
    command = shlex.join(fake("if message.get('module') == 'ba': os._exit(3)"))
    options = ["--rounds", "1", "--json", str(file), "--readme", str(readme)]
    assert main(["gradbench", "--beside", command, *options]) == 2
    out, errors = capsys.readouterr()
    assert "died instead of answering define ba" in errors.splitlines()[-1]
    assert "| hello | 1" in out and "gmm: not in it" in out
    record = json.loads(file.read_text())
    assert [row["function"] for row in record["rows"]] == ["square", "double"] and record["tool"] == "fake"
    assert readme.read_text() == "<!-- beside -->\nold\n<!-- end of beside -->\n"


def test_command_that_does_not_start(capsys):
    assert main(["gradbench", "--beside", "no-such-program --fast"]) == 2
    out, errors = capsys.readouterr()
    assert out == "" and errors == (
        "python -m benchmarks gradbench: no-such-program --fast does not start: No such file or directory\n"
    )


def test_interrupted_it_says_what_there_is(monkeypatch, capsys):
    def stopped(record, *words):
        record.tool = "fake"
        record.rows.append(beside.Row("hello", "1", "square", False, {"ours": 1.0}))
        raise KeyboardInterrupt

    monkeypatch.setattr(beside, "run", stopped)
    assert main(["gradbench", "--beside", "anything"]) == 130
    assert "| hello | 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beside", "'"], "argument --beside: \"'\" is no command: No closing quotation"),
        (["--beside", ""], "argument --beside: '' is no command: it is empty"),
        (["--beside", "x", "--check"], "not allowed with argument --beside"),
        (["--beside", "x", "--eval", "gnm"], "there is no eval 'gnm'; the nearest is gmm"),
        (["--beside", "x", "--limit", "0"], "'0' is no number from 0.1"),
        (["--beside", "x", "--eval", "gmm", "--readme", "README.md"], "it has every eval; leave out --eval"),
        (["--beside", "x", "--readme", "LICENSE"], "LICENSE: it has no lines <!-- beside --> and <!-- end of beside"),
        (["--check", "--rounds", "3"], "argument --rounds: it is for --beside"),
        (["--readme", "README.md"], "argument --readme: it is for --beside"),
    ],
)  # fmt: skip
def test_usage_errors_are_a_line_that_says_what_is_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["gradbench", *arguments])
    error = capsys.readouterr().err
    assert exit.value.code == 2 and message in error and error.count("\n") == 1


def test_table_of_the_readme_has_a_row_for_each_eval():
    one, three = Ratio(0.5, 0.4, 0.6), Ratio(3.04, 3.0, 3.1)
    rows = [
        beside.Row("lse", "n=1", "primal", False, ratio=one),
        beside.Row("lse", "n=1", "gradient", True, ratio=three),
        beside.Row("lse", "n=2", "primal", False, ratio=three),
        beside.Row("lse", "n=2", "gradient", True, problems={"theirs": "wrong"}),
    ]
    machine = {"engines": {}, "date": "2026-01-01", "processor": "P", "python": "3", "numpy": "2", "threads": 1}
    lines = list(beside.brief(beside.Record("fake", rows), machine | {"clock": "wall", "load_average": None}))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert [row[0] for row in cells[2:]] == list(beside.SIZES)
    assert ["lse", "n=1; n=2", "0.5, 3.04", "3.04, -"] in cells and ["det", "not in it", "-", "-"] in cells
    assert lines[-1] == "Beside fake, 2026-01-01, P, Python 3, NumPy 2, one thread each, wall clock."


def test_table_is_put_into_the_readme_as_it_is_by_then(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "SIZES", {name: beside.SIZES[name] for name in ("hello", "lse")})
    readme = tmp_path / "README.md"
    readme.write_text("<!-- beside -->\nold\n<!-- end of beside -->\n")
    rewriting = f"open({str(readme)!r}, 'a').write('new\\n' * (kind == 'start'))"
    assert main(["gradbench", "--beside", shlex.join(fake(rewriting)), "--rounds", "1", "--readme", str(readme)]) == 0
    lines = readme.read_text().splitlines()
    assert lines[0] == "<!-- beside -->" and lines[-3:] == ["<!-- end of beside -->", "new", "new"]
    assert lines[1].startswith("| eval") and lines[3].startswith("| hello | 1 ") and lines[4].startswith("| lse ")
    assert lines[6].startswith("Beside fake, ") and "old" not in lines


def test_sizes_are_those_of_every_eval_and_its_functions():
    assert beside.SIZES.keys() == tool.EVALS.keys()


def test_slopes_of_the_last_are_those_of_complex_steps():
    """Which lose nothing to rounding, however small the slope: these are down to 1e-15."""
    sample, step = ode_sample(), 1e-100
    x, s = np.array(sample.given["x"]), sample.given["s"]
    slopes = [float(ode.last(x + step * 1j * axis, s).imag / step) for axis in np.eye(len(x))]
    np.testing.assert_allclose(sample.expected, slopes, rtol=1e-12)
    assert 0 < max(slopes) < 1e-4
