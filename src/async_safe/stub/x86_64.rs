//! x86-64: the kernel takes the number in rax and the arguments in rdi, rsi, rdx, r10, r8, r9; it destroys rcx and r11.

use libc::{REG_RIP, REG_RSP, ucontext_t};

core::arch::global_asm!(
    ".pushsection .text.race_free_syscall,\"ax\",@progbits",
    ".hidden race_free_syscall, race_free_window, race_free_window_end, race_free_way_out, race_free_end",
    ".globl race_free_syscall, race_free_window, race_free_window_end, race_free_way_out, race_free_end",
    ".type race_free_syscall, @function",
    "race_free_syscall:",
    ".cfi_startproc",
    "mov rax, rdi",
    "mov rcx, rsi",
    "mov rdi, [rcx]",
    "mov rsi, [rcx + 8]",
    "mov rdx, [rcx + 16]",
    "mov r10, [rcx + 24]",
    "mov r8, [rcx + 32]",
    "mov r9, [rcx + 40]",
    "mov [rip + {active}], rsp",
    "race_free_window:",
    "cmp qword ptr [rip + {interrupt}], 0",
    "jne race_free_way_out",
    "syscall",
    "race_free_window_end:",
    "mov qword ptr [rip + {active}], 0",
    "ret",
    "race_free_way_out:",
    "mov qword ptr [rip + {active}], 0",
    "mov rax, {interrupted}",
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
    context.uc_mcontext.gregs.get(REG_RIP as usize).map_or(0, |&register| register as usize)
}

pub(super) fn stack_pointer(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs.get(REG_RSP as usize).map_or(0, |&register| register as usize)
}

pub(super) fn set_program_counter(context: &mut ucontext_t, address: usize) {
    if let Some(register) = context.uc_mcontext.gregs.get_mut(REG_RIP as usize) {
        *register = address as i64;
    }
}
