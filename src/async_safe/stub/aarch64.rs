//! aarch64: the kernel takes the number in x8 and the arguments in x0 to x5; it destroys nothing else.

use libc::ucontext_t;

core::arch::global_asm!(
    ".pushsection .text.race_free_syscall,\"ax\",@progbits",
    ".hidden race_free_syscall, race_free_window, race_free_window_end, race_free_way_out, race_free_end",
    ".globl race_free_syscall, race_free_window, race_free_window_end, race_free_way_out, race_free_end",
    ".type race_free_syscall, @function",
    "race_free_syscall:",
    ".cfi_startproc",
    "hint #34", // bti c
    "mov x8, x0",
    "mov x10, x1",
    "ldp x0, x1, [x10]",
    "ldp x2, x3, [x10, #16]",
    "ldp x4, x5, [x10, #32]",
    "adrp x12, {active}",
    "add x12, x12, :lo12:{active}",
    "adrp x9, {interrupt}",
    "add x9, x9, :lo12:{interrupt}",
    "mov x11, sp",
    "str x11, [x12]",
    "race_free_window:",
    "ldar x11, [x9]",
    "cbnz x11, race_free_way_out",
    "svc #0",
    "race_free_window_end:",
    "str xzr, [x12]",
    "ret",
    "race_free_way_out:",
    "str xzr, [x12]",
    "mov x0, {interrupted}",
    "ret",
    "race_free_end:",
    ".cfi_endproc",
    ".size race_free_syscall, . - race_free_syscall",
    ".popsection",
    active = sym super::ACTIVE,
    interrupt = sym crate::async_safe::interrupt::INTERRUPT,
    interrupted = const -(libc::EINTR as i64),
);

pub(super) fn program_counter(context: &ucontext_t) -> usize {
    context.uc_mcontext.pc as usize
}

pub(super) fn stack_pointer(context: &ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

pub(super) fn set_program_counter(context: &mut ucontext_t, address: usize) {
    context.uc_mcontext.pc = address as u64;
}
