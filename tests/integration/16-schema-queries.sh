#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every query of schema/README.md, run on a live mount of known content: the results are those it shows.
#     UPDATE=1 tests/integration/16-schema-queries.sh      # writes the results into schema/README.md
source "$(dirname "$0")/lib.sh"
require python3 sqlite3 setfattr
require_mounts

readme=$SEEDSHIP_SRC/schema/README.md
store=$SCRATCH/store
mnt=$SCRATCH/mnt
mkdir "$mnt"
on_exit seedfs_unmount "$mnt"
expect_exit 0 seedfs mount "$store" "$mnt" -o level=3

query() { sqlite3 -readonly "$store/index.db" "$@"; }

say "a store of known content"
cd "$mnt"
mkdir -p documents logs/web media vm
python3 - <<'EOF'
import os, random
def write(path, data, at=0):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.pwrite(fd, data, at)
    os.close(fd)
noise = random.Random(1)
def lines(name, n):
    return b"".join(b"%s %06d the quick brown fox jumps over the lazy dog\n" % (name, i) for i in range(n))
write("media/film.mp4", noise.randbytes(3000000))
write("media/photo.jpg", noise.randbytes(400000))
write("logs/web/access.log", lines(b"GET", 60000))
write("logs/web/access.log.old", lines(b"GET", 60000))
write("logs/system.log", lines(b"kernel", 20000))
write("documents/report.txt", lines(b"report", 300))
write("documents/copy of report.txt", lines(b"report", 300))
write("documents/empty.txt", b"")
write("vm/disk.img", noise.randbytes(1 << 20))
write("vm/disk.img", lines(b"block", 5000), 40 << 20)
os.truncate("vm/disk.img", 64 << 20)
os.link("documents/report.txt", "documents/same report.txt")
os.symlink("web/access.log", "logs/current")
os.setxattr("documents/report.txt", "user.author", b"A. Writer")
os.setxattr("media/film.mp4", "user.origin", b"camera 2")
EOF
for i in 1 2 3 4 5 6 7; do
    find . -type f ! -path ./logs/system.log -print0 | sort -z | sed -zn "${i}~7p" |
        xargs -0r touch -d "2026-03-0$i 12:00:00 UTC"
done
cd "$SCRATCH"
seedfs sync "$mnt"

say "the queries of schema/README.md"
cat >run-queries <<'EOF'
"""Runs each query of the README; writes the text with the results as they are, and those that differ."""
import os, re, subprocess, sys
readme, index, out = sys.argv[1:]
text = open(readme, encoding="utf-8").read()
count, wrong = 0, []
def run(match):
    global count
    count += 1
    query, shown = match[1], match[2]
    done = subprocess.run(["sqlite3", "-readonly", "-box", index, query], capture_output=True, text=True)
    got = done.stdout + done.stderr
    if done.returncode or got != shown or not got:
        wrong.append(f"{query}shown:\n{shown}got:\n{got}")
    return f"```sql\n{query}```\n\n```text\n{got}```\n"
text = re.sub(r"```sql\n(.*?)```\n\n```text\n(.*?)```\n", run, text, flags=re.S)
open(out, "w", encoding="utf-8").write(text)
print(count)
sys.stderr.write("\n".join(wrong))
EOF
ran=$(python3 run-queries "$readme" "$store/index.db" updated 2>wrong)
if [[ ${UPDATE:-} ]]; then
    cat updated >"$readme"
    say "updated $readme"
else
    [[ ! -s wrong ]] || fail "$(<wrong)"
fi
((ran >= 15)) || fail "only $ran queries were found in schema/README.md"

say "the views agree with the mount"
[[ $(query 'SELECT count(*) FROM files') == $(find "$mnt" -type f | wc -l) ]] || fail "files"
[[ $(query 'SELECT path FROM directories ORDER BY path') == "$(find "$mnt" -type d -printf '%P\n' | LC_ALL=C sort)" ]] ||
    fail "directories"
[[ $(query "SELECT size FROM directories WHERE path = 'logs'") == \
    $(find "$mnt/logs" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }') ]] || fail "total of a directory"
[[ $(query "SELECT path || '|' || size FROM files" | LC_ALL=C sort) == \
    "$(find "$mnt" -type f -printf '%P|%s\n' | LC_ALL=C sort)" ]] || fail "sizes"
[[ $(query 'SELECT sum(live) FROM packs') == $(query 'SELECT sum(stored_bytes) FROM chunk') ]] || fail "live bytes"

say "tables and columns are all described"
query "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
    WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%'" >columns
while IFS=. read -r table column; do
    awk -v table="\`$table\`" -v column="\`$column\`" -F'|' '
        $2 ~ /`/ { in_table = index($2, table) > 0 }
        in_table && index($0, column) { found = 1 }
        END { exit !found }' "$readme" || fail "schema/README.md does not describe $table.$column"
done <columns

say "the views walk the tree by its indexes"
for view in files directories paths; do
    query "EXPLAIN QUERY PLAN SELECT * FROM $view" >plan
    grep -q 'SEARCH d USING' plan || fail "$view does not search names: $(<plan)"
    grep -Eq 'SCAN (i|di|inode)\b' plan && fail "$view reads all inodes: $(<plan)"
done
query 'EXPLAIN QUERY PLAN SELECT * FROM chunk WHERE pack = 1' | grep -q 'USING .*INDEX' || fail "chunks of a pack"
say "passed"
