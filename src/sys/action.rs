//! sigaction(2).

use crate::sys::signals;
use libc::{c_int, c_void, sighandler_t, siginfo_t};
use nix::errno::Errno;
use std::mem::MaybeUninit;

/// The low-level handler's type, as SA_SIGINFO has it. A handler may end its thread: pthread_exit() unwinds the stack.
pub(crate) type LowLevelHandler = extern "C-unwind" fn(c_int, *mut siginfo_t, *mut c_void);

/// Flags that change what SIG_DFL and SIG_IGN do; the others matter to a handler only.
const MEANS_SOMETHING_WITHOUT_HANDLER: c_int = libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT;

/// A disposition, the kernel's whole record of it.
#[derive(Clone, Copy)]
pub(crate) struct Disposition(libc::sigaction);

impl Disposition {
    pub(crate) const DEFAULT: Self = Self::plain(libc::SIG_DFL);
    pub(crate) const IGNORED: Self = Self::plain(libc::SIG_IGN);

    /// SIG_DFL or SIG_IGN.
    pub(crate) const fn plain(handler: sighandler_t) -> Self {
        // SAFETY: sigaction is a plain C structure, for which all-zero bytes are a value: SIG_DFL,
        // no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handler;
        Self(action)
    }

    /// A handler with its siginfo, on the alternate stack where the thread has one, with an empty
    /// mask, persistent, and interrupting system calls.
    pub(crate) fn with_handler(handler: LowLevelHandler) -> Self {
        let mut disposition = Self::plain(handler as *const () as sighandler_t);
        disposition.0.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        disposition
    }

    pub(crate) fn handler(&self) -> sighandler_t {
        self.0.sa_sigaction
    }

    pub(crate) fn is(&self, handler: LowLevelHandler) -> bool {
        self.handler() == handler as *const () as sighandler_t
    }

    /// Whether this is SIG_DFL or SIG_IGN with nothing more to it.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.handler(), libc::SIG_DFL | libc::SIG_IGN)
            && self.0.sa_flags & MEANS_SOMETHING_WITHOUT_HANDLER == 0
    }

    /// What does the same as one that is plain.
    pub(crate) fn plainest(&self) -> &'static Self {
        if self.handler() == libc::SIG_IGN { &Self::IGNORED } else { &Self::DEFAULT }
    }

    pub(crate) fn restarts(&self) -> bool {
        self.0.sa_flags & libc::SA_RESTART != 0
    }

    pub(crate) fn set_restart(&mut self, restart: bool) {
        if restart {
            self.0.sa_flags |= libc::SA_RESTART;
        } else {
            self.0.sa_flags &= !libc::SA_RESTART;
        }
    }

    /// What a handler of rsig's needs to stand in for this one: its mask and its flags, its stack too; the handler itself knows how often
    /// to call it. Children that
    /// nobody waits for stay so.
    pub(crate) fn stand_in(&self, signum: c_int, handler: LowLevelHandler) -> Self {
        let mut stand_in = Self::with_handler(handler);
        if self.is_function() {
            stand_in.0.sa_mask = self.0.sa_mask;
            stand_in.0.sa_flags = self.0.sa_flags & !libc::SA_RESETHAND | libc::SA_SIGINFO;
        } else {
            stand_in.0.sa_flags |= self.0.sa_flags & MEANS_SOMETHING_WITHOUT_HANDLER;
            // A call that the kernel refuses to a background job by such a signal it would begin again, and refuse again, for ever.
            stand_in.set_restart(!matches!(signum, libc::SIGTTIN | libc::SIGTTOU));
        }
        if signum == libc::SIGCHLD && self.handler() == libc::SIG_IGN {
            stand_in.0.sa_flags |= libc::SA_NOCLDWAIT;
        }
        stand_in
    }

    pub(crate) fn is_function(&self) -> bool {
        !matches!(self.handler(), libc::SIG_DFL | libc::SIG_IGN)
    }

    /// Whether the kernel calls it only once.
    pub(crate) fn is_one_shot(&self) -> bool {
        self.0.sa_flags & libc::SA_RESETHAND != 0
    }

    /// Calls the handler as the kernel does.
    ///
    /// # Safety
    /// It is a function, and may be called with these arguments.
    pub(crate) unsafe fn call(&self, signum: c_int, info: *mut siginfo_t, context: *mut c_void) {
        if self.0.sa_flags & libc::SA_SIGINFO != 0 {
            // SAFETY: with this flag it has this type.
            let handler = unsafe { std::mem::transmute::<usize, LowLevelHandler>(self.handler()) };
            handler(signum, info, context);
        } else {
            // SAFETY: without it, this one.
            let handler = unsafe {
                std::mem::transmute::<usize, extern "C-unwind" fn(c_int)>(self.handler())
            };
            handler(signum);
        }
    }

    /// Whether the kernel would do the same for both.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let mask_of = |disposition: &Self| crate::sys::sigset::from_posix(&disposition.0.sa_mask);
        self.handler() == other.handler()
            && self.0.sa_flags == other.0.sa_flags
            && mask_of(self) == mask_of(other)
    }
}

/// The disposition now.
pub(crate) fn get(signum: c_int) -> Result<Disposition, Errno> {
    exchange(signum, None)
}

/// Async-signal-safe.
pub(crate) fn set(signum: c_int, new: &Disposition) -> Result<(), Errno> {
    exchange(signum, Some(new)).map(|_| ())
}

/// Puts `new` in the place of what was found there, which `is_found` knows. Whether it has; where somebody else came in between,
/// theirs stays. Async-signal-safe.
pub(crate) fn replace(
    signum: c_int,
    new: &Disposition,
    is_found: impl FnOnce(&Disposition) -> bool,
) -> Result<bool, Errno> {
    let came = exchange(signum, Some(new))?;
    if is_found(&came) {
        return Ok(true);
    }
    // Others may go on to come, and the last one is to stay; but no handler of ours goes on for ever.
    const ENOUGH: usize = 8;
    let (mut ours, mut theirs) = (*new, came);
    for _ in 0..ENOUGH {
        let came = exchange(signum, Some(&theirs))?;
        if came.handler() == ours.handler() {
            break;
        }
        (ours, theirs) = (theirs, came);
    }
    Ok(false)
}

fn exchange(signum: c_int, new: Option<&Disposition>) -> Result<Disposition, Errno> {
    if signals::index(signum).is_none() {
        return Err(Errno::EINVAL);
    }
    let mut old = Disposition::plain(libc::SIG_DFL);
    let new = new.map_or(std::ptr::null(), |new| std::ptr::from_ref(&new.0));
    // SAFETY: both are NULL or whole sigaction structures, and what `new` installs was either made by
    // `with_handler` or read back from the kernel.
    Errno::result(unsafe { libc::sigaction(signum, new, &mut old.0) })?;
    Ok(old)
}
