import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from common.noise.sensor import Gaussian
from common.train.ahead import A_THREAD, Share, arriving, loader_threads, made_ahead, sender
from common.train.patches import Batch, Labelled, Patches

IMAGES = {"image": np.random.default_rng(0).integers(0, 256, (40, 32, 3)).astype(np.uint8)}
PATCHES = Patches(IMAGES, Gaussian(30.0), batch=4, crop=16, seed=0)
CPU = torch.device("cpu")


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batches")]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_made_ahead_are_those_made_when_asked_for(threads: int) -> None:
    with made_ahead(PATCHES, range(5, 17), threads) as made:
        for number, batch in zip(range(5, 17), made, strict=True):
            asked = PATCHES(number)
            np.testing.assert_array_equal(batch.inputs, asked.inputs)
            np.testing.assert_array_equal(batch.targets, asked.targets)


def test_only_so_many_wait() -> None:
    begun: list[int] = []
    with made_ahead(lambda number: begun.append(number), range(100), 2) as made:
        next(made)
        time.sleep(0.2)  # long enough to make them all
        assert len(begun) == 1 + A_THREAD * 2


def test_an_error_is_raised_where_its_batch_is_due() -> None:
    def make(number: int) -> int:
        if number == 3:
            raise ValueError("the third")
        return number

    received = []
    with pytest.raises(ValueError, match="the third"), made_ahead(make, range(10), 2) as made:
        received.extend(made)
    with made_ahead(make, range(10), 2) as made:
        assert [next(made) for _ in range(3)] == [0, 1, 2]


def test_no_thread_outlives_the_training() -> None:
    for leave in (lambda: None, lambda: 1 / 0):
        try:
            with made_ahead(PATCHES, range(10), 3) as made:
                next(made)
                assert running()
                leave()
        except ZeroDivisionError:
            pass
        assert not running()


def test_what_is_sent_is_the_batch_with_labels_as_int64() -> None:
    inputs, targets = sender(PATCHES, CPU)(3).received()
    np.testing.assert_array_equal(inputs.numpy(), PATCHES(3).inputs)
    np.testing.assert_array_equal(targets.numpy(), PATCHES(3).targets)
    images = np.zeros((6, 16, 16, 3), np.uint8)
    classes = np.arange(6, dtype=np.uint8)
    narrow = sender(lambda number: Batch(images, classes), CPU)(0).received()[1]
    assert (narrow.dtype, narrow.tolist()) == (torch.int64, list(range(6)))
    labelled = Labelled(images, classes, batch=4, seed=0)
    np.testing.assert_array_equal(sender(labelled, CPU)(5).received()[1].numpy(), labelled(5).targets)


def deal(rank: int, folder: Path, first: int) -> list[int]:
    """Run as one of three processes: compare the shares of batches 1 to 7 with those of whole batches."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=3)
    made: list[int] = []

    def batches(number: int) -> Batch:
        made.append(number)
        return SIX(number)

    share = Share(rank, 3)
    with arriving(batches, range(first, 8), CPU, share) as coming:
        for number, sent in zip(range(first, 8), coming, strict=True):
            for received, whole in zip(sent.received(), (SIX(number).inputs, SIX(number).targets), strict=True):
                np.testing.assert_array_equal(received.numpy(), whole[rank::3])
    torch.distributed.destroy_process_group()
    return made


SIX = Patches(IMAGES, Gaussian(30.0), batch=6, crop=16, seed=0)


@pytest.mark.long
def test_processes_make_every_batch_once_and_deal_it_out(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(deal, range(3), [tmp_path] * 3, [1] * 3))
    assert all(numbers.count(1) >= 1 for numbers in made)  # whose shape each needs to know
    assert sorted(number for numbers in made for number in numbers if number > 1) == list(range(2, 8))


def test_one_core_makes_its_batches_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0}, raising=False)
    assert loader_threads(CPU) == 0
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(16)), raising=False)
    assert loader_threads(CPU) == 1
    assert loader_threads(torch.device("cuda")) == 8
