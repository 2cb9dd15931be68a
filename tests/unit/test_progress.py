import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mplskit.progress import note, step, told_to
from mplskit.wording import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"), (7.24, "7.2 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (289, "4 min 49 s"),
        (59.97, "1 min 00 s"), (119.6, "2 min 00 s"), (7322, "122 min 02 s"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def plain(text: str) -> str:
    return re.sub(r"\d+\.\d s", "N s", text)


def test_a_step_names_its_log_and_ends_with_the_time_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with step("building", Path("build/logs/kernel.log")):
        pass
    seen = capsys.readouterr()
    assert seen.out == ""
    assert plain(seen.err) == (
        "… building: the whole output goes to build/logs/kernel.log\n… building\n✓ building (N s)\n"
    )


def test_a_step_that_fails_says_so_and_passes_the_error_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), step("building"):
        raise ValueError("no")
    assert plain(capsys.readouterr().err) == "… building\n✗ building: failed after N s\n"


def test_a_long_step_is_heard_of_now_and_then_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with step("building", interval=0.02):
        heard = ""
        while heard.count("… building: ") < 2:
            threading.Event().wait(0.01)
            heard += capsys.readouterr().err
    assert plain(heard).startswith("… building\n… building: N s\n… building: N s\n")


def test_no_thread_outlives_its_step() -> None:
    before = threading.active_count()
    with step("building"):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_what_one_thread_is_told_of_stays_out_of_stderr_and_of_the_other_threads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard: list[str] = []

    def work() -> None:
        with told_to(heard.append), step("planning ler-1"):
            note("  ✓ one")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    note("ours")
    assert [plain(text) for text in heard] == ["… planning ler-1", "  ✓ one", "✓ planning ler-1 (N s)"]
    assert capsys.readouterr().err == "ours\n"


def test_the_lines_of_many_threads_do_not_mix() -> None:
    script = (
        "import threading\n"
        "from mplskit.progress import note\n"
        "def work(name):\n"
        "    for _ in range(500): note(name * 60)\n"
        "threads = [threading.Thread(target=work, args=(name,)) for name in 'abcdefgh']\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr
    lines = said.splitlines()
    assert len(lines) == 4000
    assert set(lines) == {name * 60 for name in "abcdefgh"}
