//! Linux's filters of system calls, which there are none of here.

use libc::{siginfo_t, ucontext_t};

pub(crate) fn refuse(_: &siginfo_t, _: &mut ucontext_t) {}
