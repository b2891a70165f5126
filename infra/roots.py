"""Write ``layers/core/amazon-roots.pem``: the certificates that AWS endpoints chain to.

botocore reads its whole bundle again on every new TLS connection, some 140 certificates;
these five are what Amazon Trust Services names as the roots of all AWS endpoints. They are
taken from ``certifi``, whose version is pinned; ``make lock`` runs this.
"""

from __future__ import annotations

from pathlib import Path

import certifi

from infra.template import ROOT

PATH = ROOT / "layers/core/amazon-roots.pem"
LABELS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
_END = "-----END CERTIFICATE-----"


def select(bundle: str) -> str:
    """Return the five certificates of *bundle*, each under its label.

    Raises:
        ValueError: One is not in the bundle any more.
    """
    found = {}
    for entry in bundle.split(_END):
        head, begin, body = entry.partition("-----BEGIN CERTIFICATE-----")
        for label in LABELS:
            if f'# Label: "{label}"' in head:
                found[label] = f"# {label}\n{begin}{body}{_END}\n"
    missing = set(LABELS) - set(found)
    if missing:
        message = f"not in the bundle: {sorted(missing)}"
        raise ValueError(message)
    return "\n".join(found[label] for label in LABELS)


def main() -> None:
    """Write the file anew."""
    PATH.write_text(select(Path(certifi.where()).read_text()))


if __name__ == "__main__":
    main()
