//! Small records that are kept once and for ever, because a signal handler on some thread may be reading them, or because
//! their addresses were given away.

use nix::errno::Errno;
use std::alloc::Layout;

pub(crate) struct Kept<T: 'static> {
    newest: Option<&'static Node<T>>,
}

struct Node<T: 'static> {
    record: T,
    next: Option<&'static Node<T>>,
}

impl<T> Kept<T> {
    pub(crate) const NONE: Self = Self { newest: None };

    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<&'static T> {
        std::iter::successors(self.newest, |node| node.next)
            .map(|node| &node.record)
            .find(|record| wanted(record))
    }

    /// ENOMEM is the only failure.
    pub(crate) fn keep(&mut self, record: T) -> Result<&'static T, Errno> {
        // Not a Box: one that finds no memory would end the process.
        // SAFETY: the layout is not empty: it has a pointer.
        let place = unsafe { std::alloc::alloc(Layout::new::<Node<T>>()) }.cast::<Node<T>>();
        if place.is_null() {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: fresh memory of the right size and alignment, which is never freed.
        let node: &'static Node<T> = unsafe {
            place.write(Node { record, next: self.newest });
            &*place
        };
        self.newest = Some(node);
        Ok(&node.record)
    }
}
