#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tools/bench works: rows run in small, their results are complete, and nothing is left behind, not even when it
# is stopped halfway.
source "$(dirname "$0")/lib.sh"
require zstd jq python3
require_mounts

bench=("$SEEDSHIP_SRC/tools/bench" --quick --build "$SEEDSHIP_BIN" --dir "$SCRATCH/work")

nothing_left()
{
    ! grep -F " $SCRATCH/work/" /proc/self/mountinfo || fail "something is still mounted"
    [[ -z $(ls -A "$SCRATCH/work") ]] || fail "files are left behind"
}

say "rows and their verdicts"
"${bench[@]}" --json "$SCRATCH/result.json" incompressible overwrite small stat index >"$SCRATCH/tables"
jq -e '[.results[].row] | unique == ["incompressible", "index", "overwrite", "small", "stat"]' \
    "$SCRATCH/result.json" >"$SCRATCH/.out" || fail "rows are missing"
jq -e 'all(.results[]; (.verdicts | length) > 0 and
        (.row == "index" or ((.samples.seedfs | length) == 1 and .samples.seedfs[0].wall > 0)))' \
    "$SCRATCH/result.json" >"$SCRATCH/.out" || fail "samples or verdicts are missing"
grep -Eq '[0-9]+ (met|MISSED)' "$SCRATCH/tables" || fail "no summary"
nothing_left

say "stopped halfway"
"${bench[@]}" read stat small >/dev/null 2>"$SCRATCH/talk" &
pid=$!
for ((n = 0; n < 500; n++)); do
    grep -Fq " $SCRATCH/work/" /proc/self/mountinfo && break
    sleep 0.02
done
((n < 500)) || fail "it never mounted anything"
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
((code == 143)) || fail "exit code $code, not 143"
nothing_left
say "passed"
