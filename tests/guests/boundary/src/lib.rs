//! A plugin that judges nothing: what crossing the boundary costs, in the two shapes of `wit/boundary.wit`.
//!
//! It allocates like every plugin of the SDK, so that what is measured is what a rule would pay.
#![expect(unsafe_code, missing_docs, reason = "the bindings generate both")]

wit_bindgen::generate!({ path: ["../../../wit", "wit"], world: "bench:boundary/guest", generate_all, export_macro_name: "export_shapes" });

use exports::bench::boundary::shapes::{Guest, Rest};
use signalbox::rules::facts;
use signalbox::rules::types::Event;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ARENA: signalbox_sdk::arena::Arena = signalbox_sdk::arena::Arena::new();

struct Shapes;

impl Guest for Shapes {
    fn whole(event: Event, rest: Rest) -> u32 {
        (event.text.len() + rest.author.is_some() as usize + rest.ticket.is_some() as usize) as u32
    }

    fn slim(event: Event) -> u32 {
        event.text.len() as u32
    }

    fn asking(event: Event) -> u32 {
        (event.text.len() + facts::get_author().is_some() as usize + facts::get_ticket().is_some() as usize) as u32
    }
}

export_shapes!(Shapes);
