//! Where the default policy loses: the requests with the greatest regret.

use maud::{Markup, html};

use super::number::{Unit, counted, show, show_or_dash};
use crate::{Report, WorstRequest};

/// A list to read, or why there is none: prompts are private unless asked for.
pub(super) fn render(report: &Report) -> Markup {
    match &report.worst {
        None => super::withheld(
            "prompts",
            Some("they are private unless you ask for them with `--show-prompts`"),
        ),
        Some(worst) if worst.is_empty() => {
            html! { p { "None: as far as the log knows, it never missed the bar where another model did better." } }
        }
        Some(worst) => html! {
            p { "The " (counted(worst.len() as u64, "request")) " where the choice of the default policy fell furthest behind the oracle." }
            ol.worst { @for request in worst { li { (one(request)) } } }
        },
    }
}

fn one(request: &WorstRequest) -> Markup {
    let answer = |what, model: &str, score: f64, cost: Option<f64>| {
        html! {
            div {
                dt { (what) }
                dd {
                    (model) " "
                    span.interval {
                        "score " (show(score, Unit::Quality)) ", " (show_or_dash(cost, Unit::Usd)) " USD per 1,000"
                    }
                }
            }
        }
    };
    html! {
        details {
            summary { (beginning(&request.prompt)) }
            p.prompt { (request.prompt) }
            p.note { "request " code { (request.request) } }
        }
        dl.facts {
            (answer("chosen", &request.chosen, request.chosen_score, request.chosen_cost_usd))
            (answer("better", &request.oracle, request.oracle_score, request.oracle_cost_usd))
        }
    }
}

/// The first words of a prompt, on one line.
fn beginning(prompt: &str) -> String {
    const LETTERS: usize = 100;
    let line = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LETTERS {
        return line;
    }
    line.chars().take(LETTERS).chain(['…']).collect()
}
