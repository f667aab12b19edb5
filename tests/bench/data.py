# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written: the same bytes in every run. Made when first asked for."""
import functools
import io
import random
import tarfile

from .commands import MIB, run
from .measure import fsync

UNIQUE_BYTES = 32 * MIB  # repeats at this distance are out of reach for everything compared here
SEED = 1


def records(length):
    """Text as logs and table dumps have it; about 3 : 1."""
    generator = random.Random(SEED)
    users = [f"user{generator.randrange(10**6):06}@example.org" for _ in range(500)]
    verbs = ["created", "updated", "deleted", "copied", "verified", "archived", "restored", "skipped"]
    lines, have, clock = [], 0, 1_700_000_000_000
    while have < length:
        clock += generator.randrange(900)
        line = (
            f"{clock} {generator.choice(users)} {generator.choice(verbs)} "
            f"/srv/data/{generator.randrange(9999):04}/{generator.getrandbits(64):016x} "
            f"bytes={generator.randrange(10**7)} sum={generator.getrandbits(64):016x}\n"
        )
        lines.append(line)
        have += len(line)
    return "".join(lines).encode()[:length]


def log_normal_sizes(generator, count, mean, sigma=1.4):
    """Sizes as the files of a tree have them: most are small, few are large."""
    sizes = [generator.lognormvariate(0, sigma) for _ in range(count)]
    scale = mean * count / sum(sizes)
    return [max(1, int(size * scale)) for size in sizes]


class Data:
    def __init__(self, folder, scale):
        self.folder, self.scale = folder, scale

    def scaled(self, amount, least=1):
        return max(least, int(amount * self.scale))

    @functools.cached_property
    def block(self):
        return records(UNIQUE_BYTES)

    @functools.cached_property
    def stream_bytes(self):
        return self.scaled(2048, 16) * MIB

    @functools.cached_property
    def text(self):
        """A file of stream_bytes that compresses about 3 : 1."""
        path = self.folder / "compressible"
        with open(path, "wb") as file:
            for offset in range(0, self.stream_bytes, len(self.block)):
                file.write(self.block[: self.stream_bytes - offset])
        return path

    @functools.cached_property
    def noise(self):
        """A file of stream_bytes that does not compress."""
        path, generator = self.folder / "incompressible", random.Random(SEED)
        with open(path, "wb") as file:
            for _ in range(0, self.stream_bytes, MIB):
                file.write(generator.randbytes(MIB))
        return path

    @functools.cached_property
    def small(self):
        """Where small files take their content from: 4 MiB of text."""
        path = self.folder / "small"
        path.write_bytes(self.block[: 4 * MIB])
        return path

    @functools.cached_property
    def compressed(self):
        """The text as a .zst file."""
        path = self.folder / "compressible.zst"
        run("zstd", "-q", "-f", "-T2", "-1", self.text, "-o", path)
        fsync(path)
        return path

    @functools.cache
    def tar(self, count):
        """A source tree of count files as a tar file; folders of about 15 files, three levels deep."""
        path, generator = self.folder / "tree.tar", random.Random(SEED)
        with tarfile.open(path, "w") as tar:
            for n, size in enumerate(log_normal_sizes(generator, count, 12 * 1024)):
                name = f"tree/part{n // 1500:02}/module{n // 120 % 13:02}/unit{n // 15 % 8}/source_{n:05}.c"
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime, entry.mode = size, 1_700_000_000 + n, 0o644
                at = generator.randrange(UNIQUE_BYTES - size)
                tar.addfile(entry, io.BytesIO(self.block[at : at + size]))
        return path

    @functools.cached_property
    def tree(self):
        """A folder of stream_bytes to back up: files of 4 MiB on average, every other one is noise."""
        top, generator = self.folder / "tree", random.Random(SEED)
        sizes = log_normal_sizes(generator, max(8, self.stream_bytes // (4 * MIB)), 4 * MIB, 1.0)
        for n, size in enumerate(sizes):
            path = top / f"folder{n // 32:02}" / f"file{n:04}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                for offset in range(0, size, MIB):
                    length, at = min(MIB, size - offset), generator.randrange(UNIQUE_BYTES - MIB)
                    file.write(generator.randbytes(length) if n % 2 else self.block[at : at + length])
        return top
