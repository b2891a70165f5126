"""The small client signs as botocore does, and reads its settings by name."""

from __future__ import annotations

import datetime as dt
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import lean
from introducer.lean import Credentials, Signer
from introducer.settings import MissingSettingError

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
keys = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", min_size=1)
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2099, 1, 1))  # noqa: DTZ001


@settings(max_examples=300)
@given(st.binary(max_size=500), names, names, keys, keys, st.just("") | keys, moments)
def test_signature_is_botocores(
    body: bytes,
    operation: str,
    region: str,
    access_key: str,
    secret_key: str,
    token: str,
    moment: dt.datetime,
) -> None:
    """For any body, target, region, time and credentials, token or none: the same header."""
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    host = f"dynamodb.{region}.amazonaws.com"
    target = f"DynamoDB_20120810.{operation}"
    signer = Signer(host, region, Credentials(access_key, secret_key, token))
    ours = signer.headers(body, target, stamp)

    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
    request = AWSRequest("POST", f"https://{host}/", headers, body)
    credentials = BotocoreCredentials(access_key, secret_key, token or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(credentials, "dynamodb", region).add_auth(request)

    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert theirs == {name: value for name, value in ours.items() if name != "host"}


def test_signature_changes_with_the_day_and_back() -> None:
    """The key remembered for one day is not used for another."""
    signer = Signer("h", "eu-west-1", Credentials("a", "s"))

    def signed(stamp: str) -> str:
        return signer.headers(b"{}", "t", stamp)["authorization"]

    first = signed("20261122T000000Z")
    assert first != signed("20261123T000000Z")
    assert first == signed("20261122T000000Z")


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, "https://dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566"),
        (
            {"AWS_ENDPOINT_URL": "http://one", "AWS_ENDPOINT_URL_DYNAMODB": "http://two"},
            "http://two",
        ),
    ],
)
def test_endpoint_is_the_named_one_or_the_regions(
    environment: dict[str, str], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The laptop's endpoint is used where given, DynamoDB's own before the general one."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert endpoint == lean.endpoint("eu-west-1")


def test_endpoint_in_china_has_its_own_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The regions of that partition end in .cn."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    assert lean.endpoint("cn-north-1") == "https://dynamodb.cn-north-1.amazonaws.com.cn"


def test_client_without_credentials_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is in the message."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    lean.client.cache_clear()
    with pytest.raises(MissingSettingError, match="AWS_ACCESS_KEY_ID"):
        lean.client()
