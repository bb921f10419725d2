//! A router that is fitted and calibrated, but not yet certified or judged, with the requests that
//! wait for that.

use farthing_core::Prediction;
use farthing_data::{Dataset, Record, split as folds};
use farthing_model::features::{Features, Featurizer};
use farthing_model::{BarCard, Parts, Router};

use crate::calibrate::{CrossFitted, calibrate};
use crate::certify::HeldOut;
use crate::featurize::featurize;
use crate::fit::{Learned, Prepared};
use crate::objective::FOLDS;
use crate::progress::{Observer, Steps};
use crate::split::{self, Roles};
use crate::time_limit::TimeLimit;
use crate::{Stage, TrainConfig, TrainError, assemble, judged_only, predict};

/// See the module.
#[derive(Debug)]
pub(crate) struct Fitted {
    pub(crate) dataset: Dataset,
    pub(crate) roles: Roles,
    /// Of every record.
    features: Vec<Features>,
    pub(crate) learned: Learned,
    pub(crate) parts: Parts,
    /// Candidates without a single score.
    pub(crate) left_out: Vec<String>,
    router: Router,
}

impl Fitted {
    /// Fits and calibrates on the fit split.
    pub(crate) fn new(
        dataset: Dataset,
        config: &TrainConfig,
        observer: &Observer<'_>,
    ) -> Result<Self, TrainError> {
        let (dataset, left_out) = judged_only(dataset)?;
        let records: Vec<&Record> = dataset.records.iter().collect();
        let roles = split::assign(&records, config)?;

        let featurizer = config.encoder.featurizer(dataset.context_columns.clone());
        // Before the log is read, which takes an encoder minutes.
        let limit = limit(&featurizer, dataset.candidates.len(), config)?;
        let requests: Vec<_> = records.iter().map(|record| &record.request).collect();
        let features = featurize(&featurizer, &requests, observer)?;
        let fit_records: Vec<&Record> = roles.fit.iter().map(|&row| records[row]).collect();
        let fit_features: Vec<_> = roles.fit.iter().map(|&row| features[row].clone()).collect();
        let prepared =
            Prepared::new(&fit_records, &fit_features, &dataset.candidates, config, observer);
        let learned = prepared.learn(&config.storable(), &limit, observer);

        Steps::enter(observer, Stage::Certify, 1);
        let mut parts = assemble(&dataset, &roles, &learned, &featurizer, config);
        // Near-duplicates share a fold, whatever the folds of the learners were.
        let folds: Vec<usize> =
            fit_records.iter().map(|r| folds::fold(r.group, config.seed, FOLDS)).collect();
        calibrate_bars(&mut parts.manifest.bars, &learned, &folds);
        let router = Router::from_parts(&parts)?;
        Ok(Self { dataset, roles, features, learned, parts, left_out, router })
    }

    /// What another configuration learns from the same fit split, and the router that it makes.
    pub(crate) fn learn_again(&self, config: &TrainConfig) -> Result<(Learned, Parts), TrainError> {
        let Self { dataset, roles, .. } = self;
        let featurizer = config.encoder.featurizer(dataset.context_columns.clone());
        let limit = limit(&featurizer, dataset.candidates.len(), config)?;
        let (records, features) = (self.records(&roles.fit), self.features(&roles.fit));
        let prepared = Prepared::new(&records, &features, &dataset.candidates, config, &|_| {});
        let learned = prepared.learn(&config.storable(), &limit, &|_| {});
        let parts = assemble(dataset, roles, &learned, &featurizer, config);
        Ok((learned, parts))
    }

    /// Records at these positions.
    pub(crate) fn records(&self, rows: &[usize]) -> Vec<&Record> {
        rows.iter().map(|&row| &self.dataset.records[row]).collect()
    }

    /// Their features.
    pub(crate) fn features(&self, rows: &[usize]) -> Vec<Features> {
        rows.iter().map(|&row| self.features[row].clone()).collect()
    }

    /// `(n) features -> (n, candidates)` predictions.
    pub(crate) fn predict(&self, features: &[Features], bar_index: usize) -> Vec<Vec<Prediction>> {
        predict(&self.router, features, bar_index)
    }

    /// What a bar is certified on.
    pub(crate) fn held_out<'a>(
        &self,
        records: &'a [&'a Record],
        predictions: &'a [Vec<Prediction>],
        bar_index: usize,
    ) -> HeldOut<'a> {
        let manifest = &self.parts.manifest;
        let position =
            |best: &String| manifest.candidates.iter().position(|card| card.model == *best);
        HeldOut {
            records,
            predictions,
            bar: manifest.bars[bar_index].bar,
            reference: self.router.reference(),
            best: manifest.stands_in.as_ref().and_then(|stand_in| position(&stand_in.best)),
        }
    }
}

fn limit(
    featurizer: &Featurizer,
    candidates: usize,
    config: &TrainConfig,
) -> Result<TimeLimit, TrainError> {
    TimeLimit::new(featurizer.schema().clone(), candidates, config.max_decision_us)
}

fn calibrate_bars(bars: &mut [BarCard], learned: &Learned, folds: &[usize]) {
    let data = CrossFitted { expected: &learned.cross_fitted, score: &learned.score, folds };
    for card in bars {
        let calibrated = calibrate(data, card.bar);
        card.calibration = calibrated.calibration;
        card.calibrated = Some(calibrated.card);
    }
}
