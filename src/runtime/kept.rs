//! Small records that are kept once and for ever, because a signal handler on some thread may be reading them, or because
//! their addresses were given away.
//!
//! Their memory is the kernel's own: the allocator may have a lock that a thread holds across fork(), which waits for rsig's.

use crate::sys::memory;
use nix::errno::Errno;
use std::mem::MaybeUninit;

pub(crate) struct Kept<T: 'static> {
    newest: Option<&'static Node<T>>,
    room: Option<&'static mut [MaybeUninit<Node<T>>]>,
}

struct Node<T: 'static> {
    record: T,
    next: Option<&'static Node<T>>,
}

impl<T> Kept<T> {
    pub(crate) const NONE: Self = Self { newest: None, room: None };

    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<&'static T> {
        std::iter::successors(self.newest, |node| node.next)
            .map(|node| &node.record)
            .find(|record| wanted(record))
    }

    /// ENOMEM, or why else there is no page.
    pub(crate) fn keep(&mut self, record: T) -> Result<&'static T, Errno> {
        let room = match self.room.take() {
            Some(room) if !room.is_empty() => room,
            _ => memory::page()?,
        };
        let (place, rest) = room.split_first_mut().ok_or(Errno::ENOMEM)?;
        self.room = Some(rest);
        let node = place.write(Node { record, next: self.newest });
        self.newest = Some(node);
        Ok(&node.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_page_has_room_for() {
        let mut kept = Kept::<usize>::NONE;
        let places: Vec<_> = (0..1000).map(|number| kept.keep(number).ok()).collect();
        for (number, place) in places.into_iter().enumerate() {
            let found = kept.find(|record| *record == number);
            assert!(found.zip(place).is_some_and(|(found, place)| std::ptr::eq(found, place)));
        }
    }
}
