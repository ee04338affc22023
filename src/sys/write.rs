//! write(2) that cannot raise SIGPIPE.

use crate::sys::{mask, sigset, wait};
use libc::c_int;
use nix::errno::Errno;
use std::time::Duration;

/// Writes all of `bytes`. Where the reader is gone this is EPIPE and no SIGPIPE, whatever that signal's
/// disposition: it is blocked for the moment, and the one that the write made is taken back. One that
/// was pending before stays. Async-signal-safe.
pub(crate) fn all(fd: c_int, bytes: &[u8]) -> Result<(), Errno> {
    let sigpipe = sigset::one(libc::SIGPIPE);
    let before = mask::change(libc::SIG_BLOCK, sigpipe)?;
    // Only where it was blocked can one have been pending.
    let pending = before & sigpipe != 0 && mask::pending()? & sigpipe != 0;
    let result = all_or_error(fd, bytes);
    if result == Err(Errno::EPIPE) {
        // The write has made one pending for this very thread, so there is one to accept.
        let accepted = wait::accept(sigpipe, Some(Duration::ZERO));
        // One that was pending for the thread before has been merged with it; one for the process is still there.
        if let Ok(accepted) = accepted
            && pending
            && mask::pending()? & sigpipe == 0
        {
            let _ = accepted.put_back();
        }
    }
    mask::change(libc::SIG_SETMASK, before)?;
    result
}

fn all_or_error(fd: c_int, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        // By syscall(2): the C library's write() is a cancellation point, which a signal handler that
        // interrupted just any code must not be.
        // SAFETY: reads at most `bytes`.
        let written = unsafe { libc::syscall(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) };
        match Errno::result(written) {
            Ok(written) => bytes = bytes.get(written as usize..).unwrap_or(&[]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
