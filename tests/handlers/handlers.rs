//! Signal handlers, one as it should be and the others wrong, for async_safety.rs to name what each of them does. They stand where
//! rsig's own are, and bear such names, as what is named so is allowed.
#![crate_name = "rsig"]
#![crate_type = "cdylib"]

pub mod async_safe {
    use std::cell::Cell;
    use std::ffi::{c_int, c_long, c_void};
    use std::mem::transmute;
    use std::ptr::null;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering::Relaxed};

    unsafe extern "C" {
        fn alarm(seconds: u32) -> u32;
        fn read(fd: c_int, bytes: *mut c_void, count: usize) -> isize;
        fn syscall(number: c_long, ...) -> c_long;
    }

    const READ: c_long = 0;
    const GETTID: c_long = 186;
    const FUTEX: c_long = 202;
    const TGKILL: c_long = 234;

    static WORD: AtomicI32 = AtomicI32::new(0);

    fn wait() {
        unsafe { syscall(FUTEX, &WORD, 0, 1, null::<c_void>()) };
    }

    /// In the loop the compiler keeps the address of syscall(2) in a register.
    #[unsafe(no_mangle)]
    extern "C" fn rsig_clean(signum: c_int) {
        unsafe {
            let old = alarm(0);
            let tid = syscall(GETTID);
            while WORD.load(Relaxed) == signum {
                syscall(TGKILL, syscall(GETTID), tid, signum);
            }
            alarm(old);
        }
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_prints(signum: c_int) {
        println!("{signum}");
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_locks(signum: c_int) {
        static LAST: Mutex<c_int> = Mutex::new(0);
        if let Ok(mut last) = LAST.lock() {
            *last = signum;
        }
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_allocates(signum: c_int) {
        let mut room = Vec::new();
        if room.try_reserve(1).is_ok() {
            room.push(signum);
        }
        std::hint::black_box(room);
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_panics(signum: c_int) {
        assert!(signum < WORD.load(Relaxed));
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_counts_by_thread(signum: c_int) {
        thread_local!(static COUNT: Cell<c_int> = const { Cell::new(0) });
        COUNT.set(COUNT.get().wrapping_add(signum));
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_counts_by_thread_lazily(signum: c_int) {
        thread_local!(static COUNT: Box<Cell<c_int>> = Box::default());
        let _ = COUNT.try_with(|count| count.set(signum));
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_waits(_: c_int) {
        while WORD.load(Relaxed) == 1 {
            wait();
        }
    }

    /// As the clean one's loop, but for one number.
    #[unsafe(no_mangle)]
    extern "C" fn rsig_waits_among_others(signum: c_int) {
        unsafe {
            while syscall(GETTID) != c_long::from(signum) {
                wait();
                syscall(GETTID);
            }
        }
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_reads(fd: c_int) {
        let mut byte = 0_u8;
        unsafe { syscall(READ, fd, &raw mut byte, 1_usize) };
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_reads_by_name(fd: c_int) {
        let mut byte = 0_u8;
        unsafe { read(fd, (&raw mut byte).cast(), 1) };
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_asks_for_word(_: c_int) {
        unsafe { syscall(WORD.load(Relaxed).into()) };
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_asks_for_either(signum: c_int) {
        let number = if signum == 1 { GETTID } else { FUTEX };
        unsafe { syscall(number, &WORD, 0, 1, null::<c_void>()) };
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_asks_by_function(_: c_int) {
        #[inline(never)]
        fn ask(number: c_long) {
            unsafe { syscall(number, &WORD, 0, 1, null::<c_void>()) };
        }
        ask(GETTID);
        ask(FUTEX);
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_enters_kernel(_: c_int) {
        unsafe {
            std::arch::asm!("syscall", inout("rax") FUTEX => _, in("rdi") &raw const WORD, in("rsi") 0, in("rdx") 1,
                in("r10") 0, out("rcx") _, out("r11") _);
        }
    }

    static CALLED: AtomicPtr<c_void> = AtomicPtr::new(syscall as *mut c_void);

    #[unsafe(no_mangle)]
    extern "C" fn rsig_set(function: *mut c_void) {
        CALLED.store(function, Relaxed);
    }

    #[unsafe(no_mangle)]
    extern "C" fn rsig_calls_what_is_set(_: c_int) {
        type Called = unsafe extern "C" fn(c_long, ...) -> c_long;
        unsafe { transmute::<*mut c_void, Called>(CALLED.load(Relaxed))(FUTEX, &WORD, 0, 1) };
    }
}
