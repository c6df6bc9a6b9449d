"""Progress with a time left: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOG_EVERY_SECONDS = 10.0


@contextmanager
def progress(total: int, label: str, done: int = 0) -> Iterator[Callable[..., None]]:
    """Yield `advance(n=1, note="")`; `done` of `total` units are behind us already (a resumed training).

    `note` is a short text shown beside the bar, such as the last validation PSNR.
    """
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        with _bar(console, total, label, done) as advance:
            yield advance
    else:
        yield _log_lines(console, total, label, done)


@contextmanager
def _bar(console: "object", total: int, label: str, done: int) -> Iterator[Callable[..., None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as bar:  # type: ignore[arg-type]
        task = bar.add_task(label, total=total, completed=done, note="")

        def advance(n: int = 1, note: str = "") -> None:
            bar.update(task, advance=n, **({"note": note} if note else {}))  # type: ignore[arg-type]

        yield advance


def _log_lines(console: "object", total: int, label: str, done: int) -> Callable[..., None]:
    started = shown = time.monotonic()
    at_start, last_note = done, ""

    def advance(n: int = 1, note: str = "") -> None:
        nonlocal done, shown, last_note
        done, last_note, now = done + n, note or last_note, time.monotonic()
        if now - shown < LOG_EVERY_SECONDS and done < total:
            return
        shown = now
        left = (now - started) / max(done - at_start, 1) * (total - done)
        tail = f", about {left:.0f} s left" if done < total else f", {now - started:.0f} s"
        print(f"  {label}: {done}/{total}{tail}{'  ' + last_note if last_note else ''}", flush=True)

    return advance
