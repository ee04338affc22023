//! Memory of the kernel's, beside the allocator.

use nix::errno::Errno;
use std::mem::MaybeUninit;
use std::ptr;

/// Room for as many as a page has, for ever.
pub(crate) fn page<T>() -> Result<&'static mut [MaybeUninit<T>], Errno> {
    // The smallest there is; the kernel rounds up.
    const SIZE: usize = 4096;
    // Known to the compiler: both hold for all that is kept.
    let count = SIZE.checked_div(size_of::<T>()).ok_or(Errno::ENOMEM)?;
    if align_of::<T>() > SIZE {
        return Err(Errno::ENOMEM);
    }
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, wherever there is room.
    let page = unsafe { libc::mmap(ptr::null_mut(), SIZE, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    // SAFETY: fresh memory for so many, aligned as a page is, which is never unmapped.
    Ok(unsafe { std::slice::from_raw_parts_mut(page.cast(), count) })
}
