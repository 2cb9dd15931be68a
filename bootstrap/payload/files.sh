#!/bin/sh
# Read by apply.sh: the files that the payload brings, what was there before them, and taking them back.
# shellcheck disable=SC2154,SC2013,SC2015 # mode, here, records and changed are apply.sh's

# One path per line: what we wrote, and the folders that we made for it. What stood at such a path before lies in
# before/, whole.
files_list=$records/files
folders_list=$records/folders
before=$records/before
programs=/usr/local/lib/mplskit
longest_diff=100

# The paths that a unit reads whose words are not what they were when this run began, each with a space behind it
rewritten=' '
is_read() { grep -qs "[$tab ]$1" "$here/want/services"; }

our_files=$(cat "$files_list" 2>/dev/null)
is_ours() { has "$our_files" "$1"; }

# note_path LIST PATH: twice does no harm
note_path() { { [ -d "$records" ] || mkdir -p "$records"; } && printf '%s\n' "$2" >>"$1"; }

# list_files: sets brought, the paths of files/ as on the node
list_files() { brought=$(cd "$here/files" && find . -type f | sed 's|^\.||' | sort); }

install_files() {
    make_files
    list_files
    for path in $brought; do
        case $path in /etc/apt/*) ;; *) put "$path" ;; esac
    done
    drop_files
    [ "$mode" = plan ] || own_files
}

# apt's list and its key, before apt is asked
put_apt_files() {
    list_files
    for path in $brought; do
        case $path in /etc/apt/*) put "$path" ;; esac
    done
}

# Files of ours that the payload brings no more
drop_files() {
    for path in $our_files; do
        # One that could not be made is wanted all the same.
        [ "$path" != "$daemons" ] || [ ! -e "$here/want/frr" ] || continue
        has "$brought" "$path" || put_back "$path"
    done
}

# put PATH: bring files/PATH to PATH in one step, unless it is there
put() {
    source=$here/files$1
    [ -z "$larger_table" ] || [ "$1" != "$sysctl_file" ] || source=$larger_table
    if cmp -s "$source" "$1"; then
        [ "$mode" = plan ] || is_ours "$1" || record file "$1" adopt "$1" || return
        report same file "$1" ""
        return
    fi
    [ "$mode" != plan ] || show_diff "$1" "$source"
    ! is_read "$1" || [ "$(words_of "$1" "$1" 2>/dev/null)" = "$(words_of "$1" "$source")" ] || rewritten="$rewritten$1 "
    if [ -e "$1" ]; then done=changed; else done=written; fi
    change file "$1" "$done" put_now "$1"
}

put_now() {
    make_folder "${1%/*}" && adopt "$1" && copy "$source" "$1.mplskit" && move_over "$1.mplskit" "$1"
}

adopt() { keep_before "$1" && { is_ours "$1" || note_path "$files_list" "$1"; }; }

# copy FROM TO: whole, or not at all
copy() {
    cp "$1" "$2" || {
        rm -f "$2"
        return 1
    }
}

# move_over NEW PATH: mode and owner of what stood there stay
move_over() {
    if [ -e "$2" ]; then chmod --reference="$2" "$1" && chown --reference="$2" "$1"; fi && mv -f "$1" "$2" || {
        rm -f "$1"
        return 1
    }
}

# keep_before PATH: what is there and not ours is kept, once
keep_before() {
    { [ -e "$1" ] || [ -L "$1" ]; } && ! is_ours "$1" || return 0
    mkdir -p "$before${1%/*}" && cp -a "$1" "$before$1.new" && mv -f "$before$1.new" "$before$1"
}

make_folder() {
    [ -d "$1" ] || { make_folder "${1%/*}" && note_path "$folders_list" "$1" && mkdir "$1"; }
}

# show_diff PATH NEW: the difference, and what is too long to be shown as how many lines there are on each side. Our own
# programs are the same everywhere: of them nothing but that.
show_diff() {
    old=$1 most=$longest_diff
    case $1 in "$programs"/*) most=0 ;; esac
    [ -e "$old" ] || old=/dev/null
    diff -u --label "$1" --label "$1" "$old" "$2" | tr '\t' ' ' | awk -v path="$1" -v most="$most" '
        NR <= most { print "diff\tfile\t" path "\t" $0 }
        NR > 2 { lines[substr($0, 1, 1)]++ }
        END { if (NR > most) printf "diff\tfile\t%s\t(+%d -%d lines)\n", path, lines["+"], lines["-"] }'
}

# put_back PATH: what stood there before us, or nothing
put_back() {
    ! stays "$1" || return 0
    if [ -e "$before$1" ] || [ -L "$before$1" ]; then
        [ "$mode" != plan ] || show_diff "$1" "$before$1"
        change file "$1" "what was there before is back" put_back_now "$1" || return
    elif [ -e "$1" ]; then
        [ "$mode" != plan ] || show_diff "$1" /dev/null
        change file "$1" "taken away" rm -f "$1" || return
    fi
    # What was before goes last: as long as the path is on the list, it is what is to come back.
    [ "$mode" = plan ] || record file "$1" forget_file "$1"
}

forget_file() { forget_path "$files_list" "$1" && rm -rf "$before$1" "$1.mplskit"; }

put_back_now() { cp -a "$before$1" "$1.mplskit" && mv -f "$1.mplskit" "$1"; }

# forget_path LIST PATH
forget_path() { grep -vxF "$2" "$1" | store "$1"; }

# remove_files: all of ours, and the folders that we made as far as they are empty
remove_files() {
    for path in $(sort -u "$files_list" 2>/dev/null); do put_back "$path"; done
    [ ! -e "$folders_list" ] || sort -ru "$folders_list" | while read -r folder; do
        rmdir "$folder" 2>/dev/null
    done
}
