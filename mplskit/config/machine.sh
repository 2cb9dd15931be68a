#!/bin/sh
# What a machine says of its kernel; it comes on stdin. One line for each thing seen: its kind, a tab, and what it is.
PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
tab=$(printf '\t')
say() { sed "s|^|$1$tab|"; }
show() { cat "$@" 2>/dev/null; }

release=$(uname -r)
modules=/lib/modules/$release
uname -s | say system
uname -m | say architecture
printf '%s\n' "$release" | say release
for file in /proc/config.gz "/boot/config-$release" "$modules/config"; do
    case $file in
    *.gz) config=$(gzip -dc <"$file" 2>/dev/null) ;;
    *) config=$(show "$file") ;;
    esac
    if [ -n "$config" ]; then
        printf '%s\n' "$file" | say config_from
        printf '%s\n' "$config" | say config
        break
    fi
done
show /proc/modules | say loaded
show /etc/modules /etc/initramfs-tools/modules /etc/modules-load.d/*.conf /run/modules-load.d/*.conf \
    /usr/local/lib/modules-load.d/*.conf /usr/lib/modules-load.d/*.conf /lib/modules-load.d/*.conf |
    say listed
cd "$modules/" 2>/dev/null && find . -name '*.ko*' 2>/dev/null | say file
show "$modules/modules.builtin" | say builtin
find /lib/modules/ -name 'mpls_router.ko*' 2>/dev/null | say router
grep -H '/mpls_router[.]ko' /lib/modules/*/modules.builtin 2>/dev/null | say router
show /etc/os-release | say os
echo | say end
