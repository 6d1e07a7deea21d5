# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files to read and to write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..place import Failure, Misuse

WRITTEN = (".wav", ".flac", ".ogg")
READ = {
    f".{suffix}"
    for suffix in (
        "aac ac3 aif aifc aiff amr ape au caf flac m4a mka mkv mov mp2 mp3 "
        "mp4 oga ogg opus rf64 snd spx tta w64 wav wave webm wma wv"
    ).split()
}


@dataclass(frozen=True)
class Job:
    """One file to read, and the one to write."""

    source: Path
    target: Path

    @property
    def unfinished(self) -> Path:
        """The name of the target until it is complete."""
        return self.target.with_name(
            f"{self.target.stem}.part{self.target.suffix}"
        )


def check_target(target: Path) -> None:
    if target.suffix.lower() not in WRITTEN:
        raise Misuse(
            f"“{target}”: the name of a file to write ends in .wav (32-bit "
            "float), .flac (24 bits) or .ogg (Vorbis)."
        )


def check_job(job: Job, may_overwrite: bool) -> None:
    """Check the names before the work begins."""
    check_target(job.target)
    if job.target.exists() and job.source.samefile(job.target):
        raise Misuse(f"“{job.source}” cannot be read and written at once: "
                     "name another file to write.")
    if job.target.exists() and not may_overwrite:
        raise Misuse(f"“{job.target}” is there already: name another file "
                     "to write, or add --overwrite.")
    if not job.target.parent.is_dir():
        raise Misuse(f"there is no folder “{job.target.parent}” to write "
                     f"“{job.target.name}” in: make it first.")


def jobs_of_folder(
    source: Path, target: Path, suffix: str
) -> tuple[list[Job], list[Path]]:
    """Return the jobs, and the files that are not audio."""
    found = sorted(path for path in source.iterdir() if path.is_file())
    audio = [path for path in found if path.suffix.lower() in READ]
    left_out = [path for path in found if path not in audio]
    if not audio:
        raise Failure(f"no file in “{source}” has the suffix of audio that "
                      "is known, such as .wav, .flac, .mp3 or .m4a.")
    jobs = [Job(path, target / f"{path.stem}.{suffix}") for path in audio]
    seen: dict[Path, Path] = {}
    for job in jobs:
        other = seen.setdefault(job.target, job.source)
        if other is not job.source:
            raise Misuse(f"“{other.name}” and “{job.source.name}” would "
                         f"both become “{job.target}”: rename one of them.")
    return jobs, left_out


def list_jobs(
    source: Path, target: Path, suffix: str
) -> tuple[list[Job], list[Path]]:
    """Return the jobs for a file or a folder."""
    if source.is_dir():
        if target.exists() and not target.is_dir():
            raise Misuse(f"“{source}” is a folder and “{target}” is a file: "
                         "name a folder to write to.")
        jobs = jobs_of_folder(source, target, suffix)
        target.mkdir(parents=True, exist_ok=True)
        return jobs
    if not source.exists():
        raise Misuse(f"there is no file “{source}”.")
    if target.is_dir():
        target = target / f"{source.stem}.{suffix}"
    return [Job(source, target)], []
