//! The decision in headers, for those who do not read the body.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use farthing_core::{Pin, Reason};
use uuid::Uuid;

use crate::closed::reason_row;
use crate::ids;

const DECISION_ID: HeaderName = HeaderName::from_static("x-farthing-decision-id");
pub(crate) const MODEL: HeaderName = HeaderName::from_static("x-farthing-model");
pub(crate) const POLICY: HeaderName = HeaderName::from_static("x-farthing-policy");
const ARM: HeaderName = HeaderName::from_static("x-farthing-arm");
pub(crate) const PIN: HeaderName = HeaderName::from_static("x-farthing-pin");
const REASON: HeaderName = HeaderName::from_static("x-farthing-reason");
const DECISION_US: HeaderName = HeaderName::from_static("x-farthing-decision-us");

/// A decision's headers. A name that no header can hold is left out.
#[derive(Debug)]
pub(crate) struct DecisionHeaders {
    pub(crate) id: Uuid,
    /// Name of the choice.
    pub(crate) model: Option<HeaderValue>,
    pub(crate) policy: Arc<str>,
    pub(crate) reason: Reason,
    pub(crate) decision_us: f64,
    /// The arm of the experiment.
    pub(crate) arm: Option<Arc<str>>,
    /// What continues the session.
    pub(crate) pin: Option<Arc<Pin>>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time that was measured, and the conversion saturates"
)]
fn whole_us(us: f64) -> u64 {
    us.round() as u64
}

impl IntoResponseParts for DecisionHeaders {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        let headers = response.headers_mut();
        // The id of the request and what every answer has come on top.
        headers.reserve(8);
        let policy = HeaderValue::from_str(&self.policy).ok();
        let arm = self.arm.and_then(|arm| HeaderValue::from_str(&arm).ok());
        let pin = self.pin.and_then(|pin| HeaderValue::try_from(pin.to_string()).ok());
        let texts = [(MODEL, self.model), (POLICY, policy), (ARM, arm), (PIN, pin)];
        for (name, value) in texts {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.insert(DECISION_ID, ids::header(self.id));
        headers.insert(REASON, HeaderValue::from_static(reason_row(self.reason).1));
        headers.insert(DECISION_US, HeaderValue::from(whole_us(self.decision_us)));
        Ok(response)
    }
}
