//! What is known of the answers to one decision, from reports in any order, late and repeated.

use std::collections::{BTreeMap, BTreeSet};

use farthing_core::{Digest, Outcome, ScoreSource};

use super::rows::LoggedOutcome;

/// The reports on one decision.
#[derive(Debug, Default)]
pub(super) struct Reports {
    reports: Vec<Report>,
    /// Whether the decision was found.
    pub(super) decided: bool,
}

/// One of them, as small as may be: a join holds them all.
#[derive(Debug, Clone)]
struct Report {
    /// Position among the models of all reports.
    model: u32,
    source: Option<ScoreSource>,
    received_ms: i64,
    /// Among reports of one millisecond, the place in the log.
    order: u64,
    key: Option<u64>,
    outcome: Outcome,
}

/// What the reports on one model come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Resolved {
    pub(super) model: u32,
    pub(super) outcome: Outcome,
    /// Where the score comes from.
    pub(super) source: Option<ScoreSource>,
    /// Reports that repeat or replace an earlier one of the same source.
    pub(super) repeated: u64,
}

impl Reports {
    /// Adds a report on a model; `order` is its place in the log.
    pub(super) fn add(&mut self, model: u32, order: u64, logged: &LoggedOutcome) {
        let LoggedOutcome { received_ms, body } = logged;
        self.reports.push(Report {
            model,
            source: body.source,
            received_ms: *received_ms,
            order,
            key: body.idempotency_key.as_ref().map(|key| Digest::of(key.as_bytes()).prefix()),
            outcome: body.outcome(),
        });
    }

    pub(super) fn len(&self) -> usize {
        self.reports.len()
    }

    /// What is known of each model, by position.
    pub(super) fn resolve(&self) -> Vec<Resolved> {
        let mut reports = self.reports.clone();
        reports.sort_by_key(|report| (report.model, report.received_ms, report.order));
        reports.chunk_by(|a, b| a.model == b.model).map(resolve).collect()
    }
}

/// Brings together the reports on one answer, the earliest first.
///
/// Of each value the last one reported counts, so that one report may say the cost and another the
/// score. Of the scores, that of the most trusted source counts, and of its scores the last. A key that
/// was seen before, from the same source, is the same report again and ignored.
fn resolve(reports: &[Report]) -> Resolved {
    let mut resolved = Resolved {
        model: reports[0].model,
        outcome: Outcome::default(),
        source: None,
        repeated: 0,
    };
    let mut scores: BTreeMap<Option<u8>, (f64, Option<ScoreSource>)> = BTreeMap::new();
    let (mut sources, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for report in reports {
        resolved.repeated += u64::from(!sources.insert(report.source));
        if report.key.is_some_and(|key| !keys.insert((report.source, key))) {
            continue;
        }
        take_last(&mut resolved.outcome, &report.outcome);
        if let Some(score) = report.outcome.score {
            scores.insert(report.source.map(ScoreSource::trust), (score, report.source));
        }
    }
    // A score of no source is trusted least.
    if let Some((_, (score, source))) = scores.pop_last() {
        (resolved.outcome.score, resolved.source) = (Some(score), source);
    }
    resolved
}

fn take_last(known: &mut Outcome, new: &Outcome) {
    known.score = new.score.or(known.score);
    known.cost_usd = new.cost_usd.or(known.cost_usd);
    known.input_tokens = new.input_tokens.or(known.input_tokens);
    known.cached_input_tokens = new.cached_input_tokens.or(known.cached_input_tokens);
    known.output_tokens = new.output_tokens.or(known.output_tokens);
    known.latency_ms = new.latency_ms.or(known.latency_ms);
}

#[cfg(test)]
mod tests {
    use farthing_core::OutcomeBody;

    use super::*;

    /// Score, source and key of reports, by the time at which they came; what they come to.
    fn resolved(reports: &[(i64, Option<f64>, Option<ScoreSource>, &str)]) -> Resolved {
        let mut found = None;
        // In whatever order they stand in the log.
        for turn in 0..reports.len() {
            let mut all = Reports::default();
            for i in 0..reports.len() {
                let at = (i + turn) % reports.len();
                let (received_ms, score, source, key) = reports[at];
                let body = OutcomeBody {
                    score,
                    cost_usd: Some(received_ms as f64),
                    source,
                    idempotency_key: Some(key.to_owned()).filter(|key| !key.is_empty()),
                    ..OutcomeBody::default()
                };
                all.add(3, i as u64, &LoggedOutcome { received_ms, body });
            }
            let one = all.resolve();
            assert_eq!(one.len(), 1);
            assert_eq!(*found.get_or_insert(one[0]), one[0]);
        }
        found.unwrap()
    }

    #[test]
    fn the_most_trusted_score_and_the_last_of_each_source() {
        use ScoreSource::{Human, Implicit, Judge, Verifier};
        let of = |reports: &[_]| {
            let found = resolved(reports);
            (found.outcome.score, found.source, found.repeated)
        };
        let report = |at, score, source| (at, Some(score), Some(source), "");
        assert_eq!(
            of(&[report(1, 0.1, Judge), report(2, 0.2, Judge)]),
            (Some(0.2), Some(Judge), 1)
        );
        let four = [
            report(1, 0.1, Human),
            report(2, 0.2, Verifier),
            report(3, 0.3, Judge),
            report(4, 0.4, Implicit),
        ];
        assert_eq!(of(&four), (Some(0.1), Some(Human), 0));
        assert_eq!(of(&four[1..]), (Some(0.2), Some(Verifier), 0));
        assert_eq!(of(&four[2..]), (Some(0.3), Some(Judge), 0));
        assert_eq!(of(&[four[3], (9, Some(0.9), None, "")]), (Some(0.4), Some(Implicit), 0));
        assert_eq!(of(&[(1, None, Some(Human), ""), four[2]]), (Some(0.3), Some(Judge), 0));
    }

    #[test]
    fn a_key_that_comes_again_changes_nothing() {
        let reports =
            [(1, Some(0.0), None, "a"), (2, Some(1.0), None, "b"), (3, Some(0.0), None, "a")];
        let found = resolved(&reports);
        assert_eq!((found.outcome.score, found.outcome.cost_usd), (Some(1.0), Some(2.0)));
        assert_eq!(found.repeated, 2);
    }

    #[test]
    fn values_of_several_reports_add_up() {
        let mut reports = Reports::default();
        for (at, body) in [
            (2, OutcomeBody { score: Some(1.0), ..OutcomeBody::default() }),
            (
                1,
                OutcomeBody {
                    cost_usd: Some(0.5),
                    output_tokens: Some(7),
                    ..OutcomeBody::default()
                },
            ),
        ] {
            reports.add(0, 0, &LoggedOutcome { received_ms: at, body });
        }
        let outcome = reports.resolve()[0].outcome;
        assert_eq!(
            (outcome.score, outcome.cost_usd, outcome.output_tokens),
            (Some(1.0), Some(0.5), Some(7))
        );
    }

    /// Would not end in anybody's time if each looked at all the others.
    #[test]
    fn many_reports_on_one_answer() {
        let mut reports = Reports::default();
        for at in 0..100_000 {
            let key = Some((at / 2).to_string());
            let body =
                OutcomeBody { idempotency_key: key, score: Some(1.0), ..OutcomeBody::default() };
            reports.add(0, 0, &LoggedOutcome { received_ms: at, body });
        }
        assert_eq!(reports.resolve()[0].repeated, 99_999);
    }
}
