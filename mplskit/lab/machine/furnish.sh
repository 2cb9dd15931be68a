#!/bin/sh
# Makes a bare Debian tree the disk of a lab: run by mmdebstrap.  furnish.sh ROOT BUSYBOX
set -eu
umask 022
root=$1 busybox=$2

chmod 755 "$root/etc/lab/start" "$root/usr/sbin/poweroff"
mkdir -p "$root/etc/mplskit" "$root/etc/openvpn" "$root/usr/lib/modules"
[ -e "$root/etc/ssh/ssh_host_ed25519_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
ln -sf /bin/busybox "$root/sbin/init"
echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
cp "$root/bin/busybox" "$busybox"
rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists" "$root/var/cache/debconf"
