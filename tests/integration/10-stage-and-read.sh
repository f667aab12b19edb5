#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Unmodified backup programs write into the mount; what they wrote is there, before and after a remount.
source "$(dirname "$0")/lib.sh"
require tar rsync restic borg sqlite3 zstd jq python3
require_mounts

store=$SCRATCH/store
mnt=$SCRATCH/mnt
source=$SCRATCH/source
make_tree "$source" "$SEED" --sparse-mib "${SPARSE_MIB:-3072}"
tree_facts "$source" >want
export RESTIC_PASSWORD=scratch RESTIC_CACHE_DIR=$SCRATCH/restic-cache
export BORG_BASE_DIR=$SCRATCH/borg-base BORG_PASSPHRASE=scratch
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes

seedfs_mount "$store" "$mnt"
grep -qi "new store" .mount || fail "a new store is created, but nothing says so: $(<.mount)"

say "tar, cp and rsync copy the tree"
mkdir "$mnt"/{tar,cp,rsync}
tar -C "$source" --xattrs --sparse -cf - . | tar -C "$mnt/tar" --xattrs --xattrs-include='*' -xpf -
cp --archive "$source/." "$mnt/cp"
rsync --archive --hard-links --xattrs --sparse "$source/" "$mnt/rsync/"
tar -C "$source" --zstd -cf "$mnt/archive.tar.zst" --exclude sparse .

say "restic and borg keep repositories on it"
restic --quiet init --repo "$mnt/restic"
restic --quiet backup --repo "$mnt/restic" "$source/sizes" "$source/many" "$source/scripts"
restic --quiet backup --repo "$mnt/restic" "$source/bulk" --exclude sparse
borg init --encryption repokey "$mnt/borg" 2>borg.log
borg create --exclude '*/sparse' "$mnt/borg::first" "$source"
borg create "$mnt/borg::second" "$source/many"
borg delete "$mnt/borg::first"
borg compact "$mnt/borg"
borg create --exclude '*/sparse' "$mnt/borg::third" "$source"

say "sqlite3 keeps databases on it, in both journal modes"
for mode in wal delete; do
    sqlite3 "$mnt/$mode.db" >/dev/null <<EOF
PRAGMA journal_mode = $mode;
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO t SELECT i, hex(i * 7919) FROM n;
DELETE FROM t WHERE id % 3 = 0;
VACUUM;
EOF
done

check_everything()
{
    local way mode
    for way in tar cp rsync; do
        tree_facts "$mnt/$way" >got
        expect_same want got "the copy made by $way"
    done
    zstd -dcq "$mnt/archive.tar.zst" | tar -C "$source" --compare -f - >/dev/null || fail "the archive differs"
    restic --quiet check --repo "$mnt/restic" --read-data || fail "restic check"
    borg check --verify-data "$mnt/borg" || fail "borg check"
    for mode in wal delete; do
        [[ $(sqlite3 "$mnt/$mode.db" 'PRAGMA integrity_check; SELECT count(*), max(id) FROM t') == $'ok\n13334|20000' ]] ||
            fail "the database in mode $mode differs"
    done
}
say "everything reads back"
check_everything

say "the index can be read while it is mounted"
sync "$mnt"
expect_exit 0 sqlite3 -readonly "$store/index.db" \
    "SELECT path, size, stored, ratio FROM files WHERE path = 'tar/sizes/text-4194304'"
expect_text '^tar/sizes/text-4194304\|4194304\|[0-9]+\|[0-9.]+$'
read -r count < <(find "$mnt" -type f -printf x | wc -c)
[[ $(sqlite3 -readonly "$store/index.db" 'SELECT count(*) FROM files') == "$count" ]] || fail "files in the index"
expect_exit 0 seedfs status "$store"
expect_exit 0 seedfs status "$store" --json
jq -e 'type == "object"' .out >/dev/null || fail "status --json prints no object: $OUT"

say "everything is there after a remount"
seedfs_unmount "$mnt"
is_mounted "$mnt" && fail "still mounted"
check_index "$store"
seedfs_mount "$store" "$mnt"
grep -qi "new store" .mount && fail "the store is there already, but it says: $(<.mount)"
check_everything

say "restic and borg restore from it"
restic --quiet restore latest --repo "$mnt/restic" --target "$SCRATCH/restored"
tree_facts "$source/bulk" | grep -v '^.sparse' >want-bulk
tree_facts "$SCRATCH/restored/$source/bulk" >got
expect_same <(grep -v ' dir ' want-bulk) <(grep -v ' dir ' got) "what restic restored"
mkdir borg-out && cd borg-out && borg extract "$mnt/borg::third" && cd ..
tree_sums "borg-out/$source" >got
expect_same <(tree_sums "$source" | grep -v '^.bulk/sparse') got "what borg restored"

say "a removed file is gone"
rm -r "$mnt"/{tar,cp,rsync}
sync "$mnt"
[[ $(sqlite3 -readonly "$store/index.db" "SELECT count(*) FROM files WHERE path LIKE 'tar/%'") == 0 ]] ||
    fail "removed files are in the index"
seedfs_unmount "$mnt"
check_index "$store"
say "passed"
