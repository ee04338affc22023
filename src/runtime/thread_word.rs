//! One word for each thread, 0 until it is set.
//!
//! In a shared library, Rust's `thread_local!` is a call of the loader's __tls_get_addr(), which is most of what rsig_pump() would
//! cost with nothing pending. By the initial-exec model it is two loads. It takes its place from the room that the C library keeps
//! for libraries which are loaded later.

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod word {
    use std::arch::{asm, global_asm};

    global_asm!(
        ".pushsection .tbss.own_thread_word,\"awT\",@nobits",
        ".hidden own_thread_word",
        ".globl own_thread_word",
        ".type own_thread_word, @object",
        ".size own_thread_word, 8",
        ".balign 8",
        "own_thread_word: .zero 8",
        ".popsection",
    );

    pub(crate) fn get() -> usize {
        let word: usize;
        // SAFETY: reads the calling thread's own word.
        unsafe {
            asm!(
                "mov {word}, qword ptr [rip + own_thread_word@GOTTPOFF]",
                "mov {word}, qword ptr fs:[{word}]",
                word = out(reg) word,
                options(nostack, preserves_flags, readonly),
            );
        }
        word
    }

    pub(crate) fn set(word: usize) {
        // SAFETY: writes it.
        unsafe {
            asm!(
                "mov {place}, qword ptr [rip + own_thread_word@GOTTPOFF]",
                "mov qword ptr fs:[{place}], {word}",
                place = out(reg) _,
                word = in(reg) word,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
mod word {
    use std::cell::Cell;

    thread_local! {
        static WORD: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn get() -> usize {
        WORD.get()
    }

    pub(crate) fn set(word: usize) {
        WORD.set(word);
    }
}

pub(crate) use word::{get, set};
