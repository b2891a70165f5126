"""The landing page's function: where it is reached, and what it may open."""

from __future__ import annotations

from tests.support.template import TEMPLATE, as_list, statements

RESOURCES = TEMPLATE["Resources"]


def test_page_is_reached_by_its_two_routes_alone() -> None:
    """Reading and sending, on the API of the links; the gateway may call it for nothing else."""
    routes = {
        entry["Properties"]["RouteKey"]
        for entry in RESOURCES.values()
        if entry["Type"] == "AWS::ApiGatewayV2::Route"
        and "PageIntegration" in str(entry["Properties"]["Target"])
    }
    assert {"GET /p/{slug}", "POST /p/{slug}"} == routes
    caller = RESOURCES["PageMayBeCalled"]["Properties"]
    assert ({"Ref": "Page"}, "apigateway.amazonaws.com") == (
        caller["FunctionName"],
        caller["Principal"],
    )
    assert str(caller["SourceArn"]["Fn::Sub"]).endswith("${ClickApi}/*/*/p/{slug}")


def test_page_opens_only_the_secrets_it_needs() -> None:
    """It hashes leads, remembers keys and signs forms; bank data stays closed to it."""
    (opening,) = [each for each in statements("Page") if "kms:Decrypt" in as_list(each["Action"])]
    (names,) = opening["Condition"].values()
    assert {"kms:EncryptionContext:name": ["identity", "idempotency", "page"]} == names
    assert "LedgerTable" not in str(statements("Page"))
