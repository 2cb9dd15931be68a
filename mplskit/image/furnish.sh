#!/bin/sh
# Makes a bare Debian tree the root file system of a node: run by mmdebstrap, which has mounted /proc, /sys and /dev in it.
#   furnish.sh ROOT PAYLOAD
# PAYLOAD: the node's setup and packages, applied as on a real node.
set -eu
umask 022
root=$1 payload=$2

mkdir "$root/mplskit-payload"
cp -R "$payload/." "$root/mplskit-payload/"
chroot "$root" sh /mplskit-payload/apply.sh image
rm -r "$root/mplskit-payload"

chroot "$root" systemctl enable systemd-networkd.service systemd-resolved.service
# Nothing that runs by itself may hold dpkg's lock on a node that is being set up.
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer

# What belongs to one machine, or to the making of the image, is not part of it.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
rm -f "$root/var/lib/systemd/random-seed" "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
