"""How hard a world is, from a calm day to a bad one."""

from __future__ import annotations

import random
from typing import NamedTuple

from tests.simulation.storage import Lag


class Terms(NamedTuple):
    """How hard a world is: the share of calls that fail, and how late things are."""

    faults: float
    lag: Lag


def terms_of(seed: int) -> Terms:
    """Return how hard the world of *seed* is."""
    rng = random.Random(~seed)
    late = Lag(share=rng.choice([0.0, 0.05, 0.2]), most=rng.choice([20, 300]), short_page=4)
    return Terms(faults=rng.choice([0.0, 0.01, 0.03, 0.08]), lag=late)
