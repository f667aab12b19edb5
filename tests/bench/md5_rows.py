# SPDX-License-Identifier: GPL-3.0-or-later
"""MD5 of many messages at once, against OpenSSL's of one after the other."""
from .commands import run
from .measure import Sample
from .registry import row
from .result import Result

OPENSSL = "OpenSSL, one stream"
MESSAGES = 4, 16  # at once: what a worker of export gets, and what fills the most lanes


@row("md5")
def md5(bench):
    """MD5 of 4 MiB messages on one core, 4 and 16 at once; against OpenSSL, one stream"""
    # A multiple of 16 messages, so that all ways hash the same.
    total_mib = bench.data.scaled(64) * 64
    result = Result("MD5 on one core, messages of 4 MiB", total_mib, "MiB")
    program = bench.build / "tests/bench-md5"
    ways = run(program, "ways").split()

    def measure(label, way, count):
        wall, cpu = run(program, way, count, total_mib).split()
        result.add(label, Sample(float(wall), float(cpu)))

    for _ in bench.turns():
        measure(OPENSSL, "openssl", 1)
        for count in MESSAGES:
            for way in ways:
                measure(f"{way}, {count} at once", way, count)
    for count in MESSAGES:
        for way in ways:
            result.ratio(OPENSSL, 3.0 if way == ways[-1] else None, ours=f"{way}, {count} at once")
    return [result]
