#!/bin/sh
# Read by apply.sh: the packages that were carried (want/packages, packages/), and those that apt brings (want/apt).
# want/packages has NAME<TAB>VERSION<TAB>SHA256<TAB>FILE lines, want/apt NAME or NAME=VERSION.
# shellcheck disable=SC2154 # mode and here are apply.sh's

installed=/var/lib/mplskit/packages # one file per package: `SHA256 VERSION` of what we installed, or `apt VERSION`
patience=120                        # seconds to wait for a dpkg or apt that is at work already
tab=$(printf '\t')

# --- carried ----------------------------------------------------------------------------------------------------

carried_packages() {
    [ -e "$here/want/packages" ] || return 0
    set --
    while IFS=$tab read -r name version digest file; do
        if has_package "$digest"; then
            [ "$mode" = plan ] || touch "$installed/$name" # the newest record names the kernel that was brought last
            report same package "$name" "$version"
        elif [ "$mode" = plan ]; then
            report changed package "$name" "$version would be installed"
        elif [ -e "$here/packages/$file" ]; then
            set -- "$@" "$here/packages/$file"
        else
            report failed package "$name" "$version was not brought, and this node does not have it"
        fi
    done <"$here/want/packages"
    [ $# -gt 0 ] || return 0
    installed_before=$(installed_versions)
    status=0
    install_files_of "$@" || status=$?
    while IFS=$tab read -r name version digest file; do
        case " $* " in *" $here/packages/$file "*) ;; *) continue ;; esac
        # A package that dpkg could not replace by one of the same version is rolled back, and looks installed.
        if has_version && { [ $status -eq 0 ] || ! was_there; }; then
            report changed package "$name" "$version installed"
            record package "$name" remember "$digest"
        else
            rm -f "$installed/$name"
            report failed package "$name" "dpkg: $(last_lines)"
        fi
    done <"$here/want/packages"
}

# Another dpkg is waited for, as apt waits by itself.
install_files_of() {
    patiently "lock was locked by another process" \
        dpkg --force-confdef --force-confold --install "$@"
}

# patiently BUSY COMMAND …: its output in $output; again as long as that says BUSY
patiently() {
    busy=$1
    shift
    waited=0
    until output=$("$@" 2>&1 </dev/null); do
        case $output in
        *"$busy"*) [ $waited -lt $patience ] && sleep 2 && waited=$((waited + 2)) && continue ;;
        esac
        printf '%s\n' "$output" >&2
        return 1
    done
    printf '%s\n' "$output" >&2
}

# --- from apt ---------------------------------------------------------------------------------------------------

apt_packages() {
    [ -e "$here/want/apt" ] || return 0
    set --
    while IFS='=' read -r name version; do
        found=$(installed_version)
        if [ -n "$found" ] && [ "${version:-$found}" = "$found" ]; then
            [ "$mode" = plan ] || [ ! -e "$installed/$name" ] || touch "$installed/$name"
            report same package "$name" "$found"
        elif [ "$mode" = plan ]; then
            report changed package "$name" "${version:-$(candidate)} would be installed by apt"
        else
            set -- "$@" "$name${version:+=$version}"
        fi
    done <"$here/want/apt"
    [ $# -gt 0 ] || return 0
    status=0
    fetch_and_install "$@" || status=$?
    for word in "$@"; do
        name=${word%%=*}
        version=$(installed_version)
        if [ $status -eq 0 ] && [ -n "$version" ]; then
            report changed package "$name" "$version installed by apt"
            record package "$name" remember apt
        else
            report failed package "$name" "apt: $(last_lines)"
        fi
    done
}

# Our own archive is asked anew; the node's, when apt cannot do with the lists that it has.
fetch_and_install() {
    if [ -e "$here/files$apt_list" ]; then
        apt_get update -o "Dir::Etc::SourceList=$apt_list" -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 ||
            return 1
    fi
    apt_install "$@" && return 0
    tried=$output
    apt_get update && apt_install "$@" && return 0
    output=$(printf '%s\n%s' "$tried" "$output")
    return 1
}

# What was asked for by its version may be older than what is there; nothing is taken away for it.
apt_install() {
    downgrades=
    case "$*" in *=*) downgrades=--allow-downgrades ;; esac
    apt_get install --yes --no-install-recommends --no-remove $downgrades -- "$@"
}

apt_get() {
    patiently "Could not get lock /var/lib/apt/lists" \
        apt-get --quiet -o "DPkg::Lock::Timeout=$patience" -o APT::Update::Error-Mode=any -o Acquire::Retries=2 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Without the cache files that apt would write.
candidate() {
    found=$(apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy -- "$name" 2>/dev/null |
        sed -n 's/^  Candidate: //p')
    case $found in '' | '(none)') echo "the newest" ;; *) echo "$found" ;; esac
}

# --- what is there ------------------------------------------------------------------------------------------------

installed_version() { dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null | sed -n 's/^installed //p'; }
installed_versions() { dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n'; }
has_version() { [ "$(installed_version)" = "$version" ]; }
was_there() { printf '%s\n' "$installed_before" | grep -qxF "installed $name $version"; }

# has_package DIGEST, remember DIGEST
has_package() { has_version && [ "$(cat "$installed/$name" 2>/dev/null)" = "$1 $version" ]; }
remember() { mkdir -p "$installed" && printf '%s %s\n' "$1" "$version" >"$installed/$name"; }

# What apt says of errors and their reasons, once; or the last that was said
last_lines() {
    printf '%s\n' "$output" | sed -n '/^Err:/{n; s/^  *//p;}; /^E: /p' | awk '!said[$0]++' | grep . ||
        printf '%s\n' "$output" | grep -v '^ *$' | tail -n 6
}

# The releases of the kernels that this payload brings, there already or not
wanted_kernels() {
    cat "$here/want/packages" "$here/want/apt" 2>/dev/null | sed -n "s/^linux-image-\([^=$tab]*\).*/\1/p"
}
