"""Progress of a long command: a bar on a terminal, lines elsewhere, both on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(unit: str, *, lines: bool = True) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function of the number done and the total, if known. Without ``lines``, only terminals show it."""

    def line(done: int, total: int | None) -> None:
        of = "" if total is None else f" of {total}"
        if lines:
            print(f"{done}{of} {unit}", file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(unit, total=None)

        def show(done: int, total: int | None) -> None:
            of = "" if total is None else f" of {total}"
            progress.update(task, completed=done, total=total, description=f"{done}{of} {unit}")

        yield show
