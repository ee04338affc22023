//! Thin wrappers of what the kernel and the C library offer. Nothing here allocates or panics, so every layer above may call it,
//! the signal handler's included.

pub(crate) mod action;
pub(crate) mod clock;
pub(crate) mod errno;
pub(crate) mod eventfd;
pub(crate) mod mask;
pub(crate) mod pidfd;
pub(crate) mod process;
pub(crate) mod siginfo;
pub(crate) mod signals;
pub(crate) mod sigset;
pub(crate) mod thread;
pub(crate) mod thread_timer;
pub(crate) mod timer;
pub(crate) mod wait;
pub(crate) mod write;
