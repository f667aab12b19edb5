#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check_manual.sh SEEDFS PAGE: the manual page has no roff mistakes, and every option of every command.
set -euo pipefail
seedfs=$1 page=$2
status=0

if ! command -v groff >/dev/null; then
    echo "groff is missing (tools/setup test installs it)"
    [[ ${CI:-} == true ]] && exit 1
    exit 77
fi
said=$(groff -man -ww -z -Tutf8 "$page" 2>&1)
if [[ $said ]]; then
    printf '%s\n' "$said"
    status=1
fi
text=$(groff -man -Tutf8 -P -cbou "$page")
for command in $("$seedfs" --list-options | grep -v '^-'); do
    for option in $("$seedfs" "$command" --list-options | grep -Ev -- '^--(version|list-options|manual)$'); do
        grep -q -- "$option" <<<"$text" || {
            echo "$page: nothing about $command $option"
            status=1
        }
    done
done
exit "$status"
