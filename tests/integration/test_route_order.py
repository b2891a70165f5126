"""Both readers of the Core stream, whatever order and number the deliveries have."""

import json
import random

import msgspec
import pytest

import notify.publish
import route.stream
from introducer.command import Reject
from introducer.tables import referrals
from tests.support import life
from tests.support.life import from_stream, move, raw_items, submit

pytestmark = pytest.mark.usefixtures("aws", "frozen", "program")
NOTHING = {"batchItemFailures": []}


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with one partner and three reps, a bus, and queues for what fails."""
    life.publish()
    life.enrol("pia")
    for name in ("anna", "ben", "cleo"):
        life.add_rep(name)
    life.new_bus("bus")
    monkeypatch.setenv("BUS_NAME", "bus")
    for queue in ("ROUTE_RETRY_URL", "PUBLISH_RETRY_URL"):
        monkeypatch.setenv(queue, life.new_queue(queue))


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_repetition_ends_in_the_same_state(seed: int) -> None:
    """Both readers of the stream, every event at least once, in any order and any cut.

    The events of two referrals, one of them handed back once, are shuffled together with
    repetitions of what came before; states, shares and what reached the bus are the same
    as in a delivery that was neat.
    """
    neat = _Life("neat", None)
    shuffled = _Life("shuffled", random.Random(seed))
    assert neat.end == shuffled.end
    assert neat.on_the_bus == shuffled.on_the_bus


class _Life:
    """Two new referrals, delivered until nothing happens any more, and how they ended."""

    def __init__(self, run: str, disorder: random.Random | None) -> None:
        self.disorder = disorder
        self.names = [f"{run}-0", f"{run}-1"]
        calls = life.record("events", "PutEvents")
        for name in self.names:
            submit(name, lead_key=f"own-{name}")
        self._deliver()
        move(self.names[1], Reject(reason="no_capacity"))
        self._deliver()
        self.end = [_comparable(name).replace(run, "run") for name in self.names]
        entries = [entry for call in calls for entry in call["Entries"]]
        self.on_the_bus = {
            json.loads(entry["Detail"])["id"].replace(run, "run") for entry in entries
        }

    def _deliver(self) -> None:
        seen = 0
        while True:
            images = [image for name in self.names for image in raw_items(f"REFERRAL#{name}")]
            if len(images) == seen:
                return
            seen = len(images)
            cut = 0
            if self.disorder:
                images += self.disorder.choices(images, k=self.disorder.randint(0, len(images)))
                self.disorder.shuffle(images)
                cut = self.disorder.randint(0, len(images))
            for batch in (images[:cut], images[cut:]):
                routed = [image for image in batch if image["type"]["S"] in route.stream.STEPS]
                assert NOTHING == route.stream.handler(from_stream(routed), None)
                assert NOTHING == notify.publish.handler(from_stream(batch), None)


def _comparable(name: str) -> str:
    # Which rep a lead gets follows from its id, so reps count and their names do not.
    detail = referrals.detail(name)
    state = msgspec.structs.replace(
        detail.referral,
        rep="somebody" if detail.referral.rep else "",
        passed=["somebody"] * len(detail.referral.passed),
    )
    return str((state, detail.shares, [event.type for event in detail.events]))
