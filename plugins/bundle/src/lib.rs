//! The bundled plugins as component bytes, in the order of the bundled chain. The host reads them; nobody else does.

/// One bundled plugin.
pub struct Bundled {
    /// The plugin's name, as its `describe` says it.
    pub name: &'static str,
    /// A component of the world `signalbox:rules/rule-plugin`.
    pub wasm: &'static [u8],
}

/// The plugins of the bundled chain, in its order.
pub const PLUGINS: [Bundled; 3] = [
    Bundled { name: "categorize", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/categorize.wasm")) },
    Bundled { name: "sentiment", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/sentiment.wasm")) },
    Bundled { name: "escalate", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/escalate.wasm")) },
];

/// Bundled plugins that a chain may name and the bundled chain leaves out: what they judge `escalate` has a table for, or they need
/// tables and grants of the admin.
pub const OPTIONAL: [Bundled; 6] = [
    Bundled { name: "urgency", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/urgency.wasm")) },
    Bundled { name: "guard", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/guard.wasm")) },
    Bundled { name: "language", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/language.wasm")) },
    Bundled { name: "sla", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/sla.wasm")) },
    Bundled { name: "reply", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/reply.wasm")) },
    Bundled { name: "outage", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/outage.wasm")) },
];
