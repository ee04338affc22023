//! fork(2): the child is a process of its own, with nothing tripped, whose main thread is the one that forked.
//!
//! From before the fork until the child has put its state right, all signals are blocked: what the child is
//! sent meanwhile stays pending in the kernel, and cannot be mistaken for something of the parent's.

use crate::async_safe::pending::PENDING;
use crate::async_safe::{call, deliveries, poke, wakeup};
use crate::runtime::channel::Seats;
use crate::runtime::error::{Error, Result};
use crate::runtime::state::{self, State};
use crate::runtime::{aside, main_thread};
use crate::sys::mask;
use crate::sys::sigset::rsig_sigset_t;
use nix::errno::Errno;
use std::cell::UnsafeCell;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};

impl State {
    pub(crate) fn install_fork_handlers(&mut self) -> Result<()> {
        register().map_err(|errno| Error::os(errno, format_args!("cannot register fork handlers")))
    }
}

static REGISTERED: AtomicBool = AtomicBool::new(false);

/// When the library is loaded, before the program can register handlers of its own: so that theirs run without rsig's lock,
/// before `prepare` and after `parent` and `child`. By its number, which a program's constructors may not have, it is in front of them
/// also where the library is linked statically.
#[used]
#[unsafe(link_section = ".init_array.00099")]
static REGISTER: extern "C" fn() = {
    extern "C" fn load() {
        // Where this fails, rsig_init() tries again, and tells.
        let _ = register();
    }
    load
};

fn register() -> std::result::Result<(), Errno> {
    // Relaxed: the loader's thread and those that hold the lock.
    if REGISTERED.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: the three functions live as long as the process: the library is linked `-z nodelete`.
    match unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) } {
        0 => {
            // Relaxed: as above.
            REGISTERED.store(true, Ordering::Relaxed);
            Ok(())
        }
        code => Err(Errno::from_raw(code)),
    }
}

/// What the forking thread carries across.
struct Held {
    state: MutexGuard<'static, State>,
    seats: Seats,
    mask: Option<rsig_sigset_t>,
}

struct Place(UnsafeCell<Option<Held>>);
// SAFETY: used only by the thread that holds the lock, which the guard inside is proof of.
unsafe impl Sync for Place {}
static HELD: Place = Place(UnsafeCell::new(None));

extern "C" fn prepare() {
    let mask = mask::change(libc::SIG_BLOCK, rsig_sigset_t::MAX).ok();
    let state = state::lock_for_fork();
    let seats = state.lock_seats();
    let held = Held { state, seats, mask };
    // SAFETY: this thread holds the lock.
    unsafe { *HELD.0.get() = Some(held) };
}

extern "C" fn parent() {
    release(|_, _| {});
}

extern "C" fn child() {
    release(|state, seats| {
        PENDING.clear();
        deliveries::clear();
        state.replace_waker();
        state.clear_channels(seats);
        wakeup::reset();
        aside::forget();
        main_thread::forget_id();
        if state.users > 0 {
            state.take_main_thread();
            call::reset(main_thread::id());
        }
        poke::reset();
    });
}

fn release(put_right: impl FnOnce(&mut State, &mut Seats)) {
    // SAFETY: this thread took the lock in `prepare`.
    if let Some(Held { mut state, mut seats, mask }) = unsafe { (*HELD.0.get()).take() } {
        put_right(&mut state, &mut seats);
        drop(seats);
        drop(state);
        if let Some(mask) = mask {
            // With a mask that was just read this cannot fail.
            let _ = mask::change(libc::SIG_SETMASK, mask);
        }
    }
}
