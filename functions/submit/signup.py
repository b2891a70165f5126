"""Cognito's PostConfirmation trigger: who registers alone is a partner.

Members of staff are made by an administrator and never pass here.
"""

from __future__ import annotations

from typing import Any

from introducer.clients import client
from submit.log import logger

GROUP = "partner"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Put the user who just confirmed their registration into the group of partners.

    Cognito calls again when it hears nothing; being added twice is being added once. A
    confirmed password reset comes here too and changes nothing.
    """
    del context
    if event["triggerSource"] == "PostConfirmation_ConfirmSignUp":
        client("cognito-idp").admin_add_user_to_group(
            UserPoolId=event["userPoolId"], Username=event["userName"], GroupName=GROUP
        )
    logger().info("signed up", trigger=event["triggerSource"])
    return event
