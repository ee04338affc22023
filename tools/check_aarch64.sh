#!/bin/sh
# check_aarch64.sh [ARGUMENT ...]: the C programs for aarch64, by Debian's cross compilers and qemu-user, as root on Debian;
# arguments are the test runner's. Without the cases of c-tests/qemu_cannot.txt.
set -eu
cd "$(dirname "$0")/.."
if ! [ -e /usr/lib/rustlib/aarch64-unknown-linux-gnu ] || ! [ -e /lib/ld-linux-aarch64.so.1 ]; then
    dpkg --add-architecture arm64
    apt-get update
    # Debian's own Rust, as the other architecture's standard library belongs to it. The C library is that of the same
    # architecture, not the cross compiler's: a program that got the loader of one and the rest of the other would hang.
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rustc-web libstd-rust-web-dev:arm64 \
        gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6:arm64 libgcc-s1:arm64 libstdc++6:arm64
fi
tools/need.sh qemu-aarch64=qemu-user pkg-config=pkg-config make=make

export RUSTC=/usr/bin/rustc CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${QEMU:-qemu-aarch64}"
export CFLAGS_aarch64_unknown_linux_gnu=-DCHECK_EMULATED CXXFLAGS_aarch64_unknown_linux_gnu=-DCHECK_EMULATED
export LD=aarch64-linux-gnu-ld OBJCOPY=aarch64-linux-gnu-objcopy AR=aarch64-linux-gnu-ar
# shellcheck disable=SC2046 # a list of words
exec cargo test --locked --test c_programs -- --exact \
    $(sed -n 's/^\([a-z_0-9]*::[a-z_0-9]*\).*/--skip \1/p' c-tests/qemu_cannot.txt) "$@"
