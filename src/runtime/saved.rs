//! Dispositions that rsig found and may have to put back. Each is kept once and for ever: the signal handler
//! reads them, and their addresses are what RSIG_FOREIGN's `arg` is. A process has few of them.

use crate::runtime::error::{Error, Result};
use crate::runtime::state::State;
use crate::sys::action::Disposition;
use libc::c_void;
use nix::errno::Errno;
use std::alloc::Layout;

pub(crate) struct Saved {
    disposition: Disposition,
    next: Option<&'static Saved>,
}

impl State {
    /// The kept record that equals `disposition`.
    pub(crate) fn save(&mut self, disposition: &Disposition) -> Result<&'static Disposition> {
        let kept = self.saved().find(|kept| kept.same(disposition));
        match kept {
            Some(kept) => Ok(kept),
            None => self.keep(disposition),
        }
    }

    /// The kept record at an address that came from a caller.
    pub(crate) fn saved_at(&self, address: *const c_void) -> Option<&'static Disposition> {
        self.saved().find(|kept| std::ptr::from_ref::<Disposition>(kept).cast() == address)
    }

    fn saved(&self) -> impl Iterator<Item = &'static Disposition> + use<> {
        std::iter::successors(self.saved, |saved| saved.next).map(|saved| &saved.disposition)
    }

    fn keep(&mut self, disposition: &Disposition) -> Result<&'static Disposition> {
        // Not a Box: one that finds no memory would end the process.
        // SAFETY: the layout is not empty.
        let place = unsafe { std::alloc::alloc(Layout::new::<Saved>()) }.cast::<Saved>();
        if place.is_null() {
            return Err(Error::os(Errno::ENOMEM, format_args!("cannot note a disposition")));
        }
        // SAFETY: fresh memory of the right size and alignment, which is never freed.
        let saved: &'static Saved = unsafe {
            place.write(Saved { disposition: *disposition, next: self.saved });
            &*place
        };
        self.saved = Some(saved);
        Ok(&saved.disposition)
    }
}
