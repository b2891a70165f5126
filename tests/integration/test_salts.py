"""The keys of clicks are replaced by the clock, and nothing they signed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import clickid, clock
from introducer.errors import UncertainError
from introducer.tables import programs, salts, store
from introducer.tables.store import Table, Transaction
from route.salts import handler

NOW = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


def keys(now: str) -> dict[str, clickid.Key]:
    """Return the keys that count at *now*."""
    return clickid.keys_of(programs.click_salts(), now)


def visitors() -> Any:
    """Return the key of visitor hashes."""
    return store.get(Table.CORE, clickid.VISITOR_PK, clickid.SALT_SK)


def signed(now: str) -> str:
    """Return a click id made with the key in use."""
    current = store.get(Table.CORE, clickid.SALT_PK, clickid.SALT_SK)
    assert current is not None
    key = clickid.key_of(current)
    return clickid.make("abcdefgh", clickid.hour_of(clock.epoch_s(now)), "AAAAAAAA", key)


def test_visitors_key_lives_a_day_and_is_kept_nowhere(frozen: Callable[[str], None]) -> None:
    """A second run on the same day changes nothing; the next day's takes its place."""
    assert {"visitors": True, "signing": False} == handler({}, None)
    first = visitors()
    assert {"visitors": False, "signing": False} == handler({}, None)
    assert first == visitors()
    frozen("2026-11-23T00:00:00.000Z")
    assert handler({}, None)["visitors"]
    second = visitors()
    assert first["secret"] != second["secret"]
    assert "2026-11-23T00:00:00.000Z" == second["since"]
    assert [second] == list(store.query_all(Table.CORE, clickid.VISITOR_PK))


def test_signing_key_is_replaced_every_month_and_old_ids_are_believed(
    frozen: Callable[[str], None],
) -> None:
    """Until two years and a month later, when nobody may be credited for them any more."""
    programs.ensure_click_salt(NOW)
    old = signed(NOW)
    frozen("2026-12-22T11:16:59.000Z")
    assert not handler({}, None)["signing"]
    frozen("2026-12-22T11:17:00.000Z")
    assert handler({}, None)["signing"]
    assert not handler({}, None)["signing"]
    new = signed("2026-12-22T11:17:00.000Z")
    assert ["A", "B"] == sorted(keys("2026-12-22T11:17:00.000Z"))
    later = clock.plus("2026-12-22T11:17:00.000Z", days=salts.BELIEVED_DAYS)
    for at, believed in ((clock.plus(later, seconds=-1), True), (later, False)):
        assert believed is (clickid.read(old, keys(at)) is not None)
        assert clickid.read(new, keys(at)) is not None


def test_every_key_in_its_turn_for_years() -> None:
    """No key that still counts loses its id to a newer one."""
    programs.ensure_click_salt(NOW)
    now = NOW
    for _ in range(80):
        now = clock.plus(now, days=salts.SIGNS_DAYS)
        before = keys(now)
        assert salts.renew_signing(now)
        after = keys(now)
        assert {kid: key.secret for kid, key in before.items()}.items() <= {
            kid: key.secret for kid, key in after.items()
        }.items()
    assert len(keys(now)) <= 27


def test_lost_reply_and_two_at_once_replace_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second finds the work done."""
    programs.ensure_click_salt(NOW)
    later = clock.plus(NOW, days=salts.SIGNS_DAYS)
    commit = Transaction.commit

    def deaf(self: Transaction) -> None:
        commit(self)
        message = "the store did not answer"
        raise UncertainError(message)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit", deaf)
        with pytest.raises(UncertainError):
            salts.renew_signing(later)
    assert not salts.renew_signing(later)
    assert ["A", "B"] == sorted(keys(later))


def test_no_program_needs_no_key() -> None:
    """Before the first program there is nothing to sign."""
    assert not salts.renew_signing(NOW)
