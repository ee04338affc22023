//! As `async_safe.rs`.

pub(crate) use crate::{eventfd, system};
pub(crate) use crate::kernel::{action, mask, process, thread, thread_timer, wait};

#[path = "../../../src/sys/siginfo.rs"]
pub(crate) mod siginfo;
#[path = "../../../src/sys/signals.rs"]
pub(crate) mod signals;
#[path = "../../../src/sys/sigset.rs"]
pub(crate) mod sigset;
