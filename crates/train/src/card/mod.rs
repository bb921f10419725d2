//! The model card: `README.md` of a router directory, for a person to read.

mod promises;

use std::fmt::{Result, Write as _};

use farthing_model::{Budget, DecisionTimeCard, DroppedLearner, EarnedShare, Manifest, PolicySpec};

/// Writes the card from the manifest.
pub(crate) fn write(manifest: &Manifest) -> String {
    let mut card = String::new();
    // Writing to a String cannot fail.
    render(&mut card, manifest).unwrap_or_default();
    card
}

fn render(out: &mut String, manifest: &Manifest) -> Result {
    render_data(out, manifest)?;
    render_gate(out, manifest)?;
    render_candidates(out, manifest)?;
    writeln!(out, "\n## What was learned\n")?;
    if manifest.learners.is_empty() {
        writeln!(out, "Nothing beyond the means: no learner beat them in cross-validation.")?;
    }
    render_encoder(out, manifest)?;
    for learner in &manifest.learners {
        writeln!(out, "- {learner}")?;
    }
    render_clusters(out, manifest)?;
    if let Some(card) = &manifest.decision_time {
        render_time(out, card)?;
    }
    render_policies(out, manifest)?;
    writeln!(out, "\n## Promises")?;
    promises::render(out, manifest)?;
    render_limits(out)
}

fn render_data(out: &mut String, manifest: &Manifest) -> Result {
    let data = &manifest.data;
    writeln!(out, "# A farthing router\n")?;
    writeln!(
        out,
        "It chooses among {} candidates. It was trained on {} requests with {} outcomes: {} to fit and \
         calibrate, {} to certify, {} sealed for the gate, no near-duplicates between them. Seed {}; data \
         fingerprint `{}`.\n",
        manifest.candidates.len(),
        data.requests,
        data.outcomes,
        data.fit,
        data.certificate,
        data.sealed,
        data.seed,
        data.fingerprint,
    )?;
    render_split(out, manifest)?;
    let columns = |names: &[String]| {
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    writeln!(
        out,
        "Context that requests should carry: {}. Labels used in training only: {}.\n",
        columns(&manifest.features.context),
        columns(&data.labels)
    )
}

/// What was left out and what was kept together, where a flag asked for it.
fn render_split(out: &mut String, manifest: &Manifest) -> Result {
    let data = &manifest.data;
    if let Some(left_out) = &data.left_out {
        writeln!(
            out,
            "The log has more: {} requests with {} rows were left out by a cap of {} requests. Groups of \
             near-duplicates were chosen by a hash, so what is left is a sample of them all.\n",
            left_out.requests, left_out.rows, left_out.max_requests,
        )?;
    }
    if let Some(column) = &data.group {
        writeln!(out, "Requests with the same `{column}` are on one side of every split.\n")?;
    }
    if let Some(split) = &data.by_time {
        writeln!(
            out,
            "The split is by time: the newest requests are sealed and those before them certify. {} older \
             requests of their groups were not used.\n",
            split.unused,
        )?;
    }
    Ok(())
}

fn render_gate(out: &mut String, manifest: &Manifest) -> Result {
    let gate = &manifest.gate;
    let verdict = match (gate.passed, gate.forced) {
        (true, _) => "passed",
        (false, true) => "refused, written by force",
        (false, false) => "refused",
    };
    writeln!(out, "## Gate: {verdict}\n")?;
    if let Some(earned) = &gate.earned_share {
        let [low, high] = earned.interval_pct;
        writeln!(
            out,
            "On {} sealed requests it earned {:.1} % [{low:.1}, {high:.1}] of what an oracle would earn over \
             routing by averages alone (95 % interval, paired bootstrap by prompt).\n",
            earned.requests, earned.pct,
        )?;
    }
    for check in &gate.checks {
        let mark = match check.passed {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not applicable",
        };
        writeln!(out, "- {}: {mark} ({})", check.check, check.detail)?;
    }
    Ok(())
}

fn render_candidates(out: &mut String, manifest: &Manifest) -> Result {
    writeln!(out, "\n## Candidates\n\n| candidate | outcomes | mean score | mean cost, USD |")?;
    writeln!(out, "|---|---:|---:|---:|")?;
    let best = manifest.stands_in.as_ref().map(|stand_in| &stand_in.best);
    for card in &manifest.candidates {
        let cost =
            card.cost.mean_cost_usd.map_or("unknown".to_owned(), |cost| format!("{cost:.6}"));
        let mark = match card.model {
            _ if card.model == manifest.reference => " (reference)",
            _ if best == Some(&card.model) => " (highest mean score)",
            _ => "",
        };
        let (model, outcomes, score) = (&card.model, card.outcomes, card.mean_score);
        writeln!(out, "| {model}{mark} | {outcomes} | {score:.4} | {cost} |")?;
    }
    writeln!(
        out,
        "\nOutcomes and means are those of the fit split. The reference serves where no cheaper candidate is \
         good enough; a request is downgraded when it goes to a cheaper one."
    )
}

/// What reads requests beside counts of words, and what that is worth.
fn render_encoder(out: &mut String, manifest: &Manifest) -> Result {
    let Some(encoder) = &manifest.features.encoder else { return Ok(()) };
    write!(
        out,
        "Requests are read by a sentence encoder ({} layers, {} wide), too: tens of milliseconds a decision or more where counting \
         words takes microseconds. Of texts of more than {} tokens the middle is left out.",
        encoder.layers, encoder.hidden, encoder.window
    )?;
    if let Some(EarnedShare { pct, interval_pct: [low, high], .. }) = &manifest.gate.without_encoder
    {
        write!(
            out,
            " Without it {pct:.1} % [{low:.1}, {high:.1}] are earned on the same sealed requests."
        )?;
    }
    writeln!(out, "\n")
}

/// How close what is stored comes to single requests.
fn render_clusters(out: &mut String, manifest: &Manifest) -> Result {
    match &manifest.clusters {
        None => writeln!(
            out,
            "\nNothing in it lies close to the vector of a single request: there are no clusters, and no vectors \
             of requests are kept."
        ),
        Some(clusters) => {
            let smallest = clusters.smallest.map_or_else(String::new, |n| {
                format!(" The smallest cluster averages {n} requests.")
            });
            writeln!(
                out,
                "\nIt holds {} cluster centres, each an average of the vectors of requests.{smallest} No vectors of \
                 single requests are kept; `--parametric-only` leaves the centres out, too.",
                clusters.count
            )
        }
    }
}

fn render_time(out: &mut String, card: &DecisionTimeCard) -> Result {
    writeln!(
        out,
        "\nA decision on a prompt of 2,000 tokens is estimated to take {:.0} us on one core; the limit was {} us.",
        card.estimate_us, card.limit_us
    )?;
    for left_out in &card.left_out {
        let DroppedLearner { learner, saved_us, loss, loss_error } = left_out;
        writeln!(
            out,
            "\n- Left out to keep the limit: {learner}. That saves {saved_us:.0} us, and loses {loss:.3} +- \
             {loss_error:.3} hundredths of a score (cross-fitted value of the softened policy that blends are \
             chosen by)."
        )?;
    }
    Ok(())
}

fn render_policies(out: &mut String, manifest: &Manifest) -> Result {
    writeln!(out, "\n## Policies\n")?;
    for (name, policy) in &manifest.policies {
        let rule = match policy {
            PolicySpec::CheapestAboveBar => {
                "the cheapest candidate above the threshold of the bar, else the reference"
                    .to_owned()
            }
            PolicySpec::Utility { lambda } => format!("most quality less {lambda} a USD"),
            PolicySpec::Budget(budget) => describe_budget(budget),
            PolicySpec::BestQuality => "most expected quality, whatever it costs".to_owned(),
            PolicySpec::Cheapest => "least expected cost".to_owned(),
            PolicySpec::Fixed { model } => format!("always `{model}`"),
        };
        writeln!(out, "- `{name}`: {rule}")?;
    }
    Ok(())
}

fn describe_budget(budget: &Budget) -> String {
    let Budget { budget_usd, lambda, predicted_usd, requests, .. } = budget;
    let interval = budget
        .realised_interval_usd
        .map_or_else(String::new, |[low, high]| format!(" [{low:.3e}, {high:.3e}]"));
    let realised = budget
        .realised_usd
        .map_or("unknown there".to_owned(), |usd| format!("{usd:.3e}{interval} there"));
    format!(
        "a mean cost of {budget_usd} USD a request, kept by most quality less {lambda:.4} a USD; solved on {requests} \
         requests of the certificate split: {predicted_usd:.3e} USD predicted, {realised} as logged"
    )
}

fn render_limits(out: &mut String) -> Result {
    writeln!(
        out,
        "\n## Not for\n\n- Traffic unlike the log it was trained on: predictions, calibration and certificates \
         hold for requests drawn as those were, judged as those were.\n- Single requests: every promise is \
         about a rate.\n- Candidates that are not in the table, or whose behaviour or price has changed \
         since.\n- Judging a person, or deciding anything but which model answers.\n\nThe directory holds no \
         prompt text; `seen.bin` holds keyed hashes of the prompts that were used, and, where it is there, \
         `null.safetensors` what the same learners came to on shuffled labels: evaluation compares with it, \
         decisions never read it."
    )
}
