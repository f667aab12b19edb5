#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The packing slip of real drives: well-formed, silent, alone, without a key, one page for four drives on A4 and
# Letter as Chromium prints it, and barcodes that zbar reads from paper. More drives than anybody wants to export
# are rows in a copy of the store.
source "$(dirname "$0")/lib.sh"
require chromium pdfinfo pdftotext pdftoppm zbarimg xmllint sqlite3 jq python3
require_mounts

store=$SCRATCH/store
export TMPDIR=$SCRATCH # where the browser's profile goes

# print_page PAGE: what the browser says is left in PAGE.json, what it prints in PAGE-a4.pdf and PAGE-letter.pdf.
print_page()
{
    interruptible "$tests/lib/print-page" "$1" "${1%.html}" >"${1%.html}.json" || fail "Chromium cannot show $1"
}

# check_page PAGE: well-formed, and nothing in it runs, loads, complains or asks for anything but itself.
check_page()
{
    local name=${1%.html}
    xmllint --noout "$1" || fail "$1 is not well-formed"
    print_page "$1"
    jq -e --arg url "file://$SCRATCH/$1" '.requests == [$url] and .console == [] and .active == []' "$name.json" \
        >/dev/null || fail "$1: $(<"$name.json")"
}

# check_paper PAGE SHEETS DRIVES: so many sheets on either paper, drives on each of them, and no drive lost.
check_paper()
{
    local name=${1%.html} sheets=$2 drives=$3 paper size found sheet
    for paper in a4 letter; do
        found=$(pdfinfo "$name-$paper.pdf" | awk '/^Pages:/ { print $2 }')
        ((found == sheets)) || fail "$1 on $paper: $found sheets, wanted $sheets"
        size=$(pdfinfo "$name-$paper.pdf" | sed -n 's/^Page size: *//p')
        [[ $size == *"${paper/a4/A4}"* ]] || fail "$1 on $paper: $size"
        for ((sheet = 1; sheet <= sheets; sheet++)); do
            pdftotext -f $sheet -l $sheet "$name-$paper.pdf" - | grep -Eq 'Drive [0-9]+ of [0-9]+' ||
                fail "$1 on $paper: no drive on sheet $sheet"
        done
        found=$(pdftotext "$name-$paper.pdf" - | grep -Ec 'Drive [0-9]+ of [0-9]+')
        ((found == drives)) || fail "$1 on $paper: $found drives, wanted $drives"
    done
}

# check_barcodes PAGE: of the serial numbers in the file `serials`, each is read from either paper, and no other.
check_barcodes()
{
    local name=${1%.html} paper
    sort serials >want
    for paper in a4 letter; do
        rm -f sheet-*.png
        pdftoppm -r 300 -gray -png "$name-$paper.pdf" sheet
        zbarimg --quiet --raw --nodbus -Sdisable -Scode128.enable sheet-*.png 2>zbar.err | sort >got ||
            fail "zbar: $(<zbar.err)"
        expect_same want got "what zbar reads of $1 on $paper"
    done
}

# key_parts JOURNAL: the recovery password and its groups, one per line.
key_parts()
{
    recovery_password "$1"
    recovery_password "$1" | tr - '\n'
}

# has_key FILE JOURNAL: a group within an MD5 is a coincidence, one that stands alone is not.
has_key()
{
    local part
    for part in $(key_parts "$2"); do
        ! grep -aEq "(^|[^0-9A-F])$part([^0-9A-F]|\$)" "$1" || return 0
    done
    return 1
}

say "a page that does everything wrong is found out"
cat >wrong.html <<'EOP'
<!DOCTYPE html><html><body><script>console.error("oops"); nonsense();</script>
<img src="http://127.0.0.1:9/pixel.png" onerror="1"></body></html>
EOP
print_page wrong.html
jq -e '(.requests | length == 2) and (.console | map(test("oops|Uncaught")) | any) and
    (.active | index("script") and index("img src") and index("img onerror"))' wrong.json >/dev/null ||
    fail "the checks do not see it: $(<wrong.json)"

say "two drives"
make_tree source "$SEED" --bulk-mib 16
seedfs_mount "$store" mnt
tar -C source --sparse -cf - . | tar -C mnt -xpf -
seedfs_unmount mnt
new_job seed1 "$store" --blob-prefix spring/2026 --recipient "<b>Ann</b> & \"Söhne\" {{job}}" \
    --carrier FedEx --carrier-account 123456789
expect_exit 1 seedship report seed1 --store "$store"
expect_text 'no drives yet'
mkdir journals
for serial in WD-WX12A0000001 S5GXNX0T400002; do
    options=()
    if [[ $serial != WD-* ]]; then
        options=(--no-verify)
        seedfs_mount "$store" mnt
        cp "$SEEDSHIP_BIN/seedfs" mnt/more
        seedfs_unmount mnt
    fi
    expect_exit 0 seedship export seed1 "$serial.img" --store "$store" --size 256M --serial "$serial" \
        --journal-dir journals "${options[@]}"
done

say "the slip"
sha256sum "$store/shipping.db" >before
expect_exit 0 seedship report seed1 --store "$store" --output slip.html
[[ ! $OUT && $(stat -c %a slip.html) == 644 ]] || fail "stdout '$OUT', mode $(stat -c %a slip.html)"
expect_exit 0 seedship report seed1 --store "$store"
expect_same <(sed 's/Made .*UTC//' slip.html) <(sed 's/Made .*UTC//' .out) "the page on stdout"
sha256sum "$store/shipping.db" >after
expect_same before after "shipping.db"
check_page slip.html
check_paper slip.html 1 2
printf '%s\n' WD-WX12A0000001 S5GXNX0T400002 >serials
check_barcodes slip.html
pdftotext slip-a4.pdf - | tr -s "[:space:]" " " >slip.txt
for text in seed1 westeurope seedshiptest seed/spring/2026 '<b>Ann</b> & "Söhne" {{job}}' FedEx '••••6789' \
    WD-WX12A0000001.jrn 'Sealed, not read back' Verified 'Within two weeks' \
    "$(sqlite3 -readonly "$store/shipping.db" "SELECT hex(manifest_md5) FROM drives LIMIT 1")"; do
    grep -qF -- "$text" slip.txt || fail "'$text' is not on paper"
done
! grep -q 123456789 slip.html || fail "the whole account number is on the slip"

say "no key on it"
for journal in journals/*.jrn; do
    (($(key_parts "$journal" | wc -l) == 9)) || fail "no recovery password in $journal"
    has_key "$journal" "$journal" || fail "the search does not find a key that is there"
    for file in slip.html slip.txt slip-a4.pdf slip-letter.pdf; do
        ! has_key "$file" "$journal" || fail "a part of the recovery password is in $file"
    done
done

# fake_drives N: a copy of the store, in which the job has N drives more. The first eight of them bear all printable
# characters, as long as a serial number may be; the last is not finished.
fake_drives()
{
    local n=$1
    rm -rf fake
    mkdir fake
    cp "$store"/*.db fake
    python3 - "$n" >serials <<'EOP'
import sys
printable = [chr(c) for c in range(33, 127)]
print("\n".join(["".join(printable[i * 13:][:13]).ljust(30, "x") + " y" for i in range(8)][:int(sys.argv[1])]))
for i in range(8, int(sys.argv[1])):
    print(f"{i:04}-{i * 7919:08}")
EOP
    sqlite3 fake/shipping.db 'DELETE FROM placements; CREATE TEMP TABLE given (id TEXT);' \
        '.mode ascii' '.separator "\t" "\n"' '.import serials given' "
        UPDATE drives SET drive_id = drive_id || '-old';
        INSERT INTO drives (job, target, drive_id, size_bytes, session_id, phase, phase_ns, partition_start_bytes,
            partition_bytes, cluster_bytes, cipher, fve_meta1_off, fve_meta2_off, fve_meta3_off, fve_vbb_off,
            fve_ice_off, journal_path, layout_path, manifest_path, manifest_md5, created_ns)
        SELECT job, '/t', given.id, 8000000000000, 's', iif(given.rowid = $n, 'streaming', 'verified'), 1, 1,
            7999900000000, 4096, 'c', 1, 2, 3, 4, 5, '/j/' || given.id || '.jrn', '/l', '\\DriveManifest.xml',
            randomblob(16), 1
        FROM given, (SELECT job FROM drives LIMIT 1);
        DELETE FROM drives WHERE drive_id LIKE '%-old';"
}

say "one, four, five, ten and eleven drives"
for case in 1:1 4:1 5:2 10:3 11:4; do
    fake_drives "${case%:*}"
    expect_exit 0 seedship report seed1 --store fake --output "fake-${case%:*}.html"
    expect_text '1 of [0-9]+ drives'
    check_page "fake-${case%:*}.html"
    check_paper "fake-${case%:*}.html" "${case#*:}" "${case%:*}"
    check_barcodes "fake-${case%:*}.html"
    pdftotext "fake-${case%:*}-a4.pdf" - | grep -q 'DO NOT SHIP' || fail "nothing says what is not to be shipped"
done

say "an address as long as they get"
fake_drives 4
sqlite3 fake/shipping.db "UPDATE jobs SET container = 'b' || printf('%062d', 1),
    blob_prefix = 'some/long/prefix/of/many/folders/that/somebody/thought/would/be/a/good/idea/for/2026',
    recipient = 'The Department of Very Long Names and Titles, Backup Team, third floor',
    street = '12345 Avenue of the Extraordinarily Long Street Names, Building 47b, Gate 12',
    street2 = 'c/o Somebody With a Name, Room 3.14159', state = 'Isle of Anglesey',
    city = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch',
    email = 'somebody.with.a.long.name@department.of.long.names.example.org'"
expect_exit 0 seedship report seed1 --store fake --output long.html
check_page long.html
check_paper long.html 1 4
say "passed"
