//! Between fork and exec: signals as a program expects to find them.

use crate::async_safe::before;
use crate::runtime::error::{Error, Result};
use crate::runtime::main_thread;

/// The memory may be the parent's (vfork), so a failure leaves no sentence.
pub(crate) fn restore_signals() -> Result<()> {
    if !main_thread::is_known() {
        return Err(Error::STATE);
    }
    before::put_back().map_err(Error::os_without_message)
}
