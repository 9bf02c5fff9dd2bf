//! The four roles: who may do what over the admin API. Each may do all that the ones before it may.
//!
//! Where a route belongs, by what can go wrong with it: nothing changes (viewer); it can be taken back at once and brings no new
//! rules in (operator); it changes what is decided (developer); it changes who may, or where data may go (admin).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads events, decisions, chains and plugins: a dashboard, a colleague who asks why.
    Viewer,
    /// Keeps the house running: takes a change back, sends a delivery again, closes a breaker, reads who changed what.
    Operator,
    /// Makes the rules: plugins, chains, replays.
    Developer,
    /// Decides who may do that: tokens, sources.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Developer, Self::Admin];

    /// Its word, in JSON, in the database and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Developer => "developer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.word() == word);
        found.ok_or_else(|| "there is no such role; roles are viewer, operator, developer, admin".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_word_everywhere() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err() && Role::ALL.is_sorted());
    }
}
