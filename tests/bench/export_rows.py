# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of what is staged onto a drive, against copying it by hand."""
from .commands import MIB, SOURCE, dd, run
from .measure import Sample, fsync, timed
from .places import Seedfs, opened
from .registry import row
from .result import Result

JOB = """--subscription 00000000-0000-0000-0000-000000000000 --resource-group rg --storage-account bench
--container seed --location westeurope --recipient Bench --street 1 --city Amsterdam --state NH
--postal-code 1011 --country Netherlands --phone 1 --email bench@example.org --blob-type block""".split()

OURS, VERIFIED = "seedship export --no-verify", "seedship export"
BY_HAND = "cp into ntfs-3g on dislocker"

# Arguments: tools/lib, image, journal, scratch directory, files to copy. Prints milliseconds.
THROUGH_DISLOCKER = """
set -euo pipefail
source "$1/scope.sh"
source "$1/drive.sh"
image=$2 journal=$3 dir=$4
shift 4
open_bitlocker "$image" "$dir/bitlocker" rw < <(recovery_password "$journal") >&2
open_ntfs "$dir/bitlocker" "$dir/ntfs" rw,big_writes >&2
mkdir "$dir/ntfs/copy"
began=${EPOCHREALTIME/./}
cp "$@" "$dir/ntfs/copy"
close_ntfs "$dir/bitlocker" "$dir/ntfs"
close_bitlocker "$image" "$dir/bitlocker"
sync "$image"
echo $(((${EPOCHREALTIME/./} - began) / 1000))
"""


def write_all(sources, target):
    """All sources, one after the other, into one file."""
    sizes = [source.stat().st_size for source in sources]
    for at, source in enumerate(sources):
        run(*dd(source, target, "1M", "conv=notrunc", "oflag=seek_bytes", f"seek={sum(sizes[:at])}"))
    fsync(target)


class Export:
    """A job with its image, journal and number."""

    def __init__(self, bench, store, sources):
        self.program, self.store, self.folder, self.sources = bench.build / "seedship", store, bench.folder, sources
        self.image, self.journals = bench.folder / "drive.img", bench.folder / "journals"
        # Room for what is copied into the exported drive by hand.
        self.size_mib = sum(source.stat().st_size for source in sources) * 2 // MIB + 1024
        self.journals.mkdir()

    def seedship(self, turn, verify):
        serial = f"BENCH{turn}{'V' if verify else 'N'}"
        self.image.unlink(missing_ok=True)
        run(self.program, "job", "new", serial.lower(), "--store", self.store, *JOB)
        command = [self.program, "export", serial.lower(), self.image, "--store", self.store]
        command += ["--size", f"{self.size_mib}M", "--serial", serial, "--journal-dir", self.journals]
        self.journal = self.journals / f"{serial}.jrn"
        return timed(run, *command, *([] if verify else ["--no-verify"]))

    def by_hand(self):
        """Into the image of the last export."""
        command = ["bash", "-c", THROUGH_DISLOCKER, "bash", SOURCE / "tools/lib"]
        command += [self.image, self.journal, self.folder, *self.sources]
        said = []
        sample = timed(lambda: said.append(run(*command)))
        self.image.unlink()
        return Sample(int(said[0]) / 1000, sample.cpu)


@row("export")
def export(bench):
    """seedship export onto an image; against cp into ntfs-3g on dislocker, and a plain file"""
    sources = [bench.data.text, bench.data.noise]
    total_mib = 2 * bench.data.stream_bytes // MIB
    result = Result("export, half of it compressible", total_mib, "MiB")
    with opened(Seedfs, bench) as place:
        for source in sources:
            run(*dd(source, place.path / source.name))
        place.unmount()
        work, plain = Export(bench, place.store, sources), bench.folder / "out"
        for turn in bench.turns():
            result.add(OURS, work.seedship(turn, verify=False))
            result.add(VERIFIED, work.seedship(turn, verify=True))
            result.add(BY_HAND, work.by_hand())
            result.add(f"{bench.disk_type}, fsync", timed(write_all, sources, plain))
            plain.unlink()
    result.ratio(BY_HAND, ours=OURS)
    result.ratio(f"{bench.disk_type}, fsync", ours=OURS)
    return [result]
