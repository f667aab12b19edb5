# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of seedfs for bash: the program itself lists what may follow.
_seedfs()
{
    local current=${COMP_WORDS[COMP_CWORD]} command=()
    ((COMP_CWORD > 1)) && command=("${COMP_WORDS[1]}")
    mapfile -t COMPREPLY < <(compgen -W "$(seedfs "${command[@]}" --list-options 2>/dev/null)" -- "$current")
    if ((COMP_CWORD > 1)) && [[ $current != -* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
    fi
}
complete -F _seedfs seedfs
