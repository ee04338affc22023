//! Makes include/rsig.h from the source, and tells the linker what the shared library is.

use std::path::Path;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=include/rsig.h");

    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // That system's linker knows none of this.
    if target("OS") != "macos" {
        let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
        // cargo-c names the library itself, from Cargo.toml, and to the same effect.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,librsig.so.{major}");
        // The kernel may call the signal handler after a dlclose().
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A symbol must not be looked up, under the loader's lock, in a signal handler.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,now");
    }

    // What the assembly in async_safe/ was written for: the stub, and the low-level handler's entry.
    println!("cargo::rustc-check-cfg=cfg(race_free, known_frame)");
    if target("OS") == "linux" {
        let machine = format!("{}, {} bits", target("ARCH"), target("POINTER_WIDTH"));
        let is_race_free = matches!(machine.as_str(), "x86_64, 64 bits" | "aarch64, 64 bits");
        if is_race_free {
            println!("cargo::rustc-cfg=race_free");
        }
        if is_race_free || machine == "x86, 32 bits" {
            println!("cargo::rustc-cfg=known_frame");
        }
    }
    // For the tests, which compile C for the same target.
    println!("cargo::rustc-env=RSIG_TARGET={}", env::var("TARGET")?);
    println!("cargo::rustc-env=RSIG_HOST={}", env::var("HOST")?);

    write_header()
}

fn write_header() -> Result<(), Box<dyn Error>> {
    let source = env::var("CARGO_MANIFEST_DIR")?;
    let mut config = cbindgen::Config::from_file(Path::new(&source).join("cbindgen.toml"))?;
    config.after_includes = config.after_includes.map(|text| text.replace("@VERSION@", &version()));
    let bindings = cbindgen::Builder::new().with_crate(&source).with_config(config).generate()?;

    let mut header = Vec::new();
    bindings.write(&mut header);
    // As C89 and C++98 have it.
    let header = String::from_utf8(header)?
        .replace("// __cplusplus", "/* __cplusplus */")
        .replace("// extern \"C\"", "/* extern \"C\" */")
        .replace(",\n}", "\n}");
    let path = Path::new(&source).join("include/rsig.h");
    if fs::read_to_string(&path).ok().as_ref() != Some(&header) {
        // A source tree that cannot be written to has the header that came with it.
        if let Err(error) = fs::write(&path, header) {
            println!("cargo::warning=include/rsig.h is stale and cannot be written: {error}");
        }
    }
    Ok(())
}

fn version() -> String {
    ["MAJOR", "MINOR", "PATCH"]
        .map(|part| {
            let value = env::var(format!("CARGO_PKG_VERSION_{part}")).unwrap_or_default();
            format!("#define RSIG_VERSION_{part} {value}\n")
        })
        .concat()
}
