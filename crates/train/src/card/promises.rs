//! The part of the card that says what the router promises: calibration, certificates, slices.

use std::fmt::{Result, Write};

use farthing_model::{BarCard, Bounds, Certificate, Guarantee, Manifest, StandIn};

/// Everything about every bar.
pub(super) fn render(out: &mut String, manifest: &Manifest) -> Result {
    if let Some(stand_in) = &manifest.stands_in {
        render_stand_in(out, &manifest.reference, stand_in)?;
    }
    for bar in &manifest.bars {
        writeln!(out, "\n### Bar {}\n", bar.bar)?;
        render_calibration(out, bar)?;
        match (&bar.certificate, bar.threshold) {
            (Some(certificate), _) => render_certificate(out, manifest, bar, certificate)?,
            (None, Some(_)) => writeln!(
                out,
                "The certificate is void: the threshold was certified for fewer candidates than there are now."
            )?,
            (None, None) => writeln!(
                out,
                "No certificate: not even the strictest threshold could be shown to keep its promise. Under \
                 `cheapest_above_bar` the reference, `{}`, serves every request.",
                manifest.reference
            )?,
        }
    }
    Ok(())
}

fn render_stand_in(out: &mut String, reference: &str, stand_in: &StandIn) -> Result {
    let StandIn { best, mean_loss, loss_bound, requests } = stand_in;
    writeln!(
        out,
        "\nThe reference, `{reference}`, has not the highest mean score, but ties with the candidate that has, \
         `{best}`, and is cheaper. Over {requests} requests of the fit split that both answered it loses \
         {mean_loss:.4} of score on average, and at most {loss_bound:.4} at one-sided 95 % confidence."
    )
}

fn render_calibration(out: &mut String, bar: &BarCard) -> Result {
    let Some(card) = &bar.calibrated else { return Ok(()) };
    let losses: Vec<String> = card
        .log_loss
        .iter()
        .map(|(method, loss)| format!("{} {loss:.4}", method.as_str()))
        .collect();
    writeln!(
        out,
        "P(score >= {}) is calibrated by the {} method, chosen by cross-validated log loss ({}; the simplest \
         within a standard error of the least). Its cross-validated calibration error is {:.4}, over {} \
         outcomes in 15 bins of equal mass, all candidates together.\n",
        bar.bar,
        card.method.as_str(),
        losses.join(", "),
        card.ece,
        card.outcomes,
    )
}

fn render_certificate(
    out: &mut String,
    manifest: &Manifest,
    bar: &BarCard,
    certificate: &Certificate,
) -> Result {
    let event = match certificate.guarantee {
        Guarantee::Excess => "misses the bar where the reference meets it",
        Guarantee::Absolute => "misses the bar",
    };
    writeln!(
        out,
        "Under `cheapest_above_bar` a request goes to the cheapest candidate whose probability is at least \
         {:.4}, and else to the reference. With confidence {}, a downgraded request {event} at a rate of at \
         most {}.\n",
        bar.threshold.unwrap_or(f64::INFINITY),
        1.0 - certificate.delta,
        certificate.alpha,
    )?;
    writeln!(
        out,
        "| certificate split | requests | downgraded | excess misses | at most | misses | at most |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|")?;
    let Certificate { downgraded, excess_misses, excess_bound, misses, miss_bound, .. } =
        *certificate;
    let all = Bounds {
        downgraded,
        excess_misses,
        excess_bound: Some(excess_bound),
        misses,
        miss_bound: Some(miss_bound),
    };
    row(out, "all", certificate.requests, &all)?;
    if let (Some(bounds), Some(stand_in)) = (&certificate.against_best, &manifest.stands_in) {
        row(out, &format!("all, against `{}`", stand_in.best), certificate.requests, bounds)?;
    }
    for slice in &certificate.slices {
        row(out, &format!("{} = {}", slice.column, slice.value), slice.requests, &slice.bounds)?;
    }
    writeln!(
        out,
        "\nBounds are one-sided, by Clopper and Pearson. The threshold was selected on the first row; every \
         other row holds with confidence {} on its own, not all of them together. \"Too few\": so few \
         downgraded requests could not show a rate of {} even without a single miss.",
        1.0 - certificate.delta,
        certificate.alpha,
    )
}

fn row(out: &mut String, name: &str, requests: u64, bounds: &Bounds) -> Result {
    let bound = |bound: Option<f64>| bound.map_or("too few".to_owned(), |b| format!("{b:.4}"));
    writeln!(
        out,
        "| {} | {requests} | {} | {} | {} | {} | {} |",
        name.replace('|', "\\|").replace(['\n', '\r'], " "),
        bounds.downgraded,
        bounds.excess_misses,
        bound(bounds.excess_bound),
        bounds.misses,
        bound(bounds.miss_bound),
    )
}
