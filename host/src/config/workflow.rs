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
    /// Minutes within which alerts of one audience and key are one alert, unless they get louder. 60 unless told otherwise.
    pub alert_minutes: Option<f64>,
    /// The table that says who is on call, by audience or rota. "on-call" unless told otherwise.
    pub on_call: Option<String>,
    /// Hours of messages that a new one is compared with, to find the first with nearly the same words. 24 unless told otherwise; 0 for none.
    pub similar_hours: Option<f64>,
    /// The table of open incidents: a message that has the `words` or the `service` of a row is related to it. "incidents" unless told otherwise.
    pub incidents: Option<String>,
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
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// The share of a target at which a clock warns.
    pub warn_share: f64,
    /// How long what waits for approval can be approved.
    pub approval: Duration,
    /// Who may.
    pub approvers: Approvers,
    /// How long alerts of one key are one alert.
    pub alert_window: Duration,
    /// The table that says who is on call.
    pub on_call: String,
    /// Hours of messages that a new one is compared with.
    pub similar_hours: f64,
    /// The table of open incidents.
    pub incidents: String,
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
        let minutes = self.alert_minutes.unwrap_or(60.0);
        let alert_window = Duration::try_from_secs_f64(minutes * 60.0).ok().filter(|window| (1..=366 * 86_400).contains(&window.as_secs()));
        let alert_window = alert_window
            .ok_or_else(|| ("alert_minutes", format!("`workflow.alert_minutes` is {minutes}; write minutes, from a second to a year")))?;
        let similar_hours = self.similar_hours.unwrap_or(24.0);
        if !(0.0..=24.0 * 366.0).contains(&similar_hours) {
            return Err(("similar_hours", format!("`workflow.similar_hours` is {similar_hours}; write hours, 0 for none, up to a year")));
        }
        let incidents = self.incidents.clone().unwrap_or_else(|| "incidents".to_owned());
        let on_call = self.on_call.clone().unwrap_or_else(|| "on-call".to_owned());
        let Approvers { agent, supervisor, pr } = self.approvers;
        if [agent, supervisor, pr].into_iter().any(|role| role < Role::Operator) {
            return Err(("approvers", "`workflow.approvers` names a role below operator, which may change nothing".to_owned()));
        }
        Ok(Workflow { warn_share, approval, approvers: self.approvers, alert_window, on_call, similar_hours, incidents })
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
        let (alert_window, on_call) = (Duration::from_secs(3_600), "on-call".to_owned());
        let (approval, incidents) = (Duration::from_secs(72 * 3_600), "incidents".to_owned());
        let wanted = Workflow { warn_share: 0.75, approval, approvers, alert_window, on_call, similar_hours: 24.0, incidents };
        assert_eq!(resolved, wanted);
        for (warn_share, approval_hours, alert_minutes, key) in [
            (Some(0.0), None, None, "warn_share"),
            (Some(1.5), None, None, "warn_share"),
            (None, Some(-1.0), None, "approval_hours"),
            (None, None, Some(0.0), "alert_minutes"),
        ] {
            let written = WorkflowEntry { warn_share, approval_hours, approvers, alert_minutes, ..WorkflowEntry::default() };
            assert_eq!(written.resolve().unwrap_err().0, key);
        }
        assert!(WorkflowEntry { similar_hours: Some(-1.0), ..WorkflowEntry::default() }.resolve().is_err());
        assert!(WorkflowEntry { approval_hours: Some(f64::NAN), ..WorkflowEntry::default() }.resolve().is_err());
    }
}
