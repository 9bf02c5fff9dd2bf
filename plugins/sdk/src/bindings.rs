//! The bindings that `wit-bindgen` makes from `wit/`, and nothing else.

wit_bindgen::generate!({
    path: "../../wit",
    world: "rule-plugin",
    pub_export_macro: true,
    export_macro_name: "__export_rule_plugin",
    default_bindings_module: "signalbox_sdk::bindings",
    additional_derives: [PartialEq],
    generate_unused_types: true,
});
