//! `[workflow]`: what happens around decisions unless a source says otherwise. Written and resolved form.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::token::Role;
use crate::verdict::Approval;

/// `[workflow]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkflowEntry {
    /// The share of a service level's target at which its clock warns: 0.75 unless told otherwise; 1 for no warning.
    pub warn_share: Option<f64>,
    /// Hours after which what waits for approval is not sent any more. 72 unless told otherwise.
    pub approval_hours: Option<f64>,
    /// The least role that approves what needs an agent, a supervisor or pr: "operator", "admin" and "admin" unless told otherwise.
    pub approvers: Approvers,
}

/// `[workflow.approvers]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Approvers {
    /// For what needs an agent.
    pub agent: Role,
    /// For what needs a supervisor.
    pub supervisor: Role,
    /// For what needs the press office.
    pub pr: Role,
}

impl Default for Approvers {
    fn default() -> Self {
        Self { agent: Role::Operator, supervisor: Role::Admin, pr: Role::Admin }
    }
}

/// `[workflow]`, resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workflow {
    /// The share of a target at which a clock warns.
    pub warn_share: f64,
    /// How long what waits for approval can be approved.
    pub approval: Duration,
    /// Who may.
    pub approvers: Approvers,
}

impl Workflow {
    /// The least role that may say yes or no where this is needed.
    pub fn approver(&self, needs: Approval) -> Role {
        match needs {
            Approval::None | Approval::Agent => self.approvers.agent,
            Approval::Supervisor => self.approvers.supervisor,
            Approval::Pr => self.approvers.pr,
        }
    }
}

impl WorkflowEntry {
    /// Fills in the defaults.
    ///
    /// # Errors
    /// The key, and a sentence when its value makes no sense.
    pub fn resolve(&self) -> Result<Workflow, (&'static str, String)> {
        let hours = self.approval_hours.unwrap_or(72.0);
        let approval = Duration::try_from_secs_f64(hours * 3_600.0).ok().filter(|wait| (1..=366 * 86_400).contains(&wait.as_secs()));
        let approval = approval
            .ok_or_else(|| ("approval_hours", format!("`workflow.approval_hours` is {hours}; write hours, from a second to a year")))?;
        let warn_share = warn_share("workflow.warn_share", self.warn_share)?.unwrap_or(0.75);
        let Approvers { agent, supervisor, pr } = self.approvers;
        if [agent, supervisor, pr].into_iter().any(|role| role < Role::Operator) {
            return Err(("approvers", "`workflow.approvers` names a role below operator, which may change nothing".to_owned()));
        }
        Ok(Workflow { warn_share, approval, approvers: self.approvers })
    }
}

/// A share that can be warned at.
pub(super) fn warn_share(key: &str, share: Option<f64>) -> Result<Option<f64>, (&'static str, String)> {
    match share {
        Some(share) if !(0.01..=1.0).contains(&share) => {
            Err(("warn_share", format!("`{key}` is {share}; write a share of the target from 0.01 to 1, where 1 is no warning")))
        }
        share => Ok(share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_filled_in_and_nonsense_is_named() {
        let resolved = WorkflowEntry::default().resolve().unwrap();
        let approvers = Approvers::default();
        assert_eq!(resolved, Workflow { warn_share: 0.75, approval: Duration::from_secs(72 * 3_600), approvers });
        for (warn_share, approval_hours, key) in
            [(Some(0.0), None, "warn_share"), (Some(1.5), None, "warn_share"), (None, Some(-1.0), "approval_hours")]
        {
            assert_eq!(WorkflowEntry { warn_share, approval_hours, approvers }.resolve().unwrap_err().0, key);
        }
        assert!(WorkflowEntry { approval_hours: Some(f64::NAN), ..WorkflowEntry::default() }.resolve().is_err());
    }
}
