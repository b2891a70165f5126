"""An introduction by mail on the deployed template, its rights enforced."""

from __future__ import annotations

import json
from email.message import EmailMessage

from infra.api import Stack
from tests.support.deployed import aws, mails, until
from tests.support.journey import Journey, unique


def test_introduction_by_mail_reaches_the_rep(stack: Stack, journey: Journey) -> None:
    """From the partner's address to the rep's list; the same mail again adds nothing."""
    partner = journey.partner()
    address = stack.call("GET", "/v1/me/address", token=partner.token).expect(200).body["address"]
    lead = f"{unique('lena')}@lead.example"
    mail = EmailMessage()
    mail["Authentication-Results"] = "amazonses.com; dmarc=pass header.from=partners.example"
    mail["From"], mail["To"], mail["Cc"] = partner.email, f"Lena Lead <{lead}>", address
    mail["Message-ID"] = f"<{unique('m')}@partners.example>"
    mail.set_content("Lena needs fibre.\n\n-- \nPia")
    bucket = stack["buckets"]["intake"]
    for copy in ("first", "second"):
        aws(stack, "s3").put_object(Bucket=bucket, Key=f"mail/{unique(copy)}", Body=mail.as_bytes())

    def listed() -> list[dict[str, str]]:
        found = stack.call("GET", "/v1/rep/referrals", token=journey.rep).expect(200)
        return [each for each in found.body["items"] if each["name"] == "Lena Lead"]

    (row,) = until(listed, bool)
    detail = stack.call("GET", f"/v1/rep/referrals/{row['id']}", token=journey.rep).body
    assert ("Lena needs fibre.", lead) == (detail["contact"]["note"], detail["contact"]["email"])
    mine = stack.call("GET", "/v1/me/referrals", token=partner.token).body["items"]
    assert [row["id"]] == [each["id"] for each in mine]


def test_partner_is_told_when_a_mail_names_nobody(stack: Stack, journey: Journey) -> None:
    """The mail's text says what to do instead."""
    partner = journey.partner()
    address = stack.call("GET", "/v1/me/address", token=partner.token).expect(200).body["address"]
    mail = EmailMessage()
    mail["Authentication-Results"] = "amazonses.com; dmarc=pass header.from=partners.example"
    mail["From"], mail["To"] = partner.email, address
    mail["Message-ID"] = f"<{unique('m')}@partners.example>"
    mail.set_content("As discussed.")
    key = f"mail/{unique('x')}"
    aws(stack, "s3").put_object(Bucket=stack["buckets"]["intake"], Key=key, Body=mail.as_bytes())
    until(lambda: _told(stack, partner.email), lambda found: len(found) == 1)


def _told(stack: Stack, email: str) -> list[object]:
    found = mails(stack, email)
    return [mail for mail in found if "We could not see whom you introduced" in json.dumps(mail)]
