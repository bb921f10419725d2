//! `POST /v1/outcomes`: from a body to checked reports. A batch with one mistake is refused whole.

use axum::body::Bytes;
use farthing_core::OutcomeBody;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ErrorCode;
use crate::body;
use crate::entries::Entries;
use crate::error::ApiError;
use crate::log::OutcomeLog;
use crate::metrics::Metrics;

/// Most outcomes of one call.
pub(crate) const MOST: usize = 1024;

/// Takes reports.
#[derive(Debug, Clone)]
pub(crate) struct Outcomes {
    pub(crate) log: Option<OutcomeLog>,
    pub(crate) metrics: Metrics,
}

/// The answer of `POST /v1/outcomes`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Always `list`.
    object: &'static str,
    /// How many outcomes are on disk now.
    accepted: usize,
}

impl Outcomes {
    /// Takes the outcomes of a body; they are on disk when this returns without an error.
    pub(crate) async fn take(&self, json: Bytes) -> Result<Accepted, ApiError> {
        let taken = self.try_take(&json).await;
        if let Err(error) = &taken {
            self.metrics.outcomes_refused(error.code());
        }
        taken
    }

    async fn try_take(&self, json: &[u8]) -> Result<Accepted, ApiError> {
        let Some(log) = &self.log else {
            let message =
                "this server keeps no log, so it takes no outcomes; hint: start it with `--log`";
            return Err(ApiError::new(ErrorCode::LogNotConfigured, message));
        };
        let outcomes = parse(json)?;
        log.write(&outcomes).await?;
        Ok(Accepted { object: "list", accepted: outcomes.len() })
    }
}

/// One outcome or a list, checked.
fn parse(json: &[u8]) -> Result<Vec<OutcomeBody>, ApiError> {
    let is_list = json.trim_ascii_start().first() == Some(&b'[');
    if !is_list {
        let outcome: OutcomeBody = body::parse(json)?;
        check(&outcome, None)?;
        return Ok(vec![outcome]);
    }
    let Entries { kept: outcomes, found } = body::parse_list::<OutcomeBody, MOST>(json)?;
    if found > MOST {
        let message = format!(
            "the list has {found} outcomes, at most {MOST} are accepted; hint: send several lists"
        );
        return Err(ApiError::new(ErrorCode::BatchTooLarge, message));
    }
    for (index, outcome) in outcomes.iter().enumerate() {
        check(outcome, Some(index))?;
    }
    Ok(outcomes)
}

/// Refuses an outcome that is out of range, with its place.
fn check(outcome: &OutcomeBody, index: Option<usize>) -> Result<(), ApiError> {
    let Err(error) = outcome.check() else { return Ok(()) };
    let entry = index.map_or_else(String::new, |index| format!("[{index}]"));
    let place = match (entry.as_str(), error.field()) {
        ("", field) => field.unwrap_or_default().to_owned(),
        (entry, Some(field)) => format!("{entry}.{field}"),
        (entry, None) => entry.to_owned(),
    };
    let message = if entry.is_empty() { error.to_string() } else { format!("`{entry}`: {error}") };
    let refused = ApiError::new(ErrorCode::InvalidOutcome, message);
    Err(if place.is_empty() { refused } else { refused.at(place) })
}
