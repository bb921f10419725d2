//! What was evaluated on what, and what came of it in one sentence.

use farthing_eval::{Comparison, Frontier, PolicyReport, Report};

use super::format::{difference, name, paragraph, per_1k, percent, percent_said, score, section};
use crate::term::table;

/// What is saved at which quality, and what learning has to do with it.
pub(super) fn headline(report: &Report) -> String {
    let policy = &report.policy;
    let mut text = paragraph(&match &policy.against_best_single {
        Some(best) => saved(best, policy),
        None => "Quality is not known: no scored request has a score.".to_owned(),
    });
    if let Some(frontier) = &report.frontier {
        text += &paragraph(&turned(frontier));
        text += &paragraph(&format!(
            "earned share: {} (0 is mixing single models by their averages, 100 an oracle)",
            percent_said(frontier.earned_share_pct.as_ref()),
        ));
    }
    text + "\n"
}

/// What the dial can save, at the highest quality that it reaches.
fn turned(frontier: &Frontier) -> String {
    let reached = frontier.cost_targets.iter().rev().find(|target| target.cost_usd.is_some());
    let Some((target, saving)) = reached.and_then(|t| Some((t, t.saving_pct?))) else {
        return "At no setting does the dial come near the best single model's quality.".to_owned();
    };
    let unsure = match saving.low {
        Some(low) if low > 0.0 => "",
        Some(_) => ", which chance alone could give",
        None => ", without an interval",
    };
    format!(
        "At a quality of {:.3} (the best single model's is {:.3}) the dial's best setting in hindsight saves {}{unsure}.",
        target.quality,
        frontier.best_single.quality.value,
        percent_said(Some(&saving)),
    )
}

fn saved(best: &Comparison, policy: &PolicyReport) -> String {
    let quality = match &best.quality_difference {
        Some(found) => format!("quality {}", difference(Some(found))),
        None => "quality not known".to_owned(),
    };
    let on = format!("{quality}, on {} requests", best.judged_requests);
    let (policy, model) = (&policy.policy, &best.model);
    match &best.saving_pct {
        Some(saving) if saving.value < 0.0 => format!(
            "The policy `{policy}` costs more than {model}, the best single model: saves {}; {on}.",
            percent_said(Some(saving)),
        ),
        Some(saving) => format!(
            "The policy `{policy}` saves {} of what {model} costs, the best single model; {on}.",
            percent_said(Some(saving)),
        ),
        None => format!(
            "What the policy `{policy}` saves is not known: the log has too few costs of what it chose beside those of the other. Against {model}, the best single model: {on}.",
        ),
    }
}

/// Counts, and what is missing.
pub(super) fn data(report: &Report) -> String {
    let (data, settings) = (&report.data, &report.settings);
    let mut text = paragraph(&format!(
        "{} requests scored, {} of them answered by every priced candidate; {} of the {} in the log skipped (seen in training). Good enough is a score of {}. [Intervals] hold {} %, by {} resamples of {} groups of like prompts.",
        data.scored_requests,
        data.complete_requests,
        data.seen_requests,
        data.log_requests,
        settings.bar,
        settings.interval_pct,
        settings.resamples,
        data.scored_groups,
    ));
    let mut list = |what: &str, names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            text += &paragraph(&[what, ": ", &names.join(", ")].concat());
        }
    };
    let absent = &data.absent_candidates;
    list("candidates without outcomes here", &mut absent.iter().map(String::as_str));
    let unpriced = &data.unpriced_candidates;
    list("candidates of unknown cost", &mut unpriced.iter().map(String::as_str));
    let ignored = data.ignored_candidates.iter().map(|candidate| candidate.model.as_str());
    list("not candidates of this router", &mut { ignored });
    text + &paragraph(&format!("router {}", report.router))
}

/// The default policy.
pub(super) fn policy(policy: &PolicyReport) -> String {
    let title = format!("The policy `{}`, as it would serve", policy.policy);
    let mut rows = vec![
        ["quality".to_owned(), score(policy.quality.as_ref()), policy.judged_requests.to_string()],
        ["USD/1k".to_owned(), per_1k(policy.cost_usd.as_ref()), policy.costed_requests.to_string()],
        [
            "met the bar, %".to_owned(),
            percent(policy.attainment_pct.as_ref()),
            policy.judged_requests.to_string(),
        ],
        [
            "nothing good enough, %".to_owned(),
            percent(policy.abstained_pct.as_ref()),
            policy.decided_requests.to_string(),
        ],
        [
            "downgraded, %".to_owned(),
            percent(policy.downgraded_pct.as_ref()),
            policy.decided_requests.to_string(),
        ],
    ];
    let reference = &policy.against_reference;
    let beside = |what: &str| format!("{what} the reference, {}", name(&reference.model));
    rows.push([
        beside("saved, %, against"),
        percent(reference.saving_pct.as_ref()),
        reference.costed_requests.to_string(),
    ]);
    rows.push([
        beside("quality less that of"),
        difference(reference.quality_difference.as_ref()),
        reference.judged_requests.to_string(),
    ]);
    let mut chosen: Vec<_> = policy.choices.iter().filter(|choice| choice.requests > 0).collect();
    chosen.sort_by_key(|choice| std::cmp::Reverse(choice.requests));
    let chosen = chosen.into_iter().map(|choice| {
        [name(&choice.model), format!("{:.1}", choice.share_pct), choice.requests.to_string()]
    });
    let mut body = table(["", "", "requests"], rows);
    body.push('\n');
    body += &table(["chosen", "%", "requests"], chosen.collect());
    if policy.undecided_requests > 0 {
        let none = policy.undecided_requests;
        body += &paragraph(&format!("{none} requests had no eligible candidate"));
    }
    section(&title, &body)
}
