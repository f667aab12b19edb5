#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input, bad state, damage: one clear message, the documented exit code, and nothing is changed.
source "$(dirname "$0")/lib.sh"
require sqlite3 python3 sgdisk
require_mounts

store=$SCRATCH/store
image=$SCRATCH/drive.img
journals=$SCRATCH/journals
make_tree source "$SEED" --bulk-mib 64
mkdir "$journals"
seedfs_mount "$store" mnt
tar -C source --sparse -cf - . | tar -C mnt -xpf -
seedfs_unmount mnt
new_job seed1 "$store"
cp -a "$store" store.good

run_export()
{
    seedship export seed1 "$image" --store "$store" --size 512M --serial BAD1 --journal-dir "$journals" "$@"
}

# Everything that must stay as it is. SQLite's shared memory, an empty log of its and the locks are scratch.
state()
{
    { find "$store" "$journals" ./*.img* -type f ! -name '*-shm' ! -name '*lock' \
        ! \( -name '*-wal' -empty \) -print0 2>/dev/null || true; } |
        sort -z | xargs -0r sha256sum
}

# refuses CODE COMMAND...: exactly one line of message (a hint may follow), and the store, the image and the
# journals are what they were.
refuses()
{
    local code=$1
    shift
    state >before
    expect_exit "$code" "$@"
    [[ $(grep -vc '^hint: ' .err) == 1 ]] || fail "not one line of message: $ERR"
    [[ ! $OUT ]] || fail "a failure printed a result: $OUT"
    state >after
    expect_same before after "the state after: $*"
    say "  $ERR"
}

restore_store()
{
    rm -rf "$store"
    cp -a store.good "$store"
}

# damage FILE OFFSET: another byte there.
damage()
{
    python3 - "$1" "$2" <<'EOF'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0] ^ 0x40
    file.seek(-1, 1)
    file.write(bytes([byte]))
EOF
}

say "usage"
expect_exit 2 seedfs
expect_exit 2 seedfs mount
expect_exit 2 seedfs frobnicate
expect_exit 2 seedship export
expect_exit 2 seedship frobnicate
expect_exit 2 run_export --no-such-option
expect_text 'no-such-option'
expect_exit 2 run_export --size 12Q
expect_text '12Q'
expect_exit 2 run_export --cipher rot13
expect_text 'rot13'
for program in seedfs seedship; do
    expect_exit 0 "$program" --help
    expect_exit 0 "$program" --version
    expect_text '[0-9]+\.[0-9]+\.[0-9]+'
done

say "missing store"
for command in "job list" "job show seed1" "submit seed1 --dry-run"; do
    # shellcheck disable=SC2086
    refuses 1 seedship $command --store nowhere
    expect_text nowhere
done
refuses 1 seedfs status nowhere
refuses 2 seedfs umount source
expect_text 'not a seedfs mount'
mkdir full && touch full/something
refuses 1 seedfs mount full mnt
expect_text 'not empty'
refuses 1 seedfs mount "$store" nowhere
expect_text nowhere
[[ ! -e nowhere ]] || fail "a failure created 'nowhere'"

say "missing job"
refuses 1 seedship job show other --store "$store"
expect_text other
refuses 1 seedship export other "$image" --store "$store" --size 512M
expect_text other

say "names that Azure refuses, each with its own message"
refuses_job()
{
    local pattern=$1
    shift
    refuses 2 seedship job new "${NAME:-seed2}" --store "$store" \
        --subscription 11111111-2222-3333-4444-555555555555 --resource-group rg --storage-account account1 \
        --container seed --location westeurope --recipient R --street S --city C --state NH \
        --postal-code 1 --country NL --phone 1 --email a@b.example "$@"
    expect_text "$pattern"
}
refuses_job 'container' --container Se
refuses_job 'container' --container my--seed
refuses_job 'container' --container -seed
refuses_job 'account' --storage-account Upper
refuses_job 'account' --storage-account x
refuses_job 'subscription' --subscription 1234
refuses_job 'prefix' --blob-prefix /absolute
refuses_job 'email' --email nobody
refuses_job 'carrier' --carrier DHL
refuses_job 'blob-type' --blob-type rocket
NAME=1st refuses_job 'name'
NAME='a b' refuses_job 'name'
NAME=seed1 refuses_job 'seed1'

say "a store of a newer version"
sqlite3 "$store/index.db" 'PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE);' >/dev/null
refuses 1 seedfs mount "$store" mnt
expect_text '999'
refuses 1 run_export
expect_text '999'
restore_store
sqlite3 "$store/shipping.db" 'PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE);' >/dev/null
refuses 1 seedship job list --store "$store"
expect_text '999'
restore_store
sqlite3 "$store/index.db" 'PRAGMA application_id = 7; PRAGMA wal_checkpoint(TRUNCATE);' >/dev/null
refuses 1 seedfs mount "$store" mnt
restore_store

say "a store that is mounted already"
seedfs_mount "$store" mnt
mkdir second
expect_exit 1 seedfs mount "$store" second
expect_text 'in use'
is_mounted second && fail "mounted twice"
[[ -s mnt/sizes/text-4096 ]] || fail "the first mount suffered"
seedfs_unmount mnt

say "an image that no file fits says how much is needed"
refuses 2 seedship export seed1 "$image" --store "$store" --size 60M --serial BAD1 --journal-dir "$journals"
expect_text 'small' 'needs [0-9]+ bytes'
[[ ! -e $image ]] || fail "an image was made"
[[ ! $(ls "$journals") ]] || fail "a journal was made"
refuses 2 seedship export seed1 "$image" --store "$store" --size 1M --journal-dir "$journals"

say "a target that holds something else"
head -c 600M /dev/zero | tr '\0' 'x' >precious.img
refuses 2 seedship export seed1 precious.img --store "$store" --size 512M --serial BAD1 --journal-dir "$journals"
rm precious.img
refuses 2 seedship export seed1 source --store "$store" --size 512M --serial BAD1 --journal-dir "$journals"
refuses 1 seedship export seed1 "$image" --store "$store" --size 512M --serial BAD1 --journal-dir nowhere

say "a damaged pack is found before it ships"
damage "$store/packs/00000001.pack" $(($(stat -c %s "$store/packs/00000001.pack") / 2))
expect_exit 3 run_export
expect_text '00000001'
restore_store
rm -rf "$image" "$journals"
mkdir "$journals"

say "a good drive"
expect_exit 0 run_export
journal=$(journal_in "$journals")
expect_exit 0 seedship verify "$image" --journal "$journal"

say "wrong recovery password"
cp -p "$journal" good.jrn
wrong=111111-222222-333333-444444-555555-666666-000011-720885
sed -i "s:<BitLockerKey>[^<]*<:<BitLockerKey>$wrong<:" "$journal"
refuses 2 seedship verify "$image" --journal "$journal"
expect_text 'password'
grep -q "$wrong" .err && fail "the message shows the password"
sed -i "s:<BitLockerKey>[^<]*<:<BitLockerKey>${wrong%5}4<:" "$journal"
refuses 2 seedship verify "$image" --journal "$journal"

say "damaged journal"
head -c $(($(stat -c %s good.jrn) / 2)) good.jrn >"$journal"
refuses 1 seedship verify "$image" --journal "$journal"
expect_text 'not finished'
sed 's:<ManifestHash>.:<ManifestHash>Z:' good.jrn >"$journal"
refuses 3 seedship verify "$image" --journal "$journal"
sed '1s:Begin:Began:' good.jrn >"$journal"
refuses 3 seedship verify "$image" --journal "$journal"
head -c 4096 /dev/urandom >"$journal"
refuses 3 seedship verify "$image" --journal "$journal"
refuses 3 seedship submit seed1 --store "$store" --dry-run
: >"$journal"
refuses 3 seedship verify "$image" --journal "$journal"
refuses 1 seedship verify "$image" --journal nowhere.jrn
cp -p good.jrn "$journal"
chmod 644 "$journal"
refuses 1 seedship verify "$image" --journal "$journal"
expect_text 'journal'
chmod 600 "$journal"

say "damaged and truncated image"
cp --sparse=always "$image" copy.img
truncate --size -1M copy.img
refuses 3 seedship verify copy.img --journal "$journal"
truncate --size 1M copy.img
refuses 3 seedship verify copy.img --journal "$journal"
: >copy.img
refuses 2 seedship verify copy.img --journal "$journal"
refuses 1 seedship verify nowhere.img --journal "$journal"
# One byte of one file's content; where it lies is on record.
at=$(sqlite3 -readonly "$store/shipping.db" "
    SELECT d.partition_start_bytes + p.volume_off + 100000 FROM placements p JOIN drives d ON d.id = p.drive
    WHERE p.path = 'bulk/noise-1'")
cp --sparse=always "$image" copy.img
damage copy.img "$at"
expect_exit 3 seedship verify copy.img --journal "$journal"
expect_text 'bulk.noise-1' 'Intact: +no'
# BitLocker's first metadata copy, then all three.
start=$(partition_offset "$image")
mapfile -t metadata < <(sqlite3 -readonly -separator $'\n' "$store/shipping.db" \
    'SELECT fve_meta1_off, fve_meta2_off, fve_meta3_off FROM drives')
cp --sparse=always "$image" copy.img
for offset in "${metadata[@]}"; do
    damage copy.img $((start + offset + 0x80))
done
refuses 3 seedship verify copy.img --journal "$journal"
expect_exit 0 seedship verify "$image" --journal "$journal"
say "passed"
