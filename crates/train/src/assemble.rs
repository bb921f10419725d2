//! What was learned, as the parts of a router directory.

use std::collections::BTreeMap;

use farthing_core::Digest;
use farthing_data::Dataset;
use farthing_model::features::Featurizer;
use farthing_model::{
    BarCard, CandidateCard, DataCard, DecisionTimeCard, GateReport, LeftOutCard, Manifest, Parts,
    Platt, SeenPrompts, TimeSplitCard, decision_time,
};

use crate::fit::Learned;
use crate::split::Roles;
use crate::{SplitBy, TrainConfig, policies, reference};

/// The router as fitted, not yet calibrated, certified or judged.
pub(crate) fn assemble(
    dataset: &Dataset,
    roles: &Roles,
    fitted: &Learned,
    featurizer: &Featurizer,
    config: &TrainConfig,
) -> Parts {
    let card = |(c, model): (usize, &String)| CandidateCard {
        model: model.clone(),
        outcomes: fitted.score.column(c).iter().filter(|score| !score.is_nan()).count() as u64,
        mean_score: fitted.mean_score[c],
        cost: fitted.lengths.models[c],
        added: None,
    };
    let candidates: Vec<CandidateCard> = dataset.candidates.iter().enumerate().map(card).collect();
    let is_priced = |card: &CandidateCard| card.is_priced(&config.prices);
    let (reference, stands_in) = reference::choose(&candidates, &fitted.score, is_priced);
    let reference = dataset.candidates[reference].clone();
    let bar_card = |&bar: &f64| BarCard {
        bar,
        threshold: None,
        certificate: None,
        calibration: vec![Platt::NEUTRAL.into(); dataset.candidates.len()],
        calibrated: None,
    };
    let priced = candidates.iter().any(is_priced);
    let used =
        roles.fit.iter().chain(&roles.certificate).map(|&row| dataset.records[row].prompt_key());
    let data = data_card(dataset, roles, config);
    let seen = SeenPrompts::new(data.fingerprint.prefix() ^ config.seed, used);
    let mut manifest = Manifest {
        digest: String::new(),
        format_version: 0,
        candidates,
        stands_in,
        bars: config.bars.iter().map(bar_card).collect(),
        extended_from: None,
        default_policy: "default".to_owned(),
        policies: policies::of(priced, &reference, config),
        reference,
        feature_digest: featurizer.schema().digest(),
        features: featurizer.schema().clone(),
        mixtures: fitted.mixtures.clone(),
        clusters: fitted.clusters,
        learners: fitted.learners.clone(),
        decision_time: None,
        data,
        gate: GateReport::default(),
        files: BTreeMap::new(),
    };
    manifest.decision_time = Some(DecisionTimeCard {
        estimate_us: decision_time::estimate_us(&manifest.features, &manifest.shape()),
        limit_us: config.max_decision_us,
        left_out: fitted.left_out.clone(),
    });
    Parts {
        manifest,
        weights: fitted.weights.clone(),
        null: Some(fitted.null.clone()),
        tokenizer: featurizer.tokenizer().cloned(),
        encoder: featurizer.encoder().cloned(),
        prices: config.prices.of(&dataset.candidates),
        seen,
        card: String::new(),
    }
}

/// What it was trained on.
fn data_card(dataset: &Dataset, roles: &Roles, config: &TrainConfig) -> DataCard {
    let left_out = dataset.left_out.map(|left_out| LeftOutCard {
        max_requests: left_out.max_requests,
        requests: left_out.requests,
        rows: left_out.rows,
    });
    DataCard {
        fingerprint: fingerprint(dataset),
        requests: dataset.records.len() as u64,
        outcomes: dataset.records.iter().map(|record| record.cells.len() as u64).sum(),
        fit: roles.fit.len() as u64,
        certificate: roles.certificate.len() as u64,
        sealed: roles.sealed.len() as u64,
        seed: config.seed,
        labels: dataset.label_columns.clone(),
        group: dataset.group_column.clone(),
        left_out,
        by_time: (config.split_by == SplitBy::Time).then(|| by_time(dataset, roles)),
    }
}

/// When a split by time holds out from, and what it could not use.
fn by_time(dataset: &Dataset, roles: &Roles) -> TimeSplitCard {
    let oldest = |role: &[usize]| {
        role.iter().filter_map(|&row| dataset.records[row].timestamp_ms).min().unwrap_or_default()
    };
    let used = roles.fit.len() + roles.certificate.len() + roles.sealed.len();
    TimeSplitCard {
        certificate_from_ms: oldest(&roles.certificate),
        sealed_from_ms: oldest(&roles.sealed),
        unused: (dataset.records.len() - used) as u64,
    }
}

/// Digest of what was learned from: requests and outcomes, in the dataset's own order.
pub(crate) fn fingerprint(dataset: &Dataset) -> Digest {
    let mut bytes = Vec::new();
    for name in &dataset.candidates {
        bytes.extend(name.bytes());
        bytes.push(0);
    }
    for record in &dataset.records {
        bytes.extend(record.key.hex().bytes());
        for cell in &record.cells {
            bytes.extend((cell.candidate as u64).to_le_bytes());
            for value in [cell.score, cell.cost_usd, cell.output_tokens] {
                bytes.extend(value.unwrap_or(-1.0).to_le_bytes());
            }
        }
    }
    Digest::of(&bytes)
}
