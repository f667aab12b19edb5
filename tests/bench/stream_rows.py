# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows about large files: written, read back, overwritten."""
import contextlib

from .commands import MIB, dd, run, run_all
from .measure import drop_caches, fsync, timed, warm
from .places import Btrfs, Passthrough, Plain, Seedfs, open_or_lack, remount_cold
from .registry import row
from .result import OURS, Result

ZSTD = "zstd -T2 -1"
WRITERS = 4
SMALL_PIECE = "10K"  # what tar writes at once


def write_dd(source, target, block="1M"):
    run(*dd(source, target, block, "conv=fsync"))


def write_zstd(source, target):
    run("zstd", "-q", "-f", "-T2", "-1", source, "-o", target)
    fsync(target)


def measure_zstd(bench, result, source):
    target = bench.folder / "out.zst"
    warm(source)
    result.add(ZSTD, timed(write_zstd, source, target))
    size = target.stat().st_blocks * 512
    target.unlink()
    return size


def measure_write(bench, result, kind, source, action=write_dd, way=None):
    """One turn of writing source into a fresh place; returns the bytes it takes there, or None."""
    with contextlib.ExitStack() as stack:
        place = open_or_lack(stack, kind, bench, result)
        if not place:
            return None
        warm(source)
        result.add(way or place.name, timed(action, source, place.path / "file", daemon=place.pid))
        return place.stored_bytes()


@row("write")
def write(bench):
    """compressible data, one writer, 1 MiB writes, fsync at the end; against zstd, btrfs"""
    source, size = bench.data.text, bench.data.stream_bytes
    result, stored = Result("compressible, one writer, 1 MiB writes, fsync at the end", size // MIB, "MiB"), {}
    for _ in bench.turns():
        stored[OURS] = measure_write(bench, result, Seedfs, source)
        measure_zstd(bench, result, source)
        stored[Btrfs.name] = measure_write(bench, result, Btrfs, source)
        measure_write(bench, result, Plain, source)
    result.ratio(ZSTD, 0.85)
    result.ratio(Btrfs.name, 1.0)
    if stored[Btrfs.name]:
        result.at_least("compression ratio of seedfs, by btrfs", stored[Btrfs.name] / stored[OURS], 1.0)
    result.at_least("compression ratio of seedfs", size / stored[OURS], None)
    return [result]


@row("parallel")
def parallel(bench):
    """the same by 4 writers at once, each with its own file; against zstd"""
    source, size = bench.data.text, bench.data.stream_bytes
    result = Result(f"compressible, {WRITERS} writers at once, fsync at the end", size // MIB, "MiB")
    for _ in bench.turns():
        measure_write(bench, result, Seedfs, source, write_parallel)
        measure_zstd(bench, result, source)
    result.ratio(ZSTD, 0.85)
    return [result]


def write_parallel(source, target):
    """A part of the source per writer."""
    part = source.stat().st_size // MIB // WRITERS
    take = ["conv=fsync", f"count={part}"]
    run_all(dd(source, f"{target}{n}", "1M", *take, f"skip={n * part}") for n in range(WRITERS))


@row("incompressible")
def incompressible(bench):
    """incompressible data, fsync at the end; against the plain file system"""
    source, size = bench.data.noise, bench.data.stream_bytes
    result = Result("incompressible, one writer, 1 MiB writes, fsync at the end", size // MIB, "MiB")
    for _ in bench.turns():
        measure_write(bench, result, Seedfs, source)
        measure_write(bench, result, Plain, source)
        measure_zstd(bench, result, source)
    result.ratio(bench.disk_type, 0.9)
    return [result]


@row("pieces")
def pieces(bench):
    """compressible data in writes of 10 KiB, as tar writes; against the own figure with 1 MiB"""
    source, size = bench.data.text, bench.data.stream_bytes
    result = Result("compressible, writes of 10 KiB, fsync at the end", size // MIB, "MiB")
    small, large = f"{OURS}, 10 KiB", f"{OURS}, 1 MiB"
    for _ in bench.turns():
        measure_write(bench, result, Seedfs, source, lambda s, t: write_dd(s, t, SMALL_PIECE), small)
        measure_write(bench, result, Seedfs, source, write_dd, large)
    result.ratio(large, 0.8, ours=small)
    return [result]


@row("read")
def read(bench):
    """reading back: cold against `zstd -d` to /dev/null, warm against the plain file system"""
    size = bench.data.stream_bytes
    cold = Result("reading back, cold cache", size // MIB, "MiB")
    again = Result("reading again, warm cache", size // MIB, "MiB")
    with contextlib.ExitStack() as stack:
        opened_places = [open_or_lack(stack, kind, bench, cold, again) for kind in (Seedfs, Plain, Btrfs)]
        for place in filter(None, opened_places):
            write_dd(bench.data.text, place.path / "file")
        for _ in bench.turns():
            for place in filter(None, opened_places):
                remount_cold(place)
                for result in (cold, again):
                    result.add(place.name, timed(read_dd, place.path / "file", daemon=place.pid))
            packed = bench.data.compressed
            drop_caches()
            cold.add("zstd -d", timed(run, "zstd", "-d", "-q", "-f", packed, "-o", "/dev/null"))
    cold.ratio("zstd -d", 1.2)
    again.ratio(bench.disk_type, 0.9)
    return [cold, again]


def read_dd(path):
    run(*dd(path, "/dev/null"))


@row("overwrite")
def overwrite(bench):
    """65,536 writes of 4 KiB at random places of a 1 GiB file, then fsync; against passthrough_ll"""
    half, count = bench.data.stream_bytes // MIB // 2, bench.data.scaled(65_536, 256)
    result = Result(f"{count} random overwrites of 4 KiB in a file of {half} MiB, then fsync", count, "writes")
    for _ in bench.turns():
        for kind in (Seedfs, Passthrough, Plain):
            with contextlib.ExitStack() as stack:
                place = open_or_lack(stack, kind, bench, result)
                if place:
                    file = place.path / "file"
                    run(*dd(bench.data.text, file, "1M", "conv=fsync", f"count={half}"))
                    remount_cold(place)
                    result.add(place.name, timed(bench.files, "overwrite", file, count, daemon=place.pid))
    result.ratio(Passthrough.name, 0.5)
    return [result]
