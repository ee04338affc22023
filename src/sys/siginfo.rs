//! What siginfo_t, the kernel's record of one delivery, says.

pub(crate) use crate::sys::system::siginfo::{SI_QUEUE, SI_TIMER, SI_TKILL, is_fault};

/// Where a signal came from: the fields of siginfo_t that this kind of signal defines, all others 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) code: i32,
    pub(crate) error: i32,
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) status: i32,
    pub(crate) value_int: i32,
    pub(crate) overrun: i32,
    pub(crate) fd: i32,
    pub(crate) value_ptr: u64,
    pub(crate) band: i64,
}

impl Origin {
    /// What is known of a delivery whose siginfo found no room.
    pub(crate) const UNKNOWN: Self = Self {
        code: 0,
        error: 0,
        pid: 0,
        uid: 0,
        status: 0,
        value_int: 0,
        overrun: 0,
        fd: 0,
        value_ptr: 0,
        band: 0,
    };

    /// Whether the kernel had no room for the siginfo, or nothing to tell.
    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }
}
