//! What FreeBSD and macOS have in place of what is Linux's own: modules of the same names as in `linux`. What they do not have
//! is ENOSYS, as on an old kernel. Built, never run.

pub(crate) mod eventfd;
pub(crate) mod pidfd;
pub(crate) mod siginfo;
pub(crate) mod signalfd;
pub(crate) mod signals;
pub(crate) mod sigset;
pub(crate) mod system_call;
pub(crate) mod thread;
pub(crate) mod thread_timer;
pub(crate) mod trapped_call;

/// Where these differ from each other.
#[cfg(target_os = "freebsd")]
#[path = "freebsd.rs"]
mod own;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod own;
#[cfg(not(any(target_os = "freebsd", target_os = "macos")))]
compile_error!("rsig is made for Linux; for FreeBSD and macOS it can be built");
