"""`isolate` names the operation that is wrong, with its line, and writes a small program that fails in the same way."""

from __future__ import annotations

import ast
import linecache
import operator
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import engine
from engine.typed import optimise
from regressions.__main__ import main
from regressions.adapters import adapters_of
from regressions.corpus import find
from regressions.isolate.carried import carrier
from regressions.isolate.culprits import KINK
from regressions.isolate.derivatives import derived
from regressions.isolate.operations import watching
from regressions.isolate.question import search
from regressions.isolate.symptoms import asked, of_case
from regressions.verdicts import Verdict, ask, judge

HELP = Path(__file__).parent / "help"

MINE = """\
import struct
import numpy as np
import engine
from regressions.adapters.reference import Reference

def cube(x):
    return x * x * x
engine.rule(cube, x=lambda d, out, x: d * 2 * x * x)

def wrong(w, bias=2.0):
    h = w * 3.0 + bias
    print("never seen")
    total = 0.0
    for i in range(4):
        total = total + np.sum(np.tanh(h)) * i
    return total + np.mean(cube(w))

def right(x=0.5):
    return np.sin(x) * abs(x - 0.5)

def folded(x=0.7):
    return np.sin(x) * 3.0

def foreign(x=1.5):
    y = x * 2.0
    return struct.unpack("d", struct.pack("d", y))[0] * y

def undefined(x=0.0):
    return 1 / x

class Doubling(Reference):
    name = "doubling"

    def gradient(self, f, *args):
        value, gradient = super().gradient(f, *args)
        return value, tuple(2 * part for part in gradient)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of somebody's own, by its name."""
    (tmp_path / "somebodys.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "somebodys", raising=False)
    return "somebodys"


def program_in(text: str) -> str:
    return text.partition("# -- the program")[2].partition("# -- the question")[0].strip()


@pytest.mark.parametrize(
    ("name", "culprit"),
    [
        ("theano-166", "operator.getitem is pulled back wrongly, in argument a"),
        ("reversediff-183", "numpy.transpose is pulled back wrongly, in argument a"),
        ("enzymejl-1119", "numpy.diff is pulled back wrongly, in argument a"),
        ("uncertainties-283", "operator.pow is pushed forward wrongly"),
        ("nnlib-408", "operator.truediv is the first to give NaN, in argument y"),
        ("flux-1254", "numpy.linalg.norm is the first to give NaN, in argument x"),
        ("chainrules-485", "operator.pow loses the dependence, in argument x"),
        ("pytorch-104675", "numpy.linalg.det loses the dependence, in argument a"),
        ("zygote-398", "math.lgamma raises"),
        ("zygote-562", "repr raises"),
        ("autograd-61", "numpy.sum raises"),
        ("jax-2011", "numpy.linalg.norm raises"),
        ("chainrules-233", "numpy.sin gives a cotangent of another form than its argument, in argument x"),
        ("jax-767", "numpy.tanh loses the dependence, in argument x"),
        ("flux-2091", "regressions.cases.parameters.arrays_of is declared constant, and is not, in argument 0"),
        (
            "pytorch-7002",
            f"numpy.clip {KINK.words}, in argument a",
        ),
    ],
)
def test_the_operation_of_a_defect_is_named_and_a_program_written(
    name: str, culprit: str, capsys: pytest.CaptureFixture
):
    case = find(name)[0]
    assert main(["isolate", case.id, "--bite", "--seconds", "8"]) == 1
    printed = capsys.readouterr()
    assert culprit in printed.err.splitlines()
    place = printed.err.partition("  at        ")[2].split("\n")[0]
    assert place.startswith(case.program.__code__.co_filename + ":")
    if "not shrunk: differences cannot see this failure" not in printed.err:
        small = program_in(printed.out)
        assert small.splitlines()[-1].startswith("at = (") and case.program.__name__ in small
        ast.parse(printed.out)


@pytest.mark.parametrize("name", ["theano-166", "chainrules-485", "flux-1254", "zygote-398"])
def test_the_small_program_fails_with_the_defect_and_not_without(name: str, capsys: pytest.CaptureFixture):
    case = find(name)[0]
    assert case.defect is not None
    main(["isolate", case.id, "--bite", "--seconds", "8"])
    text = capsys.readouterr().out

    def answer() -> str:
        file = f"<isolate-test-{name}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        try:
            exec(compile(text, file, "exec"), {"__name__": "small"})
        except Exception as error:
            return type(error).__name__
        return capsys.readouterr().out

    with case.defect():
        bad = answer()
    assert bad != answer()


@pytest.mark.parametrize(("name", "given"), [("zygote-522", "wrt"), ("jax-3056", "rules")])
def test_parameters_known_by_identity_and_rules_of_its_own_are_shrunk_with_the_program(
    name: str, given: str, capsys: pytest.CaptureFixture, tmp_path: Path
):
    assert main(["isolate", find(name)[0].id, "--bite", "--seconds", "8"]) == 1
    printed = capsys.readouterr()
    assert "shrunk from" in printed.err and f"\n{given} = " in program_in(printed.out)
    small = tmp_path / "small.py"
    small.write_text(printed.out)
    ran = subprocess.run([sys.executable, str(small)], capture_output=True, text=True, timeout=60, check=True)
    assert re.match(r"expected .*\ngot .*\n", ran.stdout), "it runs as it stands"
    main(["new", "https://github.com/jax-ml/jax/issues/1", "--from-isolate", str(small)])
    pinned = capsys.readouterr().out
    ast.parse(pinned)
    assert f"    {given}=" in pinned and ("    at=" in pinned) == (given != "wrt")


@pytest.mark.parametrize("name", ["theano-166", "jax-347", "flux-2497", "zygote-1013", "flux-930", "enzyme-2419"])
def test_nothing_is_found_where_nothing_is_wrong(name: str, capsys: pytest.CaptureFixture):
    case = find(name)[0]
    with watching() as watch:
        assert judge(case, ask(case, adapters_of("reference")[-1]))[0] is Verdict.RIGHT
    assert watch.culprit is None
    assert main(["isolate", case.id]) == 0
    printed = capsys.readouterr()
    assert "nothing wrong was found" in printed.err and not printed.out


def test_a_function_of_ones_own(mine: str, capsys: pytest.CaptureFixture, tmp_path: Path):
    assert main(["isolate", f"{mine}:wrong", "--args", "np.array([1.0, 2.0, -1.0]), 0.5", "--seconds", "20"]) == 1
    printed = capsys.readouterr()
    assert "somebodys:wrong: wrong numbers in the cotangent of w   [reference]" in printed.err
    assert "somebodys.cube is pulled back wrongly, in argument x\n" in printed.err
    assert f"  at        {tmp_path / 'somebodys.py'}:16\n            return total + np.mean(cube(w))\n" in printed.err
    assert "  expected  [1. 4. 1.]\n  got       [0.666666667 2.666666667 0.666666667]\n" in printed.err
    assert "never seen" not in printed.out
    assert len(program_in(printed.out)) < 150 and "tanh" not in printed.out
    small = tmp_path / "small.py"
    small.write_text(printed.out)
    ran = subprocess.run([sys.executable, str(small)], capture_output=True, text=True, timeout=60, check=True)
    expected, got = ran.stdout.splitlines()
    assert expected.split()[1] not in got
    assert main(["new", "https://github.com/jax-ml/jax/issues/1", "--from-isolate", str(small)]) == 0
    pinned = capsys.readouterr().out
    assert "def wrong(w):\n" in pinned and "from somebodys import cube\n" in pinned and '"jax-1",' in pinned
    ast.parse(pinned)


def test_a_function_that_is_right_at_its_defaults(mine: str, capsys: pytest.CaptureFixture):
    assert main(["isolate", f"{mine}:right"]) == 0
    assert "the gradient is that of the differences" in capsys.readouterr().err


def test_the_foreign_call_is_named(mine: str, capsys: pytest.CaptureFixture):
    assert main(["isolate", f"{mine}:foreign", "--seconds", "8"]) == 1
    printed = capsys.readouterr()
    assert "struct.pack raises\n" in printed.err and "somebodys.py:26\n" in printed.err
    assert "x * 2.0" not in printed.out and "struct.pack(" in printed.out


def test_other_engines_are_isolated_by_shrinking_alone(mine: str, capsys: pytest.CaptureFixture):
    assert main(["isolate", "theano-166", "--engine", f"{mine}:Doubling", "--seconds", "8"]) == 1
    printed = capsys.readouterr()
    assert "operations held against differences" not in printed.err and "shrunk from" in printed.err
    assert len(program_in(printed.out)) < 140


def test_what_is_not_in_the_environments_of_other_engines_is_not_imported():
    code = "import sys; sys.modules['packaging'] = sys.modules['hypothesis'] = None\n"
    code += "import regressions.isolate.answer, regressions.isolate.trials"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("zygote-1113", 'd = copy.deepcopy({"a": x, "b": 2 * x})'),
        ("flux-1638", "self.h = np.tanh(self.w * self.h + x)"),
        ("taichi-2505", "x[:] = np.cos(theta) * x"),
    ],
)
def test_the_statement_is_named_whose_result_loses_its_cotangent(name: str, line: str, capsys: pytest.CaptureFixture):
    assert main(["isolate", find(name)[0].id, "--bite", "--seconds", "0"]) == 1
    printed = capsys.readouterr().err
    assert "is right, but the cotangent that comes to its result is not: " in printed
    assert f"            {line}\n  expected  " in printed


def test_a_program_that_runs_otherwise_or_is_not_refused_says_so(capsys: pytest.CaptureFixture):
    assert main(["isolate", "zygote-1663", "--bite", "--seconds", "0"]) == 1
    assert "what runs is another program, which returns -6.0, not -42.0\n" in capsys.readouterr().err
    assert main(["isolate", "autograd-361", "--bite", "--seconds", "0"]) == 1
    assert "nothing refuses it: it has to end in an exception (argument), and has an answer" in capsys.readouterr().err


def test_what_is_lost_behind_the_first_operations_is_between_them_and_the_argument(capsys: pytest.CaptureFixture):
    assert main(["isolate", "mygrad-303", "--bite", "--seconds", "0"]) == 1
    printed = capsys.readouterr().err
    assert (
        "take the argument and the argument: wrong numbers in the cotangent of x\n  taken by  operator.mul " in printed
    )
    assert main(["isolate", "tangent-67", "--bite", "--seconds", "0"]) == 1
    assert "nothing in the cotangent of x\n  taken by  no operation\n" in capsys.readouterr().err
    assert main(["isolate", "nnlib-538", "--bite", "--seconds", "0"]) == 1
    assert capsys.readouterr().err.count("  taken by  operator.mul at ") == 2, "in two places"


@pytest.mark.parametrize(
    ("name", "call", "line"),
    [
        ("pytorch-106789", "engine.hessian", "return ad.hessian(np.prod)(x)"),
        ("jax-5054", "engine.grad", "return second(x), ad.grad(ad.grad(second))(x)"),
        ("enzymejl-701", "engine.jvp", "return np.array([ad.jvp(turned, (p,), (along,))[1] for along in np.eye(2)])"),
        ("warp-1350", "engine.pullback", "return back(1.0)[0]"),
        ("jax-6238", "engine.vjp", "return back(1.0)"),
        ("tensorflow-60071", "engine.hvp", "return ad.hvp(lambda x: np.sum(np.fabs(x)), x, np.ones(2))"),
    ],
)
def test_the_derivative_that_a_program_takes_is_named_where_no_operation_is_wrong(
    name: str, call: str, line: str, capsys: pytest.CaptureFixture
):
    assert main(["isolate", find(name)[0].id, "--bite", "--seconds", "0"]) == 1
    printed = capsys.readouterr().err
    assert f"{call} answers otherwise than differences of its function do\n  at " in printed
    assert f"            {line}\n  expected  " in printed


@pytest.mark.parametrize("name", ["jax-5054", "warp-1350", "pytorch-78961", "jax-603", "enzymejl-701", "jax-6238"])
def test_derivatives_that_are_right_are_left_alone(name: str):
    case = find(name)[0]
    before = dict(vars(engine))
    assert derived(case.program, case.arguments()) is None
    assert dict(vars(engine)) == before


@pytest.mark.parametrize(
    "name", ["enzymejl-1254", "tensorflow-11821", "flux-914", "flux-2122", "flux-1464", "jax-1315", "pytorch-196682"]
)
def test_halves_of_matrices_tiny_numbers_and_constants_beside_others_are_no_culprits(name: str):
    assert search(of_case(find(name)[0])).culprit is None


@pytest.mark.parametrize("name", ["zygote-1113", "flux-1638", "taichi-2505", "chainer-5179", "flux-2091"])
def test_no_cotangent_is_lost_where_nothing_is_wrong(name: str):
    subject = of_case(find(name)[0])
    assert carrier(lambda: asked(subject, adapters_of("reference")[-1])[0]) is None


def test_what_the_typed_tier_alone_gets_wrong_is_in_the_typed_tier(capsys: pytest.CaptureFixture):
    assert main(["isolate", "warp-140", "--bite", "--seconds", "0"]) == 1
    printed = capsys.readouterr().err
    assert "the traced tier is right: it is the typed tier, without any of its optimisations\n" in printed


def test_the_pass_is_named_with_the_statement_that_it_spoils(
    mine: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(optimise, "_simpler", lambda stmt: stmt.args[0] if stmt.fn is operator.mul else None)
    assert main(["isolate", f"{mine}:folded", "--seconds", "0"]) == 1
    printed = capsys.readouterr().err
    assert "the traced tier is right: it is the pass fold_constants\n" in printed
    assert " statements that it changes: mul, line " in printed


def test_an_interrupted_shrinking_writes_the_smallest_so_far(tmp_path: Path):
    command = [sys.executable, "-m", "regressions", "isolate", "enzymejl-1119", "--bite"]
    running = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stderr is not None
    heard = [next(line for line in running.stderr if "operations held against" in line)]
    time.sleep(3)  # it may be anywhere by now, and has a minute to go
    running.send_signal(signal.SIGINT)
    printed, rest = running.communicate(timeout=60)
    heard.append(rest)
    assert "Traceback" not in rest, heard
    if running.returncode == 1:
        ast.parse(printed)
        assert "# -- the program" in printed
    else:  # before there was any
        assert running.returncode == 130 and "interrupted" in rest and not printed


def test_no_time_is_no_shrinking(capsys: pytest.CaptureFixture):
    assert main(["isolate", "theano-166", "--bite", "--seconds", "0"]) == 1
    printed = capsys.readouterr()
    assert not printed.out and "operator.getitem is pulled back wrongly" in printed.err


def test_help_is_this_text(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main(["isolate", "--help"])
    assert capsys.readouterr().out.split() == (HELP / "isolate.txt").read_text().split(), "versions of Python wrap"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["isolate"], "the following arguments are required: what"),
        (["isolate", "flux-1"], "no case is called 'flux-1'; the nearest is "),
        (
            ["isolate", "nowhere:f"],
            "No module named 'nowhere'; modules are looked for in this folder and on PYTHONPATH",
        ),
        (
            ["isolate", "some/mine.py:f"],
            "; modules are looked for in this folder and on PYTHONPATH: say mine:f in the f",
        ),
        (["isolate", "somebodys:nothing"], "there is no function 'nothing' in somebodys"),
        (["isolate", "somebodys:wrnog"], "there is no function 'wrnog' in somebodys; the nearest is wrong"),
        (["isolate", "somebodys:wrong"], "somebodys:wrong has no default for w; say --args 'np.ones(3), 2.0'"),
        (["isolate", "somebodys:wrong", "--args", "np.one(3)"], "--args 'np.one(3)': AttributeError: module 'numpy'"),
        (["isolate", "somebodys:wrong", "--args", "(1"], "--args '(1': SyntaxError: "),
        (["isolate", "somebodys:undefined"], "it fails without an engine too: ZeroDivisionError: "),
        (["isolate", "theano-166", "--args", "1.0"], "a case has its own arguments"),
        (["isolate", "somebodys:right", "--bite"], "--bite puts the defect of a case back into the reference engine"),
        (["isolate", "theano-166", "--seconds", "-1"], "--seconds takes a number from 0"),
        (["isolate", "theano-166", "--engine", "abacus"], "there is no way to install 'abacus'; there is one for "),
        (["new", "https://github.com/jax-ml/jax/issues/1", "--from-isolate", "nowhere.py"], "there is no file nowhere"),
    ],
)
def test_what_makes_no_sense_exits_with_2(arguments: list[str], message: str, mine: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
