//! Pages of other sites, which a browser on this machine may show: without keys, whoever can connect
//! may ask, and such a page makes the browser connect.
//!
//! The answer is kept from the page by the browser, since no answer here allows it, but the request
//! would have been carried out: a form can post text that is JSON. Browsers say where a request comes
//! from, in headers that pages cannot change: `Sec-Fetch-Site` (Fetch Metadata), or else `Origin` (RFC
//! 6454), which every POST of a page has. What has neither is no browser, and its content type is its own
//! affair. A request with a key needs none of this: pages cannot add `authorization` unasked.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::ErrorCode;
use crate::error::ApiError;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// That a request does not come from a page of another site.
pub(crate) fn check_own(headers: &HeaderMap) -> Result<(), ApiError> {
    let own = match (headers.get(SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = origin.as_bytes().splitn(3, |byte| *byte == b'/').nth(2);
            host.is_some() && host == headers.get(HOST).map(HeaderValue::as_bytes)
        }
        (None, None) => true,
    };
    if own {
        return Ok(());
    }
    let message = "the request comes from a page of another site; hint: configure `auth.keys` and send \
                   a key, or ask from a program";
    Err(ApiError::new(ErrorCode::ForeignOrigin, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_others_are_told_from_programs_and_own_pages() {
        let check = |sent: &[(HeaderName, &str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "127.0.0.1:8080".parse().unwrap());
            for (name, value) in sent {
                headers.insert(name, value.parse().unwrap());
            }
            check_own(&headers).map_err(|error| error.code())
        };
        let refused = Err(ErrorCode::ForeignOrigin);
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[(ORIGIN, "http://127.0.0.1:8080")]), Ok(()));
        for origin in ["http://evil.example", "http://127.0.0.1:3000", "null", "", "//", "http://"]
        {
            assert_eq!(check(&[(ORIGIN, origin)]), refused, "{origin}");
        }
        // A proxy in front may have changed the host, but not what the browser says.
        assert_eq!(check(&[(SITE, "same-origin"), (ORIGIN, "https://app.example")]), Ok(()));
        assert_eq!(check(&[(SITE, "none")]), Ok(()));
        for site in ["cross-site", "same-site", "", "what"] {
            assert_eq!(check(&[(SITE, site)]), refused, "{site}");
        }
    }
}
