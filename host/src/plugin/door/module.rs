//! Core modules at the door: whether one is a rule, a command, or neither, and what its toolchain should do about that.
//!
//! Called with the names of its imports and exports; it never parses.

use std::collections::BTreeSet;

use super::{Check, Outline, PACKAGE, Refusal, SHAPES, Shape, refuse, show};

/// The name under which preview1 is imported.
pub(super) const PREVIEW1: &str = "wasi_snapshot_preview1";
/// Most names that are looked at: a contract of ten times this size would fit.
const MOST: usize = 1_000;

/// What a core module imports and exports.
#[derive(Debug, Default)]
pub(super) struct Core {
    imports: Vec<(String, String)>,
    exports: Vec<String>,
}

impl Core {
    pub(super) fn import(&mut self, module: &str, name: &str) {
        if self.imports.len() < MOST {
            self.imports.push((module.to_owned(), name.to_owned()));
        }
    }

    pub(super) fn export(&mut self, name: &str) {
        if self.exports.len() < MOST {
            self.exports.push(name.to_owned());
        }
    }

    /// Which shape it has. Fills in the interfaces that it stands for.
    pub(super) fn shape(&self, outline: &mut Outline) -> Result<Shape, Refusal> {
        let interface = |name: &str| name.starts_with(PACKAGE).then(|| name.split('#').next().unwrap_or(name).to_owned());
        let exports: BTreeSet<String> = self.exports.iter().filter_map(|name| interface(name)).collect();
        let imports: BTreeSet<&str> = self.imports.iter().map(|(module, _)| module.as_str()).collect();
        let foreign = self.imports.iter().find(|(module, _)| module != PREVIEW1 && !module.starts_with(PACKAGE));
        let is_command = self.exports.iter().any(|name| name == "_start");
        if let Some((module, name)) = foreign {
            return Err(refuse(Check::World, format!("imports `{}`.`{}`: {}", show(module), show(name), hint(module, name))));
        }
        if !exports.is_empty() {
            outline.imports = imports.iter().filter(|module| **module != PREVIEW1).map(|module| (*module).to_owned()).collect();
            outline.exports = exports.into_iter().collect();
            return Ok(Shape::Module);
        }
        if let Some(module) = imports.iter().find(|module| is_command && **module != PREVIEW1) {
            return Err(refuse(Check::World, format!("is a command, and imports `{}`; a command has WASI and nothing else", show(module))));
        }
        if is_command && !imports.is_empty() {
            outline.imports = vec![PREVIEW1.to_owned()];
            outline.exports = vec!["_start".to_owned()];
            return Ok(Shape::Command);
        }
        let what = if is_command { "a command that reads and writes nothing" } else { "a core module without a rule in it" };
        Err(refuse(Check::Shape, format!("{what}; upload {SHAPES}")))
    }
}

/// Whose import this is, and how that toolchain does without it.
fn hint(module: &str, name: &str) -> &'static str {
    let one_of = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    match module {
        "wbg" | "__wbindgen_placeholder__" | "__wbindgen_externref_xform__" => {
            "wasm-bindgen wants a browser; build Rust for wasm32-unknown-unknown with `signalbox-sdk` or wit-bindgen, without wasm-bindgen"
        }
        "gojs" | "go" => "Go for a browser; build with GOOS=wasip1 GOARCH=wasm",
        "a" | "env" if one_of(&["emscripten_", "invoke_", "__syscall", "_emscripten", "__cxa_", "_abort_js"]) || module == "a" => {
            "Emscripten wants its own JavaScript; build with clang --target=wasm32-wasi -mexec-model=reactor (wasi-sdk), or zig cc"
        }
        "env" if matches!(name, "abort" | "seed" | "trace" | "Date.now") || name.starts_with("console.") => {
            "AssemblyScript wants a browser; build a command with @assemblyscript/wasi-shim and --exportStart _start"
        }
        "env" if matches!(name, "memory" | "__linear_memory" | "__indirect_function_table") => {
            "a module brings its own memory and table; link without --import-memory, --import-table and -shared"
        }
        "env" => "a function that nobody defined; link the library that has it, or remove the call",
        "wasi_unstable" => "a WASI older than preview1; build with a toolchain of the last years",
        _ if module.starts_with("wasi:") => "preview2 in a core module; let your toolchain make a component of it, or build for preview1",
        _ => "a plugin may import `signalbox:rules/*`, and a command WASI preview1",
    }
}

#[cfg(test)]
mod tests {
    use super::super::look;
    use super::*;
    use crate::config::Limits;

    fn wat(text: &str) -> Result<Outline, Refusal> {
        look(&wat::parse_str(text).unwrap(), &Limits::default())
    }

    #[test]
    fn the_shapes_of_modules_are_told_apart() {
        let rule =
            r#"(module (func (export "signalbox:rules/rule@0.1.0#evaluate")) (func (export "signalbox:rules/metadata@0.1.0#describe")))"#;
        let outline = wat(rule).unwrap();
        assert_eq!((outline.shape, outline.exports.len()), (Shape::Module, 2));
        let command = r#"(module (import "wasi_snapshot_preview1" "fd_read" (func)) (func (export "_start")))"#;
        assert_eq!(wat(command).unwrap().shape, Shape::Command);
        for neither in ["(module)", r#"(module (func (export "_start")))"#, r#"(module (func (export "run")))"#] {
            let message = wat(neither).unwrap_err().message;
            assert!(["rule-plugin", "#evaluate", "preview1", "wasi:cli/run"].iter().all(|shape| message.contains(shape)), "{message}");
        }
    }

    #[test]
    fn every_toolchain_has_its_hint() {
        for (module, name, word) in [
            ("wbg", "__wbindgen_throw", "wasm-bindgen"),
            ("env", "abort", "AssemblyScript"),
            ("env", "emscripten_memcpy_js", "Emscripten"),
            ("a", "b", "Emscripten"),
            ("env", "memory", "--import-memory"),
            ("env", "strtold", "nobody defined"),
            ("gojs", "runtime.wasmExit", "GOOS=wasip1"),
            ("wasi_unstable", "fd_write", "older than preview1"),
            ("wasi:io/streams@0.2.0", "x", "preview2"),
            ("other", "x", "may import"),
        ] {
            let message = wat(&format!(r#"(module (import "{module}" "{name}" (func)) (func (export "_start")))"#)).unwrap_err().message;
            assert!(message.contains(word) && message.contains(name), "{message}");
        }
    }

    #[test]
    fn a_module_for_another_track_is_refused_as_a_component_is() {
        let message = wat(r#"(module (func (export "signalbox:rules/rule@0.9.0#evaluate")))"#).unwrap_err().message;
        assert!(message.contains("does not export `signalbox:rules/metadata`"), "{message}");
    }
}
