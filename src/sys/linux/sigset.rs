//! The words of sigset_t.

pub(crate) type Word = libc::c_ulong;
