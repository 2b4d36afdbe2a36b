"""What the commands `bisect` and `check` print: their help, what makes no sense, and the exit status of a check."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regressions.__main__ import main

from .test_bisect import BREAK, CASE, PUBLIC_FACE, ROOT, UNIMPORTABLE, Repository, history, repository  # noqa: F401

HELP = Path(__file__).parent / "help"


@pytest.mark.parametrize("command", ["bisect", "check"])
def test_help_is_this_text(command: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    _, printed = capsys.readouterr().out.split("\n\n", 1)  # without the usage, in which versions of Python differ
    _, written = (HELP / f"{command}.txt").read_text().split("\n\n", 1)
    assert printed.split() == written.split(), "they wrap differently"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bisect"], "one of the arguments id --script --benchmark is required"),
        (["bisect", "flux-2497", "--script", "a.py"], "argument --script: not allowed with argument id"),
        (["bisect", "flux-1"], "no case is called 'flux-1'; the nearest is "),
        (["bisect", "flux-2497", "--good", "nowhere"], "there is no revision 'nowhere' here"),
        (["bisect", "flux-2497", "--good", "HEAD", "--bad", "HEAD"], "there is nothing between HEAD and HEAD"),
        (["bisect", "flux-2497", "--agree", "0"], "--agree takes a number from 1"),
        (["bisect", "--benchmark", "mlp", "--factor", "1"], "--factor takes a number above 1"),
        (["bisect", "--script", "nowhere.py"], "there is no file nowhere.py"),
        (["bisect", "flux-2497", "--engine", "abacus"], "there is no way to install 'abacus'; there is one for "),
        (["bisect", "flux-2497", "--engine", "jax", "--passes"], "leave out --passes and --benchmark"),
        (
            ["bisect", "flux-2497", "--passes", "--good", "HEAD~1"],
            "--passes asks a case or a script of the working tree",
        ),
        (["check", "flux-1"], "no case is called 'flux-1'; the nearest is "),
        (["check", "flux-2497", "--engine-from", "/nowhere"], "/nowhere holds no engine/"),
    ],
)
def test_what_makes_no_sense_exits_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_workload_that_is_not_there_names_the_nearest(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main(["bisect", "--benchmark", "mpl", "--good", "HEAD~1"])
    assert caught.value.code == 2
    assert "there is no workload 'mpl'; the nearest is mlp" in capsys.readouterr().err


def test_an_interrupted_search_says_so_in_a_line_and_is_taken_up_again(tmp_path: Path):
    script = tmp_path / "a script.py"
    script.write_text("import time\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "regressions", "bisect", "--script", str(script), "--passes"]
    running = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "GRADPIN_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # jobs in the background ignore it
    )  # fmt: skip
    time.sleep(6)
    os.killpg(running.pid, signal.SIGINT)
    printed, told = running.communicate(timeout=60)
    assert (running.returncode, printed) == (130, "")
    assert told.splitlines()[-1].startswith("interrupted; ") and "Traceback" not in told


@pytest.mark.parametrize(
    ("added", "status", "printed"),
    [
        ("", 0, "good: (-4.0, None)\n"),
        (BREAK, 1, "bad: foreign-call exception, ForeignCallError: "),
        (UNIMPORTABLE, 125, "cannot tell: does not import: ImportError: half done\n"),
    ],
)
def test_check_asks_the_engine_of_a_folder(added, status, printed, repository, capsys):  # noqa: F811
    face = repository.root / "engine" / "__init__.py"
    face.write_text(PUBLIC_FACE + added)
    assert main(["check", CASE.id, "--engine-from", str(repository.root)]) == status
    assert capsys.readouterr().out.startswith(printed)
    face.write_text(PUBLIC_FACE)


def test_git_bisect_run_as_the_help_writes_it(repository: Repository, history):  # noqa: F811
    line = history("ggugbb")
    repository.git("bisect", "start", line[-1], line[0])
    command = ["-P", "-m", "regressions", "check", CASE.id, "--engine-from", "."]
    told = subprocess.run(
        ["git", "-C", str(repository.root), "bisect", "run", sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    repository.git("bisect", "reset")
    assert f"{line[4]} is the first bad commit" in told.stdout
