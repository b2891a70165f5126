"""What a preview found: files in the bucket, and the summary its job keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from introducer.clock import Instant
from introducer.preview import Preview, Progress, Summary, part_key, result_keys, upload_key
from introducer.program import Program
from introducer.tables import programs
from payout.preview import bucket, engine


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A result that lies in the bucket."""

    live_version: int
    referrals: int
    summary: Summary


def make(job: Preview, draft: Program, progress: Progress, now: Instant) -> Made:
    """Compute the result of *job*, write its files and return what its item keeps of it.

    The same facts give the same files, so a run that is repeated writes them again.

    Raises:
        BadDataError: The data cannot be read, or a rule cannot be computed on them.
    """
    live = programs.current(job.program, now)
    with TemporaryDirectory() as name:
        folder = Path(name)
        found = engine.run(draft, live.document, _fetch(job, progress.parts, folder))
        with (folder / "partners.csv").open("w", encoding="utf-8", newline="") as file:
            file.writelines(found.partners_csv())
        about = {
            "preview": job.id,
            "kind": job.kind,
            "from": job.first_day,
            "until": job.last_day,
            "live_version": live.version,
            "report": found.report,
        }
        keys = result_keys(job.id)
        bucket.write(keys["json"], msgspec.json.encode(about), "application/json")
        bucket.write(keys["csv"], folder / "partners.csv", "text/csv; charset=utf-8")
    looked_at = progress.referrals if job.kind == "past" else found.report.referrals
    return Made(live_version=live.version, referrals=looked_at, summary=found.report.summary())


def _fetch(job: Preview, parts: Sequence[str], folder: Path) -> list[Path]:
    if job.kind == "upload":
        return [bucket.fetch(upload_key(job.id), folder / "upload.csv")]
    return [bucket.fetch(part_key(job.id, part), folder / f"{part}.parquet") for part in parts]
