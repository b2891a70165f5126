"""What tells of money, behind the login: payouts, what is not paid yet, statements as files."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import payable, payouts, statement_files

app = make_app("statement", payouts.resource, payable.resource, statement_files.resource)
