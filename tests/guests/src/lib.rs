//! Guests for the host's tests, as component bytes.

/// A plugin that does what the event's text or its config tells it to: see its own header.
pub const MISBEHAVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/misbehave.wasm"));
/// A plugin that asks the host what the event's text tells it to: see its own header.
pub const CURIOUS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/curious.wasm"));
/// A plugin that judges nothing, with the event handed over in two shapes.
pub const BOUNDARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/boundary.wasm"));
