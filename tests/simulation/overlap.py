"""The same job several times at once, interleaved before every AWS call by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from greenlet import getcurrent, greenlet

from introducer.errors import ContentionError, StaleError
from tests.simulation.aws import Aws

_ATTEMPTS = 5


def overlapping(aws: Aws, jobs: Sequence[Callable[[], object]], seed: int) -> None:
    """Do all *jobs* at once; one that others kept from its work is done again, as its clock does.

    Args:
        aws: Where they call.
        jobs: What is to be done.
        seed: Of who goes on when.
    """
    main = getcurrent()
    rng = random.Random(seed)

    def persist(job: Callable[[], object]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                job()
            except (ContentionError, StaleError):
                continue
            return

    workers = [greenlet(partial(persist, job)) for job in jobs]

    def turn(_: str) -> None:
        if getcurrent() is not main:
            main.switch()

    aws.turn = turn
    try:
        while workers:
            worker = rng.choice(workers)
            worker.switch()
            if worker.dead:
                workers.remove(worker)
    finally:
        aws.turn = lambda _: None
