//! Channels: opening, reading and closing them, on whichever thread.
//!
//! What C has is no address but a number, of the place where the channel is and of how many were there before it, so that one
//! that is closed is not taken for another. (With pointers of 32 bits that begins anew after 16 million.)

use crate::async_safe::channel::{self, Channel, MAX, Place, Reader};
use crate::async_safe::ring;
use crate::async_safe::slot::Slot;
use crate::runtime::error::{self, Error, Result};
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::runtime::state::{self, State};
use crate::runtime::{call, dispositions};
use crate::runtime::{main_thread, pump};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::{clock, eventfd, mask};
use libc::c_int;
use nix::errno::Errno;
use std::alloc::Layout;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What C calls a channel.
#[derive(Clone, Copy)]
pub(crate) struct Handle(usize);

const PLACE_BITS: u32 = MAX.trailing_zeros();
/// The highest turn that a handle has room for.
const TURNS: usize = usize::MAX.wrapping_shr(PLACE_BITS);

impl Handle {
    pub(crate) fn of(number: usize) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> usize {
        self.0
    }

    fn new(index: usize, turn: usize) -> Self {
        Self(turn.wrapping_shl(PLACE_BITS) | index)
    }

    fn index(self) -> usize {
        self.0 & MAX.wrapping_sub(1)
    }
}

/// The next turn: never 0, so that no handle is.
fn after(turn: usize) -> usize {
    if turn < TURNS { turn.wrapping_add(1) } else { 1 }
}

/// The ordinary side of a place. Its lock is the readers': handlers have none.
pub(crate) struct Seat {
    /// Whose it is, 0 for nobody's.
    handle: usize,
    /// How many channels have been here.
    turn: usize,
    reader: Reader,
    /// -1 until somebody waits.
    fd: c_int,
}

static SEATS: [Mutex<Seat>; MAX] =
    [const { Mutex::new(Seat { handle: 0, turn: 0, reader: Reader::NEW, fd: -1 }) }; MAX];

fn seat(index: usize) -> Option<MutexGuard<'static, Seat>> {
    Some(SEATS.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The seat and the place of an open channel.
fn find(handle: Handle) -> Result<(MutexGuard<'static, Seat>, &'static Place)> {
    let seat = seat(handle.index()).filter(|seat| seat.handle == handle.0 && handle.0 != 0);
    seat.zip(channel::place(handle.index())).ok_or_else(not_open)
}

fn not_open() -> Error {
    Error::value(format_args!("the channel is not one that is open"))
}

/// A channel from before it is open until nobody looks at it any more.
pub(crate) struct Kept {
    memory: Memory,
    fd: c_int,
    is_open: bool,
}

/// What a channel is made of.
struct Memory {
    channel: NonNull<[Channel]>,
    cells: NonNull<[ring::Cell]>,
    slots: NonNull<[Slot]>,
}

// SAFETY: it owns all three, which may be looked at on any thread.
unsafe impl Send for Memory {}

impl Memory {
    /// None where there is none left.
    fn new(set: rsig_sigset_t, capacity: u32) -> Option<Self> {
        let cells = allocate(capacity, ring::Cell::new)?;
        let slots = allocate(set.count_ones(), Slot::new)?;
        // SAFETY: both live until `free`, longer than the channel.
        let (own_cells, own_slots) =
            unsafe { (&*ptr::from_ref(&*cells), &*ptr::from_ref(&*slots)) };
        let channel = allocate(1, || Channel::new(set, own_cells, own_slots))?;
        Some(Self { channel: leak(channel), cells: leak(cells), slots: leak(slots) })
    }

    fn channel(&self) -> *mut Channel {
        self.channel.as_ptr().cast()
    }

    /// # Safety
    /// Nobody looks at the channel any more.
    unsafe fn free(self) {
        // SAFETY: all three are from `leak`, and the caller's promise.
        unsafe {
            drop(Box::from_raw(self.channel.as_ptr()));
            drop(Box::from_raw(self.cells.as_ptr()));
            drop(Box::from_raw(self.slots.as_ptr()));
        }
    }
}

fn leak<T>(items: Box<[T]>) -> NonNull<[T]> {
    NonNull::from(Box::leak(items))
}

/// Unlike a Box's own and a Vec's, whose failure would end the process. None for an empty one too.
fn allocate<T>(count: u32, mut new: impl FnMut() -> T) -> Option<Box<[T]>> {
    let count = count as usize;
    let layout = Layout::array::<T>(count).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout is not empty.
    let items = NonNull::new(unsafe { std::alloc::alloc(layout) }.cast::<T>())?;
    for index in 0..count {
        // SAFETY: there is room for `count`.
        unsafe { items.add(index).write(new()) };
    }
    // SAFETY: fresh memory with the layout that the Box will free, and all items written.
    Some(unsafe { Box::from_raw(NonNull::slice_from_raw_parts(items, count).as_ptr()) })
}

pub(crate) fn open(set: rsig_sigset_t, capacity: u32) -> Result<Handle> {
    main_thread::require_init()?;
    if set == 0 {
        return Err(Error::value(format_args!("the set is empty")));
    }
    if capacity == 0 || capacity > ring::MAX {
        let valid = ring::MAX;
        return Err(Error::value(format_args!("capacity {capacity} is not one of 1 to {valid}")));
    }
    // Before any of the others is disturbed.
    dispositions::check_set(set)?;
    free_closed();
    state::lock().free_room()?;
    let memory = Memory::new(set, capacity)
        .ok_or_else(|| Error::os(Errno::ENOMEM, format_args!("no memory for a channel")))?;
    let mut memory = Some(memory);
    let result = state::lock().open(&mut memory, set);
    if let Some(unused) = memory {
        // SAFETY: nobody has seen it.
        unsafe { unused.free() };
    }
    if result.is_err() {
        free_closed();
    }
    result
}

/// Frees what nobody looks at any more: without rsig's lock, as for a fork() the allocator's can be taken before it.
pub(crate) fn free_closed() {
    // The lock is given back before the body, which it would not be in the condition itself.
    let take = || state::lock().take_closed();
    while let Some(memory) = take() {
        // SAFETY: it is of a channel that nobody looks at any more.
        unsafe { memory.free() };
    }
}

impl State {
    fn free_room(&self) -> Result<usize> {
        self.channels.iter().position(Option::is_none).ok_or_else(|| {
            Error::os(Errno::EMFILE, format_args!("{MAX} channels are open already"))
        })
    }

    /// Takes the memory where it succeeds, and may have where it fails.
    fn open(&mut self, memory: &mut Option<Memory>, set: rsig_sigset_t) -> Result<Handle> {
        main_thread::require_init()?;
        let index = self.free_room()?;
        let (Some(mut seat), Some(place), Some(room), Some(memory)) =
            (seat(index), channel::place(index), self.channels.get_mut(index), memory.take())
        else {
            return Err(Error::state());
        };
        place.set(memory.channel());
        *room = Some(Kept { memory, fd: -1, is_open: true });
        seat.turn = after(seat.turn);
        let handle = Handle::new(index, seat.turn);
        (seat.handle, seat.reader, seat.fd) = (handle.0, Reader::NEW, -1);
        drop(seat);
        channel::listen(index, set, true);
        let mut signum = sigset::next(set, 0);
        while signum != 0 {
            if let Err(error) = self.hear(signum) {
                self.close(handle, set);
                return Err(error);
            }
            signum = sigset::next(set, signum);
        }
        Ok(handle)
    }

    /// An open one, whose set is known.
    fn close(&mut self, handle: Handle, set: rsig_sigset_t) {
        let index = handle.index();
        if let (Some(mut seat), Some(place), Some(kept)) = (
            seat(index),
            channel::place(index),
            self.channels.get_mut(index).and_then(Option::as_mut),
        ) {
            channel::listen(index, set, false);
            seat.handle = 0;
            (kept.fd, kept.is_open) = (seat.fd, false);
            place.set(ptr::null_mut());
            if kept.fd >= 0 {
                // Who waits for it looks again.
                eventfd::raise(kept.fd);
            }
        }
        let mut signum = sigset::next(set, 0);
        while signum != 0 {
            if !channel::is_heard(signum) {
                // What cannot be put back was never taken.
                let _ = self.hear(signum);
            }
            signum = sigset::next(set, signum);
        }
    }

    /// What one that nobody looks at any more was made of, which is to be freed.
    fn take_closed(&mut self) -> Option<Memory> {
        let mut rooms = self.channels.iter_mut().enumerate();
        let kept = rooms.find_map(|(index, room)| {
            room.take_if(|kept| !kept.is_open && channel::place(index).is_some_and(Place::is_idle))
        })?;
        close_descriptor(kept.fd);
        Some(kept.memory)
    }

    /// For rsig_fini(), which frees them without the lock.
    pub(crate) fn close_channels(&mut self) {
        for index in 0..MAX {
            let handle = seat(index).map_or(0, |seat| seat.handle);
            let set = channel::place(index).and_then(|place| place.with(Channel::set));
            if let (1.., Some(set)) = (handle, set) {
                self.close(Handle(handle), set);
            }
        }
    }

    /// In a forked child: nothing waits, and each descriptor is its own, under the same number.
    pub(crate) fn clear_channels(&mut self, seats: &mut Seats) {
        for index in 0..MAX {
            // Those without a channel too: a handler on another thread may have been looking.
            channel::place(index).map(Place::reset);
        }
        for (index, kept) in self.channels.iter_mut().enumerate() {
            let (Some(kept), Some(place), Some(Some(seat))) =
                (kept, channel::place(index), seats.0.get_mut(index))
            else {
                continue;
            };
            if !kept.is_open {
                // Its memory is freed by whoever opens or closes one next: the allocator may have fork handlers that come after this.
                close_descriptor(std::mem::replace(&mut kept.fd, -1));
                continue;
            }
            seat.reader = Reader::NEW;
            let is_lost = seat.fd >= 0 && eventfd::replace(seat.fd).is_err();
            if is_lost {
                seat.fd = -1;
            }
            place.with(|channel| {
                channel.clear();
                if is_lost {
                    channel.waker().disarm();
                }
            });
        }
    }

    /// Held across a fork, as no other thread may be reading in the middle of it; nor be looking at an empty one for a channel that is
    /// closed, or the child could not open another there.
    pub(crate) fn lock_seats(&self) -> Seats {
        Seats(std::array::from_fn(seat))
    }
}

fn close_descriptor(fd: c_int) {
    if fd >= 0 {
        eventfd::close(fd);
    }
}

pub(crate) struct Seats([Option<MutexGuard<'static, Seat>>; MAX]);

pub(crate) fn close(handle: Handle) -> Result<()> {
    main_thread::require_init()?;
    let mut state = state::lock();
    let (seat, place) = find(handle)?;
    let set = place.with(Channel::set).unwrap_or(0);
    drop(seat);
    state.close(handle, set);
    drop(state);
    free_closed();
    Ok(())
}

/// The descriptor, opened when somebody asks for it first.
pub(crate) fn fd(handle: Handle) -> Result<c_int> {
    main_thread::require_init()?;
    error::make_place();
    let (mut seat, place) = find(handle)?;
    place.with(|channel| arm(&mut seat, channel)).unwrap_or_else(|| Err(Error::state()))
}

fn arm(seat: &mut Seat, channel: &Channel) -> Result<c_int> {
    if seat.fd < 0 {
        let error = |errno| Error::os_or_unsupported(errno, format_args!("cannot open an eventfd"));
        seat.fd = eventfd::open().map_err(error)?;
        channel.waker().arm(seat.fd);
        channel.waker().lower(seat.fd, || channel.is_readable(&seat.reader));
    }
    Ok(seat.fd)
}

/// Gives `put` the next record, until there is none or it wants no more; how many.
pub(crate) fn read(
    handle: Handle,
    max: usize,
    mut put: impl FnMut(usize, rsig_siginfo_t),
) -> Result<usize> {
    main_thread::require_init()?;
    let (mut seat, place) = find(handle)?;
    let mut count: usize = 0;
    place.with(|channel| {
        while count < max
            && let Some((record, deliveries)) = channel.read(&mut seat.reader)
        {
            put(count, rsig_siginfo_t::new(record.signum, &record.origin, deliveries));
            count = count.saturating_add(1);
        }
        channel.waker().settle(|| channel.is_readable(&seat.reader));
    });
    Ok(count)
}

/// The next record; none where the time is over. On the main thread pending handlers run before and meanwhile.
pub(crate) fn wait(handle: Handle, timeout: Option<Duration>) -> Result<Option<rsig_siginfo_t>> {
    let result = wait_while_open(handle, timeout);
    if result.is_err() {
        // One that was closed meanwhile could not be freed before.
        unleft(free_closed);
    }
    result
}

fn wait_while_open(handle: Handle, timeout: Option<Duration>) -> Result<Option<rsig_siginfo_t>> {
    let deadline = timeout.map(clock::deadline);
    loop {
        pump::run_if_main()?;
        main_thread::require_init()?;
        let left = deadline.map(clock::left);
        let place = channel::place(handle.index()).ok_or_else(not_open)?;
        // Counted at the place, so that the descriptor stays what it is. No handler of rsig's runs meanwhile that could leave
        // it counted.
        let next = place.with(|_| next_or_sleep(handle, left)).ok_or_else(not_open)??;
        if next.is_some() || left == Some(Duration::ZERO) {
            return Ok(next);
        }
    }
}

/// The next record; or, until something waits or a handler is to run, sleeps.
fn next_or_sleep(handle: Handle, left: Option<Duration>) -> Result<Option<rsig_siginfo_t>> {
    let mut next = None;
    let fd = unleft(|| match read(handle, 1, |_, info| next = Some(info))? {
        0 if left != Some(Duration::ZERO) => fd(handle).map(Some),
        _ => Ok(None),
    })?;
    match fd.map(|fd| call::readable([fd], left)) {
        None | Some(Ok(_) | Err(Errno::EINTR)) => Ok(next),
        Some(Err(errno)) => Err(Error::os(errno, format_args!("cannot wait for a channel"))),
    }
}

/// With all signals blocked, so that no plain handler can leave the wait by siglongjmp() while it has the seat, or the state's lock.
fn unleft<R>(body: impl FnOnce() -> R) -> R {
    let before = mask::change(libc::SIG_BLOCK, rsig_sigset_t::MAX);
    let result = body();
    if let Ok(before) = before {
        // With a mask that was just read this cannot fail.
        let _ = mask::change(libc::SIG_SETMASK, before);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_handle_is_null_when_the_turns_begin_anew() {
        for (turn, next) in [(0, 1), (1, 2), (TURNS - 1, TURNS), (TURNS, 1)] {
            assert_eq!(after(turn), next);
            assert_eq!(Handle::new(0, next).0, next * MAX);
        }
    }
}
