"""The template's routes are the code's: a difference is a 403 or a 405 in the cloud."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest

from submit.resources import jobs
from tests.support.template import FUNCTIONS

HTTP = ("Public", "Partner", "Rep", "Staff", "Rules", "Finance", "Fairness", "Statement", "Inbound")
OPEN = {"Public", "Inbound"}
MOST_ROUTES = 40


def events(function: str) -> list[dict[str, Any]]:
    """Return the API events of a function."""
    found = FUNCTIONS[function]["Events"].values()
    return [event["Properties"] for event in found if event["Type"] == "Api"]


def imported(function: str) -> Any:
    """Return what the function's handler names."""
    module, name = FUNCTIONS[function]["Handler"].rsplit(".", 1)
    return getattr(import_module(module), name)


@pytest.mark.parametrize("function", HTTP)
def test_routes_are_those_of_the_code(function: str) -> None:
    """Method, path and parameter names agree, in both directions."""
    served = {
        (method, path) for path, methods in imported(function).routes.items() for method in methods
    }
    assert served == {(event["Method"], event["Path"]) for event in events(function)}


@pytest.mark.parametrize("function", HTTP)
def test_only_public_routes_are_without_login(function: str) -> None:
    """The authorizer is the default; only the two open functions leave it out, on each route."""
    wanted = {"Authorizer": "NONE"} if function in OPEN else None
    assert [wanted] * len(events(function)) == [event.get("Auth") for event in events(function)]


@pytest.mark.parametrize("function", HTTP)
def test_function_has_room_for_its_permissions(function: str) -> None:
    """Each route is a statement in the function's resource policy, which holds about fifty."""
    assert len(events(function)) <= MOST_ROUTES


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_handler_resolves(function: str) -> None:
    """Every handler is something that can be called, in a folder that is shipped."""
    assert callable(imported(function))


def test_every_job_that_is_told_of_can_be_started() -> None:
    """Finance reads the names in the reference; each leads to a function that is there."""
    told = re.findall(r"\b[a-z]+\b", (jobs.start_job.__doc__ or "").partition("One of")[2])
    assert set(jobs.JOBS) == set(told) - {"and"}
    variables = FUNCTIONS["Finance"]["Environment"]["Variables"]
    functions = {name for name in variables if name.endswith("_FUNCTION")}
    # These two are started by routes of their own: resuming a batch and the export of a year.
    assert functions - {"BATCH_FUNCTION", "TAXES_FUNCTION"} == set(jobs.JOBS.values())
