//! From what a request left behind to a line: everything that costs time is done here, on the thread
//! that writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use farthing_core::log::segment::{
    DecisionRow, LineType, Predicted, RouterNames, Stored, StoredFeatures, StoredMessage,
    write_line,
};
use farthing_core::{Digest, Prediction, Request};
use farthing_model::Decided;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::run::Run;
use super::segments::Group;
use crate::clock::rfc3339_second;
use crate::config::PromptStorage;
use crate::loaded::Loaded;

/// What a request leaves behind, moved and not copied where that can be.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: SystemTime,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) decided: Decided,
    pub(crate) id: Uuid,
    pub(crate) decision_us: f64,
    pub(crate) request: Request,
    pub(crate) session: Option<String>,
}

impl Entry {
    /// About how much memory it takes, in bytes; what is alike in all of them aside.
    pub(super) fn bytes(&self) -> usize {
        self.request.heap_bytes() + self.session.as_ref().map_or(0, String::capacity)
    }
}

/// Writes lines; its buffers are kept from one to the next.
#[derive(Debug)]
pub(super) struct Encoder {
    run: Run,
    prompts: PromptStorage,
    names: Option<Names>,
    second: Second,
    quality: Vec<f32>,
    p_above_bar: Vec<f32>,
    cost_usd: Vec<Option<f32>>,
    output_tokens: Vec<Option<f32>>,
}

/// A router's names as text.
#[derive(Debug)]
struct Names {
    loaded: Arc<Loaded>,
    router: Arc<str>,
    line: Arc<[u8]>,
    policies: BTreeMap<Arc<str>, String>,
}

impl Encoder {
    pub(super) fn new(run: Run, prompts: PromptStorage) -> Self {
        Self {
            run,
            prompts,
            names: None,
            second: Second::default(),
            quality: Vec::new(),
            p_above_bar: Vec::new(),
            cost_usd: Vec::new(),
            output_tokens: Vec::new(),
        }
    }

    /// Adds a line to a group.
    pub(super) fn add(&mut self, entry: &Entry, seq: u64, group: &mut Group) {
        let Entry { at, loaded, decided, id, decision_us, request, session } = entry;
        self.predicted(&decided.predictions);
        let Names { loaded, router, line, policies } = Names::of(&mut self.names, loaded);
        if group.routers.last().is_none_or(|(known, _)| known != router) {
            group.routers.push((Arc::clone(router), Arc::clone(line)));
        }
        let policy_digest = policies
            .entry(Arc::clone(&decided.policy))
            .or_insert_with(|| loaded.policy_digest(&decided.policy).to_string());
        let session = session.as_ref().map(|id| Digest::of(id.as_bytes()).to_string().into());
        let choice = &decided.choice;
        let mut id_text = [0; Hyphenated::LENGTH];
        let excluded = choice.excluded.iter().any(Option::is_some);
        let row = DecisionRow {
            run: self.run.id().into(),
            seq,
            timestamp: self.second.rfc3339(*at).into(),
            decision_id: (&*id.hyphenated().encode_lower(&mut id_text)).into(),
            router: router.as_ref().into(),
            policy: decided.policy.as_ref().into(),
            policy_digest: policy_digest.as_str().into(),
            bar: decided.bar,
            reason: choice.reason,
            model: loaded.router.candidates()[choice.ranked[0]].as_str().into(),
            propensity: choice.propensity,
            margin: Some(choice.margin).filter(|margin| margin.is_finite()),
            truncated: decided.truncated,
            decision_us: *decision_us,
            context: Cow::Borrowed(&request.context),
            session,
            arm: decided.arm.as_deref().map(Cow::Borrowed),
            rules: decided.rules.iter().map(|name| Cow::Borrowed(&**name)).collect(),
            asked: stored(self.prompts, loaded, request),
            predicted: Predicted {
                quality: (&self.quality).into(),
                p_above_bar: (&self.p_above_bar).into(),
                cost_usd: (&self.cost_usd).into(),
                output_tokens: (&self.output_tokens).into(),
                excluded_by: if excluded { (&choice.excluded).into() } else { Cow::default() },
            },
        };
        write_line(LineType::Decision, &row, &mut group.lines);
    }

    /// Puts predictions into one buffer a kind.
    #[expect(clippy::cast_possible_truncation, reason = "logged in single precision")]
    fn predicted(&mut self, predictions: &[Prediction]) {
        self.quality.clear();
        self.p_above_bar.clear();
        self.cost_usd.clear();
        self.output_tokens.clear();
        for prediction in predictions {
            self.quality.push(prediction.quality as f32);
            self.p_above_bar.push(prediction.p_above_bar as f32);
            self.cost_usd.push(prediction.cost_usd.map(|cost| cost as f32));
            self.output_tokens.push(prediction.output_tokens.map(|tokens| tokens as f32));
        }
    }
}

/// What is kept of a request.
fn stored<'a>(prompts: PromptStorage, loaded: &Loaded, request: &'a Request) -> Stored<'a> {
    let digest = || Some(request.digest().to_string().into());
    match prompts {
        PromptStorage::None => Stored::default(),
        PromptStorage::Hashed => Stored { digest: digest(), ..Stored::default() },
        PromptStorage::Features => {
            Stored { digest: digest(), features: features(loaded, request), messages: None }
        }
        PromptStorage::Full => {
            let messages = request.messages().iter().map(StoredMessage::from).collect();
            Stored { messages: Some(messages), ..Stored::default() }
        }
    }
}

/// What the router's featurizer counts.
fn features<'a>(loaded: &Loaded, request: &Request) -> Option<StoredFeatures<'a>> {
    let features = loaded.router.featurize(request);
    let features = features.inspect_err(|error| tracing::error!("no features logged: {error}"));
    features.ok().map(|features| StoredFeatures {
        buckets: features.buckets.into(),
        surface: features.surface.to_vec().into(),
        text_bytes: features.text_bytes,
    })
}

impl Names {
    /// The names of the router in use: kept, since the next decision is most likely of the same one.
    fn of<'n>(kept: &'n mut Option<Self>, loaded: &Arc<Loaded>) -> &'n mut Self {
        let known = kept.take_if(|names| !Arc::ptr_eq(&names.loaded, loaded));
        drop(known);
        kept.get_or_insert_with(|| {
            let router: Arc<str> = loaded.router.digest().to_string().into();
            let names = RouterNames {
                router: router.as_ref().into(),
                candidates: loaded.router.candidates().into(),
            };
            let mut line = Vec::new();
            write_line(LineType::Router, &names, &mut line);
            let loaded = Arc::clone(loaded);
            Self { loaded, router, line: line.into(), policies: BTreeMap::new() }
        })
    }
}

/// Times as text; most rows of a group share all but the fraction.
#[derive(Debug, Default)]
struct Second {
    /// Seconds since 1970.
    of: Option<u64>,
    text: String,
    /// Length of the part before the fraction.
    whole: usize,
}

impl Second {
    /// `2026-01-02T03:04:05.678901Z`; times before 1970 are 1970.
    fn rfc3339(&mut self, time: SystemTime) -> &str {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.of != Some(since.as_secs()) {
            self.of = Some(since.as_secs());
            self.text = rfc3339_second(since.as_secs());
            self.whole = self.text.len();
        }
        self.text.truncate(self.whole);
        // Writing to a String cannot fail.
        write!(self.text, ".{:06}Z", since.subsec_micros()).unwrap_or_default();
        &self.text
    }
}
