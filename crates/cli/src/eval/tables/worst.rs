//! The requests on which the router loses most, a line each.

use farthing_eval::WorstRequest;

use super::format::{section, shortened};
use crate::term::table;

/// Requests that are shown.
const SHOWN: usize = 10;
/// Characters of a prompt.
const PROMPT: usize = 50;
/// Characters of a candidate's name.
const MODEL: usize = 20;

pub(super) fn requests(worst: &[WorstRequest]) -> String {
    if worst.is_empty() {
        return section("No request on which another candidate is known to have done better", "");
    }
    let row = |request: &WorstRequest| {
        [
            shortened(&request.prompt, PROMPT),
            format!("{:.2}", request.chosen_score),
            shortened(&request.chosen, MODEL),
            format!("{:.2}", request.oracle_score),
            shortened(&request.oracle, MODEL),
        ]
    };
    let shown = worst.len().min(SHOWN);
    let title = format!("Where it loses: the worst {shown} of {} requests in --json", worst.len());
    let header = ["prompt", "score", "chosen", "score", "better"];
    section(&title, &table(header, worst.iter().take(shown).map(row).collect()))
}
