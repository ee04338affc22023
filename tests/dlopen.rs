//! The library stays where it is when a plugin host unloads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

#[test]
fn a_signal_after_dlclose_is_recorded() {
    common::make_stage();
    let program = common::scratch("dlopen").join("dlopen");
    let mut compile = common::compiler(false);
    compile.args(["-Wall", "-Wextra", "-Werror"]).arg("-I").arg(common::stage().join("include"));
    compile.arg(common::root().join("c-tests/unlinked/dlopen.c")).arg("-o").arg(&program);
    compile.arg("-ldl");
    common::run(compile);
    common::run(common::program(&program));
}
