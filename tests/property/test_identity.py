"""Normalising once is enough, and keys say nothing of what they are of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from introducer import identity

SECRET = b"s" * 32
DOMAINS = (
    "gmail.com googlemail.com yahoo.de proton.me pm.me me.com ya.ru yandex.com.tr fastmail.com "
    "pia.fastmail.com a.b.fastmail.fm outlook.com acme.example"
).split()
LOCALS = st.text("aB.-_+1ß", min_size=1, max_size=12)
ADDRESSES = st.builds("{}@{}".format, LOCALS, st.sampled_from(DOMAINS))


@given(ADDRESSES)
def test_normalising_twice_is_normalising_once(address: str) -> None:
    """A key does not depend on how often an address went through."""
    once = identity.match_email(address)
    assert once == identity.match_email(once)


@given(ADDRESSES)
def test_case_and_blanks_around_make_no_difference(address: str) -> None:
    """However somebody types their address, it is theirs."""
    assert identity.match_email(address) == identity.match_email(f" {address.upper()} ")


@given(
    email=ADDRESSES,
    phone=st.from_regex(r"\+[1-9][0-9]{7,13}", fullmatch=True),
    external=st.dictionaries(
        st.sampled_from(["crm", "billing"]), st.text("abcdef-0123456789", min_size=4), max_size=2
    ),
)
def test_keys_do_not_hold_what_they_are_of(
    email: str, phone: str, external: dict[str, str]
) -> None:
    """They are hexadecimal of one length, and others under another secret."""
    found = identity.keys(SECRET, email=email, phone=phone, external=external)
    found["email"] = identity.email_key(email, SECRET)
    assert {32} == {len(each) for each in found.values()}
    assert set("0123456789abcdef") >= set("".join(found.values()))
    plain = [email, phone, phone[1:], *external.values()]
    assert not [each for each in plain if each in found.values()]
    other = identity.keys(b"t" * 32, email=email, phone=phone, external=external)
    assert not {*other.values()} & {*found.values()}
