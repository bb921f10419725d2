//! The decision in headers, for those who do not read the body.

use std::convert::Infallible;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use farthing_core::{Decision, Reason};

use crate::closed::reason_row;

const DECISION_ID: HeaderName = HeaderName::from_static("x-farthing-decision-id");
const MODEL: HeaderName = HeaderName::from_static("x-farthing-model");
const POLICY: HeaderName = HeaderName::from_static("x-farthing-policy");
const REASON: HeaderName = HeaderName::from_static("x-farthing-reason");
const DECISION_US: HeaderName = HeaderName::from_static("x-farthing-decision-us");

/// A decision's headers. A name that no header can hold is left out.
pub(crate) struct DecisionHeaders {
    texts: [(HeaderName, Option<HeaderValue>); 3],
    reason: Reason,
    decision_us: u64,
}

impl DecisionHeaders {
    pub(crate) fn of(decision: &Decision) -> Self {
        let text = |text: &str| HeaderValue::from_str(text).ok();
        Self {
            texts: [
                (DECISION_ID, text(&decision.decision_id)),
                (MODEL, text(&decision.model)),
                (POLICY, text(&decision.policy)),
            ],
            reason: decision.reason,
            decision_us: whole_us(decision.decision_us),
        }
    }
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
        // The ids of the request and what a JSON answer has come on top.
        headers.reserve(8);
        for (name, value) in self.texts {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.insert(REASON, HeaderValue::from_static(reason_row(self.reason).1));
        headers.insert(DECISION_US, HeaderValue::from(self.decision_us));
        Ok(response)
    }
}
