//! What is Linux's own. `elsewhere` has the same modules for other systems.

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
