#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# seedfs status: the figures of a store at rest, live ones while it is mounted, and a control socket that bears anything.
source "$(dirname "$0")/lib.sh"
require jq python3 setpriv sqlite3
require_mounts

# Longer than a socket's address may be.
long=$SCRATCH/$(printf 'a-folder-with-a-long-name-%.0s' 1 2 3 4 5)
store=$long/store
mnt=$SCRATCH/mnt
mkdir "$long"

# get FILTER: from the status of the mount.
get()
{
    expect_exit 0 seedfs status "$mnt" --json
    jq -e -r "$1" .out || fail "status has no $1: $OUT"
}

# ask BYTES...: raw into the socket, as python's bytes; prints the answer.
ask()
{
    (cd "$store" && python3 - "$@") <<'EOF'
import socket, sys
for text in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect("control")
    s.sendall(eval(text))
    s.shutdown(socket.SHUT_WR)
    print(s.makefile().read().strip())
EOF
}

say "a mounted store, while it is written"
seedfs_start "$store" "$mnt"
[[ $(stat -c %a "$store/control") == 600 ]] || fail "others may talk to the socket"
seq 2000000 >numbers
cp numbers "$mnt/numbers"
head -c 20000000 /dev/urandom >"$mnt/noise"
[[ $(get .state) == mounted && $(get .mount_point) == "$mnt" && $(get .pid) == "$SEEDFS_PID" ]] || fail "state: $OUT"
[[ $(get .traffic.written_bytes) == $(($(stat -c %s numbers) + 20000000)) ]] || fail "written: $OUT"
(($(get .traffic.written_per_second_bytes) > 0)) || fail "no rate: $OUT"
(($(get .requests.write) > 0 && $(get .requests.create) >= 2)) || fail "requests: $OUT"
(($(get .memory.resident_bytes) > 1000000 && $(get .memory.limit_bytes) == 256 << 20)) || fail "memory: $OUT"
seedfs sync "$mnt"
[[ $(get .files) == 2 && $(get .pending.dirty_bytes) == 0 && $(get .pending.queue_sets) == 0 ]] || fail "after sync: $OUT"
(($(get .traffic.stored_bytes) > 20000000 && $(get .traffic.stored_bytes) < $(get .traffic.written_bytes))) ||
    fail "stored: $OUT"
[[ $(get .traffic.stored_bytes) == $(get .stored_bytes) ]] || fail "stored, live and in the index: $OUT"
(($(get .commits.commits) > 0 && $(get .commits.age_seconds) < 60)) || fail "commits: $OUT"
cat "$mnt/noise" >/dev/null
expect_exit 0 seedfs status "$store"
expect_text '^State: +mounted' '^Traffic:' '^  Written per second: +[0-9]'
[[ $(cut -d: -f1 .out | grep -v '^ ' | sort | uniq -d) == "" ]] || fail "two rows of one name: $OUT"

say "a reader that holds back the index's log shows"
start python3 -c '
import sqlite3, sys, time
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM inode").fetchone()
open("reading", "w").close()
time.sleep(60)' "$store/index.db"
wait_until 20 test -e reading
mkdir "$mnt/many"
(cd "$mnt/many" && for i in {1..12}; do seq -f "$i-%g" 1000 | xargs touch; done)
seedfs sync "$mnt"
is_held() { get .commits >held && jq -e ".log_held_pages > 0 and .log_bytes > 100000" held; }
wait_until 10 is_held || fail "the reader is not seen: $(<held)"
stop "$JOB"

say "bad requests are answered, silent peers harm nobody"
ask "b''" "b'\\n'" "b'nonsense\\n'" "b'status please\\n'" "b'x' * 5000 + b'\\n'" "b'\\0\\xff\\n'" "b'x' * 4000" >answers
[[ $(jq -r .error answers | grep -c .) == 7 ]] || fail "answers: $(<answers)"
ask "b'status\\n'" | jq -e '.state == "mounted"' >/dev/null || fail "a raw request"
start python3 -c '
import os, socket, sys, time
peers = []
os.chdir(sys.argv[1])
for i in range(2):
    s = socket.socket(socket.AF_UNIX)
    s.connect("control")
    peers.append(s)
open(sys.argv[2], "w").close()
time.sleep(60)' "$store" "$SCRATCH/silent"
wait_until 20 test -e silent
timeout 5 dd if=/dev/zero of="$mnt/zeros" bs=1M count=4 status=none || fail "silent peers block the mount"
stop "$JOB"
[[ $(get .state) == mounted ]] || fail "after silent peers: $OUT"

say "nobody else is answered"
chmod 711 "$SCRATCH" "$long" "$store"
chmod 666 "$store/control"
(cd "$store" && setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("control")
s.sendall(b"status\n")
print(s.makefile().read())') >answer 2>&1 || true
jq -e '.error | test("only root")' answer >/dev/null || fail "another user is told: $(<answer)"

say "a killed one is not mounted; its socket is in nobody's way"
seedfs_kill
[[ -S $store/control ]] || fail "no socket is left to be in the way"
expect_exit 0 seedfs status "$mnt"
expect_text '^State: +not mounted'
seedfs_unmount "$mnt"
seedfs_mount "$store" "$mnt"
[[ $(get .state) == mounted && $(get .traffic.written_bytes) == 0 ]] || fail "after a crash: $OUT"
expect_exit 0 seedfs umount "$mnt"
[[ ! -e $store/control ]] || fail "the socket stays behind"
expect_exit 0 seedfs status "$store" --json
jq -e '.state == "not mounted" and .mount_point == null and .traffic == null and .files > 12000' .out >/dev/null ||
    fail "not mounted: $OUT"
expect_exit 0 seedfs mount "$store" "$mnt" -o ro
[[ $(get .state) == "mounted read-only" ]] || fail "read-only: $OUT"
expect_exit 0 seedfs umount "$mnt"
expect_exit 1 seedfs status "$SCRATCH"
expect_text 'neither a store nor a seedfs mount'
expect_exit 1 seedfs status nowhere
say "passed"
