"""What a person sees of a run: bars on a terminal, one line for each stage otherwise."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description:<44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, name: str, total: int) -> Callable[[int], None]:
        """Announce a stage of `total` steps; the answer advances it."""
        if not self._console.is_terminal:
            self._console.print(f"{name}: {total:,}", highlight=False)
        task = self._bars.add_task(name, total=total)

        def advance(steps: int = 1) -> None:
            self._bars.advance(task, steps)

        return advance
