"""The store of the simulation answers as an engine does, and fails as it is told to."""

from __future__ import annotations

import random

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.expressions.operand import Path

from introducer.errors import ContentionError, StaleError, UncertainError
from introducer.tables import store
from introducer.tables.store import Table, Transaction
from tests.simulation import faults, operations
from tests.simulation.aws import Aws
from tests.simulation.dynamodb import Lag
from tests.simulation.faults import Crash, Fault

OPERATIONS = 900


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("engine")
def test_store_answers_as_the_engine_does(seed: int) -> None:
    """The same random operations on both: every answer and every refusal is the same."""
    expected = operations.results(seed, OPERATIONS)
    with Aws().installed():
        found = operations.results(seed, OPERATIONS)

    for number, (theirs, ours) in enumerate(zip(expected, found, strict=True)):
        assert theirs == ours, f"operation {number} of seed {seed}"
