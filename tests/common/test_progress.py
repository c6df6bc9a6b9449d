"""What the process that shows the bars makes of the messages of others."""

import queue
import threading

from rich.console import Console
from rich.progress import Progress

from common import progress


def test_processes_that_count_under_one_label_share_its_bar() -> None:
    messages: queue.Queue[object] = queue.Queue()
    over = threading.Event()
    over.set()
    first = progress._sender(messages, 11, "set12", 0)
    first()
    second = progress._sender(messages, 11, "set12", 3)
    other = progress._sender(messages, 400, "dncnn", 200)
    for _ in range(8):
        second()
    first(10)
    other(20, "29.00 dB")
    with Progress(console=Console(quiet=True)) as bars:
        progress._show(messages, bars, over)
    shown = {task.description: (task.completed, task.total, task.fields["note"]) for task in bars.tasks}
    assert shown == {"set12": (22, 22, ""), "dncnn": (220, 400, "29.00 dB")}
