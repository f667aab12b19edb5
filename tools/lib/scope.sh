# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Clean-up that happens: what on_exit was given runs in reverse order when the script ends, be it by
# itself, by an error or by a signal. Source it before anything is mounted or started. What runs at the
# end finds the exit code in $status; it is above 128 after a signal.

scope_stack=()
scope_group=

# on_exit COMMAND [ARGUMENT]...
on_exit()
{
    local command
    printf -v command '%q ' "$@"
    scope_stack+=("$command")
}

scope_end()
{
    local status=$? command
    trap '' HUP INT TERM # a second Ctrl-C does not cut the clean-up short
    trap - EXIT
    set +e
    if [[ $scope_group ]]; then
        kill -TERM -- "-$scope_group" 2>/dev/null
        wait "$scope_group" 2>/dev/null
    fi
    while ((${#scope_stack[@]})); do
        command=${scope_stack[-1]}
        unset 'scope_stack[-1]'
        eval "$command" || { ((status)) || status=1; }
    done
    exit "$status"
}
trap scope_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command or a function so that a signal to this script ends it at once, with all its children:
# bash alone would wait for it first. It runs in a subshell: variables and on_exit do not reach out of it.
interruptible()
{
    local status=0
    set -m
    "$@" <&0 &
    scope_group=$!
    set +m
    wait "$scope_group" || status=$?
    scope_group=
    return "$status"
}

# wait_until SECONDS COMMAND...: until it succeeds; its output is dropped.
wait_until()
{
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}
