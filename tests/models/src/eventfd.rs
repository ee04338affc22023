//! The kernel's eventfd: a counter under a lock, and who waits until it is not zero.

use libc::c_int;
use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use std::cell::RefCell;
use std::rc::Rc;

struct Eventfd {
    count: Mutex<u64>,
    readable: Condvar,
    /// Not under the lock: that a descriptor is not closed while another writes to it is what rsig has to see to.
    is_open: UnsafeCell<bool>,
}

thread_local! {
    static TABLE: RefCell<Vec<Rc<Eventfd>>> = const { RefCell::new(Vec::new()) };
}

/// Those of the run before.
pub(crate) fn forget() {
    TABLE.with_borrow_mut(Vec::clear);
}

pub(crate) fn open() -> c_int {
    let new =
        Eventfd { count: Mutex::new(0), readable: Condvar::new(), is_open: UnsafeCell::new(true) };
    TABLE.with_borrow_mut(|table| {
        table.push(Rc::new(new));
        table.len() as c_int - 1
    })
}

fn get(fd: c_int) -> Rc<Eventfd> {
    let eventfd = TABLE.with_borrow(|table| table[fd as usize].clone());
    // SAFETY: loom makes sure.
    assert!(eventfd.is_open.with(|is_open| unsafe { *is_open }), "the descriptor is closed");
    eventfd
}

pub(crate) fn raise(fd: c_int) {
    let eventfd = get(fd);
    *eventfd.count.lock().unwrap() += 1;
    eventfd.readable.notify_all();
}

pub(crate) fn lower(fd: c_int) {
    *get(fd).count.lock().unwrap() = 0;
}

pub(crate) fn close(fd: c_int) {
    // SAFETY: loom makes sure.
    get(fd).is_open.with_mut(|is_open| unsafe { *is_open = false });
}

pub(crate) fn is_readable(fd: c_int) -> bool {
    *get(fd).count.lock().unwrap() != 0
}

/// poll(2). Where nobody ever makes it readable, loom says that there is a deadlock.
pub(crate) fn wait(fd: c_int) {
    let eventfd = get(fd);
    let mut count = eventfd.count.lock().unwrap();
    while *count == 0 {
        count = eventfd.readable.wait(count).unwrap();
    }
}
