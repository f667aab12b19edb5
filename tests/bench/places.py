# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems to work on. Each has a folder of its own, and leaves nothing behind.

A place has: name (in tables), path (where to work), pid (of the daemon that serves it, or None),
mount(), unmount(), stored_bytes() (what its content takes on the disk below; may be None).
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from . import measure
from .commands import MIB, run
from .result import OURS

MOUNT_SECONDS = 30


class Missing(Exception):
    """This machine cannot offer such a place; the text says why."""


class Plain:
    pid = None

    def __init__(self, bench, folder):
        self.name, self.path = bench.disk_type, folder / "plain"

    def mount(self):
        self.path.mkdir(exist_ok=True)

    def unmount(self):
        pass

    def stored_bytes(self):
        return measure.disk_bytes(self.path)


class Seedfs:
    name = OURS

    def __init__(self, bench, folder):
        self.program, self.path, self.store = bench.build / "seedfs", folder / "mnt", folder / "store"
        self.pid = None

    def mount(self):
        self.path.mkdir(exist_ok=True)
        run(self.program, "mount", self.store, self.path)
        self.pid = int((self.store / "lock").read_text().split()[0])

    def unmount(self):
        """Returns when everything is committed and the daemon has ended."""
        run(self.program, "umount", self.path)
        self.pid = None

    def stored_bytes(self):
        return measure.disk_bytes(self.store / "packs")

    def index_bytes(self):
        """Of an unmounted store: index.db, and a write-ahead log if one was left."""
        return sum(measure.disk_bytes(file) for file in self.store.glob("index.db*"))


class Passthrough:
    name = "passthrough_ll"

    def __init__(self, bench, folder):
        if not bench.passthrough:
            raise Missing("libfuse3-dev has no example passthrough_ll.c here")
        self.program, self.options = bench.passthrough, bench.passthrough_options
        self.path, self.below = folder / "mnt", folder / "below"
        self.daemon = None

    @property
    def pid(self):
        return self.daemon.pid if self.daemon else None

    def mount(self):
        for path in (self.path, self.below):
            path.mkdir(exist_ok=True)
        # Its own default of idle threads is none that libfuse takes; 10 is all the threads it starts.
        options = f"source={self.below},max_idle_threads=10,{self.options}"
        command = [self.program, "-f", "-o", options, self.path]
        self.daemon = subprocess.Popen(list(map(str, command)), start_new_session=True)
        give_up = time.monotonic() + MOUNT_SECONDS
        while not os.path.ismount(self.path):
            if self.daemon.poll() is not None or time.monotonic() > give_up:
                self.daemon.kill()
                sys.exit("bench: passthrough_ll did not mount")
            time.sleep(0.005)

    def unmount(self):
        run("umount", self.path)
        self.daemon.wait(MOUNT_SECONDS)
        self.daemon = None

    def stored_bytes(self):
        return measure.disk_bytes(self.below)


class Btrfs:
    """On a loop file, as it would be used instead: compress-force=zstd:1."""

    name = "btrfs compress-force=zstd:1"
    pid = None  # it compresses in threads of the kernel

    def __init__(self, bench, folder):
        if not shutil.which("mkfs.btrfs"):
            raise Missing("btrfs-progs is not installed")
        subprocess.run(["modprobe", "-q", "btrfs"], check=False) if shutil.which("modprobe") else None
        if not re.search(r"\bbtrfs$", pathlib.Path("/proc/filesystems").read_text(), re.M):
            raise Missing("this kernel has no btrfs")
        self.image, self.path = folder / "btrfs.img", folder / "mnt"
        with open(self.image, "wb") as file:
            file.truncate(2 * bench.data.stream_bytes + 1024 * MIB)
        run("mkfs.btrfs", "-q", self.image)

    def mount(self):
        self.path.mkdir(exist_ok=True)
        run("mount", "-o", "loop,compress-force=zstd:1", self.image, self.path)

    def unmount(self):
        run("umount", self.path)

    def stored_bytes(self):
        run("btrfs", "filesystem", "sync", self.path)
        said = run("btrfs", "filesystem", "df", "--raw", self.path)
        return int(re.search(r"^Data,.*used=(\d+)", said, re.M)[1])


@contextlib.contextmanager
def opened(kind, bench):
    """A fresh place of a kind, mounted; unmounted and deleted in the end, however it ends."""
    folder = bench.folder / f"place-{kind.__name__.lower()}"
    folder.mkdir()
    try:
        place = kind(bench, folder)
        place.mount()
        yield place
        if os.path.ismount(place.path):
            place.unmount()
    finally:
        release(folder)
        shutil.rmtree(folder)


def open_or_lack(stack, kind, bench, *results):
    """A fresh place that closes with stack; or None, and the results say why there is none."""
    try:
        return stack.enter_context(opened(kind, bench))
    except Missing as reason:
        for result in results:
            result.lack(kind.name, str(reason))
        return None


def remount_cold(place):
    """Nothing of the place is in any cache of this machine afterwards."""
    place.unmount()
    measure.drop_caches()
    place.mount()


def mounts_below(folder):
    """Mount points below a folder, innermost first."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    points = [re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in lines]
    return sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True)


def release(folder):
    """Takes away whatever is still mounted below a folder, so that it can be deleted.

    Gently first: a daemon that is told nothing but umount commits and ends by itself.
    """
    for point in mounts_below(folder):
        for how in ([], ["--lazy"]):
            if subprocess.run(["umount", *how, point], check=False, capture_output=True).returncode == 0:
                break
    wait_for_daemons(folder)


def wait_for_daemons(folder):
    """A seedfs that was unmounted still writes into its store for a moment."""
    give_up = time.monotonic() + MOUNT_SECONDS
    for lock in folder.rglob("store/lock"):
        words = lock.read_text().split()
        while words and pathlib.Path(f"/proc/{words[0]}").exists() and time.monotonic() < give_up:
            time.sleep(0.02)
