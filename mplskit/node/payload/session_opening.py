"""What a session begins with on the node: one run at a time, a folder for it, and what is there already."""

import shlex
from collections.abc import Sequence

# Nobody but root can hold the lock, and the kernel lets go of it when the run ends, however it ends: what lies in
# /var/tmp while it is held is what dead runs left. Without root apply.sh refuses by itself.
# /var/tmp is on disk: /tmp may be in memory, and too small for a kernel.
PLACE = r"""
failed() {
    printf 'failed\tnode\t%s\t%s\n' "$1" "$(printf %s "$2" | head -n 1 | tr '\t' ' ')"
    exit 1
}
if [ -r /root ]; then
    command -v flock >/dev/null || failed tools 'not on this node: flock: apt-get install --reinstall util-linux'
    exec 9</root
    flock -w 120 9 || failed lock 'another run has been at work here for 120 s'
    find /var/tmp -maxdepth 1 -name 'mplskit.*' -user 0 -exec rm -rf {} +
fi
trap 'exit 129' HUP INT TERM PIPE
d=$(mktemp -d /var/tmp/mplskit.XXXXXXXXXX 2>&1) || failed space "$d"
trap 'rm -rf "$d"' EXIT
"""

# have<TAB>package<TAB>NAME<TAB>SHA256 VERSION   what was installed by us, and is installed still
# have<TAB>space<TAB>FOLDER<TAB>KIB MOUNT        what is free there
# have<TAB>initrd<TAB>largest<TAB>KIB            the largest initramfs, where one is made for each kernel
# have<TAB>node<TAB>packages<TAB>                that is all
OFFER = r"""
for f in /var/lib/mplskit/packages/*; do
    [ -f "$f" ] && read -r digest version <"$f" || continue
    [ "$(dpkg-query -W -f '${db:Status-Status} ${Version}' "${f##*/}" 2>/dev/null)" = "installed $version" ] || continue
    printf 'have\tpackage\t%s\t%s %s\n' "${f##*/}" "$digest" "$version"
done
for f in /var/tmp /boot /lib /usr; do
    [ ! -d "$f" ] || printf 'have\tspace\t%s\t%s\n' "$f" "$(df -k --output=avail,target "$f" | tail -n 1)"
done
! command -v update-initramfs >/dev/null ||
    printf 'have\tinitrd\tlargest\t%s\n' "$(du -k /boot/initrd.img-* 2>/dev/null | sort -n | tail -n 1 | cut -f 1)"
printf 'have\tnode\tpackages\t\n'
"""

# apply.sh is the last of the archive: a stream that was cut runs nothing. What the payload starts does not hold the
# lock.
RECEIVE = r"""
t=$(tar -x -m --no-same-owner -C "$d" 2>&1 9<&-) || failed space "the payload could not be unpacked in /var/tmp: $t"
"""


def script(mode: str, allow: Sequence[str] = (), *, asks: bool = False) -> str:
    """What `sh` runs on the node, the archive being its stdin; with `asks` it says first which packages it has."""
    words = shlex.join([mode, *dict.fromkeys(allow)])
    return f'{PLACE}{OFFER if asks else ""}{RECEIVE}sh "$d/apply.sh" {words} 9<&-\n'
