"""Submitting a referral: the one thing anybody may do without a login.

JSON and HTML forms carry the same fields, those of :mod:`submit.lead_form`.
"""

from __future__ import annotations

from typing import Any

from introducer import clock
from introducer.errors import ContentionError
from introducer.tables import programs
from introducer.tables.referrals import LeadTakenError
from submit import lead_form
from submit.http import Answer, Call, Form, Reply, Resource
from submit.inputs import FORM
from submit.lead_form import NewReferral, ReferralMade

resource = Resource(__name__)


def thank(path: dict[str, str]) -> Reply:
    """Send whoever submitted a form on to the program's landing page (303)."""
    landing = programs.current(path["program"], clock.now()).document.landing_url
    page, mark, fragment = landing.partition("#")
    joint = "&" if "?" in page else "?"
    location = f"{page}{joint}introducer=submitted{mark}{fragment}"
    return Reply(status=303, body="", headers={"location": location, "content-type": "text/plain"})


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals",
    body=NewReferral,
    answer=ReferralMade,
    status=201,
    # Many who send the same lead at once get in each other's way, and all shall get an answer.
    again=(LeadTakenError, ContentionError),
    form=Form(read=lead_form.read_form, answer=thank),
    codes=(
        "unknown_code",
        "mistyped_code",
        "unknown_co_referrer",
        "no_partner",
        "closed",
        "unknown_product",
        "unknown_question",
        "invalid_answer",
        "answer_missing",
        "invalid_answers",
        "unknown_metadata",
        "invalid_metadata",
        "invalid_email",
        "invalid_phone",
    ),
)
def submit_referral(call: Call[NewReferral, Any]) -> Answer:
    """Submit a referral.

    Whether the lead was referred before is not told: the answer is the same.
    """
    version = programs.current(call.path["program"], call.now)
    return lead_form.take(version, call, channel="form" if call.kind == FORM else "api")
