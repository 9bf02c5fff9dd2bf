//! `/v1/reports`: what happened over a stretch of time, counted. Each report as JSON, and as CSV for a spreadsheet.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::report::{
    AgreementRow, CorrectionRow, EscalationRow, ListQuery, OverTimeQuery, ReasonRow, Report, Row, RuleRow, ServiceLevelRow, SpikeRow,
    VolumeReportQuery, VolumeRow,
};

/// A report's two handlers.
macro_rules! report {
    ($name:ident, $ask:ident, $query:ty, $row:ty) => {
        pub(super) mod $name {
            use super::*;

            pub(in super::super) async fn json(
                State(app): State<Arc<App>>,
                Filter(query): Filter<$query>,
            ) -> Result<Json<Report<$row>>, ApiError> {
                Ok(Json(app.store.$ask(query, app.clock.now()).await?))
            }

            pub(in super::super) async fn csv(State(app): State<Arc<App>>, Filter(query): Filter<$query>) -> Result<Response, ApiError> {
                Ok(sheet(stringify!($name), &app.store.$ask(query, app.clock.now()).await?))
            }
        }
    };
}

report!(volume, report_volume, VolumeReportQuery, VolumeRow);
report!(service_levels, report_service_levels, OverTimeQuery, ServiceLevelRow);
report!(escalations, report_escalations, OverTimeQuery, EscalationRow);
report!(spikes, report_spikes, ListQuery, SpikeRow);
report!(rules, report_rules, ListQuery, RuleRow);
report!(reasons, report_reasons, ListQuery, ReasonRow);
report!(agreement, report_agreement, ListQuery, AgreementRow);
report!(corrections, report_corrections, ListQuery, CorrectionRow);

/// A file for a spreadsheet.
fn sheet<R: Row>(name: &str, report: &Report<R>) -> Response {
    let name = format!("attachment; filename=\"{}.csv\"", name.replace('_', "-"));
    let mut response = ([(CONTENT_TYPE, "text/csv; charset=utf-8")], report.csv()).into_response();
    if let Ok(name) = HeaderValue::try_from(name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    response
}
