//! The report as tables for a person.

use std::fmt::Write as _;

use farthing_eval::metrics::ReliabilityBin;
use farthing_eval::{
    CalibrationFigures, Comparison, Estimate, Frontier, PairReport, PolicyReport, Report,
};

use farthing_model::SliceBounds;

use crate::term::table;

/// Every table of the report, one after the other.
pub(super) fn render(report: &Report) -> String {
    let mut text = data(report);
    text += &candidates(report);
    match (&report.frontier, &report.frontier_withheld) {
        (Some(frontier), _) => text += &self::frontier(frontier),
        (None, reason) => text += &withheld("cost/quality frontier", reason.as_deref()),
    }
    text += &policy(&report.policy);
    text += &calibration(&report.calibration);
    text += &certificate(report);
    if let Some(pair) = &report.pair {
        text += &self::pair(pair);
    }
    text
}

fn data(report: &Report) -> String {
    let data = &report.data;
    let mut text = format!(
        "router {}\n{} requests in the log, {} skipped (seen in training), {} scored, {} of them answered by every priced candidate\n",
        report.router,
        data.log_requests,
        data.seen_requests,
        data.scored_requests,
        data.complete_requests,
    );
    let mut list = |what: &str, names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            text += &[what, ": ", &names.join(", "), "\n"].concat();
        }
    };
    list(
        "candidates without outcomes here",
        &mut data.absent_candidates.iter().map(String::as_str),
    );
    list("candidates of unknown cost", &mut data.unpriced_candidates.iter().map(String::as_str));
    let ignored = data.ignored_candidates.iter().map(|candidate| candidate.model.as_str());
    list("not candidates of this router", &mut { ignored });
    text
}

fn candidates(report: &Report) -> String {
    let row = |c: &farthing_eval::CandidateFigures| {
        [
            c.model.clone(),
            c.judged_requests.to_string(),
            score(c.mean_score.as_ref()),
            per_1k(c.cost_usd.as_ref()),
            percent(c.attainment_pct.as_ref()),
        ]
    };
    let rows = report.candidates.iter().map(row).collect();
    let header = ["candidate", "judged", "mean score", "USD/1k", "met the bar"];
    format!("\nSingle models (95 % intervals)\n{}", table(header, rows))
}

fn frontier(frontier: &Frontier) -> String {
    let aiq = &frontier.aiq;
    let named = [
        ("hindsight hull of the single models", &aiq.hindsight_zero),
        ("fitted zero router", &aiq.fitted_zero),
        ("this router", &aiq.router),
        ("shuffled predictions (control)", &frontier.shuffled_control.aiq),
        ("oracle", &aiq.oracle_sweep),
    ];
    let rows = named.map(|(name, estimate)| [name.to_owned(), score(Some(estimate))]).to_vec();
    let mut text = format!(
        "\nMean quality along the cost range, {} requests\n{}\nearned share: {}\n",
        frontier.requests,
        table(["", "AIQ"], rows),
        percent(frontier.earned_share_pct.as_ref()),
    );
    let best = &frontier.best_single;
    let row = |t: &farthing_eval::CostTarget| {
        [
            t.target.replace('_', " "),
            format!("{:.4}", t.quality),
            per_1k(t.cost_usd.as_ref()),
            percent(t.ratio_to_best_single.map(|r| scaled(&r, 100.0)).as_ref()),
            per_1k(t.fitted_zero_cost_usd.as_ref()),
        ]
    };
    let header =
        ["quality to reach", "quality", "router, USD/1k", "of best single", "zero router, USD/1k"];
    // Writing to a String cannot fail.
    write!(
        text,
        "\nWhat quality costs; best single is {}: {} at {} USD/1k; the oracle: {} at {}\n{}",
        best.model,
        score(Some(&best.quality)),
        per_1k(Some(&best.cost_usd)),
        score(Some(&frontier.oracle.quality)),
        per_1k(Some(&frontier.oracle.cost_usd)),
        table(header, frontier.cost_targets.iter().map(row).collect()),
    )
    .unwrap_or_default();
    text
}

fn policy(policy: &PolicyReport) -> String {
    let rows = policy
        .choices
        .iter()
        .filter(|choice| choice.requests > 0)
        .map(|choice| [choice.model.clone(), format!("{:.1} %", choice.share_pct)])
        .collect();
    let mut text = format!(
        "\nThe policy `{}`, as it would serve: quality {}, {} USD/1k, bar met {}, downgraded {}\n{}",
        policy.policy,
        score(policy.quality.as_ref()),
        per_1k(policy.cost_usd.as_ref()),
        percent(policy.attainment_pct.as_ref()),
        percent(policy.downgraded_pct.as_ref()),
        table(["chosen", "share"], rows),
    );
    if let Some(comparison) = &policy.against_best_single {
        text += &compared("best single", comparison);
    }
    text += &compared("the reference", &policy.against_reference);
    text
}

fn compared(name: &str, comparison: &Comparison) -> String {
    format!(
        "against {name} ({}): saves {}, quality {}\n",
        comparison.model,
        percent(comparison.saving_pct.as_ref()),
        score(comparison.quality_difference.as_ref()),
    )
}

fn calibration(figures: &CalibrationFigures) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    let row = |bin: &ReliabilityBin| {
        [
            format!("{:.3} to {:.3}", bin.from, bin.to),
            bin.count.to_string(),
            format!("{:.3}", bin.mean_predicted),
            format!("{:.3}", bin.share_met),
        ]
    };
    format!(
        "\nP(score >= bar) over {} judged answers: calibration error {}, Brier {}, log loss {}\n{}",
        figures.outcomes,
        number(figures.ece),
        number(figures.brier),
        number(figures.log_loss),
        table(
            ["predicted", "answers", "mean", "met the bar"],
            figures.bins.iter().map(row).collect()
        ),
    )
}

fn certificate(report: &Report) -> String {
    let bar = report.settings.bar;
    let Some(certificate) = &report.certificate else {
        return format!(
            "\nNo certificate at bar {bar}: `cheapest_above_bar` always serves the reference\n"
        );
    };
    let bound = |bound: Option<f64>| bound.map_or("too few".to_owned(), |b| format!("{b:.4}"));
    let row = |slice: &SliceBounds| {
        [
            format!("{} = {}", slice.column, slice.value),
            slice.requests.to_string(),
            slice.bounds.downgraded.to_string(),
            bound(slice.bounds.excess_bound),
            bound(slice.bounds.miss_bound),
        ]
    };
    let mut text = format!(
        "\nCertificate at bar {bar}, from training: {} of {} requests downgraded; excess miss <= {:.4}, any miss <= {:.4}, each at confidence {}\n",
        certificate.downgraded,
        certificate.requests,
        certificate.excess_bound,
        certificate.miss_bound,
        1.0 - certificate.delta,
    );
    if !certificate.slices.is_empty() {
        let header = ["slice", "requests", "downgraded", "excess miss <=", "any miss <="];
        text += &table(header, certificate.slices.iter().map(row).collect());
    }
    text
}

fn pair(pair: &PairReport) -> String {
    format!(
        "\n{} against {}, {} requests: APGR {}, CPT(50 %) {}, CPT(80 %) {}\n",
        pair.weak,
        pair.strong,
        pair.requests,
        score(Some(&pair.apgr)),
        percent(pair.cpt50_pct.as_ref()),
        percent(pair.cpt80_pct.as_ref()),
    )
}

fn withheld(what: &str, reason: Option<&str>) -> String {
    format!("\nNo {what}: {}\n", reason.unwrap_or("not computed"))
}

fn score(estimate: Option<&Estimate>) -> String {
    show(estimate, 4, "")
}

fn percent(estimate: Option<&Estimate>) -> String {
    show(estimate, 1, " %")
}

fn per_1k(estimate: Option<&Estimate>) -> String {
    show(estimate.map(|e| scaled(e, 1000.0)).as_ref(), 3, "")
}

fn scaled(estimate: &Estimate, factor: f64) -> Estimate {
    let Estimate { value, low, high } = *estimate;
    Estimate { value: value * factor, low: low.map(|l| l * factor), high: high.map(|h| h * factor) }
}

/// `value [low, high]`, a dash for what is not known.
fn show(estimate: Option<&Estimate>, digits: usize, unit: &str) -> String {
    let Some(Estimate { value, low, high }) = estimate else { return "-".to_owned() };
    let end = |end: &Option<f64>| end.map_or("-".to_owned(), |end| format!("{end:.digits$}"));
    match (low, high) {
        (None, None) => format!("{value:.digits$}{unit}"),
        _ => format!("{value:.digits$}{unit} [{}, {}]", end(low), end(high)),
    }
}
