//! Whether to believe the router: its calibration and its certificate.

use farthing_eval::metrics::ReliabilityBin;
use farthing_eval::{CalibrationFigures, Report};
use farthing_model::{Guarantee, SliceBounds};

use super::format::{name, note, score, section};
use crate::term::table;

/// Bins of the reliability table that stand in one line.
const TOGETHER: usize = 3;

/// Predicted against met.
pub(super) fn calibration(found: &CalibrationFigures) -> String {
    let row = |bins: &[ReliabilityBin]| {
        let count: u64 = bins.iter().map(|bin| bin.count).sum();
        let mean = |of: fn(&ReliabilityBin) -> f64| {
            bins.iter().map(|bin| bin.count as f64 * of(bin)).sum::<f64>() / count as f64
        };
        [
            format!("{:.3} to {:.3}", bins[0].from, bins[bins.len() - 1].to),
            count.to_string(),
            format!("{:.3}", mean(|bin| bin.mean_predicted)),
            format!("{:.3}", mean(|bin| bin.share_met)),
        ]
    };
    let estimates = &found.estimates;
    let title = format!("Calibration of P(score >= bar), over {} judged answers", found.outcomes);
    let mut body = note(&format!(
        "calibration error {}, Brier {}, log loss {}",
        score(estimates.ece.as_ref()),
        score(estimates.brier.as_ref()),
        score(estimates.log_loss.as_ref()),
    ));
    if !found.bins.is_empty() {
        let header = ["predicted", "answers", "mean", "met the bar"];
        body += &table(header, found.bins.chunks(TOGETHER).map(row).collect());
    }
    section(&title, &body)
}

/// What the router promises, from its training.
pub(super) fn certificate(report: &Report) -> String {
    let bar = report.settings.bar;
    let Some(certificate) = &report.certificate else {
        return section(
            &format!(
                "No certificate at bar {bar}: `cheapest_above_bar` always serves the reference"
            ),
            "",
        );
    };
    let promised = match certificate.guarantee {
        Guarantee::Excess => "excess miss",
        Guarantee::Absolute => "miss",
    };
    let mut body = note(&format!(
        "promised: {promised} <= {} at confidence {}",
        certificate.alpha,
        1.0 - certificate.delta,
    ));
    body += &note(&format!(
        "{} of {} requests downgraded; bounds at the chosen threshold: excess miss {:.3}, any miss {:.3}",
        certificate.downgraded,
        certificate.requests,
        certificate.excess_bound,
        certificate.miss_bound,
    ));
    let bounded = |slice: &&SliceBounds| {
        slice.bounds.excess_bound.is_some() || slice.bounds.miss_bound.is_some()
    };
    let bound =
        |bound: Option<f64>| bound.map_or_else(|| "too few".to_owned(), |b| format!("{b:.3}"));
    let row = |slice: &SliceBounds| {
        [
            name(&format!("{} = {}", slice.column, slice.value)),
            slice.requests.to_string(),
            slice.bounds.downgraded.to_string(),
            bound(slice.bounds.excess_bound),
            bound(slice.bounds.miss_bound),
        ]
    };
    let shown: Vec<_> = certificate.slices.iter().filter(bounded).map(row).collect();
    let too_few = certificate.slices.len() - shown.len();
    if !shown.is_empty() {
        let header = ["", "requests", "downgraded", "excess miss <=", "any miss <="];
        body += &table(header, shown);
    }
    if too_few > 0 {
        body += &note(&format!("{too_few} slices have too few requests for a bound"));
    }
    section(&format!("Certificate at bar {bar}, from training"), &body)
}
