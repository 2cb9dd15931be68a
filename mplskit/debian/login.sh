#!/bin/sh
# Lays files over a bare Debian tree, and lets one key log in there as root: run by mmdebstrap.  login.sh ROOT LAID PUBLIC_KEY
set -eu
umask 022
root=$1 laid=$2 public_key=$3

cp -R "$laid/." "$root/"
mkdir -p "$root/root/.ssh"
chmod 700 "$root/root/.ssh"
cp "$public_key" "$root/root/.ssh/authorized_keys"
chmod 600 "$root/root/.ssh/authorized_keys"
chroot "$root" usermod --password '*' root
