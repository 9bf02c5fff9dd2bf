//! `rule!`: a plugin out of a plain function, a config type and what `Cargo.toml` says anyway.
//!
//! A rule that needs more than that (a state of its own, a schema by hand) implements [`Rule`](crate::Rule) and calls
//! [`plugin!`](crate::plugin) itself, which is what this macro does.

use crate::{Flow, Proposal, RuleError, Verdict};

/// What a rule's function may give: proposals, a verdict, or either of them with `?` inside.
pub trait Judged {
    /// The answer as the host takes it.
    ///
    /// # Errors
    /// Why there is no verdict.
    fn judged(self) -> Result<Verdict, RuleError>;
}

impl Judged for Verdict {
    fn judged(self) -> Result<Verdict, RuleError> {
        Ok(self)
    }
}

impl Judged for Vec<Proposal> {
    fn judged(self) -> Result<Verdict, RuleError> {
        Ok(self.into())
    }
}

impl<T: Judged> Judged for Result<T, RuleError> {
    fn judged(self) -> Result<Verdict, RuleError> {
        self.and_then(Judged::judged)
    }
}

impl From<Vec<Proposal>> for Verdict {
    /// Proposals after which the chain goes on.
    fn from(proposals: Vec<Proposal>) -> Self {
        Self { proposals, flow: Flow::Next }
    }
}

/// Makes a plugin of a function `fn(&Event, &SoFar, &Config) -> Verdict` (or what else is [`Judged`]).
///
/// Name, version, summary (`description`), licence and homepage are those of the crate. `asks`, `kinds` and `examples` may be left
/// out, in this order; `config` is a type that is [`Config`](crate::config::Config). The struct is the plugin, for its tests.
///
/// ```
/// use signalbox_sdk::config::{Config, JsonSchema};
/// use signalbox_sdk::{Case, Effect, Event, SoFar, Verdict, proposal};
///
/// signalbox_sdk::rule! {
///     pub struct Seen;
///     judge: judge,
///     config: Words,
///     effects: ["tag"],
///     examples: [Case { name: "anything", event: r#"{"id": "1", "text": "hello"}"#,
///         expect: r#"{"proposals": [{"effect": {"type": "tag", "value": "seen"}}]}"#, ..Case::EMPTY }],
/// }
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// #[schemars(crate = "signalbox_sdk::schemars")]
/// struct Words {
///     /// The tag that every message gets
///     tag: String,
/// }
///
/// impl Default for Words {
///     fn default() -> Self {
///         Self { tag: "seen".to_owned() }
///     }
/// }
///
/// impl Config for Words {}
///
/// fn judge(_event: &Event, _settled: &SoFar, config: &Words) -> Verdict {
///     vec![proposal(Effect::Tag(config.tag.clone()), "every message is seen", 1.0)].into()
/// }
///
/// signalbox_sdk::testing::examples_hold::<Seen>().unwrap();
/// ```
#[cfg(feature = "schema")]
#[macro_export]
macro_rules! rule {
    (
        $vis:vis struct $rule:ident;
        judge: $judge:expr,
        config: $config:ty,
        effects: [$($effect:literal),* $(,)?]
        $(, asks: [$($grant:literal: $why:literal),* $(,)?])?
        $(, kinds: [$($kind:literal),* $(,)?])?
        $(, examples: $examples:expr)?
        $(,)?
    ) => {
        /// The plugin.
        $vis struct $rule($config);

        impl $crate::Rule for $rule {
            fn describe() -> $crate::Description {
                let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                let examples: Vec<Vec<$crate::Example>> = vec![$($crate::examples(&$examples))?];
                $crate::Description {
                    name: env!("CARGO_PKG_NAME").to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    summary: env!("CARGO_PKG_DESCRIPTION").to_owned(),
                    homepage: given(env!("CARGO_PKG_HOMEPAGE")),
                    license: given(env!("CARGO_PKG_LICENSE")),
                    event_kinds: vec![$($($kind.to_owned()),*)?],
                    effects: vec![$($effect.to_owned()),*],
                    requests: vec![$($($crate::Permission { grant: $grant.to_owned(), reason: $why.to_owned() }),*)?],
                    config_schema: $crate::config::schema::<$config>(),
                    examples: examples.concat(),
                }
            }

            fn configure(config: &str) -> Result<Self, Vec<$crate::ConfigProblem>> {
                $crate::config::prepared(config).map(Self)
            }

            fn evaluate(&self, event: &$crate::Event, settled: &$crate::SoFar) -> Result<$crate::Verdict, $crate::RuleError> {
                $crate::Judged::judged($judge(event, settled, &self.0))
            }
        }

        $crate::plugin!($rule);
    };
}
