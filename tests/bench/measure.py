# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall seconds, CPU seconds, caches and memory."""
import contextlib
import dataclasses
import os
import pathlib
import resource
import time

from .commands import MIB

LARGEST_PAGE_ORDER = 10  # of the kernel's page allocator: no free block is larger, none is reported
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Sample:
    wall: float
    cpu: float = 0.0  # of the programs at work and of the daemon
    daemon: float = 0.0  # of the daemon alone


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def process_cpu(pid):
    """User and system seconds of a process, all its threads."""
    if pid is None:
        return 0.0
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def timed(action, *arguments, daemon=None):
    """A Sample of action, which runs programs, on a disk at rest. daemon: pid of the process that serves it."""
    os.sync()
    daemon_before, children_before, began = process_cpu(daemon), children_cpu(), time.monotonic()
    action(*arguments)
    wall = time.monotonic() - began
    served = process_cpu(daemon) - daemon_before
    return Sample(wall, children_cpu() - children_before + served, served)


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


@contextlib.contextmanager
def memory_at_hand(size_bytes):
    """
    A virtual machine may report its free pages to its host, and then the first touch of a page costs some 7 us, 2 s
    a GiB: which way that hits is chance, and files seem to become dearer where the pages touched before run out.
    Keeps the kernel from reporting, and touches so many pages first (at most three quarters of what is there).
    """
    order = pathlib.Path("/sys/module/page_reporting/parameters/page_reporting_order")
    before = order.read_text() if order.exists() else None
    if before:
        order.write_text(f"{LARGEST_PAGE_ORDER}\n")
    try:
        drop_caches()
        available_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGESIZE")
        bytearray(b"x") * min(size_bytes, available_bytes // 4 * 3)
        yield
    finally:
        if before:
            order.write_text(before)


def warm(path):
    """Brings a file into the page cache."""
    with open(path, "rb") as file:
        while file.read(MIB):
            pass


def fsync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def memory_mib(pid, field):
    """VmRSS (now) or VmHWM (at most so far) of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def disk_bytes(path):
    """What a file, or all files below a folder, occupy on the disk."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_blocks * 512 for file in files)
