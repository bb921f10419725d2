//! The router directory: a trained, immutable, content-hashed folder, and what it predicts.

mod calibration;
mod directory;
mod manifest;
mod scorer;
mod seen;
mod settings;

use std::path::Path;
use std::sync::Arc;

use farthing_core::rules::Rules;
use farthing_core::{
    Bar, CandidateFacts, Digest, Policy, Prediction, Price, PriceTable, Request, Rule,
    estimated_input_tokens,
};

use crate::features::{Features, Featurizer};
use crate::network::{Frozen, Outputs};
pub use calibration::{
    Beta, Calibration, CalibrationCard, CalibrationMethod, InvalidKnots, Isotonic, Platt,
};
pub use directory::{Parts, RouterError, write_router};
use manifest::length_multiple;
pub use manifest::{
    AddedCard, BarCard, Bounds, Budget, CandidateCard, Certificate, ClusterShape, CostModel,
    DataCard, DecisionTimeCard, DroppedLearner, EarnedShare, GateCheck, GateReport, Guarantee,
    IntervalCard, LearnerCard, LeftOutCard, Manifest, PolicySpec, SliceBounds, StandIn,
    TimeSplitCard, TokenModel,
};
pub use scorer::Scorer;
pub use seen::SeenPrompts;
pub use settings::{RulesError, UnknownCandidates};

/// The price of each of these candidates.
fn price_of(names: &[String], prices: &PriceTable) -> Vec<Option<Price>> {
    names.iter().map(|name| prices.get(name).copied()).collect()
}

/// A loaded router. Trainer, evaluator and server predict through it; clones share what was learned.
#[derive(Debug, Clone)]
pub struct Router {
    manifest: Manifest,
    digest: Digest,
    names: Vec<String>,
    reference: usize,
    prices: PriceTable,
    /// Those of each candidate, in the order of predictions.
    price_of: Vec<Option<Price>>,
    /// Those of its directory, where `prices` are others.
    own_prices: Option<PriceTable>,
    /// What each candidate can do.
    facts: Vec<CandidateFacts>,
    when_none_eligible: Option<usize>,
    rules: Rules,
    featurizer: Featurizer,
    network: Arc<Frozen>,
}

impl Router {
    /// Loads a router directory; every digest in it is verified.
    pub fn load(dir: &Path) -> Result<Self, RouterError> {
        directory::load(dir)
    }

    /// The digest of the router that a directory holds, without loading it: says whether there is
    /// something new to load. Only the manifest is verified.
    pub fn stored_digest(dir: &Path) -> Result<Digest, RouterError> {
        directory::stored_digest(dir)
    }

    /// The candidates of the router that a directory holds, without loading it; nothing is verified.
    pub fn stored_candidates(dir: &Path) -> Result<Vec<String>, RouterError> {
        directory::stored_candidates(dir)
    }

    /// The router of parts that are not written yet: training judges it before it exists on disk.
    /// Its digest is not that of a directory.
    pub fn from_parts(parts: &Parts) -> Result<Self, RouterError> {
        directory::assemble(Path::new("."), Digest::of(b""), parts.clone())
    }

    /// The router that the same learners come to on shuffled labels; `None` where the parts do not
    /// have it, as those of older directories and of added candidates.
    pub fn null_of(parts: &Parts) -> Result<Option<Self>, RouterError> {
        let null = |weights| Parts { weights, null: None, ..parts.clone() };
        parts.null.clone().map(|weights| Self::from_parts(&null(weights))).transpose()
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Names the router.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Candidate names, in the order of predictions.
    pub fn candidates(&self) -> &[String] {
        &self.names
    }

    /// Position of a candidate by name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Position of the reference candidate.
    pub fn reference(&self) -> usize {
        self.reference
    }

    /// Known prices of the candidates.
    pub fn prices(&self) -> &PriceTable {
        &self.prices
    }

    /// The same router with the prices that a table has for its candidates, instead of its own;
    /// nothing is retrained. A candidate that is not in the table has no price any more.
    #[must_use]
    pub fn with_prices(mut self, prices: &PriceTable) -> Self {
        let before = std::mem::replace(&mut self.prices, prices.of(&self.names));
        self.own_prices.get_or_insert(before);
        self.price_of = price_of(&self.names, &self.prices);
        self
    }

    /// The same router with the prices of its directory.
    #[must_use]
    pub fn with_own_prices(mut self) -> Self {
        if let Some(own) = self.own_prices.take() {
            self.price_of = price_of(&self.names, &own);
            self.prices = own;
        }
        self
    }

    /// Whether the prices are others than those of its directory.
    pub fn is_repriced(&self) -> bool {
        self.own_prices.is_some()
    }

    /// Input tokens of so many bytes of text for a candidate: as it was seen to be billed, else by
    /// the usual length of a token.
    pub(crate) fn input_tokens(&self, candidate: usize, text_bytes: usize) -> f64 {
        let tokens = self.manifest.candidates[candidate].cost.tokens;
        tokens.map_or_else(|| estimated_input_tokens(text_bytes), |t| t.input_tokens(text_bytes))
    }

    /// Position of a trained bar.
    pub fn bar_index(&self, bar: Bar) -> Option<usize> {
        self.manifest.bars.iter().position(|card| (card.bar - bar).abs() < 1e-9)
    }

    /// The policy of that name at the bar of that position.
    pub fn policy(&self, name: &str, bar_index: usize) -> Option<Policy> {
        let rule = match self.manifest.policies.get(name)? {
            PolicySpec::CheapestAboveBar => Rule::CheapestAboveBar {
                threshold: self.manifest.bars[bar_index].threshold.unwrap_or(f64::INFINITY),
                fallback: self.reference,
            },
            PolicySpec::Utility { lambda } | PolicySpec::Budget(Budget { lambda, .. }) => {
                Rule::Utility { lambda: *lambda }
            }
            PolicySpec::BestQuality => Rule::BestQuality,
            PolicySpec::Cheapest => Rule::Cheapest,
            PolicySpec::Fixed { model } => {
                Rule::Fixed { candidate: self.names.iter().position(|name| name == model)? }
            }
        };
        let cards = self.manifest.candidates.iter().enumerate();
        let explore_only = cards.filter(|(_, card)| card.explore_only().is_some());
        let explore_only = explore_only.map(|(i, _)| i).collect();
        let when_none_eligible = self.when_none_eligible;
        Some(Policy { explore_only, when_none_eligible, ..Policy::new(rule) })
    }

    /// Whether requests are read by a sentence encoder too, which takes milliseconds.
    pub fn has_encoder(&self) -> bool {
        self.featurizer.encoder().is_some()
    }

    /// Does ahead what the first requests would wait for; for servers.
    pub fn warm_up(&self) {
        if let Some(tokenizer) = self.featurizer.tokenizer() {
            tokenizer.warm_up();
        }
    }

    /// How this router reads requests.
    pub fn featurizer(&self) -> &Featurizer {
        &self.featurizer
    }

    /// The features of a request, as this router reads it; only the forward pass of an encoder can
    /// fail.
    pub fn featurize(&self, request: &Request) -> Result<Features, candle_core::Error> {
        self.featurizer.featurize(request)
    }

    /// Predictions for a featurized request, one a candidate, with `p_above_bar` at the bar of that
    /// position.
    pub fn predict(&self, features: &Features, bar_index: usize) -> Vec<Prediction> {
        self.interpret(features, &self.network.forward(features), bar_index).collect()
    }

    fn interpret(
        &self,
        features: &Features,
        outputs: &Outputs,
        bar_index: usize,
    ) -> impl Iterator<Item = Prediction> {
        let calibration = &self.manifest.bars[bar_index].calibration;
        let cards = self.manifest.candidates.iter().enumerate();
        // Calibration sees the raw value: clamping would tie what the learner tells apart. For the
        // same reason a quality above 1 lowers all of a request's qualities alike.
        let highest = outputs.quality.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let excess = (f64::from(highest) - 1.0).max(0.0);
        cards.map(move |(i, card)| {
            let raw = f64::from(outputs.quality[i]);
            let length = f64::from(outputs.length[i]);
            let CostModel { tokens, mean_cost_usd } = card.cost;
            let by_tokens = tokens.zip(self.price_of[i]).map(|(tokens, price)| {
                let input = tokens.input_tokens(features.text_bytes);
                price.cost_usd(input, 0.0, tokens.output_tokens(length))
            });
            let as_logged = || mean_cost_usd.map(|mean| mean * length_multiple(length));
            Prediction {
                quality: (raw - excess).clamp(0.0, 1.0),
                p_above_bar: calibration[i].apply(raw),
                cost_usd: by_tokens.or_else(as_logged),
                output_tokens: tokens.map(|tokens| tokens.output_tokens(length)),
                output_tokens_q90: tokens.and_then(|tokens| tokens.output_tokens_q90(length)),
            }
        })
    }
}
