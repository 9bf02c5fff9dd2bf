//! Makes a component of a core module, in the activation child.
//!
//! What a toolchain leaves of WASI preview1 is answered by an adapter of our own, behind which there is nothing: `nowasi.wat`,
//! kept as text so that it can be read. It is also what makes Go run: with the usual adapter its collector reads the clock from
//! where a component must not call out.

use wasm_encoder::{RawSection, Section as _};
use wasmparser::{KnownCustom, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::module::PREVIEW1;
use super::{Check, Outline, Refusal, refuse};

/// The contract that modules without metadata are read by.
const WIT: &str = include_str!("../../../../wit/rules.wit");
/// Custom sections that say which world a module is.
const METADATA: &str = "component-type";
/// The adapter.
const NOWASI: &str = include_str!("nowasi.wat");

/// Makes it. The world is the smallest that has what the module imports.
pub(super) fn component(module: &[u8], outline: &Outline) -> Result<Vec<u8>, Refusal> {
    let world = if outline.imports.is_empty() { "pure-rule" } else { "rule-plugin" };
    encode(module, world).map_err(|error| {
        let cause = format!("{error:#}");
        let cause: String = cause.lines().map(str::trim).collect::<Vec<_>>().join(" ").chars().take(300).collect();
        refuse(
            Check::Shape,
            format!("a core module that does not fit the world `{world}`: {cause}; rebuild it with bindings of this contract"),
        )
    })
}

fn encode(module: &[u8], world: &str) -> anyhow::Result<Vec<u8>> {
    let mut module = without_notes(module)?;
    if !has_metadata(&module) {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("rules.wit", WIT)?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    }
    let nowasi = wat::parse_str(NOWASI)?;
    ComponentEncoder::default().module(&module)?.adapter(PREVIEW1, &nowasi)?.encode()
}

/// The module without the custom sections that nobody here reads, or can: a toolchain's notes may say anything, and the encoder would
/// refuse a module over them.
fn without_notes(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut kept = wasm_encoder::Module::HEADER.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let is_note = match &payload {
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Name(names) => names.into_iter().any(|names| names.is_err()),
                _ => !custom.name().starts_with(METADATA),
            },
            _ => false,
        };
        if let (false, Some((id, range))) = (is_note, payload.as_section()) {
            RawSection { id, data: &module[range] }.append_to(&mut kept);
        }
    }
    Ok(kept)
}

/// Whether the toolchain has written down which world it is.
fn has_metadata(module: &[u8]) -> bool {
    let is_metadata = |payload| matches!(payload, Ok(Payload::CustomSection(custom)) if custom.name().starts_with(METADATA));
    Parser::new(0).parse_all(module).any(is_metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_and_the_contract_are_well_formed() {
        wasmparser::validate(&wat::parse_str(NOWASI).unwrap()).unwrap();
        Resolve::default().push_source("rules.wit", WIT).unwrap();
    }
}
