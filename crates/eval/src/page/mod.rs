//! The report as one HTML file that needs nothing else: no network, no other file, and without script
//! everything but the slider and the sorting.
//!
//! A section is a module that turns its part of a [`Report`] into markup. Names and prompts come from
//! logs and are nobody's friends: `maud` escapes them, the content security policy admits only our own
//! style and script, by their digests, and both are files of their own beside this one.

mod baselines;
mod calibration;
mod candidates;
mod certificate;
mod data;
mod decisions;
mod dial;
mod frontier;
mod headline;
mod labels;
mod number;
mod plane;
mod plot;
mod policy;
mod published;
mod robustness;
mod slices;
mod table;
mod ticks;
mod worst;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::Report;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The report as HTML; the same report gives the same bytes.
pub fn page(report: &Report) -> String {
    let sections = sections(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_security_policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Farthing: router report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header { (headline::render(report)) }
                nav aria-label="Sections" {
                    ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.short) } } } }
                }
                main id="main" {
                    @for section in &sections {
                        section id=(section.id) aria-labelledby={ (section.id) "-title" } {
                            h2 id={ (section.id) "-title" } { (section.title) }
                            (section.content)
                        }
                    }
                }
                footer { p { "Made by Farthing from one log and one router. This file loads nothing and sends nothing." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// A part of the page.
struct Section {
    id: &'static str,
    /// In the list of sections.
    short: &'static str,
    title: &'static str,
    content: Markup,
}

/// In the order in which a reader wants them.
fn sections(report: &Report) -> Vec<Section> {
    let section = |id, short, title, content| Section { id, short, title, content };
    vec![
        section("plane", "Cost and quality", "Cost against quality", frontier::render(report)),
        section(
            "baselines",
            "Baselines",
            "Against simpler ways to choose",
            baselines::render(report),
        ),
        section("models", "Models", "Every model on its own", candidates::render(report)),
        section(
            "policy",
            "Default policy",
            "The default policy, as it would serve",
            policy::render(&report.policy),
        ),
        section("certificate", "Certificate", "What is promised", certificate::render(report)),
        section(
            "calibration",
            "Calibration",
            "Can its probabilities be believed?",
            calibration::render(&report.calibration),
        ),
        section("slices", "Slices", "Where it earns, where it loses", slices::render(report)),
        section(
            "published",
            "Published metrics",
            "As others measure it",
            published::render(report),
        ),
        section("robustness", "Robustness", "Does it keep its choice?", robustness::render(report)),
        section(
            "worst",
            "Worst requests",
            "The requests where it loses most",
            worst::render(report),
        ),
        section("data", "Data", "What this rests on", data::render(report)),
    ]
}

/// Why a part of the report is not there.
fn withheld(what: &str, reason: Option<&str>) -> Markup {
    html! {
        p.withheld { strong { "No " (what) ":" } " " (reason.unwrap_or("it was not computed")) "." }
    }
}

/// Nothing but this file's own style and script.
fn content_security_policy() -> String {
    let source =
        |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT),
    )
}
