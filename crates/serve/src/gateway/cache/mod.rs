//! Answers that are kept for the same request: the same tenant, every field of the body, the same router.
//!
//! A hit is no decision and costs nothing, so it is neither logged nor learned from. Requests that are
//! alike and come while the first is under way wait for its answer; streams do not, since their first
//! token would come after the last of the one they waited for.

mod kept;
mod key;
mod replay;
mod wish;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::http::HeaderMap;
use axum::response::Response;
use farthing_core::Digest;
use moka::Entry;
use moka::future::Cache as Store;
use tokio::time::Instant;

pub(super) use kept::Keep;
use kept::Kept;
use key::{Form, key};
use wish::Wish;

use super::call::Call;
use super::protocol::Shape;
use crate::config::CacheConfig;
use crate::error::ApiError;

/// Keeps answers.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    kept: Store<Digest, Arc<Kept>>,
    results: Arc<[AtomicU64; Met::ALL.len()]>,
    longest: usize,
}

/// How a request met the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Answered from it.
    Hit,
    /// Answered with what another request was waiting for.
    Shared,
    /// Answered by an upstream.
    Miss,
    /// The request wants nothing of it.
    Bypass,
}

impl Met {
    const ALL: [Self; 4] = [Self::Hit, Self::Shared, Self::Miss, Self::Bypass];

    fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Shared => "shared",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

/// A request as the cache sees it.
#[derive(Debug)]
pub(super) struct Lookup<'a> {
    call: &'a Call<'a>,
    wish: Wish,
    key: Digest,
    /// Of the same request, if it asked for the answer as a whole.
    whole: Option<Digest>,
}

impl<'a> Lookup<'a> {
    /// What to look for; `None`: the request wants nothing of the cache.
    pub(super) fn of(
        shape: Shape,
        headers: &HeaderMap,
        call: &'a Call<'a>,
        router: Option<&Digest>,
    ) -> Result<Option<Self>, ApiError> {
        let Some(wish) = Wish::of(shape, headers, call)? else { return Ok(None) };
        let form = Form::of(call);
        let key_in = |form| key(form, shape, headers, call, router);
        // A whole chat can be told as a stream; the streams of other protocols have more in them.
        let whole = (shape == Shape::Chat && form != Form::Whole).then(|| key_in(Form::Whole));
        Ok(Some(Self { call, wish, key: key_in(form), whole }))
    }
}

impl Cache {
    pub(super) fn new(config: &CacheConfig) -> Self {
        let kept = Store::builder()
            .max_capacity(config.bytes)
            .weigher(|_, kept: &Arc<Kept>| kept.weight())
            .time_to_live(config.ttl)
            .build();
        // One answer does not push out all others.
        let longest = usize::try_from(config.bytes / 16).unwrap_or(usize::MAX);
        Self { kept, results: Arc::default(), longest }
    }

    /// The answer to a request: a kept one, or else what `ask` answers, which is kept.
    ///
    /// `ask` is given where it may keep a stream.
    pub(super) async fn answer<F: Future<Output = Response>>(
        &self,
        lookup: Lookup<'_>,
        ask: impl FnOnce(Option<Keep>) -> F,
    ) -> Response {
        if let Some(response) = self.find(&lookup).await {
            return self.met(Met::Hit, response);
        }
        let Lookup { wish, key, call, .. } = lookup;
        if call.is_stream() || !wish.read {
            let keep = wish.write.then(|| Keep::new(self.clone(), key.clone()));
            let (streamed, whole) = if call.is_stream() { (keep, None) } else { (None, keep) };
            let mut response = ask(streamed).await;
            if let Some(keep) = whole {
                let kept = Kept::collect(response).await;
                response = kept.first();
                keep.store(kept).await;
            }
            return self.met(Met::Miss, response);
        }
        let mut led = false;
        let leading = async {
            led = true;
            let kept = Kept::collect(ask(None).await).await;
            if kept.is_success() { Ok(Arc::new(kept)) } else { Err(kept) }
        };
        let kept = if wish.write {
            let entry = self.kept.entry(key.clone()).or_try_insert_with(leading).await;
            let kept = entry.map(Entry::into_value);
            if kept.as_ref().is_ok_and(|kept| kept.body().len() > self.longest) {
                self.kept.invalidate(&key).await;
            }
            kept
        } else {
            leading.await.map_err(Arc::new)
        };
        match kept {
            Ok(kept) | Err(kept) if led => self.met(Met::Miss, kept.first()),
            Ok(kept) => self.met(Met::Shared, kept.again(Instant::now())),
            Err(failed) => self.met(Met::Shared, failed.first()),
        }
    }

    /// The answer of a request that wants nothing of the cache.
    pub(super) fn bypassed(&self, response: Response) -> Response {
        self.met(Met::Bypass, response)
    }

    /// A kept answer that is young enough.
    async fn find(&self, lookup: &Lookup<'_>) -> Option<Response> {
        if !lookup.wish.read {
            return None;
        }
        let now = Instant::now();
        let fresh = |kept: Arc<Kept>| lookup.wish.takes(kept.age(now)).then_some(kept);
        if let Some(kept) = self.kept.get(&lookup.key).await.and_then(fresh) {
            return Some(kept.again(now));
        }
        let whole = self.kept.get(lookup.whole.as_ref()?).await.and_then(fresh)?;
        let shows_usage = !lookup.call.hides_usage();
        Some(whole.streamed(now, replay::chat_stream(whole.body(), shows_usage)?))
    }

    fn met(&self, met: Met, mut response: Response) -> Response {
        self.results[met as usize].fetch_add(1, Relaxed);
        kept::tell(&mut response, met);
        response
    }

    /// What is counted: by result, and how much is kept.
    pub(super) fn figures(&self) -> CacheFigures {
        let counts = Met::ALL.map(|met| (met.name(), self.results[met as usize].load(Relaxed)));
        CacheFigures {
            requests: counts.to_vec(),
            entries: self.kept.entry_count(),
            bytes: self.kept.weighted_size(),
        }
    }
}

/// What is counted of a cache.
#[derive(Debug)]
pub(super) struct CacheFigures {
    pub(super) requests: Vec<(&'static str, u64)>,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}
