//! What the router is held against: single models, other ways of choosing, other routers.

use farthing_eval::{
    Baseline, BaselineKind, CandidateFigures, Estimate, Frontier, OtherDecisions, Report,
};

use super::format::{alone, difference, name, note, per_1k, percent, score, section, shortened};
use crate::term::table;

/// Characters of a baseline's name.
const BASELINE: usize = 40;

/// Each candidate on its own, and what the router gains over it at its cost.
pub(super) fn singles(report: &Report) -> String {
    let gain = |model: &str| {
        let baselines = &report.frontier.as_ref()?.baselines;
        let single = |b: &&Baseline| b.kind == BaselineKind::SingleModel && b.name == model;
        baselines.iter().find(single)?.router_gain
    };
    let row = |c: &CandidateFigures| {
        [
            name(&c.model),
            c.judged_requests.to_string(),
            score(c.mean_score.as_ref()),
            per_1k(alone(c.cost_usd.as_ref()).as_ref()),
            percent(alone(c.attainment_pct.as_ref()).as_ref()),
            difference(gain(&c.model).as_ref()),
        ]
    };
    let rows = report.candidates.iter().map(row).collect();
    let header = ["", "judged", "quality", "USD/1k", "met bar, %", "router at that cost"];
    section("Single models, and what the router has over each", &table(header, rows))
}

/// Ways of choosing, then dials.
pub(super) fn baselines(frontier: &Frontier) -> String {
    let of = |kind| frontier.baselines.iter().filter(move |baseline| baseline.kind == kind);
    let point = |b: &Baseline| {
        [
            shortened(&b.name, BASELINE),
            score(alone(b.quality.as_ref()).as_ref()),
            per_1k(alone(b.cost_usd.as_ref()).as_ref()),
            difference(b.router_gain.as_ref()),
            percent(alone(b.saving_pct.as_ref()).as_ref()),
        ]
    };
    let header = ["", "quality", "USD/1k", "router at that cost", "saved, %"];
    let points = table(header, of(BaselineKind::Point).map(point).collect());

    let dial = |what: &str,
                aiq: Option<&Estimate>,
                earned: Option<&Estimate>,
                saved: Option<&Estimate>| {
        [shortened(what, BASELINE), score(aiq), percent(earned), percent(saved)]
    };
    let saved = frontier.cost_targets.iter().find(|t| t.target == "best_single_minus_0.005");
    let router = dial(
        "this router",
        Some(&frontier.aiq.router),
        frontier.earned_share_pct.as_ref(),
        saved.and_then(|t| alone(t.saving_pct.as_ref())).as_ref(),
    );
    let null = frontier.null_control.as_ref().map(|null| {
        let saved = saved.and_then(|t| alone(t.null_saving_pct.as_ref()));
        let earned = null.earned_share_pct.as_ref();
        dial("fitted on shuffled labels (control)", Some(&null.aiq), earned, saved.as_ref())
    });
    let shuffled = &frontier.shuffled_control;
    let earned = shuffled.earned_share_pct.as_ref();
    let shuffled = dial("predictions shuffled (control)", Some(&shuffled.aiq), earned, None);
    let others = of(BaselineKind::Dial).map(|b| {
        dial(
            &b.name,
            b.aiq.as_ref(),
            b.earned_share_pct.as_ref(),
            alone(b.saving_pct.as_ref()).as_ref(),
        )
    });
    let rows = [router].into_iter().chain(null).chain([shuffled]).chain(others).collect();
    let mut dials =
        note("AIQ: mean quality along the cost range; saved: at 0.005 below the best single model");
    dials += &table(["", "AIQ", "earned share, %", "saved, %"], rows);
    if let Some(reason) = &frontier.fitting.withheld {
        dials += &note(&format!("no learned baselines: {reason}"));
    }
    section("Ways of choosing, on the same requests", &points)
        + &section("Dials, on the same requests", &dials)
}

/// Decisions of other routers.
pub(super) fn decisions(others: &[OtherDecisions]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let row = |other: &OtherDecisions| {
        [
            name(&other.name),
            other.paired.requests.to_string(),
            score(alone(other.figures.quality.as_ref()).as_ref()),
            per_1k(alone(other.figures.cost_usd.as_ref()).as_ref()),
            percent(other.paired.saving_pct.as_ref()),
            difference(other.paired.quality_difference.as_ref()),
        ]
    };
    let header =
        ["", "requests", "quality", "USD/1k", "this one saves, %", "its quality less theirs"];
    let mut body = table(header, others.iter().map(row).collect());
    for other in others {
        body += &note(&unused(other));
    }
    section("Other routers, on the requests that both decided", &body)
}

/// What became of another router's decisions.
fn unused(other: &OtherDecisions) -> String {
    let mut text = format!(
        "{}: {} decisions for {} scored requests; {} seen in training, {} not in the log",
        other.name, other.rows, other.matched_requests, other.seen_rows, other.unmatched_rows
    );
    let unknown = other.unknown_models.iter().map(|m| format!("{} ({})", m.model, m.requests));
    let unknown: Vec<String> = unknown.collect();
    if !unknown.is_empty() {
        text += "; for models that this router does not have: ";
        text += &unknown.join(", ");
    }
    text
}
