"""What the offline tests of the redirect share: a store with one link, a clock, the service."""

from __future__ import annotations

import pytest

from submit.click import Clicks
from tests.support.clicks import Clock, FakeStore, link_item, salt_item


@pytest.fixture
def clock() -> Clock:
    """The time of the tests."""
    return Clock()


@pytest.fixture
def store() -> FakeStore:
    """A store with one active link and the salt."""
    return FakeStore(link_item(), salt_item())


@pytest.fixture
def clicks(store: FakeStore, clock: Clock) -> Clicks:
    """The service on that store."""
    return Clicks(store, "core", "clicks", cookie_domain="example.com", clock=clock)
