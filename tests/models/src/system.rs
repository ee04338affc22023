//! As `async_safe.rs`.

#[path = "../../../src/sys/linux/siginfo.rs"]
pub(crate) mod siginfo;
#[path = "../../../src/sys/linux/signals.rs"]
pub(crate) mod signals;
#[path = "../../../src/sys/linux/sigset.rs"]
pub(crate) mod sigset;
