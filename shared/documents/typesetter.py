"""The program that typesets, in a process of its own: a service holds nothing of what typst does.

Run by its path, for it needs nothing but typst. It reads requests from standard input and writes
answers to standard output until there are no more, none came for a while, or it made enough;
one that takes too long or too much memory is its last.
"""

import pickle
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent / "typst"
"""Templates read nothing outside; without it, whatever lies where the process was started."""
IDLE_SECONDS = 30
MOST_SECONDS = 60
MOST_BYTES = 1 << 30
MOST_DOCUMENTS = 500


def typeset(files: dict[str, bytes], timestamp: int) -> bytes:
    """`main.typ` as PDF: the same files and time give the same bytes."""
    import typst

    pdf = typst.compile(
        files,
        root=ROOT,
        format="pdf",
        font_paths=_fonts(),
        ignore_system_fonts=True,
        timestamp=timestamp,
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _fonts() -> Any:
    """Those that typst brings with it, read once."""
    import typst

    return typst.Fonts(include_system_fonts=False)


def main() -> None:
    """A signal that nobody handles ends it: the alarm, when its time has come."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(hard, MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    for _ in range(MOST_DOCUMENTS):
        signal.alarm(IDLE_SECONDS)
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        signal.alarm(MOST_SECONDS)
        pickle.dump(_answer(*request), sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _answer(files: dict[str, bytes], timestamp: int) -> tuple[bool, bytes | str]:
    try:
        return True, typeset(files, timestamp)
    except Exception as error:
        return False, str(error)


if __name__ == "__main__":
    main()
