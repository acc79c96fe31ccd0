"""Turns go to whoever has waited longest, and to so many at a time."""

from __future__ import annotations

import threading
import time

import pytest

from db.turns import Turns


def test_nobody_who_comes_again_and_again_keeps_others_out() -> None:
    turns, over = Turns(1), threading.Event()
    order: list[str] = []

    def greedy() -> None:
        while not over.is_set():
            with turns.take():
                order.append("another")
                time.sleep(0.001)

    threads = [threading.Thread(target=greedy) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        before = len(order)
        with turns.take():
            # Those who came before, each once; one may have come between looking and asking.
            assert len(order) - before <= len(threads) + 1
    over.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_so_many_at_a_time(most: int) -> None:
    turns, guard = Turns(most), threading.Lock()
    inside: list[int] = []
    at_once: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            with turns.take():
                with guard:
                    inside.append(number)
                    at_once.append(len(inside))
                time.sleep(0.0005)
                with guard:
                    inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(at_once) == 120
    assert max(at_once) == most


def test_they_come_in_their_order() -> None:
    turns, order = Turns(1), list[int]()

    def work(number: int) -> None:
        with turns.take():
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    with turns.take():
        for thread in threads:
            thread.start()
            _until_waiting(turns, threads.index(thread) + 1)
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_who_is_interrupted_while_waiting_takes_no_turn_along(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(BaseException):
        pass

    class LockOfTheInterrupted:
        """Is acquired twice: when it is made, and to wait, which a signal ends."""

        def __init__(self) -> None:
            self._acquired = False

        def acquire(self) -> None:
            if self._acquired:
                raise Interrupted
            self._acquired = True

    turns, came = Turns(1), threading.Event()

    def work() -> None:
        with turns.take():
            came.set()

    waiting = threading.Thread(target=work)
    with turns.take():
        waiting.start()
        _until_waiting(turns, 1)
        with monkeypatch.context() as patch:
            patch.setattr("db.turns.threading.Lock", LockOfTheInterrupted)
            with pytest.raises(Interrupted), turns.take():
                pass
        assert len(turns._waiting) == 1
    assert came.wait(5)
    waiting.join()


def _until_waiting(turns: Turns, count: int) -> None:
    end = time.monotonic() + 5
    while len(turns._waiting) < count:
        assert time.monotonic() < end
        time.sleep(0.001)
