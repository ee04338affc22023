//! A short C string in a place of fixed size: messages are made without allocating.

use std::ffi::c_char;
use std::fmt;

const SIZE: usize = 256;

pub(crate) struct Text {
    /// Always ends in a NUL.
    bytes: [u8; SIZE],
    length: usize,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; SIZE], length: 0 }
    }

    /// The text of `message`, cut where it is too long.
    pub(crate) fn format(message: fmt::Arguments<'_>) -> Self {
        let mut text = Self::new();
        // `write_str` below never fails, and what is formatted here are names and numbers.
        let _ = fmt::write(&mut text, message);
        text
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.bytes.iter_mut().skip(self.length).take(
            // The last byte stays NUL.
            SIZE.saturating_sub(1).saturating_sub(self.length),
        );
        let mut written = 0usize;
        for (place, byte) in room.zip(more.bytes()) {
            *place = byte;
            written = written.saturating_add(1);
        }
        self.length = self.length.saturating_add(written);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn holds_what_fits_and_ends_in_nul() {
        let text = Text::format(format_args!("{}-{}", "a", 1));
        assert_eq!(text.as_bytes(), b"a-1");
        let long = "x".repeat(1000);
        let text = Text::format(format_args!("{long}{long}"));
        assert_eq!(text.as_bytes().len(), SIZE - 1);
        // SAFETY: the last byte is NUL.
        assert_eq!(unsafe { CStr::from_ptr(text.as_ptr()) }.count_bytes(), SIZE - 1);
    }
    /// What makes sentences of them has assertions of its own (see tests/no_panic.rs).
    #[test]
    fn every_size_of_number_has_a_text() {
        for exponent in 0..=0xfff_u64 {
            for mantissa in [0, 1, 0x8_0000_0000_0000, 0x5_5555_5555_5555, 0xf_ffff_ffff_ffff] {
                let number = f64::from_bits(exponent << 52 | mantissa);
                let text = Text::format(format_args!("{number:?} {number}"));
                assert!(!text.as_bytes().is_empty());
            }
        }
    }
}
