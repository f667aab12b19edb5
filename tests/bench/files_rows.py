# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows about many files, against passthrough_ll, which does nothing but pass on."""
import contextlib

from .commands import run, say
from .measure import timed, warm
from .places import Passthrough, Plain, Seedfs, open_or_lack, remount_cold
from .registry import row
from .result import Result

SMALL_BYTES = 4096


def number_of_files(bench, wanted):
    """Scaled, and not more than passthrough_ll can serve, so that all do the same work."""
    count = bench.data.scaled(wanted, 100)
    if count > bench.most_files:
        say(f"only {bench.most_files:,} files: passthrough_ll may not open more here (ulimit -n)")
    return min(count, bench.most_files)


def each_turn(bench, *results):
    """Fresh places, one at a time, in turns."""
    for _ in bench.turns():
        for kind in (Seedfs, Passthrough, Plain):
            with contextlib.ExitStack() as stack:
                place = open_or_lack(stack, kind, bench, *results)
                if place:
                    yield place


@row("untar")
def untar(bench):
    """untar of a source tree of 20,000 files; against passthrough_ll"""
    count = number_of_files(bench, 20_000)
    archive = bench.data.tar(count)
    result = Result(f"untar of {count:,} files, {archive.stat().st_size >> 20} MiB", count, "files")
    for place in each_turn(bench, result):
        warm(archive)
        result.add(place.name, timed(run, "tar", "-xf", archive, "-C", place.path, daemon=place.pid))
    result.ratio(Passthrough.name, 1.5)
    return [result]


@row("small")
def small(bench):
    """creating 30,000 files of 4 KiB, then unlinking them; against passthrough_ll"""
    count, source = number_of_files(bench, 30_000), bench.data.small
    create = Result(f"creating {count:,} files of 4 KiB", count, "files")
    unlink = Result(f"unlinking {count:,} files of 4 KiB", count, "files")
    for place in each_turn(bench, create, unlink):
        command = ["create", place.path, 0, count, SMALL_BYTES, source]
        create.add(place.name, timed(bench.files, *command, daemon=place.pid))
        unlink.add(place.name, timed(bench.files, "unlink", place.path, count, daemon=place.pid))
    for result in (create, unlink):
        result.ratio(Passthrough.name, 1.5)
    return [create, unlink]


@row("stat")
def stat(bench):
    """readdir and stat of 100,000 files, cold and warm; against passthrough_ll"""
    count, source = number_of_files(bench, 100_000), bench.data.small
    cold = Result(f"readdir and stat of {count:,} files, cold", count, "files")
    again = Result(f"readdir and stat of {count:,} files, warm", count, "files")
    with contextlib.ExitStack() as stack:
        kinds = (Seedfs, Passthrough, Plain)
        opened = [place for kind in kinds if (place := open_or_lack(stack, kind, bench, cold, again))]
        for place in opened:
            bench.files("create", place.path, 0, count, 1, source)
        for _ in bench.turns():
            for place in opened:
                remount_cold(place)
                for result in (cold, again):
                    result.add(place.name, timed(bench.files, "walk", place.path, count, daemon=place.pid))
    for result in (cold, again):
        result.ratio(Passthrough.name, 1.0)
    return [cold, again]
