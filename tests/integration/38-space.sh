#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Deleting gives space back: half of 2 GiB is deleted, and the packs take what is alive, and 10 % at most. Files too
# small for holes, and what a mount does not do by itself, are compacted; the store stays whole throughout.
# SPACE_MIB=2048 SEED=1
source "$(dirname "$0")/lib.sh"
require python3 sqlite3 jq
require_mounts

store=$SCRATCH/store
mnt=$SCRATCH/mnt
mib=${SPACE_MIB:-2048}

# make_files DIR MIB MEAN-KIB: noise and text by turns, of many sizes, named 0, 1, 2 ...
make_files()
{
    python3 - "$@" "$SEED" <<'PY'
import os, random, sys
folder, mib, mean, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) << 10, int(sys.argv[4])
source = random.Random(seed)
noise = source.randbytes(8 << 20)
text = noise[: 4 << 20].hex().encode()
os.mkdir(folder)
left, n = mib << 20, 0
while left > 0:
    size = min(left, int(source.expovariate(1 / mean)) + 1, 7 << 20)
    start = source.randrange((8 << 20) - size)
    with open(f"{folder}/{n}", "wb") as out:
        out.write((noise, text)[n % 2][start : start + size])
    left, n = left - size, n + 1
PY
}

# What the packs take on the disk, and what of it is needed, in bytes.
taken() { du --block-size=1 --summarize "$store/packs" | cut -f1; }
needed() { sqlite3 -readonly "$store/index.db" 'SELECT sum(live_bytes + log_bytes) FROM pack'; }
is_tight() { (($(taken) * 100 <= $(needed) * 110)); }

# Space comes back soon after the commit, not with it.
expect_tight()
{
    seedfs sync "$mnt"
    wait_until 20 is_tight || fail "$1: $(taken) bytes taken, $(needed) needed"
    say "  $1: $(taken) bytes taken, $(needed) needed"
}

seedfs_mount "$store" "$mnt"
say "half of $mib MiB is deleted"
make_files "$mnt/large" "$mib" 2048
seedfs sync "$mnt"
say "  before: $(taken) bytes taken"
before=$(taken)
rm "$mnt"/large/*[13579]
expect_tight "after"
(($(taken) * 100 < before * 75)) || fail "of $before bytes $(taken) are still taken"

say "overwritten files, too"
for file in "$mnt"/large/*[02]; do cp "$file" copy && cp copy "$file"; done
expect_tight "after"

say "small files leave pieces that are no whole block: they are compacted"
seedfs_unmount "$mnt"
expect_exit 0 seedfs check "$store" --read-data
rm -r "$store"
seedfs_mount "$store" "$mnt"
make_files "$mnt/small" 64 8
seedfs sync "$mnt"
rm "$mnt"/small/*[13579]
seedfs sync "$mnt"
tree_sums "$mnt" >want
expect_exit 0 seedfs compact "$mnt" --waste 5 --json
jq -e '.packs >= 1 and .packs_kept == 0 and .freed_bytes > 0' .out >/dev/null || fail "compact: $OUT"
expect_tight "after"
tree_sums "$mnt" >got
expect_same want got "the tree after the compaction"

say "compaction beside a writer, then of every pack, not mounted"
make_files "$mnt/meanwhile" 64 256 &
maker=$!
expect_exit 0 seedfs compact "$store" --all
wait "$maker"
tree_sums "$mnt" >want
seedfs_unmount "$mnt"
check_index "$store"
expect_exit 0 seedfs compact "$store" --all
expect_exit 0 seedfs check "$store" --read-data
seedfs_mount "$store" "$mnt"
tree_sums "$mnt" >got
expect_same want got "the tree after everything"

say "nothing left, nothing taken"
rm -r "${mnt:?}"/*
expect_exit 0 seedfs compact "$mnt"
seedfs sync "$mnt"
(($(taken) < 2 << 20)) || fail "an empty store takes $(taken) bytes"
seedfs_unmount "$mnt"

say "a store rebuilt from compacted packs is the same"
seedfs_mount "$store" "$mnt"
cp -a /usr/include/linux "$mnt/"
rm -r "$mnt/linux/can" "$mnt"/linux/*a*.h
seedfs_unmount "$mnt"
expect_exit 0 seedfs compact "$store" --all
seedfs_mount "$store" "$mnt"
tree_facts "$mnt" >want
seedfs_unmount "$mnt"
rm "$store"/index.db*
expect_exit 0 seedfs rebuild "$store"
seedfs_mount "$store" "$mnt"
tree_facts "$mnt" >got
expect_same want got "the rebuilt tree"
seedfs_unmount "$mnt"
say "passed"
