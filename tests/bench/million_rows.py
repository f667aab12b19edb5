# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows about a store with 1,000,000 small files, and about the size of the index."""
import json

from .commands import MIB, dd, run, run_all
from .measure import drop_caches, memory_mib, timed
from .places import Seedfs, opened
from .registry import row
from .result import Result
from .stream_rows import WRITERS, write_dd

SMALL_BYTES = 4096
SLICES = 10


@row("million")
def million(bench):
    """1,000,000 small files: cost of the last, memory with 4 writers, index size, time to mount"""
    count = bench.data.scaled(1_000_000, 1000)
    with opened(Seedfs, bench) as place:
        empty_bytes = index_of_empty(place)
        creating = create(bench, place, count)
        memory = Result(f"memory of seedfs with {count:,} files staged")
        memory.at_most("VmHWM after creating them", memory_mib(place.pid, "VmHWM"), None, "MiB")
        write_by_many(bench, place)
        resident = memory_mib(place.pid, "VmRSS")
        memory.at_most(f"VmHWM after {WRITERS} writers", memory_mib(place.pid, "VmHWM"), 256, "MiB")
        memory.at_most("VmRSS then", resident, None, "MiB")
        memory.at_least("memory that `seedfs status` names", status_memory_mib(bench, place), None, "MiB")
        return [creating, memory, *unmounted(bench, place, count, empty_bytes)]


def index_of_empty(place):
    place.unmount()
    size = place.index_bytes()
    place.mount()
    return size


def create(bench, place, count):
    result = Result(f"creating {count:,} files of 4 KiB", count // SLICES, "files")
    for number in range(SLICES):
        command = ["create", place.path, number * (count // SLICES), count // SLICES, SMALL_BYTES, bench.data.small]
        result.add(f"files of the {number + 1}. tenth", timed(bench.files, *command, daemon=place.pid))
    first, *_, last = result.ways
    result.time_ratio(first, 1.2, ours=last)
    result.at_most("daemon CPU of the last by the first", result.daemon(last) / max(result.daemon(first), 0.01), None, "x")
    return result


def write_by_many(bench, place):
    folder = place.path / "large"
    folder.mkdir()
    count = f"count={bench.data.stream_bytes // MIB // WRITERS}"
    run_all(dd(bench.data.text, folder / f"file{n}", "1M", count, "conv=fsync") for n in range(WRITERS))


def status_memory_mib(bench, place):
    status = json.loads(run(bench.build / "seedfs", "status", "--json", place.store))
    return status["memory"]["resident_bytes"] / MIB


def unmounted(bench, place, count, empty_bytes):
    place.unmount()
    index = Result(f"index of {count:,} files")
    grown = place.index_bytes() - empty_bytes
    index.at_most("index bytes a small file", grown / count, 400, "bytes")
    mount = Result(f"mounting a store with {count:,} files")
    for _ in bench.turns():
        for way in ("mount, caches cold", "mount, caches warm"):
            if way.endswith("cold"):
                drop_caches()
            mount.add(way, timed(place.mount))
            place.unmount()
    mount.at_most("seconds to mount", mount.median("mount, caches cold"), 1.0, "s")
    return [index, mount]


@row("index")
def index_size(bench):
    """the index of one large file: its size relative to the file's"""
    size = bench.data.stream_bytes
    result = Result(f"index of one file of {size // MIB} MiB")
    with opened(Seedfs, bench) as place:
        empty_bytes = index_of_empty(place)
        write_dd(bench.data.noise, place.path / "file")
        place.unmount()
        grown = place.index_bytes() - empty_bytes
    result.at_most("index size, of the file's size", 100 * grown / size, 0.1, "%")
    return [result]
