//! Thin wrappers of what the kernel and the C library offer. Nothing here allocates or panics, so every layer above may call it,
//! the signal handler's included.

pub(crate) mod action;
#[allow(
    deprecated,
    reason = "time_t, which libc deprecates for musl, as it is going to have 64 bits"
)]
pub(crate) mod clock;
pub(crate) mod errno;
pub(crate) mod mask;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod siginfo;
pub(crate) mod signals;
pub(crate) mod sigset;
pub(crate) mod thread;
#[allow(deprecated, reason = "as for clock")]
pub(crate) mod timer;
pub(crate) mod wait;
pub(crate) mod write;

// What differs from system to system.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux/mod.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "elsewhere/mod.rs"]
mod system;
pub(crate) use system::{eventfd, pidfd, signalfd, system_call, thread_timer, trapped_call};
