//! Lua functions as handlers, whose error() goes through the library. Without Lua that is said, and a failure where CI is set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

/// By which names pkg-config may know a Lua: Debian's, other systems', and LuaJIT.
const NAMES: [&str; 6] = ["lua5.4", "lua-5.4", "lua5.3", "lua", "luajit", "lua5.1"];

fn flags(name: &str) -> Option<Vec<String>> {
    let output = Command::new("pkg-config").args(["--cflags", "--libs", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn an_error_in_a_lua_handler_arrives_at_its_pcall() {
    common::make_stage();
    let installed: Vec<_> = NAMES.iter().filter_map(|name| Some((name, flags(name)?))).collect();
    if installed.is_empty() {
        common::skip("there is no Lua here that pkg-config knows, such as liblua5.4-dev");
    }
    let source = common::root().join("c-tests/unlinked/lua.c");
    for (name, flags) in installed {
        let program = common::scratch("lua").join(name);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let mut compile = common::compiler(false);
        compile.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg(&source);
        compile.arg("-o").arg(&program).args(flags);
        compile.args(common::pkg_config(&common::stage(), &["--cflags", "--libs"]));
        common::run(compile);
        common::run(common::program(&program));
    }
}
