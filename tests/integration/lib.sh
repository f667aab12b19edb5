# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What every story here shares: a scratch directory, expectations, mounts that are gone afterwards.
# A story sources this file first. It passes with exit code 0, fails with 1 and is skipped with 77.

set -euo pipefail

tests=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
SEEDSHIP_SRC=${SEEDSHIP_SRC:-$(dirname "$tests")}
SEEDSHIP_BIN=${SEEDSHIP_BIN:-$SEEDSHIP_SRC/build/dev}
SEED=${SEED:-1}
STORY=$(basename "$0" .sh)

# shellcheck source=../../tools/lib/scope.sh
source "$SEEDSHIP_SRC/tools/lib/scope.sh"
# shellcheck source=../../tools/lib/drive.sh
source "$SEEDSHIP_SRC/tools/lib/drive.sh"

seedfs() { "$SEEDSHIP_BIN/seedfs" "$@"; }
seedship() { "$SEEDSHIP_BIN/seedship" "$@"; }

# A command that fails where nobody expects it ends the story; say which.
set -o errtrace
trap 'printf "%s: line %s: exit code %s: %s\n" "$STORY" "$LINENO" "$?" "$BASH_COMMAND" >&2' ERR

# ---- outcome ---------------------------------------------------------------------------------

say() { printf '%s: %s\n' "$STORY" "$*"; }

fail()
{
    printf '%s: FAILED at line %s: %s\n' "$STORY" "${BASH_LINENO[-2]}" "$*" >&2
    exit 1
}

skip()
{
    printf '%s: SKIP: %s\n' "$STORY" "$*"
    exit 77
}

# require COMMAND...: the story needs these. A developer's machine may lack one; CI may not.
require()
{
    local command
    for command; do
        command -v "$command" >/dev/null && continue
        [[ ${CI:-} == true ]] && fail "$command is missing (tools/setup test installs it)"
        skip "$command is missing (tools/setup test installs it)"
    done
}

# require_mounts: FUSE and loop devices, the two things that a container may forbid.
require_mounts()
{
    ((EUID == 0)) && [[ -w /dev/fuse ]] && return
    [[ ${CI:-} == true ]] && fail "needs root and /dev/fuse"
    skip "needs root and /dev/fuse"
}

# expect_exit CODE COMMAND...: its stdout is left in $OUT, its stderr in $ERR.
expect_exit()
{
    local want=$1 got=0
    shift
    "$@" >"$SCRATCH/.out" 2>"$SCRATCH/.err" || got=$?
    OUT=$(<"$SCRATCH/.out")
    ERR=$(<"$SCRATCH/.err")
    ((got == want)) || fail "exit code $got, wanted $want: $*"$'\n'"$OUT"$'\n'"$ERR"
}

# expect_text PATTERN...: what the last expect_exit printed matches each extended regular expression.
expect_text()
{
    local pattern
    for pattern; do
        grep -Eqi -- "$pattern" "$SCRATCH/.out" "$SCRATCH/.err" ||
            fail "no '$pattern' in what it printed:"$'\n'"$OUT"$'\n'"$ERR"
    done
}

# expect_same FILE FILE [WHAT]
expect_same()
{
    diff "$1" "$2" >"$SCRATCH/.diff" ||
        fail "${3:-$2} differs:"$'\n'"$(head -n 20 "$SCRATCH/.diff")"
}

# start COMMAND...: in the background, as a process group of its own: $JOB. stop ends it with all its children.
start()
{
    set -m
    "$@" &
    JOB=$!
    set +m
    on_exit stop "$JOB"
}

stop()
{
    kill -KILL -- "-$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    wait_until 10 is_group_gone "$1"
}

# A zombie is gone, it has closed its files, unless it is a leader whose threads are still on their way out.
is_group_gone()
{
    local pid threads
    for pid in $(pgrep -g "$1"); do
        threads=("/proc/$pid/task/"*)
        ((${#threads[@]} == 1)) && grep -qsE '^State:\s*[ZX]' "/proc/$pid/status" || [[ ! -e /proc/$pid ]] || return 1
    done
}

# ---- scratch ---------------------------------------------------------------------------------

# Nothing of a story may outlive it. The last step of the clean-up, so everything else has run by then.
end_scratch()
{
    local left
    left=$(
        awk -v dir="$SCRATCH/" 'index($5, dir) == 1 { print "mount " $5 }' /proc/self/mountinfo
        losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$SCRATCH/" | sed 's/^/loop device /'
        find /proc/[0-9]*/{fd,cwd,exe} -maxdepth 1 -lname "$SCRATCH/*" ! -path "/proc/$$/*" \
            -printf 'process %p -> %l\n' 2>/dev/null
    )
    if [[ $left ]]; then
        printf '%s: left behind:\n%s\n' "$STORY" "$left" >&2
        return 1
    fi
    if [[ ${KEEP:-} ]]; then
        say "kept $SCRATCH"
    else
        rm -rf --one-file-system "$SCRATCH"
    fi
}

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/seedship-$STORY.XXXXXX")
SCRATCH=$(realpath "$SCRATCH")
on_exit end_scratch
cd "$SCRATCH"
[[ -x $SEEDSHIP_BIN/seedfs && -x $SEEDSHIP_BIN/seedship ]] || fail "no programs in SEEDSHIP_BIN=$SEEDSHIP_BIN"

# ---- seedfs ----------------------------------------------------------------------------------

# seedfs_mount STORE DIR: unmounted at the end, if the story does not do it.
seedfs_mount()
{
    mkdir -p "$2"
    on_exit seedfs_unmount "$2"
    seedfs mount "$1" "$2" >"$SCRATCH/.mount" 2>&1 || fail "mount $1: $(<"$SCRATCH/.mount")"
    is_mounted "$2" || fail "seedfs mount returned, but $2 is not mounted"
}

# Open files and working directories below a mount point, and whose they are.
who_uses()
{
    find /proc/[0-9]*/{fd,cwd,exe,root} -maxdepth 1 -lname "$(realpath "$1")*" \
        -printf 'in use by %p -> %l\n' 2>/dev/null || true
    ps -o pid,ppid,stat,args --forest -N --ppid 2 | tail -n 40
}

# seedfs_unmount DIR: also what is left of a mount whose daemon is dead.
seedfs_unmount()
{
    is_mounted "$1" || return 0
    if [[ $(stat -f -c %T "$1" 2>/dev/null) ]]; then
        seedfs umount "$1" >"$SCRATCH/.umount" 2>&1 || { cat "$SCRATCH/.umount" >&2 && who_uses "$1" >&2; return 1; }
    else
        umount "$1" 2>/dev/null || umount --lazy "$1"
    fi
}

# seedfs_start STORE DIR: in the foreground of a background job, so that its process id is known: $SEEDFS_PID.
seedfs_start()
{
    mkdir -p "$2"
    # Not the function: $! would be a shell around the program, and a kill of it would kill nothing.
    "$SEEDSHIP_BIN/seedfs" mount "$1" "$2" -f >>"$SCRATCH/seedfs.log" 2>&1 &
    SEEDFS_PID=$!
    on_exit seedfs_stop "$SEEDFS_PID" "$2"
    wait_until 30 is_up_or_gone "$SEEDFS_PID" "$2" || true
    is_mounted "$2" || fail "not mounted: $(tail -n 5 "$SCRATCH/seedfs.log")"
    wait_until 30 test -e "$2/." || fail "mounted but dead: $(tail -n 5 "$SCRATCH/seedfs.log")"
}

is_up_or_gone() { is_mounted "$2" || is_gone "$1"; }

# seedfs_stop PID DIR: orderly when it still runs; harmless when it is gone already.
seedfs_stop()
{
    seedfs_unmount "$2"
    if ! wait_until 60 is_gone "$1"; then
        kill -KILL "$1"
        printf '%s: seedfs was still running a minute after the unmount\n' "$STORY" >&2
        return 1
    fi
    wait "$1" 2>/dev/null || true
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# SIGKILL for the seedfs of the last seedfs_start. The dead mount stays, so that nobody can write into the
# bare directory by mistake: first stop who writes, then seedfs_unmount.
seedfs_kill()
{
    [[ $(<"/proc/$SEEDFS_PID/comm") == seedfs ]] || fail "process $SEEDFS_PID is no seedfs"
    kill -KILL "$SEEDFS_PID"
    wait "$SEEDFS_PID" 2>/dev/null || true
}

# faultfs_start DIR: the disk below a store, which forgets, fills up and fails (tests/lib/faultfs.c).
faultfs_start()
{
    mkdir -p "$1"
    "$SEEDSHIP_BIN/tests/faultfs" "$1" &
    on_exit faultfs_stop "$1" $!
    wait_until 10 is_mounted "$1" || fail "faultfs does not start"
}

faultfs_stop()
{
    is_mounted "$1" && umount "$1"
    wait "$2" 2>/dev/null || true
}

# faultfs DIR COMMAND...: see tests/lib/faultfs.c.
faultfs() { echo "${*:2}" >"$1/.faultfs"; }

# Every check of a store that is not mounted: SQLite's own on the index, and the index against the packs.
check_index()
{
    local said
    said=$(sqlite3 -readonly "$1/index.db" 'PRAGMA integrity_check; PRAGMA foreign_key_check;')
    [[ $said == ok ]] || fail "index.db: $said"
    said=$("$SEEDSHIP_BIN/seedfs" check "$1" 2>&1) || fail "seedfs check: $said"
}

# ---- loop devices ----------------------------------------------------------------------------

# loop_attach IMAGE [OPTION]...: the image (absolute) as a block device: $LOOP, gone at the end at the latest.
loop_attach()
{
    local image=$1
    shift
    LOOP=$(losetup --find --show "$@" "$image")
    on_exit loop_detach "$LOOP" "$image"
}

# loop_detach LOOP IMAGE: only while it stands on that image: by now the number may be somebody else's.
loop_detach()
{
    local file
    file=$(losetup --noheadings --output BACK-FILE "$1" 2>/dev/null) || return 0
    [[ $file != "$2" ]] || wait_until 10 losetup --detach "$1"
}

# ---- trees -----------------------------------------------------------------------------------

# make_tree DIR SEED [--sparse-mib N] [--bulk-mib N]: a tree of everything nasty; same seed, same tree.
make_tree() { "$tests/lib/make-tree" "$@"; }

# tree_sums DIR: SHA-256, size and kind of everything below, one line each, sorted.
tree_sums() { "$tests/lib/tree-facts" --content "$1"; }

# tree_facts DIR: the same with permissions, owners, times, attributes and links.
tree_facts() { "$tests/lib/tree-facts" "$1"; }

# ---- seedship --------------------------------------------------------------------------------

# new_job NAME STORE [OPTION]...: with an address that passes every check.
new_job()
{
    local name=$1 store=$2
    shift 2
    seedship job new "$name" --store "$store" \
        --subscription 11111111-2222-3333-4444-555555555555 --resource-group backup-rg \
        --storage-account seedshiptest --container seed --location westeurope \
        --recipient "Test Person" --street "1 Example Street" --city Amsterdam --state NH \
        --postal-code 1011 --country Netherlands --phone "+31 20 555 0100" --email test@example.org \
        "$@" >"$SCRATCH/.job" 2>&1 || fail "job new: $(<"$SCRATCH/.job")"
}

# The journal of the only drive in a directory.
journal_in()
{
    local found=("$1"/*.jrn)
    [[ ${#found[@]} == 1 && -f ${found[0]} ]] || fail "not exactly one journal in $1: ${found[*]}"
    echo "${found[0]}"
}

# compare_drive NTFS SOURCE [OPTION]...: every file against the source, by the manifest on the drive.
compare_drive() { "$SEEDSHIP_SRC/tools/compare-drive" "$@"; }
