"""What a preview found: files in the bucket, and the summary its job keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from introducer.clock import Instant
from introducer.preview import Preview, Summary, part_key, upload_key
from introducer.program import Program
from introducer.tables import programs
from payout.preview import bucket


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A result that lies in the bucket."""

    live_version: int
    referrals: int
    summary: Summary


def make(job: Preview, draft: Program, parts: Sequence[str], now: Instant) -> Made:
    """Compute the result of *job*, write its files and return what its item keeps of it.

    The same facts give the same files, so a run that is repeated writes them again.

    Raises:
        BadDataError: The data cannot be read, or a rule cannot be computed on them.
    """
    live = programs.current(job.program, now)
    with TemporaryDirectory() as folder:
        files = _fetch(job, parts, Path(folder))
    raise NotImplementedError(draft.id, live.version, files)


def _fetch(job: Preview, parts: Sequence[str], folder: Path) -> list[Path]:
    if job.kind == "upload":
        return [bucket.fetch(upload_key(job.id), folder / "upload.csv")]
    return [bucket.fetch(part_key(job.id, part), folder / f"{part}.parquet") for part in parts]
