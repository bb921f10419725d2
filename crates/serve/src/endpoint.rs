//! The closed set of paths: how each is counted and treated.

/// An endpoint, by position in [`Endpoint::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint(usize);

/// How requests for a path are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Answered always, to everybody: probes of load balancers.
    Probe,
    /// Answered always, to those with a key: metrics and administration.
    Operations,
    /// Answered as long as there is room, to those with a key.
    Service,
    /// The same, by an upstream that takes its own time.
    Forwarded,
}

impl Endpoint {
    /// Every path; the last row stands for all others.
    const ALL: [(&str, Kind); 17] = [
        ("/v1/route", Kind::Service),
        ("/v1/route/batch", Kind::Service),
        ("/v1/outcomes", Kind::Service),
        ("/v1/models", Kind::Service),
        ("/v1/router", Kind::Service),
        ("/openapi.json", Kind::Service),
        ("/livez", Kind::Probe),
        ("/readyz", Kind::Probe),
        ("/metrics", Kind::Operations),
        ("/admin/reload", Kind::Operations),
        ("/admin/rollback", Kind::Operations),
        ("/admin/health", Kind::Operations),
        ("/v1/chat/completions", Kind::Forwarded),
        ("/v1/responses", Kind::Forwarded),
        ("/v1/embeddings", Kind::Forwarded),
        ("/v1/messages", Kind::Forwarded),
        ("other", Kind::Service),
    ];

    /// How many there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// The endpoint of a request's path.
    pub(crate) fn of(path: &str) -> Self {
        let other = Self::COUNT - 1;
        Self(Self::ALL[..other].iter().position(|(known, _)| *known == path).unwrap_or(other))
    }

    /// Its position among all.
    pub(crate) fn position(self) -> usize {
        self.0
    }

    /// As metrics show it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self.0].0
    }

    /// Whether it is answered without a key.
    pub(crate) fn is_open(self) -> bool {
        Self::ALL[self.0].1 == Kind::Probe
    }

    /// Whether requests for it are turned away where there are too many.
    pub(crate) fn is_sheddable(self) -> bool {
        matches!(Self::ALL[self.0].1, Kind::Service | Kind::Forwarded)
    }

    /// Whether an upstream answers, in its own time.
    pub(crate) fn is_forwarded(self) -> bool {
        Self::ALL[self.0].1 == Kind::Forwarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_other() {
        assert_eq!(Endpoint::of("/v1/route").name(), "/v1/route");
        for path in ["", "/", "other", "/v1/route/", "/V1/ROUTE", "/.env"] {
            assert_eq!(Endpoint::of(path).name(), "other", "{path}");
        }
    }

    #[test]
    fn every_path_of_the_description_is_listed() {
        let described = crate::api::routes().to_openapi().paths.paths;
        for path in described.keys() {
            assert_eq!(Endpoint::of(path).name(), path);
        }
    }
}
