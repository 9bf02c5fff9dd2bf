//! The facts of the event beyond the record: who wrote it, its ticket, its attributes.
//!
//! On wasm they are the host's `facts`, and importing one is a permission that the admin sees. Natively they are what a test has
//! put in place with [`crate::testing::event`].

use crate::{AttributeValue, Author};

/// Who wrote it, as far as the source says.
pub fn author() -> Option<Author> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::facts::get_author()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::testing::with_facts(|facts| facts.author.clone())
    }
}

/// One documented or source-specific attribute.
pub fn attribute(key: &str) -> Option<AttributeValue> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::facts::get_attribute(key)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::testing::with_facts(|facts| facts.attributes.iter().find(|a| a.key == key).map(|a| a.value.clone()))
    }
}
