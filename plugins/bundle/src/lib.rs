//! The bundled plugins as component bytes, in the order of the bundled chain. The host reads them; nobody else does.

/// One bundled plugin.
pub struct Bundled {
    /// The plugin's name, as its `describe` says it.
    pub name: &'static str,
    /// A component of the world `signalbox:rules/rule-plugin`.
    pub wasm: &'static [u8],
}

/// Every bundled plugin, in the order of the bundled chain.
pub const PLUGINS: [Bundled; 3] = [
    Bundled { name: "categorize", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/categorize.wasm")) },
    Bundled { name: "sentiment", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/sentiment.wasm")) },
    Bundled { name: "escalate", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/escalate.wasm")) },
];
