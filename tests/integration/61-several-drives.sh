#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# More is staged than one drive takes: planned, put on drive after drive, each file on exactly one of them, as
# planned; a reader that knows nothing of Seedship finds every byte.
source "$(dirname "$0")/lib.sh"
require dislocker-fuse ntfs-3g sqlite3 jq
require_mounts

store=$SCRATCH/store
sizes=(120M 80M 300M)

say "staging"
make_tree source "$SEED" --sparse-mib 1 --bulk-mib 256
seedfs_mount "$store" mnt
tar -C source --sparse -cf - . | tar -C mnt -xpf -
for i in {1..5}; do
    ln mnt/bulk/*1 "mnt/link-$i" 2>/dev/null || echo "link $i" >"mnt/link-$i"
done
seedfs_unmount mnt
new_job several "$store"
mkdir journals

plan() { seedship plan several --store "$store" "$@"; }
shipping() { sqlite3 -readonly "$store/shipping.db" "$@"; }

say "the plan"
expect_exit 0 plan
expect_text 'Drives needed' '1 TB'
printf -v bytes '%siB,' "${sizes[@]}"
bytes=${bytes%,}
expect_exit 0 plan --json --drives "$bytes" --files planned --problems problems
jq -e '.drives | length == 3' .out >/dev/null || fail "$OUT"
[[ $(jq .left_files .out) == 0 ]] || fail "the plan leaves files: $OUT"
expect_exit 0 plan --json --drives "$bytes" --files again
expect_same planned again "the second plan"
grep -q $'^symlink\t' problems || fail "no symbolic link among the problems: $(head problems)"
cut -f 1 planned | sort | uniq -c
[[ ! -e $store/drives ]] || fail "planning made something"

say "one drive after the other"
for i in 0 1 2; do
    code=4
    ((i < 2)) || code=0
    expect_exit $code seedship export several "$SCRATCH/d$i.img" --store "$store" --size "${sizes[i]}" \
        --serial "D$i" --journal-dir journals --json
    left=$(jq .left_files .out)
    ((code ? left > 0 : left == 0)) || fail "$left files left after drive $i"
    expect_exit 0 seedship verify "d$i.img" --journal "journals/D$i.jrn"
done
shipping "SELECT drive_id, count(*), sum(p.size_bytes) FROM placements p JOIN drives d ON d.id = p.drive GROUP BY d.id"

say "nothing is left for a fourth one"
expect_exit 0 seedship export several fourth.img --store "$store" --size 300M --serial D3 --journal-dir journals
expect_text 'nothing is left'
[[ ! -e fourth.img && ! -e journals/D3.jrn ]] || fail "it was touched"

say "as planned"
shipping -separator $'\t' "SELECT (SELECT count(*) FROM drives o WHERE o.id <= d.id),
    replace(replace(replace(CAST(path AS TEXT), '\\', '\\\\'), char(9), '\\t'), char(10), '\\n')
    FROM placements p JOIN drives d ON d.id = p.drive" | LC_ALL=C sort >placed
awk -F '\t' '{ print $1 "\t" $3 }' planned | LC_ALL=C sort >planned.sorted
expect_same planned.sorted placed "what lies where"
[[ $(cut -f 2 placed | sort | uniq -d | wc -l) == 0 ]] || fail "a file is on two drives"

say "every file, read by strangers"
for i in 0 1 2; do
    recovery_password "journals/D$i.jrn" | tr -d '\n' >"d$i.key"
    open_bitlocker "d$i.img" "$SCRATCH/dis-$i" <"d$i.key"
    open_ntfs "$SCRATCH/dis-$i" "$SCRATCH/ntfs-$i"
    shipping -separator $'\t' "SELECT replace(substr(drive_path, 2), '\\', '/'), path FROM placements p
        JOIN drives d ON d.id = p.drive WHERE d.drive_id = 'D$i' AND typeof(path) = 'text' AND path NOT GLOB '*' || char(10) || '*'
        AND path NOT GLOB '*' || char(9) || '*'" >paths
    while IFS=$'\t' read -r there here; do
        [[ $here == link-* ]] || cmp "ntfs-$i/$there" "source/$here" || fail "drive $i: $here"
    done <paths
    close_ntfs "$SCRATCH/dis-$i" "$SCRATCH/ntfs-$i"
    close_bitlocker "d$i.img" "$SCRATCH/dis-$i"
done

say "all at once: the same shares, each drive whole"
new_job atonce "$store"
mkdir journals2
expect_exit 0 seedship export atonce e0.img e1.img e2.img --store "$store" --size 120M --serial E0,E1,E2 \
    --journal-dir journals2 --json
jq -e '(.drives | length == 3) and ([.drives[].state] | unique == ["verified"]) and .left_files == 0' .out >/dev/null ||
    fail "$OUT"
for i in 0 1 2; do
    expect_exit 0 seedship verify "e$i.img" --journal "journals2/E$i.jrn"
done
[[ $(shipping "SELECT count(*) - count(DISTINCT path) FROM placements WHERE drive IN
    (SELECT id FROM drives WHERE drive_id LIKE 'E%')") == 0 ]] || fail "a file is on two drives"
[[ $(shipping "SELECT count(*) FROM placements WHERE drive IN (SELECT id FROM drives WHERE drive_id LIKE 'E%')") == \
    $(wc -l <planned) ]] || fail "not all files are on the drives"
expect_exit 0 seedship export atonce e0.img e3.img --store "$store" --size 120M --serial E0,E3 --journal-dir journals2
expect_text 'not needed' 'verified'
[[ ! -e e3.img ]] || fail "e3.img was made"

say "one of them fails: the others are finished"
new_job onefails "$store"
mkdir journals3
head -c 1M /dev/urandom >f1.img
expect_exit 2 seedship export onefails f0.img f1.img f2.img --store "$store" --size 170M --serial F0,F1,F2 \
    --journal-dir journals3
expect_text 'F1: .*not empty' 'F0 +verified' 'F1 +failed'
for i in 0 2; do
    expect_exit 0 seedship verify "f$i.img" --journal "journals3/F$i.jrn"
done
expect_exit 2 seedship export onefails f0.img f2.img --store "$store" --size 170M --serial F0 --journal-dir journals3
expect_text '1 serial numbers for 2 targets'
expect_exit 2 seedship export onefails f0.img f2.img --store "$store" --size 170M --serial F0,F0 --journal-dir journals3
expect_text 'the same drive id'

say "a drive that is lost: its files, and no others, go on another one"
files=$(shipping "SELECT count(*) FROM placements p JOIN drives d ON d.id = p.drive WHERE d.drive_id = 'E1'")
expect_exit 2 seedship job forget atonce E1 --store "$store"
expect_text 'E1 is finished'
expect_exit 1 seedship job forget atonce NONE --store "$store"
expect_exit 0 seedship job forget atonce E1 --store "$store" --yes
[[ -s journals2/E1.jrn ]] || fail "the journal is gone"
expect_exit 0 seedship export atonce e4.img --store "$store" --size 120M --serial E4 --journal-dir journals2 --json
[[ $(jq .files .out) == "$files" ]] || fail "E4 has $(jq .files .out) files, E1 had $files"

say "what changes is planned again, and goes on another drive"
seedfs_mount "$store" mnt
echo "new content" >mnt/link-1
echo "a new file" >mnt/new
seedfs_unmount mnt
expect_exit 0 plan --json --drives 100MiB --files planned
cut -f 3 planned | sort >names
grep -qx new names || fail "the new file is not planned: $(<names)"
grep -qx link-1 names || fail "the changed file is not planned: $(<names)"
expect_exit 0 seedship export several last.img --store "$store" --size 100M --serial D4 --journal-dir journals
expect_exit 0 seedship verify last.img --journal journals/D4.jrn
say "passed"
