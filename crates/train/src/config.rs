//! What a user decides about a training run.

use std::path::PathBuf;
use std::sync::Arc;

use farthing_core::{Bar, PriceTable};
use farthing_model::Guarantee;
use farthing_model::encoder::TextEncoder;
use farthing_model::features::Featurizer;
use farthing_model::static_table::StaticTable;

use crate::{LearnerName, TrainError};

/// What knows words before the log is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Encoder {
    /// Nothing: the log's own words are all there is.
    #[default]
    None,
    /// A table of one vector a token.
    Static(Arc<StaticTable>),
    /// A sentence encoder beside the table: tens of milliseconds a request or more instead of microseconds.
    Sentence(Arc<TextEncoder>, Arc<StaticTable>),
}

impl Encoder {
    /// Its table.
    pub fn table(&self) -> Option<&Arc<StaticTable>> {
        match self {
            Self::None => None,
            Self::Static(table) | Self::Sentence(_, table) => Some(table),
        }
    }

    /// Its sentence encoder.
    pub fn sentence(&self) -> Option<&Arc<TextEncoder>> {
        match self {
            Self::None | Self::Static(_) => None,
            Self::Sentence(encoder, _) => Some(encoder),
        }
    }

    /// What reads requests with it.
    pub fn featurizer(&self, context: Vec<String>) -> Featurizer {
        let tokenizer = self.table().map(|table| Arc::clone(table.tokenizer()));
        Featurizer::new(context, tokenizer).with_encoder(self.sentence().cloned())
    }
}

/// How requests are shared out among fit, certificate and sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitBy {
    /// Groups in an order drawn from the seed.
    #[default]
    Random,
    /// The newest requests are sealed, those before them certify.
    Time,
}

/// Settings of a training run. Construct it with [`TrainConfig::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// The bars to calibrate and certify for, the default one first.
    pub bars: Vec<Bar>,
    /// Greatest rate of the bad event that a certificate accepts.
    pub alpha: f64,
    /// The certificate holds with probability `1 - delta`.
    pub delta: f64,
    /// Which bad event is bounded.
    pub guarantee: Guarantee,
    /// Seed of the splits, the sketches and the bootstrap.
    pub seed: u64,
    /// How requests are split.
    pub split_by: SplitBy,
    /// What may be blended.
    pub learners: Vec<LearnerName>,
    /// What knows words before the log is read.
    pub encoder: Encoder,
    /// Known prices; candidates outside it are priced by what the log says they cost.
    pub prices: PriceTable,
    /// Mean cost of a request, in USD, that the policy `budget` keeps; `None`: no such policy.
    pub budget_usd: Option<f64>,
    /// Quality that one USD is worth to the policy `utility`; `None`: no such policy.
    pub lambda: Option<f64>,
    /// What a decision on 2,000 tokens may take in microseconds, as [`farthing_model::decision_time`]
    /// estimates it.
    pub max_decision_us: f64,
    /// Whether to store nothing that lies close to the vectors of single requests: no clusters.
    pub parametric_only: bool,
    /// Whether a refusal of the gate is recorded instead of obeyed.
    pub force: bool,
    /// Where an interrupted run leaves its steps for the next one; `None`: nowhere.
    pub checkpoint: Option<PathBuf>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            bars: vec![0.5],
            alpha: 0.1,
            delta: 0.05,
            guarantee: Guarantee::Excess,
            seed: 0,
            split_by: SplitBy::Random,
            learners: LearnerName::ALL.to_vec(),
            encoder: Encoder::None,
            prices: PriceTable::default(),
            budget_usd: None,
            lambda: None,
            max_decision_us: 500.0,
            parametric_only: false,
            force: false,
            checkpoint: None,
        }
    }
}

impl TrainConfig {
    /// The same without the sentence encoder, where there is one: what its gain is measured against. It
    /// leaves no steps, which would take the place of those of the fit with it.
    pub(crate) fn without_sentence(&self) -> Option<Self> {
        let encoder = match &self.encoder {
            Encoder::None | Encoder::Static(_) => return None,
            Encoder::Sentence(_, table) => Encoder::Static(Arc::clone(table)),
        };
        Some(Self { encoder, checkpoint: None, ..self.clone() })
    }

    /// The learners that may be stored.
    pub(crate) fn storable(&self) -> Vec<LearnerName> {
        let stores_averages = |name: &LearnerName| *name == LearnerName::Cluster;
        let kept =
            self.learners.iter().filter(|name| !(self.parametric_only && stores_averages(name)));
        kept.copied().collect()
    }

    /// The settings themselves when each is in its range.
    pub fn check(self) -> Result<Self, TrainError> {
        let refuse = |flag: &'static str, value: f64, range: &'static str| {
            Err(TrainError::Setting { flag, value, range })
        };
        if self.bars.is_empty() {
            return refuse("--bar", f64::NAN, "(0, 1]");
        }
        if let Some(&bar) = self.bars.iter().find(|bar| !(**bar > 0.0 && **bar <= 1.0)) {
            return refuse("--bar", bar, "(0, 1]");
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return refuse("--alpha", self.alpha, "(0, 1)");
        }
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return refuse("--delta", self.delta, "(0, 1)");
        }
        if let Some(usd) = self.budget_usd.filter(|usd| !(*usd > 0.0 && usd.is_finite())) {
            return refuse("--budget", usd, "(0, infinity)");
        }
        if let Some(lambda) = self.lambda.filter(|lambda| !(*lambda >= 0.0 && lambda.is_finite())) {
            return refuse("--lambda", lambda, "[0, infinity)");
        }
        if !(self.max_decision_us > 0.0 && self.max_decision_us.is_finite()) {
            return refuse("--max-decision-us", self.max_decision_us, "(0, infinity)");
        }
        Ok(self)
    }
}
