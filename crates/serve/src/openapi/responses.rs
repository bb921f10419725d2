//! Which errors an endpoint may answer, for the description only.
#![expect(dead_code, reason = "these types describe answers and are never made")]

use utoipa::IntoResponses;

use crate::error::ErrorBody;

#[derive(IntoResponses)]
pub(crate) enum RouteErrors {
    /// the request cannot be understood, or names something that the router does not have
    #[response(status = 400)]
    Bad(ErrorBody),
    /// no accepted key
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// the body did not arrive in time
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// the body is too long
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// the constraints leave no candidate
    #[response(status = 422)]
    NoneEligible(ErrorBody),
    /// a fault of the server
    #[response(status = 500)]
    Internal(ErrorBody),
    /// too much to do, or no router
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum BatchErrors {
    /// the batch cannot be understood, or has too many requests
    #[response(status = 400)]
    Bad(ErrorBody),
    /// no accepted key
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// the body did not arrive in time
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// the body is too long
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// a fault of the server
    #[response(status = 500)]
    Internal(ErrorBody),
    /// too much to do, or no router
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum Unready {
    /// no router is loaded, or the server is about to stop
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum ReloadErrors {
    /// no accepted key
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// it was not possible; what was in service stays
    #[response(status = 409)]
    NotReloaded(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum HealthErrors {
    /// the body cannot be understood, or names no candidate
    #[response(status = 400)]
    Bad(ErrorBody),
    /// no accepted key
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// no router is loaded
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum GatewayErrors {
    /// the request cannot be understood, or the upstream refuses it
    #[response(status = 400)]
    Bad(ErrorBody),
    /// no accepted key
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// no upstream serves the model
    #[response(status = 404)]
    NoModel(ErrorBody),
    /// no upstream is configured
    #[response(status = 409)]
    NoGateway(ErrorBody),
    /// the body is too long
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// the constraints leave no candidate
    #[response(status = 422)]
    NoneEligible(ErrorBody),
    /// every upstream is at its limit
    #[response(status = 429)]
    RateLimited(ErrorBody),
    /// no upstream gave an answer
    #[response(status = 502)]
    Failed(ErrorBody),
    /// too much to do, or no router is loaded
    #[response(status = 503)]
    NotNow(ErrorBody),
    /// no upstream gave an answer in time
    #[response(status = 504)]
    TooLate(ErrorBody),
}

#[derive(IntoResponses)]
pub(crate) enum OutcomeErrors {
    /// an outcome cannot be understood or is out of range; none is kept
    #[response(status = 400)]
    Bad(ErrorBody),
    /// a page of another site asked, and there are no keys
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// this server keeps no log
    #[response(status = 409)]
    NoLog(ErrorBody),
    /// the body is too long
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// too many outcomes wait for the disk, or it cannot be written to
    #[response(status = 503)]
    NotNow(ErrorBody),
}
