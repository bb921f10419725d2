//! The model card: `README.md` of a router directory, for a person to read.

use std::fmt::Write as _;

use farthing_model::{BarCard, Guarantee, Manifest};

/// Writes the card from the manifest.
pub(crate) fn write(manifest: &Manifest) -> String {
    let mut card = String::new();
    // Writing to a String cannot fail.
    render(&mut card, manifest).unwrap_or_default();
    card
}

fn render(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let data = &manifest.data;
    writeln!(out, "# A farthing router\n")?;
    writeln!(
        out,
        "It chooses among {} candidates, from {} requests with {} outcomes: {} to fit, {} to certify, \
         {} sealed for the gate. Seed {}; data fingerprint `{}`.\n",
        manifest.candidates.len(),
        data.requests,
        data.outcomes,
        data.fit,
        data.certificate,
        data.sealed,
        data.seed,
        data.fingerprint,
    )?;
    writeln!(out, "## Gate: {}\n", verdict(manifest))?;
    for check in &manifest.gate.checks {
        let mark = match check.passed {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not applicable",
        };
        writeln!(out, "- {}: {mark} ({})", check.check, check.detail)?;
    }
    writeln!(out, "\n## Candidates\n\n| candidate | outcomes | mean score | mean cost, USD |")?;
    writeln!(out, "|---|---:|---:|---:|")?;
    for card in &manifest.candidates {
        let cost =
            card.cost.mean_cost_usd.map_or("unknown".to_owned(), |cost| format!("{cost:.6}"));
        let mark = if card.model == manifest.reference { " (reference)" } else { "" };
        let (model, outcomes, score) = (&card.model, card.outcomes, card.mean_score);
        writeln!(out, "| {model}{mark} | {outcomes} | {score:.4} | {cost} |")?;
    }
    writeln!(out, "\n## What was learned\n")?;
    if manifest.learners.is_empty() {
        writeln!(out, "Nothing beyond the means: no learner beat them in cross-validation.")?;
    }
    for learner in &manifest.learners {
        writeln!(out, "- {}, weight {}, {:?}", learner.learner, learner.weight, learner.settings)?;
    }
    writeln!(out, "\n## Guarantees\n")?;
    for bar in &manifest.bars {
        render_bar(out, bar)?;
    }
    writeln!(
        out,
        "\n## Not for\n\n- Traffic unlike the log it was trained on: predictions and certificates hold \
         for requests drawn as those were.\n- Candidates that are not in the table, or whose behaviour \
         has changed since.\n- Judging a person, or deciding anything but which model answers.\n\nThe \
         directory holds no prompt text; `seen.bin` holds keyed hashes of the prompts that were used."
    )
}

fn verdict(manifest: &Manifest) -> &'static str {
    match (manifest.gate.passed, manifest.gate.forced) {
        (true, _) => "passed",
        (false, true) => "refused, written by force",
        (false, false) => "refused",
    }
}

fn render_bar(out: &mut String, card: &BarCard) -> std::fmt::Result {
    let Some(certificate) = &card.certificate else {
        let why = match card.threshold {
            None => "no threshold could be certified, so the reference always serves",
            Some(_) => "void: the threshold was certified for fewer candidates",
        };
        return writeln!(out, "- bar {}: {why}", card.bar);
    };
    let event = match certificate.guarantee {
        Guarantee::Excess => "misses the bar where the reference meets it",
        Guarantee::Absolute => "misses the bar",
    };
    writeln!(
        out,
        "- bar {}: at confidence {}, a downgraded request {event} at most at rate {} (bounds on {} of {} \
         requests downgraded: excess miss {:.4}, any miss {:.4})",
        card.bar,
        1.0 - certificate.delta,
        certificate.alpha,
        certificate.downgraded,
        certificate.requests,
        certificate.excess_bound,
        certificate.miss_bound,
    )
}
