# SPDX-License-Identifier: GPL-3.0-or-later
"""libfuse's example passthrough_ll, built from the copy that Debian's libfuse3-dev has."""
import gzip
import pathlib
import resource

from .commands import run

EXAMPLES = pathlib.Path("/usr/share/doc/libfuse3-dev/examples")
NAME = "passthrough_ll.c"
SPARE_DESCRIPTORS = 2000  # folders, libraries


def raise_most_files():
    """How many files it can serve: it keeps a descriptor for every file and folder that the kernel knows.

    Raises the limit for all programs that are started from here, as far as this machine lets us.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(pathlib.Path("/proc/sys/fs/nr_open").read_text())
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        most = wanted
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most - SPARE_DESCRIPTORS


def build(folder):
    """The program in folder, or None when the example is not installed."""
    source, packed = EXAMPLES / NAME, EXAMPLES / f"{NAME}.gz"
    if not source.exists() and packed.exists():
        source = folder / NAME
        source.write_bytes(gzip.decompress(packed.read_bytes()))
    if not source.exists():
        return None
    program = folder / "passthrough_ll"
    flags = run("pkg-config", "--cflags", "--libs", "fuse3").split()
    run("cc", "-O2", "-w", f"-I{EXAMPLES}", source, "-o", program, *flags)
    return program
