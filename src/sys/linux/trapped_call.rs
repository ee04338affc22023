//! A system call that a filter has answered with SIGSYS (SECCOMP_RET_TRAP in seccomp(2)). Its result is whatever the handler leaves in
//! the interrupted context: where that leaves it alone, its number or first argument, which a caller takes for a success.

use libc::{c_int, siginfo_t, ucontext_t};

/// As the kernel has it (asm-generic/siginfo.h).
const SYS_SECCOMP: c_int = 1;

/// Where SIGSYS comes with this record, lets such a call fail with ENOSYS. Async-signal-safe.
pub(crate) fn refuse(info: &siginfo_t, context: &mut ucontext_t) {
    if info.si_code != SYS_SECCOMP {
        return;
    }
    // SAFETY: the kernel has the address here that is behind the call, where the program counter is; and a process that forges a
    // record for itself has written something there.
    let behind = unsafe { info.si_addr() }.addr();
    if let Some((counter, result)) = registers(context)
        && counter == behind
    {
        *result = (-libc::ENOSYS) as _;
    }
}

/// The program counter, and where a system call has its result.
#[cfg(target_arch = "x86_64")]
fn registers(context: &mut ucontext_t) -> Option<(usize, &mut libc::greg_t)> {
    let registers = &mut context.uc_mcontext.gregs;
    let counter = *registers.get(libc::REG_RIP as usize)? as usize;
    Some((counter, registers.get_mut(libc::REG_RAX as usize)?))
}

// In libc's form of musl's there is nothing to be seen.
#[cfg(all(target_arch = "x86", target_env = "gnu"))]
fn registers(context: &mut ucontext_t) -> Option<(usize, &mut libc::greg_t)> {
    let registers = &mut context.uc_mcontext.gregs;
    let counter = *registers.get(libc::REG_EIP as usize)? as usize;
    Some((counter, registers.get_mut(libc::REG_EAX as usize)?))
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &mut ucontext_t) -> Option<(usize, &mut u64)> {
    let registers = &mut context.uc_mcontext;
    Some((registers.pc as usize, registers.regs.first_mut()?))
}

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "x86", target_env = "gnu"),
    target_arch = "aarch64"
)))]
fn registers(_: &mut ucontext_t) -> Option<(usize, &mut i64)> {
    None
}
