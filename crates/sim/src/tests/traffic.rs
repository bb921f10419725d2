//! Determinism, variety and validity of requests and rows.

use std::collections::BTreeSet;

use farthing_core::log::Asked;
use farthing_core::{Role, normalise};

use crate::pen::words_in;
use crate::{Config, Family, Language, LogPolicy, SimulatedRequest, candidates, generate};

const CONFIG: Config = Config { rows: 2000, seed: 0, log_policy: LogPolicy::Full };

fn text(request: &SimulatedRequest) -> String {
    request.rows[0].asked.request().unwrap().full_text()
}

#[test]
fn the_same_seed_gives_the_same_rows_and_another_seed_others() {
    let config = Config { rows: 200, ..CONFIG };
    let once: Vec<_> = generate(config).collect();
    assert!(once.iter().cloned().eq(generate(config)));
    let other = generate(Config { seed: 1, ..config });
    assert!(once.iter().zip(other).all(|(a, b)| a.rows[0].asked != b.rows[0].asked));
}

#[test]
fn a_short_log_is_the_beginning_of_a_long_one() {
    let long = generate(Config { rows: 120, ..CONFIG });
    assert!(generate(Config { rows: 50, ..CONFIG }).eq(long.take(50)));
}

#[test]
fn log_policies_show_the_same_answers() {
    for log_policy in [LogPolicy::Uniform, LogPolicy::Skewed] {
        let config = Config { rows: 300, log_policy, ..CONFIG };
        for (shown, full) in generate(config).zip(generate(CONFIG)) {
            let [row] = shown.rows.as_slice() else { panic!("one row a request") };
            let mut row = row.clone();
            assert!(row.outcome.propensity.take().is_some());
            assert!(full.rows.contains(&row));
            assert_eq!(shown.truth, full.truth);
        }
    }
}

#[test]
fn every_row_is_valid() {
    let mut last_ms = 0;
    for request in generate(CONFIG) {
        let first = &request.rows[0];
        assert_eq!(request.rows.len(), candidates().len());
        assert!(first.timestamp_ms.unwrap() > last_ms);
        last_ms = first.timestamp_ms.unwrap();
        for (row, candidate) in request.rows.iter().zip(candidates()) {
            assert_eq!(row.model, candidate.name);
            assert_eq!((&row.request_id, &row.extra), (&first.request_id, &first.extra));
            assert!(row.score_source.is_some() && row.extra.contains_key(crate::CONTEXT_COLUMN));
            row.asked.request().unwrap();
            let outcome = row.outcome.check().unwrap();
            let tokens = |n: Option<u64>| n.unwrap_or(0) as f64;
            let cost = candidate.price.cost_usd(
                tokens(outcome.input_tokens),
                tokens(outcome.cached_input_tokens),
                tokens(outcome.output_tokens),
            );
            assert!((outcome.cost_usd.unwrap() - cost).abs() < 1e-12);
        }
    }
}

#[test]
fn lengths_are_mostly_short_with_a_real_tail() {
    let mut words: Vec<u64> = generate(CONFIG).map(|request| words_in(&text(&request))).collect();
    words.sort_unstable();
    let (shortest, longest) = (words[0], words[words.len() - 1]);
    assert!((5..10).contains(&shortest), "{shortest}");
    assert!((1700..=2000).contains(&longest), "{longest}");
    assert!((30..80).contains(&words[words.len() / 2]));
    assert!(words.iter().filter(|w| **w > 500).count() > 40);
}

#[test]
fn every_family_and_language_and_form_occurs() {
    let mut families = BTreeSet::new();
    let mut languages = BTreeSet::new();
    let mut roles = [0; 4];
    let (mut code, mut table, mut cached) = (0, 0, 0);
    for request in generate(CONFIG) {
        families.insert(request.family);
        languages.insert(request.language);
        let row = &request.rows[0];
        cached += usize::from(row.outcome.cached_input_tokens.is_some());
        match &row.asked {
            Asked::Prompt(prompt) => {
                code += usize::from(prompt.contains("```"));
                table += usize::from(prompt.contains("|---|"));
            }
            Asked::Messages(_) => {
                for message in row.asked.request().unwrap().messages() {
                    roles[message.role as usize] += 1;
                }
            }
        }
    }
    assert_eq!(families.len(), Family::ALL.len());
    assert_eq!(languages.len(), Language::ALL.len());
    assert!(
        [Role::System, Role::User, Role::Assistant, Role::Tool]
            .iter()
            .all(|role| roles[*role as usize] > 50)
    );
    assert!(code > 50 && table > 30 && cached > 20, "{code} {table} {cached}");
}

#[test]
fn prompts_seldom_repeat() {
    let normalised: BTreeSet<_> =
        generate(CONFIG).map(|request| normalise(&text(&request))).collect();
    let repeated = CONFIG.rows - normalised.len();
    assert!(repeated * 200 < CONFIG.rows, "{repeated} of {}", CONFIG.rows);
}

#[test]
fn the_feature_tells_of_the_family_but_not_surely() {
    let mut usual = 0;
    for request in generate(CONFIG) {
        let feature = &request.rows[0].extra[crate::CONTEXT_COLUMN];
        usual += usize::from(feature == request.family.profile().features[0]);
    }
    assert!((CONFIG.rows / 2..CONFIG.rows * 4 / 5).contains(&usual), "{usual}");
}
