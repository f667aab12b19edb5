# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows about backup programs: their repository in the mount, against their repository on the plain disk."""
import os
import shutil

from .commands import MIB, run
from .measure import timed, warm
from .places import Plain, Seedfs, opened
from .registry import row
from .result import Result


def backup(bench, program, prepare, create):
    """Times the command create(repository, tree) into new repositories, in turns."""
    size = bench.data.stream_bytes
    result = Result(f"{program} of a tree of {size // MIB} MiB into a new repository", size // MIB, "MiB")
    if not shutil.which(program):
        result.lack(bench.disk_type, f"{program} is not installed")
    else:
        for _ in bench.turns():
            for kind in (Seedfs, Plain):
                with opened(kind, bench) as place:
                    result.add(place.name, backup_once(bench, place, prepare, create))
    result.time_ratio(bench.disk_type, 1.15)
    return [result]


def backup_once(bench, place, prepare, create):
    home, repository, tree = bench.folder / "home", place.path / "repository", bench.data.tree
    environment = os.environ | {"HOME": str(home), "RESTIC_PASSWORD": "bench", "BORG_BASE_DIR": str(home)}
    shutil.rmtree(home, ignore_errors=True)  # caches of the turn before
    home.mkdir()
    run(*prepare(repository), env=environment)
    for file in tree.rglob("file*"):
        warm(file)
    return timed(lambda: run(*create(repository, tree), env=environment), daemon=place.pid)


@row("restic")
def restic(bench):
    """restic backup of a 2 GiB tree into the mount; against the same onto the plain file system"""
    return backup(
        bench,
        "restic",
        lambda repository: ["restic", "-q", "-r", repository, "init"],
        lambda repository, tree: ["restic", "-q", "-r", repository, "backup", tree],
    )


@row("borg")
def borg(bench):
    """borg create of the same tree; against the same onto the plain file system"""
    return backup(
        bench,
        "borg",
        lambda repository: ["borg", "init", "-e", "none", repository],
        lambda repository, tree: ["borg", "create", f"{repository}::bench", tree],
    )
