//! As `async_safe.rs`.

pub(crate) use crate::call::{mask, thread};
pub(crate) use crate::eventfd;

#[path = "../../../src/sys/siginfo.rs"]
pub(crate) mod siginfo;
#[path = "../../../src/sys/signals.rs"]
pub(crate) mod signals;
#[path = "../../../src/sys/sigset.rs"]
pub(crate) mod sigset;
