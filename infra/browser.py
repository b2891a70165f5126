"""A Chromium for the browser tests: ``python -m infra.browser`` finds one, or installs one.

The machine's own is used where there is one. Else an administrator gets the distribution's
package, everybody else the one that Playwright keeps in the user's cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Return the path of the browser to test with, None when there is none yet."""
    return next(filter(None, map(shutil.which, NAMES)), None) or _playwrights()


def install() -> None:
    """Install one.

    Raises:
        subprocess.CalledProcessError: It could not be installed.
    """
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "chromium"]):
            done = subprocess.run([apt, *arguments], env=quiet, check=False)  # noqa: S603
        if done.returncode == 0:
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> None:
    """Make sure that there is a browser, and say which."""
    if find() is None:
        print("no Chromium found: installing one")
        install()
    found = find()
    if found is None:
        raise SystemExit("no Chromium could be installed; put one on the PATH")
    print(f"testing with {found}")


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright  # slow, and needed without another browser

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


if __name__ == "__main__":
    main()
