//! The table of `/v1`: every route with its least role, what it takes and what it answers.
//!
//! Router, role check, 405 and the OpenAPI document are made from it, and the tests read it too: what is not here does not exist.
//! Routes of one path stand together. Which role a route needs is argued in `token/role.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::{
    about, alerts, approvals, audit, calendars, chain, clocks, decisions, deliveries, erase, observations, plugins, presets, replays,
    reports, setup, sources, stream, tables, tokens, volume,
};
use crate::app::App;
use crate::breaker::Health;
use crate::calendar::Spec;
use crate::gate::GateReport;
use crate::replay;
use crate::report::{
    AgreementRow, CorrectionRow, EscalationRow, ListQuery, OverTimeQuery, ReasonRow, Report, RuleRow, ServiceLevelRow, SpikeRow,
    VolumeReportQuery, VolumeRow,
};
use crate::setup::Setup;
use crate::store::{
    AlertQuery, ApprovalQuery, AuditQuery, Audited, ClockQuery, Deliveries, DeliveryQuery, Observation, ObservationQuery, Page, Query,
    StoredAlert, StoredApproval, StoredClock, StoredDelivery, Token, TokenQuery, Volume, VolumeQuery,
};
use crate::tables::Imported;
use crate::token::Role::{self, Admin, Developer, Operator, Viewer};

/// Every route, in the order of the document.
pub const ROUTES: &[Route] = &[
    get("/about", Viewer, "What this host is and runs", |is| on(is, about::about)).answers::<about::About>(200),
    get("/whoami", Viewer, "Whose token this is, and what it may do", |is| on(is, about::whoami)).answers::<about::Whoami>(200),
    get("/chains", Viewer, "The live chains, step by step", |is| on(is, chain::list)).answers::<chain::Chains>(200),
    get("/chains/{name}", Viewer, "One live chain, step by step", |is| on(is, chain::show)).answers::<chain::Live>(200),
    post("/chains/{name}/steps/{step}/reset", Operator, "Lets a quarantined step back in", |is| on(is, chain::reset))
        .answers::<Health>(200),
    get("/chains/{name}/steps/{step}/shadow", Viewer, "What a step in shadow would have changed", |is| on(is, chain::shadow))
        .queries::<chain::ShadowQuery>()
        .answers::<replay::Report>(200),
    get("/plugins", Viewer, "Every plugin that a step may use", |is| on(is, plugins::list)).answers::<plugins::Plugins>(200),
    post("/plugins", Developer, "Takes a plugin (raw wasm) through the gate and keeps it", |is| {
        on(is, plugins::upload).layer(DefaultBodyLimit::max(plugins::MAX_UPLOAD_BYTES))
    })
    .takes_bytes("application/wasm")
    .answers::<GateReport>(201),
    get("/plugins/{reference}", Viewer, "The gate's report of a plugin: by digest, name@version, or name", |is| on(is, plugins::show))
        .answers::<GateReport>(200),
    delete("/plugins/{reference}", Developer, "Forgets a plugin that no live step uses", |is| on(is, plugins::remove)),
    get("/setup", Viewer, "The set-up that is live, with its ETag", |is| on(is, setup::show)).answers::<setup::Live>(200),
    put("/setup", Developer, "Puts a set-up live (If-Match), or only builds it (dry_run)", |is| {
        on(is, setup::apply).layer(DefaultBodyLimit::max(setup::MAX_SETUP_BYTES))
    })
    .queries::<setup::How>()
    .takes::<Setup>()
    .needs_if_match()
    .answers::<setup::Made>(200),
    get("/generations", Viewer, "What was live when, by whom and why, newest first", |is| on(is, setup::history))
        .queries::<setup::HistoryQuery>()
        .answers::<setup::History>(200),
    get("/generations/{id}", Viewer, "The set-up of a generation", |is| on(is, setup::generation)).answers::<Setup>(200),
    post("/generations/{id}/rollback", Operator, "Puts a generation live that was live before (If-Match)", |is| on(is, setup::rollback))
        .needs_if_match()
        .answers::<setup::Made>(200),
    post("/replays", Developer, "Runs a candidate over events that were decided already", |is| {
        on(is, replays::start).layer(DefaultBodyLimit::max(replays::MAX_REQUEST_BYTES))
    })
    .takes::<replay::Request>()
    .answers::<replays::Shown>(202),
    get("/replays/{id}", Viewer, "A replay, with its report when it is done", |is| on(is, replays::show)).answers::<replays::Shown>(200),
    get("/replays/{id}/csv", Viewer, "A replay's report as a table", |is| on(is, replays::csv)).answers_text("text/csv"),
    get("/decisions", Viewer, "Decided events, newest first", |is| on(is, decisions::list))
        .queries::<Query>()
        .answers::<Page<decisions::Decided>>(200),
    get("/decisions/{id}", Viewer, "One event and its decision, by the decision's id", |is| on(is, decisions::show))
        .answers::<decisions::Decided>(200),
    get("/decisions/stream", Viewer, "Decided events as they happen: server-sent events", |is| on(is, stream::follow))
        .queries::<stream::StreamQuery>()
        .answers_text("text/event-stream"),
    get("/volume", Viewer, "How much was decided, and what: counts over a stretch of time", |is| on(is, volume::count))
        .queries::<VolumeQuery>()
        .answers::<Volume>(200),
    get("/reports/volume", Viewer, "Messages by category, network, sentiment, priority or source, over time", |is| {
        on(is, reports::volume::json)
    })
    .queries::<VolumeReportQuery>()
    .answers::<Report<VolumeRow>>(200),
    get("/reports/volume/csv", Viewer, "Messages by category, network, sentiment, priority or source, over time: as CSV", |is| {
        on(is, reports::volume::csv)
    })
    .queries::<VolumeReportQuery>()
    .answers_text("text/csv"),
    get("/reports/service-levels", Viewer, "Responses and resolutions against their targets, over time", |is| {
        on(is, reports::service_levels::json)
    })
    .queries::<OverTimeQuery>()
    .answers::<Report<ServiceLevelRow>>(200),
    get("/reports/service-levels/csv", Viewer, "Responses and resolutions against their targets, over time: as CSV", |is| {
        on(is, reports::service_levels::csv)
    })
    .queries::<OverTimeQuery>()
    .answers_text("text/csv"),
    get("/reports/escalations", Viewer, "Escalations by level and audience, over time", |is| on(is, reports::escalations::json))
        .queries::<OverTimeQuery>()
        .answers::<Report<EscalationRow>>(200),
    get("/reports/escalations/csv", Viewer, "Escalations by level and audience, over time: as CSV", |is| on(is, reports::escalations::csv))
        .queries::<OverTimeQuery>()
        .answers_text("text/csv"),
    get("/reports/spikes", Viewer, "Hours with more than usual", |is| on(is, reports::spikes::json))
        .queries::<ListQuery>()
        .answers::<Report<SpikeRow>>(200),
    get("/reports/spikes/csv", Viewer, "Hours with more than usual: as CSV", |is| on(is, reports::spikes::csv))
        .queries::<ListQuery>()
        .answers_text("text/csv"),
    get("/reports/rules", Viewer, "What each step did and cost", |is| on(is, reports::rules::json))
        .queries::<ListQuery>()
        .answers::<Report<RuleRow>>(200),
    get("/reports/rules/csv", Viewer, "What each step did and cost: as CSV", |is| on(is, reports::rules::csv))
        .queries::<ListQuery>()
        .answers_text("text/csv"),
    get("/reports/reasons", Viewer, "The rules that spoke most often", |is| on(is, reports::reasons::json))
        .queries::<ListQuery>()
        .answers::<Report<ReasonRow>>(200),
    get("/reports/reasons/csv", Viewer, "The rules that spoke most often: as CSV", |is| on(is, reports::reasons::csv))
        .queries::<ListQuery>()
        .answers_text("text/csv"),
    get("/reports/agreement", Viewer, "How often the desk's people agreed with each rule", |is| on(is, reports::agreement::json))
        .queries::<ListQuery>()
        .answers::<Report<AgreementRow>>(200),
    get("/reports/agreement/csv", Viewer, "How often the desk's people agreed with each rule: as CSV", |is| {
        on(is, reports::agreement::csv)
    })
    .queries::<ListQuery>()
    .answers_text("text/csv"),
    get("/reports/corrections", Viewer, "What the desk's people made of what was decided", |is| on(is, reports::corrections::json))
        .queries::<ListQuery>()
        .answers::<Report<CorrectionRow>>(200),
    get("/reports/corrections/csv", Viewer, "What the desk's people made of what was decided: as CSV", |is| {
        on(is, reports::corrections::csv)
    })
    .queries::<ListQuery>()
    .answers_text("text/csv"),
    delete("/events/{source}/{event_id}", Admin, "Erases an event, with all that was made of it", |is| on(is, erase::event))
        .answers::<erase::Erased>(200),
    delete("/authors/{author}", Admin, "Erases every event of an author, by id or handle", |is| on(is, erase::author))
        .answers::<erase::Erased>(200),
    get("/sources", Viewer, "Connections to desks, without their secrets", |is| on(is, sources::list)).answers::<sources::Sources>(200),
    post("/sources/{name}/test", Operator, "What a call would become, sending and recording nothing", |is| on(is, sources::test))
        .takes::<sources::Tried>()
        .answers::<sources::Would>(200),
    get("/presets", Viewer, "Desks that a source can begin with", |is| on(is, presets::list)).answers::<presets::Presets>(200),
    get("/presets/{name}", Viewer, "What to write into the config, and what to click in the desk", |is| on(is, presets::begin))
        .queries::<presets::Called>()
        .answers::<presets::Beginning>(200),
    post("/presets/{name}/test", Operator, "What a call would become, before anything is connected", |is| on(is, presets::test))
        .takes::<sources::Tried>()
        .answers::<sources::Would>(200),
    get("/observations", Viewer, "What desks did afterwards, newest first", |is| on(is, observations::list))
        .queries::<ObservationQuery>()
        .answers::<Page<Observation>>(200),
    get("/approvals", Viewer, "What a person must agree to before it leaves, newest first", |is| on(is, approvals::list))
        .queries::<ApprovalQuery>()
        .answers::<Page<StoredApproval>>(200),
    post("/approvals/{id}/approve", Operator, "Says yes: it is sent, once", |is| on(is, approvals::approve))
        .takes::<approvals::Ruling>()
        .answers::<StoredApproval>(200),
    post("/approvals/{id}/reject", Operator, "Says no: it is never sent", |is| on(is, approvals::reject))
        .takes::<approvals::Ruling>()
        .answers::<StoredApproval>(200),
    get("/alerts", Viewer, "What was raised, and who was told, newest first", |is| on(is, alerts::list))
        .queries::<AlertQuery>()
        .answers::<Page<StoredAlert>>(200),
    get("/clocks", Viewer, "Clocks of service levels, newest first", |is| on(is, clocks::list))
        .queries::<ClockQuery>()
        .answers::<Page<StoredClock>>(200),
    get("/deliveries", Viewer, "Calls that carry decisions out, newest first", |is| on(is, deliveries::list))
        .queries::<DeliveryQuery>()
        .answers::<Deliveries>(200),
    get("/deliveries/{id}", Viewer, "One call, what was sent and what was answered", |is| on(is, deliveries::one))
        .answers::<StoredDelivery>(200),
    post("/deliveries/{id}/replay", Operator, "Sends a call again that was set aside", |is| on(is, deliveries::replay))
        .answers::<StoredDelivery>(200),
    get("/targets", Viewer, "Every place that gets calls, and how it fares", |is| on(is, deliveries::targets))
        .answers::<BTreeMap<String, Value>>(200),
    get("/tables", Viewer, "What the admin keeps for rules to look up", |is| on(is, tables::list)).answers::<tables::Tables>(200),
    get("/tables/{name}", Viewer, "One table without its rows", |is| on(is, tables::show)).answers::<tables::Card>(200),
    put("/tables/{name}", Developer, "Makes a table, or gives it another schema", |is| on(is, tables::put))
        .takes::<tables::New>()
        .answers::<tables::Card>(200),
    delete("/tables/{name}", Developer, "Takes a table away", |is| on(is, tables::remove)),
    post("/tables/{name}/import", Operator, "Takes rows in (JSON array of objects, or text/csv), all or none", |is| {
        on(is, tables::import).layer(DefaultBodyLimit::max(tables::MAX_IMPORT_BYTES))
    })
    .queries::<tables::ImportQuery>()
    .takes::<tables::Lines>()
    .answers::<Imported>(200),
    get("/tables/{name}/rows", Viewer, "Rows as they are now, by key", |is| on(is, tables::rows))
        .queries::<tables::RowQuery>()
        .answers::<Page<tables::Line>>(200),
    get("/tables/{name}/rows/{key}", Viewer, "A row and what it said when", |is| on(is, tables::row)).answers::<tables::Past>(200),
    put("/tables/{name}/rows/{key}", Operator, "Lets a row say something else, or adds it", |is| on(is, tables::set))
        .takes::<BTreeMap<String, Value>>()
        .answers::<tables::Line>(200),
    delete("/tables/{name}/rows/{key}", Operator, "Takes a row away", |is| on(is, tables::unset)),
    get("/calendars", Viewer, "Business calendars, by name", |is| on(is, calendars::list)).answers::<calendars::All>(200),
    get("/calendars/{name}", Viewer, "One calendar", |is| on(is, calendars::show)).answers::<calendars::Kept>(200),
    put("/calendars/{name}", Operator, "Makes a calendar, or puts another in its place", |is| on(is, calendars::set))
        .takes::<Spec>()
        .answers::<calendars::Kept>(200),
    delete("/calendars/{name}", Operator, "Takes a calendar away", |is| on(is, calendars::remove)),
    post("/calendars/{name}/holidays", Operator, "Takes holidays in from an iCalendar file", |is| {
        on(is, calendars::import).layer(DefaultBodyLimit::max(calendars::MAX_IMPORT_BYTES))
    })
    .queries::<calendars::How>()
    .takes_bytes("text/calendar")
    .answers::<calendars::Kept>(200),
    get("/calendars/{name}/time", Viewer, "Whether it is open, and when a working time ends", |is| on(is, calendars::ask))
        .queries::<calendars::Question>()
        .answers::<calendars::Answer>(200),
    get("/tokens", Admin, "Every token that was made, newest first", |is| on(is, tokens::list))
        .queries::<TokenQuery>()
        .answers::<Page<Token>>(200),
    post("/tokens", Admin, "Makes a token; the answer is the only place that ever shows it", |is| on(is, tokens::create))
        .takes::<tokens::New>()
        .answers::<tokens::Made>(201),
    delete("/tokens/{id}", Admin, "Revokes a token, for good", |is| on(is, tokens::revoke)),
    get("/audit", Operator, "What was changed, by whom and why, newest first", |is| on(is, audit::list))
        .queries::<AuditQuery>()
        .answers::<Page<Audited>>(200),
];

/// One route.
pub struct Route {
    /// Its method.
    pub verb: Verb,
    /// Its path below `/v1`.
    pub path: &'static str,
    /// The least role that may call it.
    pub least: Role,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its query parameters: an object's schema, whose properties they are.
    pub query: Option<Describe>,
    /// The JSON it takes.
    pub body: Option<Describe>,
    /// Or the media type of the bytes it takes.
    pub bytes: Option<&'static str>,
    /// Whether it takes a change only with the `ETag` of what it was made from.
    pub if_match: bool,
    /// The status of its success, and the JSON that comes with it.
    pub answer: (u16, Option<Describe>),
    /// Or the media type of the text that comes with it.
    pub text: Option<&'static str>,
    /// Its handler, which it is told the method for.
    pub(super) handler: fn(MethodFilter) -> MethodRouter<Arc<App>>,
}

/// Gives the schema of a type, and leaves the schemas that it refers to in the generator.
pub type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The methods of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes, or starts.
    Post,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Verb {
    /// As it is sent.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    pub(super) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

type To = fn(MethodFilter) -> MethodRouter<Arc<App>>;

const fn get(path: &'static str, least: Role, summary: &'static str, handler: To) -> Route {
    route(Verb::Get, path, least, summary, handler)
}

const fn post(path: &'static str, least: Role, summary: &'static str, handler: To) -> Route {
    route(Verb::Post, path, least, summary, handler)
}

const fn put(path: &'static str, least: Role, summary: &'static str, handler: To) -> Route {
    route(Verb::Put, path, least, summary, handler)
}

const fn delete(path: &'static str, least: Role, summary: &'static str, handler: To) -> Route {
    route(Verb::Delete, path, least, summary, handler)
}

/// A route that takes no query and no body, and answers 204.
const fn route(verb: Verb, path: &'static str, least: Role, summary: &'static str, handler: To) -> Route {
    Route { verb, path, least, summary, query: None, body: None, bytes: None, if_match: false, answer: (204, None), text: None, handler }
}

impl Route {
    /// Takes the fields of `T` as query parameters.
    const fn queries<T: JsonSchema>(mut self) -> Self {
        // The fields themselves are wanted, not a reference to them.
        self.query = Some(T::json_schema);
        self
    }

    /// Takes a `T` as its body.
    const fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Takes bytes of this media type.
    const fn takes_bytes(mut self, media: &'static str) -> Self {
        self.bytes = Some(media);
        self
    }

    /// Takes no change without If-Match.
    const fn needs_if_match(mut self) -> Self {
        self.if_match = true;
        self
    }

    /// Answers 200 with text of this media type.
    const fn answers_text(mut self, media: &'static str) -> Self {
        self.answer = (200, None);
        self.text = Some(media);
        self
    }

    /// Answers with a `T`.
    const fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.answer = (status, Some(SchemaGenerator::subschema_for::<T>));
        self
    }
}
