//! The cost/quality plane: what quality costs, the dial, and the figures of two models.

use farthing_eval::{CostTarget, DialSetting, Frontier, PairReport, Report};

use super::format::{alone, difference, name, note, per_1k, percent, score, section};
use crate::term::table;

/// Settings of the dial that are shown.
const SETTINGS: usize = 8;

/// The plane, or why there is none.
pub(super) fn sections(report: &Report) -> String {
    match (&report.frontier, &report.frontier_withheld) {
        (Some(frontier), _) => targets(frontier) + &dial(frontier),
        (None, reason) => {
            let reason = reason.as_deref().unwrap_or("not computed");
            section(&format!("No cost/quality frontier: {reason}"), "")
        }
    }
}

fn targets(frontier: &Frontier) -> String {
    let row = |t: &CostTarget| {
        let what = match t.target.as_str() {
            "best_single_95_pct" => "95 % of it".to_owned(),
            "best_single_minus_0.005" => "0.005 less".to_owned(),
            "best_single_100_pct" => "all of it".to_owned(),
            other => other.replace('_', " "),
        };
        [
            format!("{what}: {:.3}", t.quality),
            per_1k(alone(t.cost_usd.as_ref()).as_ref()),
            per_1k(alone(t.fitted_zero_cost_usd.as_ref()).as_ref()),
            percent(t.saving_pct.as_ref()),
            percent(alone(t.null_saving_pct.as_ref()).as_ref()),
            percent(t.earned_saving_pct.as_ref()),
        ]
    };
    let (best, oracle) = (&frontier.best_single, &frontier.oracle);
    let mut body = note(&format!(
        "best single model, {}: {} at {} USD/1k; oracle: {} at {}; {} requests",
        best.model,
        score(Some(&best.quality)),
        per_1k(Some(&best.cost_usd)),
        score(alone(Some(&oracle.quality)).as_ref()),
        per_1k(alone(Some(&oracle.cost_usd)).as_ref()),
        frontier.requests,
    ));
    let header = ["", "USD/1k", "zero router", "saved, %", "shuffled", "earned by learning, %"];
    body += &table(header, frontier.cost_targets.iter().map(row).collect());
    section("What the quality of the best single model costs", &body)
}

fn dial(frontier: &Frontier) -> String {
    let row = |setting: &DialSetting| {
        let shares = setting.mix_pct.iter().zip(&frontier.singles);
        let most = shares.max_by(|a, b| a.0.total_cmp(b.0));
        [
            most.map_or_else(String::new, |(share, single)| {
                format!("{share:3.0} % {}", name(&single.model))
            }),
            format!("{:.2}", setting.lambda),
            score(alone(Some(&setting.quality)).as_ref()),
            per_1k(alone(Some(&setting.cost_usd)).as_ref()),
            percent(setting.saving_pct.as_ref()),
            difference(Some(&setting.quality_difference)),
        ]
    };
    let header = ["goes mostly to", "lambda", "quality", "USD/1k", "saved, %", "quality less best"];
    let rows = spread(&frontier.dial).into_iter().map(row).collect();
    section(
        "The dial: `utility` with lambda, what one USD is worth in quality",
        &table(header, rows),
    )
}

/// Settings that differ, about evenly spread over what they cost.
fn spread(dial: &[DialSetting]) -> Vec<&DialSetting> {
    let (Some(first), Some(last)) = (dial.first(), dial.last()) else { return Vec::new() };
    let cost = |setting: &DialSetting| setting.cost_usd.value;
    let mut shown: Vec<&DialSetting> = Vec::new();
    for step in 0..SETTINGS {
        let share = step as f64 / (SETTINGS - 1) as f64;
        let goal = cost(first) + share * (cost(last) - cost(first));
        let off = |setting: &&DialSetting| (cost(setting) - goal).abs();
        let nearest = dial.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        let new = |found: &&DialSetting| shown.iter().all(|s| s.mix_pct != found.mix_pct);
        shown.extend(nearest.filter(new));
    }
    shown
}

/// `RouteLLM`'s figures.
pub(super) fn pair(pair: &PairReport) -> String {
    let rows = vec![
        ["APGR".to_owned(), score(Some(&pair.apgr))],
        ["CPT(50 %), % of calls".to_owned(), percent(pair.cpt50_pct.as_ref())],
        ["CPT(80 %), % of calls".to_owned(), percent(pair.cpt80_pct.as_ref())],
    ];
    let title = format!("{} against {}, {} requests", pair.weak, pair.strong, pair.requests);
    section(&title, &table(["as RouteLLM has it", "figure"], rows))
}
