//! The router directory: a trained, immutable, content-hashed folder, and what it predicts.

mod directory;
mod manifest;
mod seen;

use std::path::Path;

use farthing_core::{Bar, Digest, Policy, Prediction, PriceTable, Request, Rule};

use crate::features::Features;
use crate::network::{Network, Outputs};
pub use directory::{Parts, RouterError, write_router};
pub use manifest::{
    AddedCard, BarCard, CandidateCard, Certificate, CostModel, DataCard, GateCheck, GateReport,
    Guarantee, IntervalCard, LearnerCard, Manifest, Platt, PolicySpec, TokenModel,
};
pub use seen::SeenPrompts;

/// A loaded router. Trainer, evaluator and server predict through it.
#[derive(Debug)]
pub struct Router {
    manifest: Manifest,
    digest: Digest,
    names: Vec<String>,
    reference: usize,
    prices: PriceTable,
    network: Network,
}

impl Router {
    /// Loads a router directory; every digest in it is verified.
    pub fn load(dir: &Path) -> Result<Self, RouterError> {
        directory::load(dir)
    }

    /// The router of parts that are not written yet: training judges it before it exists on disk.
    /// Its digest is not that of a directory.
    pub fn from_parts(parts: &Parts) -> Result<Self, RouterError> {
        let Parts { manifest, weights, prices, .. } = parts.clone();
        directory::assemble(Path::new("."), Digest::of(b""), manifest, weights, prices)
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

    /// Position of the reference candidate.
    pub fn reference(&self) -> usize {
        self.reference
    }

    /// Known prices of the candidates.
    pub fn prices(&self) -> &PriceTable {
        &self.prices
    }

    /// The same router with other prices; nothing is retrained.
    #[must_use]
    pub fn with_prices(mut self, prices: PriceTable) -> Self {
        self.prices = prices;
        self
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
            PolicySpec::Utility { lambda } => Rule::Utility { lambda: *lambda },
            PolicySpec::BestQuality => Rule::BestQuality,
            PolicySpec::Cheapest => Rule::Cheapest,
            PolicySpec::Fixed { model } => {
                Rule::Fixed { candidate: self.names.iter().position(|name| name == model)? }
            }
        };
        let cards = self.manifest.candidates.iter().enumerate();
        let explore_only = cards.filter(|(_, card)| card.explore_only().is_some());
        let explore_only = explore_only.map(|(i, _)| i).collect();
        Some(Policy { explore_only, ..Policy::new(rule) })
    }

    /// The features of a request, as this router reads it.
    pub fn featurize(&self, request: &Request) -> Features {
        self.manifest.features.featurize(request)
    }

    /// Predictions for a batch of featurized requests: `(batch) -> (batch, candidates)`, with
    /// `p_above_bar` at the bar of that position.
    pub fn predict(
        &self,
        batch: &[Features],
        bar_index: usize,
    ) -> Result<Vec<Vec<Prediction>>, candle_core::Error> {
        let outputs = self.network.forward(batch)?;
        let each = batch.iter().zip(outputs);
        Ok(each.map(|(features, outputs)| self.interpret(features, &outputs, bar_index)).collect())
    }

    fn interpret(
        &self,
        features: &Features,
        outputs: &Outputs,
        bar_index: usize,
    ) -> Vec<Prediction> {
        let calibration = &self.manifest.bars[bar_index].calibration;
        let cards = self.manifest.candidates.iter().enumerate();
        // Calibration sees the raw value: clamping would tie what the learner tells apart. For the
        // same reason a quality above 1 lowers all of a request's qualities alike.
        let highest = outputs.quality.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let excess = (f64::from(highest) - 1.0).max(0.0);
        cards
            .map(|(i, card)| {
                let raw = f64::from(outputs.quality[i]);
                let length = f64::from(outputs.length[i]).clamp(MIN_LENGTH, MAX_LENGTH);
                let output_tokens = card.cost.tokens.map(|tokens| tokens.mean_output * length);
                let priced =
                    card.cost.tokens.zip(self.prices.get(&card.model)).map(|(tokens, price)| {
                        let input =
                            tokens.input_base + tokens.input_per_byte * features.text_bytes as f64;
                        price.cost_usd(input, 0.0, tokens.mean_output * length)
                    });
                Prediction {
                    quality: (raw - excess).clamp(0.0, 1.0),
                    p_above_bar: calibration[i].apply(raw),
                    cost_usd: priced.or(card.cost.mean_cost_usd.map(|mean| mean * length)),
                    output_tokens,
                }
            })
            .collect()
    }
}

/// Bounds of the length head, as multiples of the mean: a linear head may leave the sensible range
/// on prompts unlike any it was fitted on.
const MIN_LENGTH: f64 = 0.1;
const MAX_LENGTH: f64 = 10.0;
