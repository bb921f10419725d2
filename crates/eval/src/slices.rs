//! The default policy on parts of the log: by context, label, language, length and turns.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use farthing_core::{Request, Role};
use farthing_data::{Dataset, Record};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::columns::Column;
use crate::estimate::{self, Estimates, Ratios};
use crate::policy::{Against, Decided};

/// Fewer groups of near-duplicate prompts, or fewer requests of known outcome, give no number.
const LEAST: u64 = 30;
/// Values of a column that are shown, those of most requests; the others stand together.
const MOST_VALUES: usize = 30;
/// What the others are called.
const OTHER: &str = "(other)";
/// Characters of a text that its language is told from.
const LANGUAGE_CHARS: usize = 500;

/// The default policy on some of the scored requests.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Slice {
    /// What the requests have in common: `language`, `length`, `turns`, or a column of the log.
    pub column: String,
    /// The value there.
    pub value: String,
    /// Requests.
    pub requests: u64,
    /// Groups of near-duplicate prompts among them.
    pub groups: u64,
    /// What the policy comes to; `null`: too few groups to say.
    pub figures: Option<SliceFigures>,
}

/// What a policy comes to on a slice, where the log knows; a figure on fewer than 30 requests is
/// `null`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SliceFigures {
    /// Requests whose chosen candidate's score is known.
    pub judged_requests: u64,
    /// Requests whose chosen candidate's cost is known.
    pub costed_requests: u64,
    /// Mean score.
    pub quality: Option<Estimate>,
    /// Mean cost of a request in USD.
    pub cost_usd: Option<Estimate>,
    /// Share that meets the bar, in percent.
    pub attainment_pct: Option<Estimate>,
    /// Cost saved against the best single model of the whole log, in percent of its cost.
    pub saving_pct: Option<Estimate>,
    /// Mean score less that model's.
    pub quality_difference: Option<Estimate>,
}

/// A slice and its ratios.
pub(crate) struct Part {
    column: String,
    value: String,
    requests: u64,
    groups: u64,
    ratios: Option<Columns>,
}

struct Columns {
    score: estimate::Column,
    cost: estimate::Column,
    attainment: estimate::Column,
    best_single: Option<Against>,
}

/// The parts of the decided requests, column by column, the largest first.
pub(crate) fn parts(
    dataset: &Dataset,
    records: &[&Record],
    decided: &Decided<'_>,
    ratios: &mut Ratios<'_>,
) -> Vec<Part> {
    let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for column in Column::all(dataset) {
        let value = |record: &&Record| column.value(record).map(str::to_owned);
        columns.push((column.name().to_owned(), records.iter().map(value).collect()));
    }
    let mut tell = |name: &str, fact: fn(&Request) -> String| {
        let value = |record: &&Record| Some(fact(&record.request));
        columns.push((name.to_owned(), records.par_iter().map(value).collect()));
    };
    tell("language", language);
    tell("length", length);
    tell("turns", turns);
    let mut parts = Vec::new();
    for (column, values) in &columns {
        for (value, requests) in members(values) {
            let groups = decided.rows.groups.of(&requests);
            let groups: BTreeSet<usize> = groups.of_requests().iter().copied().collect();
            let groups = groups.len() as u64;
            let here = Decided { requests: &requests, ..*decided };
            parts.push(Part {
                column: column.clone(),
                value,
                requests: requests.len() as u64,
                groups,
                ratios: (groups >= LEAST).then(|| Columns::new(&here, ratios)),
            });
        }
    }
    parts
}

/// The requests of each value, most first; a request without a value is in no slice.
fn members(values: &[Option<String>]) -> Vec<(String, Vec<usize>)> {
    let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, value) in values.iter().enumerate() {
        if let Some(value) = value {
            of.entry(value).or_default().push(i);
        }
    }
    let mut of: Vec<(String, Vec<usize>)> =
        of.into_iter().map(|(value, requests)| (value.to_owned(), requests)).collect();
    of.sort_by_key(|(_, requests)| Reverse(requests.len()));
    if of.len() > MOST_VALUES {
        let mut others: Vec<usize> = of.drain(MOST_VALUES..).flat_map(|(_, i)| i).collect();
        others.sort_unstable();
        of.push((OTHER.to_owned(), others));
    }
    of
}

impl Columns {
    fn new(decided: &Decided<'_>, ratios: &mut Ratios<'_>) -> Self {
        let best_single = decided.against.best_single;
        Self {
            score: decided.score(ratios),
            cost: decided.cost(ratios),
            attainment: decided.attainment(ratios),
            best_single: best_single.map(|model| decided.against(model, ratios)),
        }
    }
}

impl Part {
    /// The slice, with what was estimated of its ratios. `names` are those of the candidates.
    pub(crate) fn report(&self, names: &[String], estimates: &Estimates) -> Slice {
        let figures = |columns: &Columns| {
            let against = columns.best_single.as_ref().map(|a| a.report(names, estimates));
            let enough = |figure: Option<Estimate>, known: u64| figure.filter(|_| known >= LEAST);
            let of = |column| enough(estimates.of(column), estimates.known(column));
            SliceFigures {
                judged_requests: estimates.known(columns.score),
                costed_requests: estimates.known(columns.cost),
                quality: of(columns.score),
                cost_usd: of(columns.cost),
                attainment_pct: of(columns.attainment),
                saving_pct: against.as_ref().and_then(|a| enough(a.saving_pct, a.costed_requests)),
                quality_difference: against
                    .and_then(|a| enough(a.quality_difference, a.judged_requests)),
            }
        };
        Slice {
            column: self.column.clone(),
            value: self.value.clone(),
            requests: self.requests,
            groups: self.groups,
            figures: self.ratios.as_ref().map(figures),
        }
    }
}

/// The English name of the language that the user writes, where that can be told.
fn language(request: &Request) -> String {
    let said = request.messages().iter().filter(|message| message.role == Role::User);
    let text: String = said.flat_map(|message| message.text.chars()).take(LANGUAGE_CHARS).collect();
    let told = whatlang::detect(&text).filter(whatlang::Info::is_reliable);
    told.map_or("not clear".to_owned(), |told| told.lang().eng_name().to_owned())
}

fn length(request: &Request) -> String {
    let chars: usize = request.messages().iter().map(|m| m.text.chars().count()).sum();
    match chars {
        0..200 => "under 200 characters",
        200..1000 => "200 to 999 characters",
        1000..4000 => "1,000 to 3,999 characters",
        4000..16_000 => "4,000 to 15,999 characters",
        _ => "16,000 characters and more",
    }
    .to_owned()
}

fn turns(request: &Request) -> String {
    match request.messages().iter().filter(|message| message.role == Role::User).count() {
        0 | 1 => "1 turn",
        2 | 3 => "2 to 3 turns",
        4..=7 => "4 to 7 turns",
        _ => "8 turns and more",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use farthing_core::Message;

    use super::*;

    #[test]
    fn facts_of_a_request() {
        let turn = |role, text: &str| Message { role, text: text.to_owned() };
        let german = "Bitte erkläre mir in einfachen Worten, warum der Himmel am Abend rot wird.";
        let request = Request::new(vec![
            turn(
                Role::System,
                "You are a helpful assistant who answers every question in English.",
            ),
            turn(Role::User, german),
            turn(Role::Assistant, "Rayleigh scattering."),
            turn(Role::User, "Und warum ist er am Tag blau, wenn die Sonne doch weiß scheint?"),
        ])
        .unwrap();
        assert_eq!(language(&request), "German");
        assert_eq!(turns(&request), "2 to 3 turns");
        assert_eq!(length(&request), "200 to 999 characters");
        let short = Request::from_prompt("2 + 2").unwrap();
        assert_eq!(language(&short), "not clear");
        assert_eq!(
            (turns(&short).as_str(), length(&short).as_str()),
            ("1 turn", "under 200 characters")
        );
    }

    #[test]
    fn rare_values_stand_together() {
        let values: Vec<Option<String>> =
            (0..100).map(|i| (i < 95).then(|| format!("v{:02}", i % 35))).collect();
        let members = members(&values);
        assert_eq!(members.len(), MOST_VALUES + 1);
        assert_eq!(members[0], ("v00".to_owned(), vec![0, 35, 70]));
        let (name, others) = &members[MOST_VALUES];
        assert_eq!((name.as_str(), others.len()), (OTHER, 10));
        assert!(others.is_sorted());
        assert_eq!(members.iter().map(|(_, requests)| requests.len()).sum::<usize>(), 95);
    }
}
