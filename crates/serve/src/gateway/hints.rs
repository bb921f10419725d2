//! What clients say to the router in headers, where they cannot change the body.

use axum::http::{HeaderMap, HeaderName};
use farthing_core::RouteOptions;

use crate::ErrorCode;
use crate::error::ApiError;
use crate::headers::{PIN, POLICY};

const SESSION_ID: HeaderName = HeaderName::from_static("x-farthing-session-id");

/// Longer texts are no names.
const LONGEST: usize = 512;

/// Adds what headers say; the body's own word counts before it.
pub(super) fn add(headers: &HeaderMap, options: &mut RouteOptions) -> Result<(), ApiError> {
    if let Some(session) = text(headers, &SESSION_ID)? {
        options.session_id.get_or_insert(session);
    }
    if let Some(policy) = text(headers, &POLICY)? {
        options.policy.get_or_insert(policy);
    }
    if let Some(pin) = text(headers, &PIN)?.filter(|_| options.pin.is_none()) {
        options.pin = Some(pin.parse().map_err(|error| wrong(&PIN, &format!("{error}")))?);
    }
    Ok(())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=LONGEST).contains(&text.len()));
    let due = format!("it is empty, longer than {LONGEST} bytes or not ASCII; hint: shorten it");
    text.map(|text| Some(text.to_owned())).ok_or_else(|| wrong(name, &due))
}

fn wrong(name: &HeaderName, why: &str) -> ApiError {
    let message = format!("the header `{name}` is wrong: {why}");
    ApiError::new(ErrorCode::InvalidHeader, message).at(name.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(given: &[(HeaderName, &str)], mut options: RouteOptions) -> Result<RouteOptions, ()> {
        let given = given
            .iter()
            .map(|(name, text)| (name.clone(), HeaderValue::from_bytes(text.as_bytes()).unwrap()));
        add(&given.collect(), &mut options).map_err(drop)?;
        Ok(options)
    }

    #[test]
    fn headers_say_what_the_body_does_not() {
        let given = [(SESSION_ID, "s"), (POLICY, "p"), (PIN, "1:2:3:4:m")];
        let own = RouteOptions { policy: Some("own".into()), ..RouteOptions::default() };
        let merged = read(&given, own).unwrap();
        assert_eq!(merged.session_id.as_deref(), Some("s"));
        assert_eq!(merged.policy.as_deref(), Some("own"));
        assert_eq!(merged.pin.unwrap().to_string(), "1:2:3:4:m");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let long = "s".repeat(LONGEST + 1);
        for given in [(PIN, "m"), (SESSION_ID, ""), (SESSION_ID, &long), (POLICY, "é")] {
            assert!(
                read(std::slice::from_ref(&given), RouteOptions::default()).is_err(),
                "{given:?}"
            );
        }
    }
}
