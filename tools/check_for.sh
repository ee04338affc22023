#!/bin/sh
# check_for.sh aarch64|i686|musl [ARGUMENT ...]: the C programs for another machine or C library, on Debian for x86-64;
# arguments are the test runner's. What can be checked so, and what cannot: docs/portability.md.
set -eu
cd "$(dirname "$0")/.."

# Debian's cross compilers, TOOLS-*, for its architecture ARCH, whose libraries are in LIBRARIES. The C library that runs is that
# architecture's own, not the cross compilers': a program that got the loader of one and the rest of the other would hang.
cross() {
    arch=$1 tools=$2 libraries=/lib/$3
    tools/need.sh "$tools-gcc=gcc-$tools" "$tools-g++=g++-$tools" "$libraries/libc.so.6=libc6:$arch" \
        "$libraries/libgcc_s.so.1=libgcc-s1:$arch" "/usr$libraries/libstdc++.so.6=libstdc++6:$arch"
    export LD="$tools-ld" OBJCOPY="$tools-objcopy" AR="$tools-ar"
}

rust=$("${RUSTC:-rustc}" --print sysroot)/lib/rustlib
case ${1:-} in
aarch64)
    target=aarch64-unknown-linux-gnu
    export WITHOUT=c-tests/qemu_cannot.txt
    cross arm64 aarch64-linux-gnu aarch64-linux-gnu
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    tools/need.sh qemu-aarch64=qemu-user
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${QEMU:-qemu-aarch64}"
    export CFLAGS_aarch64_unknown_linux_gnu=-DCHECK_EMULATED CXXFLAGS_aarch64_unknown_linux_gnu=-DCHECK_EMULATED
    ;;
i686)
    target=i686-unknown-linux-gnu
    cross i386 i686-linux-gnu i386-linux-gnu
    export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc
    ;;
musl)
    target=x86_64-unknown-linux-musl
    export WITHOUT=c-tests/musl_cannot.txt
    tools/need.sh musl-gcc=musl-tools
    # The kernel's headers, which musl-gcc does not look for; and Rust's unwinder, as that of Debian's gcc calls glibc.
    export CFLAGS_x86_64_unknown_linux_musl="-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu \
        -Wl,--whole-archive,$rust/$target/lib/self-contained/libunwind.a,--no-whole-archive"
    ;;
*)
    sed -n 's/^# \(check_for.sh [^:]*\):.*/usage: \1/p' "$0" >&2
    exit 2
    ;;
esac
shift
tools/need.sh pkg-config=pkg-config make=make cc=gcc
# With a rustc of its own, which has that target, RUSTC says so.
[ -e "$rust/$target" ] || rustup target add "$target"

export CARGO_BUILD_TARGET=$target
exec cargo test --locked --test c_programs -- "$@"
