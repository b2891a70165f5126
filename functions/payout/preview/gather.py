"""Collecting the facts a preview is computed from, in pieces that survive an interruption.

Past referrals are walked by the day of their submission. A piece is written to the bucket
first and counted in the job's progress after, under a name that no other worker uses: a
worker that is cut off between the two leaves a file that nobody reads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from polars import DataFrame

from introducer.earning.occasion import Case
from introducer.errors import NotFoundError
from introducer.preview import next_day, part_key
from introducer.program import Program
from introducer.tables import events, referrals
from payout.edge import logger
from payout.preview import bucket
from payout.preview.lease import Lease
from payout.preview.table import rows_of

THREADS = 16
"""Each waits for the store most of its time, with a connection of its own."""
PART_REFERRALS = 10_000
HAND_OVER_S = 30.0
"""So much of a run is kept for writing the last piece and handing over."""
_PART_S = 60.0
# A piece is written after a minute at the latest: an interrupted worker loses no more.
_PAGE = 500


def past(lease: Lease, draft: Program, live: Program) -> bool:
    """Collect referrals; return whether all are there, or this run's time was nearly up.

    Args:
        lease: The job's; its progress says where to go on.
        draft: Says with ``live`` what counts as an occasion.
        live: The version that counts now.

    Raises:
        LeaseLostError: Somebody else works on the job now.
    """
    job, progress = lease.job, lease.progress
    day, place = progress.day or job.first_day, progress.place
    cases: list[Case] = []
    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        while day <= job.last_day:
            names, more = events.made_on_page(
                "REFERRAL", job.program, day, limit=_PAGE, start=place or None
            )
            cases += pool.map(_read, names)
            day, place = (day, more) if more else (next_day(day), {})
            late = lease.left() < HAND_OVER_S
            if late or len(cases) >= PART_REFERRALS or time.monotonic() - began > _PART_S:
                _keep(lease, rows_of(cases, draft, live), len(cases), day, place)
                cases, began = [], time.monotonic()
            if late:
                return False
    _keep(lease, rows_of(cases, draft, live), len(cases), day, place, gathered=True)
    return True


def _read(entity: str) -> Case:
    """Return everything about one referral; a lagging replica is asked again, consistently."""
    name = entity.partition("#")[2]
    try:
        found = referrals.detail_in_bulk(name)
    except NotFoundError:
        found = referrals.detail(name)
    return Case(
        referral=found.referral, shares=found.shares, sales=found.sales, events=found.events
    )


def _keep(
    lease: Lease,
    rows: DataFrame,
    count: int,
    day: str,
    place: dict[str, str],
    *,
    gathered: bool = False,
) -> None:
    """Write the rows of *count* referrals as a piece, then count it."""
    before = lease.progress
    parts = list(before.parts)
    if count:
        parts.append(f"facts-{len(parts):05}-{before.holder}")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "facts.parquet"
            rows.write_parquet(file)
            bucket.write(part_key(lease.job.id, parts[-1]), file, "application/vnd.apache.parquet")
    lease.advance(
        day=day,
        place=place,
        parts=parts,
        referrals=before.referrals + count,
        gathered=gathered,
    )
    logger.info(
        "facts collected",
        extra={"preview": lease.job.id, "day": day, "referrals": lease.progress.referrals},
    )
