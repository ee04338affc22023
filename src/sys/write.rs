//! write(2) that cannot raise SIGPIPE, nor SIGXFSZ.

use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::{mask, system_call, wait};
use libc::{c_int, c_long};
use nix::errno::Errno;
use std::time::Duration;

/// Writes all of `bytes`. Where the reader is gone this is EPIPE and no SIGPIPE, where the file is at its limit EFBIG and no
/// SIGXFSZ, whatever that signal's disposition: it is blocked for the moment, and the one that the write made is taken back. One
/// that was pending before stays. Async-signal-safe.
pub(crate) fn all(fd: c_int, bytes: &[u8]) -> Result<(), Errno> {
    let made = sigset::one(libc::SIGPIPE) | sigset::one(libc::SIGXFSZ);
    let before = mask::change(libc::SIG_BLOCK, made)?;
    // Only where it was blocked can one have been pending.
    let pending = if before & made == 0 { 0 } else { mask::pending()? & before };
    let result = all_or_error(fd, bytes);
    match result {
        Err(Errno::EPIPE) => take_back(sigset::one(libc::SIGPIPE), pending)?,
        Err(Errno::EFBIG) => take_back(sigset::one(libc::SIGXFSZ), pending)?,
        _ => {}
    }
    mask::change(libc::SIG_SETMASK, before)?;
    result
}

/// The write has made one pending for this very thread; or, of SIGXFSZ, none where the file system itself has that limit.
fn take_back(signal: rsig_sigset_t, pending_before: rsig_sigset_t) -> Result<(), Errno> {
    let accepted = wait::accept(signal, Some(Duration::ZERO));
    // One that was pending for the thread before has been merged with it; one for the process is still there.
    if let Ok(accepted) = accepted
        && pending_before & signal != 0
        && mask::pending()? & signal == 0
    {
        let _ = accepted.put_back();
    }
    Ok(())
}

fn all_or_error(fd: c_int, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        // By syscall(2): the C library's write() is a cancellation point, which a signal handler that
        // interrupted just any code must not be.
        let arguments = [fd.into(), bytes.as_ptr() as c_long, bytes.len() as c_long, 0, 0, 0];
        // SAFETY: reads at most `bytes`.
        let written = unsafe { system_call::make(system_call::SYS_write, &arguments) };
        match Errno::result(written) {
            Ok(written) => bytes = bytes.get(written as usize..).unwrap_or(&[]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
