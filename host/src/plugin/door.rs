//! The door: cheap checks on uploaded bytes, before anything compiles or runs them.
//!
//! Reads section headers only, in one pass and constant memory, so it may look at any bytes in the parent. It says which of the
//! four shapes the bytes have, what they import and export, and refuses what can never run, naming the thing and the remedy.
//! `door/module.rs` knows core modules, `door/adapt.rs` makes components of them, in the activation child.

mod adapt;
mod module;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload};

use crate::config::Limits;

/// The contract's package, and the track that this host speaks.
const PACKAGE: &str = "signalbox:rules";
const TRACK: (u64, u64) = (0, 1);
/// The tracks of the contract that this host speaks: a plugin built for any release of one of them runs.
pub const TRACKS: [&str; 1] = ["signalbox:rules@0.1"];
/// Interfaces that a plugin may import. What `state` and `lookup` tell it depends on what its step was granted.
const OPEN: [&str; 7] = ["types", "logging", "facts", "normal", "clock", "state", "lookup"];
/// Interfaces that a plugin must export.
const EXPORTS: [&str; 2] = ["metadata", "rule"];
/// The interface that makes a component a command, of whatever 0.2 release.
pub(super) const RUN: &str = "wasi:cli/run@0.2.";
/// What can be uploaded, for whoever uploaded something else.
const SHAPES: &str = "a component for the world `signalbox:rules/rule-plugin` or `pure-rule`, a core module with that world's exports \
                      (`signalbox:rules/rule@0.1.0#evaluate` and so on), a WASI preview1 command (`_start`), or a `wasi:cli/run` component";

/// Why a plugin is not taken: one sentence that names the thing and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which check failed.
    pub check: Check,
    /// What is wrong and what to do.
    pub message: String,
    /// Where in the guest it ended, for whoever wrote it. No report and no answer of the host has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<GuestFault>,
}

/// A function of a guest that did not end well, while the plugin was brought in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFault {
    /// The plugin and its version, when it got as far as saying so.
    pub plugin: Option<String>,
    /// The functions that were running, innermost first.
    pub frames: Vec<String>,
}

/// The checks of a plugin on its way in, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The bytes are a component of bearable size.
    Shape,
    /// It imports what it may, and exports what it must.
    World,
    /// It compiles within the budget.
    Compile,
    /// `describe` says valid things.
    Describe,
    /// The config fits the schema and `configure`.
    Configure,
    /// It does what its own examples say.
    Examples,
    /// The child that does all this could not do its work.
    Child,
}

pub(super) fn refuse(check: Check, message: impl Into<String>) -> Refusal {
    Refusal { check, message: message.into(), fault: None }
}

/// How the bytes can be run: one of four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A component for the contract's world.
    #[default]
    Component,
    /// A core module with the exports of that world: made a component in the child.
    Module,
    /// A WASI preview1 command: JSON in, JSON out.
    Command,
    /// The same as a component.
    CommandComponent,
}

impl Shape {
    /// Whether it is started anew for every question, and speaks JSON.
    pub fn is_command(self) -> bool {
        matches!(self, Self::Command | Self::CommandComponent)
    }
}

/// One section of a plugin's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// "code", "data", "custom `name`", ...
    pub name: String,
    /// Its size, bytes, sections of one name added up.
    pub bytes: usize,
}

/// What the section headers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Which of the four shapes they have.
    #[serde(default)]
    pub shape: Shape,
    /// Names of what it imports.
    pub imports: Vec<String>,
    /// Names of what it exports.
    pub exports: Vec<String>,
    /// Core functions defined, in all modules.
    pub functions: u32,
    /// Sizes, largest first.
    pub sections: Vec<Section>,
}

/// Looks at the bytes.
///
/// # Errors
/// A [`Refusal`] of the check [`Check::Shape`] or [`Check::World`].
pub fn look(bytes: &[u8], limits: &Limits) -> Result<Outline, Refusal> {
    shape(bytes, limits)?;
    let (mut outline, core) = outline(bytes)?;
    if outline.functions > limits.functions {
        let message = format!("has {} functions; at most {} are taken (limit `functions`)", outline.functions, limits.functions);
        return Err(refuse(Check::Shape, message));
    }
    match core {
        Some(core) => outline.shape = core.shape(&mut outline)?,
        None if outline.exports.iter().any(|export| export.starts_with(RUN)) && !outline.exports.iter().any(|e| ours(e).is_some()) => {
            outline.shape = Shape::CommandComponent;
        }
        None => {}
    }
    match outline.shape {
        Shape::Component | Shape::Module => world(&outline)?,
        Shape::CommandComponent => commands(&outline)?,
        Shape::Command => {}
    }
    Ok(outline)
}

/// The component that the bytes are, or that they can be made into. For the activation child: it parses all of them.
///
/// # Errors
/// A [`Refusal`] of the check [`Check::Shape`] for a module that does not fit.
pub fn component<'a>(bytes: &'a [u8], outline: &Outline) -> Result<Cow<'a, [u8]>, Refusal> {
    match outline.shape {
        Shape::Module => adapt::component(bytes, outline).map(Cow::Owned),
        Shape::Component | Shape::Command | Shape::CommandComponent => Ok(Cow::Borrowed(bytes)),
    }
}

fn shape(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let remedy = "upload the component that your toolchain writes (`.wasm`)";
    let fault = match bytes {
        [] => format!("the upload is empty; {remedy}"),
        _ if bytes.len() > limits.upload_bytes => {
            format!("{} bytes; at most {} are taken (limit `upload_bytes`): strip debug sections", bytes.len(), limits.upload_bytes)
        }
        [0x1f, 0x8b, ..] => format!("compressed with gzip; {remedy}, uncompressed"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => format!("compressed with zstd; {remedy}, uncompressed"),
        [b'P', b'K', 3, 4, ..] => format!("a zip archive; {remedy}"),
        [0x7f, b'E', b'L', b'F', ..] => {
            "native code or a precompiled artefact; upload the wasm it was made from: this host runs only what it compiled itself"
                .to_owned()
        }
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] | [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', version @ ..] => format!("wasm of an unknown version {:02x?}; {remedy}", &version[..version.len().min(4)]),
        _ if bytes.trim_ascii_start().starts_with(b"(") => {
            "the text format; assemble it with `wasm-tools parse` and upload the binary".to_owned()
        }
        _ => format!("not wasm: it does not start with `\\0asm`; {remedy}"),
    };
    Err(refuse(Check::Shape, fault))
}

/// What the headers tell; and what a core module imports and exports, when the bytes are one.
fn outline(bytes: &[u8]) -> Result<(Outline, Option<module::Core>), Refusal> {
    let broken = |error: wasmparser::BinaryReaderError| {
        // Some of the parser's sentences have several lines, and words of the bytes themselves.
        let said: Vec<&str> = error.message().split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
        refuse(Check::Shape, format!("broken at byte {}: {}; upload it again, or rebuild it", error.offset(), said.join(" ")))
    };
    let mut outline = Outline::default();
    let mut core = None;
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(broken)?;
        if let Some((name, size)) = section(&payload) {
            match outline.sections.iter().position(|section| section.name == name) {
                Some(at) => outline.sections[at].bytes += size,
                None if outline.sections.len() < 64 => outline.sections.push(Section { name, bytes: size }),
                None => {}
            }
        }
        match payload {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding == Encoding::Module {
                    core = Some(module::Core::default());
                }
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            Payload::CodeSectionStart { count, .. } => outline.functions = outline.functions.saturating_add(count),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    outline.imports.push(import.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    outline.exports.push(export.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ImportSection(imports) if depth == 1 => {
                for import in imports.into_imports() {
                    let import = import.map_err(broken)?;
                    core.get_or_insert_default().import(import.module, import.name);
                }
            }
            Payload::ExportSection(exports) if depth == 1 => {
                for export in exports {
                    core.get_or_insert_default().export(export.map_err(broken)?.name);
                }
            }
            _ => {}
        }
    }
    outline.sections.sort_by_key(|section| std::cmp::Reverse(section.bytes));
    Ok((outline, core))
}

fn section(payload: &Payload<'_>) -> Option<(String, usize)> {
    let name = match payload {
        Payload::CustomSection(custom) => {
            let name: String = custom.name().chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            return Some((format!("custom `{name}`"), custom.data().len()));
        }
        Payload::CodeSectionStart { size, .. } => return Some(("code".to_owned(), *size as usize)),
        Payload::DataSection(_) => "data",
        Payload::ElementSection(_) => "elements",
        Payload::FunctionSection(_) => "functions",
        Payload::TypeSection(_) => "types",
        Payload::ComponentTypeSection(_) => "component types",
        // A module or component that holds the sections above would count them twice.
        Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => return None,
        _ => "other",
    };
    payload.as_section().map(|(_, range)| (name.to_owned(), range.len()))
}

fn world(outline: &Outline) -> Result<(), Refusal> {
    let refuse = |message| Err(refuse(Check::World, message));
    for import in &outline.imports {
        if let Err(message) = allowed(import) {
            return refuse(message);
        }
    }
    for wanted in EXPORTS {
        let found = outline.exports.iter().filter_map(|export| ours(export)).find(|(name, _)| *name == wanted);
        match found {
            Some((_, version)) if speaks(version) => {}
            Some((_, version)) => return refuse(foreign_track("exports", wanted, version)),
            None => {
                return refuse(format!(
                    "does not export `{PACKAGE}/{wanted}`; build it for the world `{PACKAGE}/rule-plugin` or `{PACKAGE}/pure-rule`"
                ));
            }
        }
    }
    Ok(())
}

/// A command component finds the empty room's WASI and nothing else.
fn commands(outline: &Outline) -> Result<(), Refusal> {
    match outline.imports.iter().find(|import| !import.starts_with("wasi:")) {
        None => Ok(()),
        Some(import) => {
            Err(refuse(Check::World, format!("is a command, and imports `{}`; a command has WASI and nothing else", show(import))))
        }
    }
}

/// Whether a plugin may import this, or why not.
fn allowed(import: &str) -> Result<(), String> {
    if let Some((name, version)) = ours(import) {
        return match name {
            _ if !speaks(version) => Err(foreign_track("imports", name, version)),
            _ if OPEN.contains(&name) => Ok(()),
            "http" => Err(format!(
                "imports `{import}`; outbound http is refused for plugins for now: remove the calls, and let an admin keep what it would fetch in a table (`lookup.row`)"
            )),
            _ => Err(format!("imports `{import}`, which the contract does not have; it has {}", OPEN.join(", "))),
        };
    }
    if import.starts_with("wasi:") {
        return Err(format!(
            "imports `{}`; plugins have no WASI: build Rust for wasm32-unknown-unknown, Python with componentize-py -s, JavaScript with componentize-js -d all \
             or componentize-qjs --stub-wasi; for C, C++, Zig and Go upload the core module instead",
            show(import)
        ));
    }
    Err(format!(
        "imports `{}`; a plugin may import `{PACKAGE}/*` and nothing else: build it for the world `{PACKAGE}/rule-plugin` or `pure-rule`",
        show(import)
    ))
}

/// Splits `signalbox:rules/NAME[@VERSION]`.
fn ours(name: &str) -> Option<(&str, Option<&str>)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').map_or((rest, None), |(name, version)| (name, Some(version))))
}

fn speaks(version: Option<&str>) -> bool {
    let mut parts = version.unwrap_or_default().split('.').map(|part| part.parse::<u64>().ok());
    (parts.next().flatten(), parts.next().flatten()) == (Some(TRACK.0), Some(TRACK.1))
}

fn foreign_track(verb: &str, name: &str, version: Option<&str>) -> String {
    let (major, minor) = TRACK;
    format!(
        "{verb} `{PACKAGE}/{name}` of version {}, this host speaks {major}.{minor}; build it against the contract `{PACKAGE}@{major}.{minor}`",
        version.map_or("none".to_owned(), show)
    )
}

/// A foreign name, safe to show.
fn show(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wat(text: &str) -> Result<Outline, Refusal> {
        look(&wat::parse_str(text).unwrap(), &Limits::default())
    }

    fn refused(text: &str) -> String {
        wat(text).unwrap_err().message
    }

    #[test]
    fn foreign_bytes_are_named() {
        for (bytes, word) in [
            (&b""[..], "empty"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\x7fELF\x02", "precompiled"),
            (b"  (component)", "text format"),
            (b"\0asm\x01\0\0\0", "wasi:cli/run"),
            (b"\0asm\x09\0\0\0", "unknown version"),
            (b"#!/bin/sh", "not wasm"),
            (b"\0asm\x0d\0\x01\0\x07\xff", "broken at byte"),
            (b"\0asm\x0d\0\x01\0\x01\x08file\x01\0\0\0", "magic header not detected"),
        ] {
            let refusal = look(bytes, &Limits::default()).unwrap_err();
            assert!(refusal.message.contains(word) && !refusal.message.contains(char::is_control), "{bytes:?}: {refusal:?}");
        }
    }

    #[test]
    fn an_upload_past_the_cap_is_refused() {
        let limits = Limits { upload_bytes: 8, ..Limits::default() };
        assert!(look(b"\0asm\x0d\0\x01\0\0", &limits).unwrap_err().message.contains("upload_bytes"));
    }

    #[test]
    fn imports_are_denied_by_default() {
        for (import, word) in [
            ("wasi:cli/environment@0.2.0", "no WASI"),
            ("signalbox:rules/http@0.1.0", "http is refused"),
            ("signalbox:rules/magic@0.1.0", "does not have"),
            ("signalbox:rules/logging@0.7.0", "speaks 0.1"),
            ("other:thing/x@1.0.0", "nothing else"),
        ] {
            let message = refused(&format!(r#"(component (import "{import}" (instance)))"#));
            assert!(message.contains(word) && message.contains(import.split('@').next().unwrap()), "{message}");
        }
    }

    #[test]
    fn missing_and_foreign_exports_are_named() {
        assert!(refused("(component)").contains("`signalbox:rules/metadata`"));
        let foreign =
            r#"(component (component $c) (instance $i (instantiate $c)) (export "signalbox:rules/metadata@0.2.0" (instance $i)))"#;
        assert!(refused(foreign).contains("version 0.2.0"));
    }

    #[test]
    fn every_prefix_of_a_bundled_plugin_is_refused_and_the_whole_is_not() {
        let bytes = signalbox_bundle::PLUGINS[0].wasm;
        look(bytes, &Limits::default()).unwrap();
        for end in (0..bytes.len()).step_by(bytes.len() / 97) {
            assert!(look(&bytes[..end], &Limits::default()).is_err(), "{end}");
        }
    }
}
