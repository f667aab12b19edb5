# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures Seedship against what one would use instead, in the same run, on the same disk, in turns.

Prints a table per row (medians, range, rate, CPU seconds) with the aims, and at the end which were met. Needs
root, /dev/fuse and, at full scale, 25 GiB of free space; a full run takes about an hour. Missing packages are
installed where that is possible; an alternative that is not there is named and its aims are not judged.
"""
import argparse
import functools
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile

# The order of these is the order of the rows.
from . import stream_rows, files_rows, backup_rows, million_rows, md5_rows, export_rows  # noqa: F401
from . import passthrough, places, table
from .commands import SOURCE, run, say
from .data import Data
from .measure import memory_at_hand
from .registry import ROWS

QUICK_SCALE = 0.02
TOUCHED_BYTES = 18 << 30  # what the kernel keeps of a million small files and their store


class Bench:
    """What rows need: programs, data, a folder on the disk to measure, turns."""

    def __init__(self, options, folder):
        self.build, self.runs, self.folder = options.build, options.runs, folder
        self.passthrough_options = options.passthrough
        self.most_files = passthrough.raise_most_files()
        self.data = Data(folder, options.scale)
        self.disk_type = run("findmnt", "--noheadings", "--output", "FSTYPE", "--target", folder).strip()

    @functools.cached_property
    def passthrough(self):
        return passthrough.build(self.folder)

    def turns(self):
        """Numbers of the turns; says where the run is."""
        for turn in range(self.runs):
            say(f"  turn {turn + 1} of {self.runs}")
            yield turn

    def files(self, *arguments):
        """Runs bench-files and returns its stdout."""
        return run(self.build / "tests/bench-files", *arguments)


def machine(bench):
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown CPU")
    disk = run("findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", bench.folder).split()
    return f"{cpu}, {os.cpu_count()} cores; Linux {platform.release()}; {' on '.join(disk)}"


def measure_rows(bench, names):
    results = []
    for name in names:
        say(f"{name}: {ROWS[name].__doc__}")
        for result in ROWS[name](bench):
            table.print_result(name, result)
            sys.stdout.flush()
            results.append((name, result))
    return results


def write_json(path, options, bench, results):
    options = {key: str(value) if isinstance(value, pathlib.Path) else value for key, value in vars(options).items()}
    rows = [{"row": name} | result.as_json() for name, result in results]
    path.write_text(json.dumps({"machine": machine(bench), "options": options, "results": rows}, indent=1) + "\n")


def parse():
    parser = argparse.ArgumentParser(
        prog="tools/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="default: all of --list")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument("--runs", type=int, default=3, help="turns of each way (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the amounts of data and files (default: 1)")
    parser.add_argument("--quick", action="store_true", help=f"--runs 1 --scale {QUICK_SCALE}: shows that it works")
    parser.add_argument("--dir", type=pathlib.Path, default=SOURCE / "build", help="on the disk to measure")
    parser.add_argument("--build", type=pathlib.Path, help="where programs are; nothing is installed or built then")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every sample into FILE")
    parser.add_argument(
        "--passthrough", metavar="OPTIONS", default="cache=always", help="of passthrough_ll (default: cache=always)"
    )
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; --list prints them")
    if options.runs < 1 or options.scale <= 0:
        parser.error("--runs and --scale have to be above 0")
    if options.quick:
        options.runs, options.scale = 1, QUICK_SCALE
    return options


def prepare():
    """Installs packages, builds the programs, and returns where they are."""
    if subprocess.run([SOURCE / "tools/setup", "build", "test", "bench"], stdout=sys.stderr, check=False).returncode:
        say("not all packages are there; going on without")
    run("cmake", "--preset", "release", cwd=SOURCE)
    run("cmake", "--build", "--preset", "release", cwd=SOURCE)
    return SOURCE / "build/release"


def end_by_signal(number, _):
    """The first signal becomes an exception, so that all is undone on the way out; more do not disturb that."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    options = parse()
    if options.list:
        for name, function in ROWS.items():
            print(f"{name:15} {function.__doc__}")
        return
    if os.geteuid() != 0:
        sys.exit("bench: please run it as root: it mounts file systems")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    options.build = options.build.resolve() if options.build else prepare()
    options.dir.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir.resolve())
    with memory_at_hand(int(TOUCHED_BYTES * options.scale)), folder as name:
        bench = Bench(options, pathlib.Path(name))
        print(f"{machine(bench)}; medians of {options.runs}; scale {options.scale:g}")
        print(f"passthrough_ll: -o {options.passthrough}")
        try:
            results = measure_rows(bench, options.rows or ROWS)
        finally:
            places.release(bench.folder)
        table.print_summary(results)
        if options.json:
            write_json(options.json, options, bench, results)
