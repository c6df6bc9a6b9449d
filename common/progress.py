"""Progress with a time left: a bar on a terminal, a line now and then in a log."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any

LOG_EVERY_SECONDS = 10.0

_elsewhere: Any = None
"""Queue of the process that shows this one's progress; None: this process shows its own."""


@contextmanager
def progress(total: int, label: str, done: int = 0) -> Iterator[Callable[..., None]]:
    """Yield `advance(n=1, note="")`; `done` of `total` units are behind us already (a resumed training).

    `note` is a short text shown beside the bar, such as the last validation PSNR.
    """
    from rich.console import Console

    console = Console()
    if _elsewhere is not None:
        yield _sender(_elsewhere, total, label, done)
    elif console.is_terminal:
        with _bars(console) as bars:
            yield _bar(bars, total, label, done)
    else:
        yield _log_lines(total, label, done)


@contextmanager
def gathered(context: BaseContext) -> Iterator[Any]:
    """Yield a queue for `send_progress` in other processes, whose bars are shown here, one below the other.

    Processes that count under the same label share its bar. None where this is no terminal: lines of several processes
    need no order.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        yield None
        return
    messages, over = context.Queue(), threading.Event()
    with _bars(console) as bars:
        shower = threading.Thread(target=_show, args=(messages, bars, over), daemon=True)
        shower.start()
        try:
            yield messages
        finally:
            over.set()
            shower.join(timeout=2)  # a process that was ended while it wrote leaves half a message behind


def send_progress(messages: Any) -> None:
    """From now on, `progress` of this process is shown by the one that made this queue (`gathered`)."""
    global _elsewhere
    _elsewhere = messages


def _sender(messages: Any, total: int, label: str, done: int) -> Callable[..., None]:
    """Messages are a label, how many more units there are under it, how many more are done, and a note."""
    messages.put((label, total, done, ""))
    return lambda n=1, note="": messages.put((label, 0, n, note))


def _show(messages: Any, bars: Any, over: threading.Event) -> None:
    totals: dict[str, int] = {}
    advances: dict[str, Callable[..., None]] = {}
    while not (over.is_set() and messages.empty()):
        try:
            label, more, n, note = messages.get(timeout=0.1)
        except queue.Empty:
            continue
        if label not in totals:
            totals[label], advances[label] = 0, _bar(bars, 0, label, 0)
        totals[label] += more
        advances[label](n, note, total=totals[label])


def _bars(console: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    label = TextColumn("{task.description}", markup=False)  # it may be a file's name
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    return Progress(*columns, TextColumn("{task.fields[note]}", markup=False), console=console)


def _bar(bars: Any, total: int, label: str, done: int) -> Callable[..., None]:
    task = bars.add_task(label, total=total, completed=done, note="")

    def advance(n: int = 1, note: str = "", total: int | None = None) -> None:
        bars.update(task, advance=n, total=total, **({"note": note} if note else {}))

    return advance


def _log_lines(total: int, label: str, done: int) -> Callable[..., None]:
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
        line = f"  {label}: {done}/{total}{tail}{'  ' + last_note if last_note else ''}\n"
        print(line, end="", flush=True)  # in one piece: other processes may write to the same log

    return advance
