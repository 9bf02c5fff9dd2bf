//! What of `state` and `lookup` a component imports, function by function: read off its type, before it runs.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// Which of the host's questions a plugin can ask at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// It remembers between events.
    pub state: bool,
    /// It looks rows of tables up.
    pub tables: bool,
    /// It reads earlier messages of a thread.
    pub thread: bool,
    /// It reads what the steps before have proposed.
    pub history: bool,
    /// It asks calendars.
    pub calendars: bool,
}

impl Reach {
    /// What a component imports.
    pub(super) fn of(component: &Component, engine: &Engine) -> Self {
        let mut reach = Self::default();
        let ty = component.component_type();
        for (name, item) in ty.imports(engine) {
            let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
            let interface = name.split('/').nth(1).and_then(|rest| rest.split('@').next()).unwrap_or_default();
            for (function, item) in instance.exports(engine) {
                if matches!(item.ty, ComponentItem::ComponentFunc(_)) {
                    reach.note(interface, function);
                }
            }
        }
        reach
    }

    fn note(&mut self, interface: &str, function: &str) {
        match (interface, function) {
            ("state", _) => self.state = true,
            ("lookup", "row" | "rows") => self.tables = true,
            ("lookup", "thread") => self.thread = true,
            ("lookup", "history") => self.history = true,
            ("lookup", _) => self.calendars = true,
            _ => {}
        }
    }

    /// Whether it asks anything at all.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Whether a call may have to wait: for its turn at the step's state, or for the disk.
    pub fn waits(self) -> bool {
        self.state || self.thread
    }
}
