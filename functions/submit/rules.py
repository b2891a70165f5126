"""What managers may call to write a program's rules and try them, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import previews, programs, versions

app = make_app("rules", programs.resource, versions.resource, previews.resource)
