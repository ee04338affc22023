//! The words of sigset_t.

pub(crate) type Word = u32;
