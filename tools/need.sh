#!/bin/sh
# need.sh COMMAND=PACKAGE ...: installs, where it may, the Debian packages of commands that are missing, or of /FILES;
# PACKAGE:ARCHITECTURE is another machine's.
missing=
for need; do
    command -v "${need%%=*}" >/dev/null 2>&1 || [ -f "${need%%=*}" ] || missing="$missing ${need#*=}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    for package in $missing; do
        case $package in *:*) dpkg --add-architecture "${package#*:}" ;; esac
    done
    # Where a list cannot be fetched, the one that is there may do.
    # shellcheck disable=SC2086 # a list of words
    { apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >&2
else
    echo "Please install:$missing" >&2
    exit 1
fi
