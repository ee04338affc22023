//! rsig_die().

use crate::async_safe::death;
use crate::runtime::error::{Error, Result};
use crate::sys::signals::{self, Named};
use libc::c_int;
use std::convert::Infallible;

/// Returns only where the signal is no cause of death.
pub(crate) fn die(signum: c_int) -> Result<Infallible> {
    if signals::index(signum).is_none() {
        return Err(Error::signum(signum));
    }
    if !signals::is_deadly(signum) {
        let name = Named(signum);
        return Err(Error::value(format_args!("nothing dies of {name}")));
    }
    death::of(signum)
}
