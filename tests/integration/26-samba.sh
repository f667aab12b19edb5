#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Staging is often a share: a real smbd serves the mount, smbclient puts, gets, renames and removes.
source "$(dirname "$0")/lib.sh"
require smbd smbclient smbpasswd python3 sqlite3
require_mounts

store=$SCRATCH/store
mnt=$SCRATCH/mnt
port=$((20000 + $$ % 20000))
chmod 755 "$SCRATCH"
make_tree source "$SEED" --sparse-mib 8 --bulk-mib 8

seedfs_mount "$store" "$mnt"
mkdir "$mnt/share" smb smb/{private,state,cache,locks,ncalrpc,pid}
cat >smb/smb.conf <<EOF
[global]
workgroup = TEST
server role = standalone server
bind interfaces only = yes
interfaces = 127.0.0.1/8
smb ports = $port
private dir = $SCRATCH/smb/private
state directory = $SCRATCH/smb/state
cache directory = $SCRATCH/smb/cache
lock directory = $SCRATCH/smb/locks
ncalrpc dir = $SCRATCH/smb/ncalrpc
pid directory = $SCRATCH/smb/pid
log file = $SCRATCH/smb/log
disable netbios = yes
load printers = no
printcap name = /dev/null
passdb backend = tdbsam
[share]
path = $mnt/share
read only = no
store dos attributes = yes
ea support = yes
strict sync = yes
EOF
printf 'scratch\nscratch\n' | smbpasswd -c "$SCRATCH/smb/smb.conf" -a -s root >smb/passwd.log 2>&1 ||
    fail "smbpasswd: $(<smb/passwd.log)"

# The server and its children are one process group, ended by its id: $server.
serve()
{
    start smbd --foreground --no-process-group --configfile "$SCRATCH/smb/smb.conf" >smb/smbd.out 2>&1
    server=$JOB
    wait_until 20 client ls || fail "no smbd: $(tail -n 20 smb/log smb/smbd.out)"
}

client()
{
    smbclient //127.0.0.1/share --port "$port" --user root%scratch --configfile "$SCRATCH/smb/smb.conf" --command "$1"
}

# smbclient goes on after an error and ends with the outcome of the last command: what it says counts too.
smb()
{
    client "$1" >smb/said 2>&1 || fail "smbclient '$1': $(<smb/said)"
    ! grep -q NT_STATUS_ smb/said || fail "smbclient '$1': $(<smb/said)"
}

serve
say "put, get, rename, remove"
smb 'put source/bulk/noise-1 first; mkdir dir; put source/bulk/text-1 dir\second; rename first dir\moved'
cmp source/bulk/noise-1 "$mnt/share/dir/moved"
cmp source/bulk/text-1 "$mnt/share/dir/second"
smb 'get dir\moved back; del dir\second'
cmp source/bulk/noise-1 back
[[ ! -e $mnt/share/dir/second ]] || fail "a removed file is there"
client 'rmdir dir' | grep -q NT_STATUS_DIRECTORY_NOT_EMPTY || fail "a full directory can be removed"
smb 'put source/bulk/text-2 dir\moved' # over what is there
cmp source/bulk/text-2 "$mnt/share/dir/moved"
smb 'deltree dir'
[[ ! -e $mnt/share/dir ]] || fail "a removed directory is there"

say "whole trees, up and down"
mkdir tree down
cp -r source/sizes source/many source/bulk tree
smb 'lcd tree; recurse; prompt; mput *'
tree_sums tree >want
tree_sums "$mnt/share" >got
expect_same want got "the tree in the mount"
smb 'lcd down; recurse; prompt; mget *'
tree_sums down >got
expect_same want got "the tree that came back"

say "after a remount"
stop "$server"
seedfs_unmount "$mnt"
seedfs_mount "$store" "$mnt"
tree_sums "$mnt/share" >got
expect_same want got "the tree after a remount"
serve
rm -r down
mkdir down
smb 'lcd down; recurse; prompt; mget *'
tree_sums down >got
expect_same want got "the tree that came back after a remount"
smb 'deltree many'
[[ ! -e $mnt/share/many ]] || fail "a removed tree is there"
stop "$server"
seedfs_unmount "$mnt"
check_index "$store"
say "passed"
