#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A flipped bit is found, wherever it is; a lost index comes back from the packs as it was.
# FLIPS=45 SEED=1
source "$(dirname "$0")/lib.sh"
require python3 sqlite3 jq setfattr
require_mounts

flips=${FLIPS:-45}
store=$SCRATCH/store
mnt=$SCRATCH/mnt

# Everything that a row of the index says.
index_facts()
{
    local table
    for table in store inode dentry symlink xattr pack chunk sqlite_sequence; do
        echo "== $table"
        sqlite3 -readonly "$1/index.db" "SELECT * FROM $table ORDER BY 1" | sort
    done
}

check_clean()
{
    expect_exit 0 seedfs check --read-data --json "$1"
    jq -e '.findings == 0 and .frames_read > 0' .out >/dev/null || fail "check of $1: $OUT"
}

say "a store with a past: renames, links, attributes, truncations, overwrites, deletions"
seedfs_mount "$store" "$mnt"
seedfs_unmount "$mnt"
expect_exit 0 seedfs check "$store" # nothing was ever committed
# Small packs, so that there are several.
sqlite3 "$store/index.db" 'UPDATE store SET pack_bytes = 2 << 20'
seedfs_mount "$store" "$mnt"
make_tree source "$SEED" --sparse-mib 8 --bulk-mib 4
cp --archive source/. "$mnt"
sync "$mnt"
mv "$mnt/sizes" "$mnt/bulk/moved"
mv "$mnt/many/0001" "$mnt/many/0002"
ln "$mnt/many/0003" "$mnt/another name"
setfattr -n user.second -v two "$mnt/many/0003"
setfattr -x user.comment "$mnt/kinds/original"
truncate -s 70000 "$mnt/bulk/text-0"
truncate -s 3M "$mnt/bulk/text-0"
fallocate --punch-hole --offset 128KiB --length 256KiB "$mnt/bulk/noise-1"
sync "$mnt"
dd if=/dev/urandom of="$mnt/bulk/noise-2" bs=50000 seek=3 count=2 conv=notrunc status=none
rm -r "$mnt/scripts" "$mnt/bulk/noise-3" "$mnt/many/"03*
mkdir -p "$mnt/gone/with/the" && rm -r "$mnt/gone"
tree_facts "$mnt" >want
seedfs_unmount "$mnt"
(($(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM pack') > 2)) || fail "not several packs"

say "check finds nothing in it, and does not look at one that is mounted"
check_clean "$store"
seedfs_mount "$store" "$mnt"
expect_exit 1 seedfs check "$store"
expect_text 'in use by seedfs' 'umount'
expect_exit 1 seedfs rebuild "$store"
seedfs_unmount "$mnt"
[[ ! $(find "$store" -name 'scratch.*') ]] || fail "scratch files are left in the store"

say "what a killed check or rebuild left goes with the next one, or with a mount"
leave_scratch() { mkdir "$store/scratch.killed" && touch "$store/scratch.killed/index.db"; }
leave_scratch
check_clean "$store"
[[ ! -e $store/scratch.killed ]] || fail "check leaves an old scratch folder"
leave_scratch
seedfs_mount "$store" "$mnt"
[[ ! -e $store/scratch.killed ]] || fail "mount leaves an old scratch folder"
seedfs_unmount "$mnt"

say "a flipped bit in a pack is found by check"
"$tests/lib/flip-bits" "$store" packs "$flips" "$SEED" "$SEEDSHIP_BIN/seedfs" check --read-data ||
    fail "flips in packs went unnoticed"
say "a flipped bit in the index is found by check"
"$tests/lib/flip-bits" "$store" index "$flips" "$SEED" "$SEEDSHIP_BIN/seedfs" check ||
    fail "flips in the index went unnoticed"
check_clean "$store"

say "reading damaged content fails, and the log names file and pack"
cp --archive "$store" damaged
read -r pack offset < <(sqlite3 -readonly -separator ' ' damaged/index.db \
    "SELECT pack, off_bytes + 20 FROM chunk JOIN paths USING (ino) WHERE path = 'bulk/text-1' AND idx = 1")
printf -v file 'damaged/packs/%08d.pack' "$pack"
printf '\xA5\x5A' | dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
expect_exit 3 seedfs check --read-data damaged
expect_text "bulk/text-1.*$pack.*checksum differs"
expect_exit 0 seedfs check damaged # content is not looked at
seedfs_mount damaged "$mnt"
expect_exit 1 cat "$mnt/bulk/text-1"
expect_text 'input/output error'
grep -q "bulk/text-1.*pack $(printf %08d "$pack") at" damaged/seedfs.log || fail "log: $(<damaged/seedfs.log)"
cmp --silent source/bulk/text-2 "$mnt/bulk/text-2" || fail "a file that is not damaged"
seedfs_unmount "$mnt"
rm -r damaged

index_facts "$store" >facts
cp "$store/index.db" good.db
for how in missing empty garbage older; do
    say "rebuild with an index that is $how"
    case $how in
    missing) rm "$store"/index.db* ;;
    empty) : >"$store/index.db" ;;
    garbage) head -c 100000 /dev/urandom >"$store/index.db" ;;
    older) sqlite3 "$store/index.db" 'DELETE FROM dentry WHERE id % 3 = 0; UPDATE inode SET size_bytes = 7 WHERE ino = 9' ;;
    esac
    if [[ $how == missing || $how == empty ]]; then
        # Nothing makes a new store over these packs.
        expect_exit 3 seedfs mount "$store" "$mnt"
        expect_text 'seedfs rebuild'
    fi
    expect_exit 3 seedfs check "$store"
    expect_exit 0 seedfs rebuild --json "$store"
    jq -e '.files > 400 and .damaged_records == 0 and .lost_found == 0' .out >/dev/null || fail "rebuild: $OUT"
    index_facts "$store" >got
    expect_same facts got "the index after a rebuild"
    [[ $how == missing ]] || [[ -e $store/$(jq -r .old_index .out) ]] || fail "the old index was not kept"
    check_clean "$store"
done
[[ $(stat -c %a "$store/index.db") == 600 ]] || fail "the new index is not for its owner only"
seedfs_mount "$store" "$mnt"
tree_facts "$mnt" >got
expect_same want got "the tree after a rebuild"
echo more >"$mnt/more"
rm "$mnt/another name"
seedfs_unmount "$mnt"
check_clean "$store"

say "--repair sets sums right, rebuilds a wrong index, and leaves alone what packs could not replace"
sqlite3 "$store/index.db" 'UPDATE inode SET stored_bytes = stored_bytes + 1 WHERE ino = 5; UPDATE pack SET live_bytes = 1'
expect_exit 3 seedfs check "$store"
expect_exit 0 seedfs check --repair "$store"
expect_text 'sums set right'
check_clean "$store"
sqlite3 "$store/index.db" 'UPDATE dentry SET name = name || 1 WHERE id = 30'
expect_exit 0 seedfs check --repair "$store"
expect_text 'rebuilt from the packs'
check_clean "$store"
sqlite3 "$store/index.db" 'UPDATE dentry SET name = name || 1 WHERE id = 30'
read -r pack offset < <(sqlite3 -readonly -separator ' ' "$store/index.db" \
    'SELECT pack, off_bytes - 30 FROM chunk ORDER BY off_bytes DESC LIMIT 1')
printf '\xA5\x5A' | dd of="$(printf '%s/packs/%08d.pack' "$store" "$pack")" bs=1 seek="$offset" conv=notrunc status=none
sum=$(sha256sum <"$store/index.db")
expect_exit 3 seedfs check --repair "$store"
expect_text 'packs are damaged, too' 'seedfs rebuild'
[[ $(sha256sum <"$store/index.db") == "$sum" ]] || fail "--repair changed an index that it should not touch"
expect_exit 3 seedfs rebuild "$store"
expect_text 'what they said is lost'

say "passed"
