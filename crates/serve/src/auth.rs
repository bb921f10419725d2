//! Bearer keys, and where they are needed: only their digests are known here.
//!
//! A key is 256 random bits, so its digest needs no salt and cannot be reversed. Every digest is
//! compared in constant time and none is skipped: how long an answer takes says nothing about keys.

use std::net::SocketAddr;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use farthing_core::Digest;
use subtle::{Choice, ConstantTimeEq as _};

use crate::ServeConfig;
use crate::config::Auth;

/// Where clients of the Anthropic protocol send their key.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A server without keys that others than this machine could reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} can be reached from elsewhere and there are no keys; hint: give `auth.keys`, or listen on a loopback address such as 127.0.0.1"
)]
pub struct Unprotected {
    /// The address.
    pub address: SocketAddr,
}

/// That a server with these addresses and keys answers nobody it does not know.
pub(crate) fn check_protected(addresses: &ServeConfig, auth: &Auth) -> Result<(), Unprotected> {
    let mut listeners = [Some(addresses.listen), addresses.admin_listen].into_iter().flatten();
    let open = listeners.find(|address| auth.keys.is_empty() && !address.ip().is_loopback());
    open.map_or(Ok(()), |address| Err(Unprotected { address }))
}

/// The keys that are accepted.
#[derive(Debug)]
pub(crate) struct Keys(Vec<Digest>);

impl Keys {
    pub(crate) fn of(auth: &Auth) -> Self {
        Self(auth.keys.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request with these headers may pass: it has an accepted key, or none is needed.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        self.is_empty() || key_of(headers).is_some_and(|key| self.knows(key))
    }

    fn knows(&self, key: &[u8]) -> bool {
        let given = Digest::of(key);
        let found = self
            .0
            .iter()
            .fold(Choice::from(0), |found, known| found | known.as_bytes().ct_eq(given.as_bytes()));
        found.into()
    }
}

/// The key in `authorization: Bearer KEY`, or else in `x-api-key: KEY`.
pub(crate) fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return headers.get(API_KEY).map(HeaderValue::as_bytes);
    };
    let (scheme, key) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| key.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(keys: &[&str], header: Option<&str>) -> bool {
        let keys = Keys(keys.iter().map(|key| Digest::of(key.as_bytes())).collect());
        let headers = header.map(|header| (AUTHORIZATION, header.parse().unwrap()));
        keys.admit(&headers.into_iter().collect())
    }

    #[test]
    fn only_known_keys_pass() {
        for header in ["Bearer one", "bearer two", "BEARER  two "] {
            assert!(admits(&["one", "two"], Some(header)), "{header}");
        }
        for header in ["", "Bearer", "Bearer ", "Bearer onetwo", "Bearer On", "Basic one", "one"] {
            assert!(!admits(&["one", "two"], Some(header)), "{header}");
        }
        assert!(!admits(&["one"], None));
    }

    #[test]
    fn a_key_may_stand_where_anthropic_has_it() {
        let keys = Keys(vec![Digest::of(b"one")]);
        let admits = |given: &[(HeaderName, &'static str)]| {
            let given =
                given.iter().map(|(name, key)| (name.clone(), HeaderValue::from_static(key)));
            keys.admit(&given.collect())
        };
        assert!(admits(&[(API_KEY, "one")]));
        assert!(!admits(&[(API_KEY, "two")]));
        assert!(!admits(&[(AUTHORIZATION, "Bearer two"), (API_KEY, "one")]));
    }

    #[test]
    fn without_keys_everybody_passes() {
        assert!(admits(&[], None));
        assert!(admits(&[], Some("Bearer whatever")));
    }
}
