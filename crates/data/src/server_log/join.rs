//! Decisions and outcomes of a server into an outcome log, by decision id.
//!
//! Outcomes are held, about 200 bytes a report; decisions, which may hold prompts, are read past them
//! twice: once to learn which context columns the log gets and which texts are wanted, once to write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use farthing_core::log::{Asked, OutcomeRow, column};
use serde::Serialize;

use super::files::{Kind, LogFile, find};
use super::outcomes::{Reports, Resolved};
use super::prompts;
use super::rows::{Logged, LoggedDecision, TORN, visit};
use crate::columns::MAX_OTHER;
use crate::value::Reason;
use crate::{DataError, LogWriter, Rejects};

/// What to join.
#[derive(Debug, Clone)]
pub struct JoinOptions {
    /// Folders of segments, sealed or not, and of what they were compacted to.
    pub dirs: Vec<PathBuf>,
    /// The outcome log to write; its extension is its format.
    pub output: PathBuf,
    /// Tables with a `prompt` or `messages` column: texts for decisions of which only the digest is
    /// stored.
    pub prompts: Vec<PathBuf>,
}

/// What a join did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// Decisions in the log.
    pub decisions: u64,
    /// Decisions that are there more than once; the first counts.
    pub repeated_decisions: u64,
    /// Decisions on which nobody reported.
    pub without_outcome: u64,
    /// Reports of outcomes.
    pub outcomes: u64,
    /// Reports that repeat or replace an earlier one of the same (decision, model, source).
    pub duplicate: u64,
    /// Reports on decisions that are not in the log.
    pub no_decision: u64,
    /// (decision, model) pairs whose prompt is neither stored nor in `prompts`.
    pub no_prompt_stored: u64,
    /// (decision, model) pairs written: the rows of the outcome log.
    pub joined: u64,
    /// Those of them without a score.
    pub not_judged: u64,
    /// Files that were deleted before they could be read.
    pub gone: u64,
    /// Lines that are cut short.
    pub torn: u64,
    /// Other rows that went to the rejects.
    pub rejected: u64,
    /// Context names that became columns.
    pub context: Vec<String>,
    /// Context names that did not: names of the log's own columns, and all but the hundred most
    /// frequent.
    pub context_left_out: Vec<String>,
}

/// Joins decisions with outcomes; `progress` is called with the number of rows read so far.
pub fn join(
    options: &JoinOptions,
    rejects: &mut Rejects,
    progress: &dyn Fn(u64),
) -> Result<JoinReport, DataError> {
    let files = find(&options.dirs)?;
    let mut joining = Joining::default();
    for file in files.iter().filter(|file| file.kind == Kind::Outcomes) {
        joining.read_outcomes(file, rejects)?;
        progress(joining.report.outcomes);
    }
    let decisions: Vec<_> = files.iter().filter(|file| file.kind == Kind::Decisions).collect();
    let mut needs = Needs::default();
    for file in &decisions {
        // What cannot be used is rejected when the file is read again.
        visit(file, &mut Rejects::count_only(), &mut |_, logged| {
            if let Logged::Decision(decision) = logged
                && joining.is_reported_on(&decision)
            {
                needs.add(*decision);
            }
            Ok(())
        })?;
    }
    joining.prompts = prompts::read(&options.prompts, &needs.digests, rejects)?;
    (joining.report.context, joining.report.context_left_out) = needs.columns();
    let mut writer = LogWriter::create(&options.output, &joining.report.context)?;
    for file in decisions {
        joining.join_file(file, &mut writer, rejects)?;
        progress(joining.report.outcomes + joining.report.decisions);
    }
    joining.finish(options, writer, rejects)
}

/// What is to be known of the decisions before any is written.
#[derive(Debug, Default)]
struct Needs {
    context: BTreeMap<String, u64>,
    digests: BTreeSet<String>,
}

impl Needs {
    fn add(&mut self, decision: LoggedDecision) {
        for name in decision.context.into_keys() {
            *self.context.entry(name).or_default() += 1;
        }
        if decision.asked.is_none() {
            self.digests.extend(decision.digest);
        }
    }

    /// The names that become columns, and those that do not.
    fn columns(&self) -> (Vec<String>, Vec<String>) {
        let mut free: Vec<(&String, u64)> = Vec::new();
        let mut left_out: Vec<String> = Vec::new();
        for (name, count) in &self.context {
            if column::ALL.contains(&name.as_str()) {
                left_out.push(name.clone());
            } else {
                free.push((name, *count));
            }
        }
        free.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let beyond = free.split_off(free.len().min(MAX_OTHER));
        left_out.extend(beyond.into_iter().take(MAX_OTHER).map(|(name, _)| name.clone()));
        let mut columns: Vec<String> = free.into_iter().map(|(name, _)| name.clone()).collect();
        columns.sort();
        (columns, left_out)
    }
}

/// A join under way.
#[derive(Debug, Default)]
struct Joining {
    /// By decision id.
    reports: BTreeMap<u128, Reports>,
    models: Vec<String>,
    positions: BTreeMap<String, u32>,
    prompts: BTreeMap<String, Asked>,
    report: JoinReport,
}

impl Joining {
    fn read_outcomes(&mut self, file: &LogFile, rejects: &mut Rejects) -> Result<(), DataError> {
        let there = visit(file, rejects, &mut |_, logged| {
            let Logged::Outcome(outcome) = logged else { return Ok(()) };
            self.report.outcomes += 1;
            let model = self.position(&outcome.body.model);
            if let Some(id) = id_of(&outcome.body.decision_id) {
                let order = self.report.outcomes;
                self.reports.entry(id).or_default().add(model, order, &outcome);
            }
            Ok(())
        })?;
        self.report.gone += u64::from(!there);
        Ok(())
    }

    fn position(&mut self, model: &str) -> u32 {
        if let Some(position) = self.positions.get(model) {
            return *position;
        }
        let position = u32::try_from(self.models.len()).unwrap_or(u32::MAX);
        self.models.push(model.to_owned());
        self.positions.insert(model.to_owned(), position);
        position
    }

    fn is_reported_on(&self, decision: &LoggedDecision) -> bool {
        id_of(&decision.decision_id).is_some_and(|id| self.reports.contains_key(&id))
    }

    fn join_file(
        &mut self,
        file: &LogFile,
        writer: &mut LogWriter,
        rejects: &mut Rejects,
    ) -> Result<(), DataError> {
        let mut unusable = Vec::new();
        let there = visit(file, rejects, &mut |line, logged| {
            let Logged::Decision(decision) = logged else { return Ok(()) };
            self.join(&decision, writer, &mut |reason| unusable.push((line, reason)))
        })?;
        self.report.gone += u64::from(!there);
        for (line, reason) in unusable {
            rejects.add(&file.path, line, &reason)?;
        }
        Ok(())
    }

    /// Writes what was reported on a decision.
    fn join(
        &mut self,
        decision: &LoggedDecision,
        writer: &mut LogWriter,
        reject: &mut dyn FnMut(Reason),
    ) -> Result<(), DataError> {
        self.report.decisions += 1;
        let reports = id_of(&decision.decision_id).and_then(|id| self.reports.get_mut(&id));
        let Some(reports) = reports else {
            self.report.without_outcome += 1;
            return Ok(());
        };
        if std::mem::replace(&mut reports.decided, true) {
            self.report.repeated_decisions += 1;
            return Ok(());
        }
        let known = decision.digest.as_ref().and_then(|digest| self.prompts.get(digest));
        let asked = decision.asked.as_ref().or(known).cloned();
        let resolved = reports.resolve();
        self.report.duplicate += resolved.iter().map(|one| one.repeated).sum::<u64>();
        let Some(asked) = asked else {
            self.report.no_prompt_stored += resolved.len() as u64;
            return Ok(());
        };
        for one in resolved {
            match self.row(decision, one, &asked) {
                Ok(row) => {
                    self.report.joined += 1;
                    self.report.not_judged += u64::from(row.outcome.score.is_none());
                    writer.write(&row)?;
                }
                Err(reason) => reject(reason.about(&decision.decision_id)),
            }
        }
        Ok(())
    }

    fn row(
        &self,
        decision: &LoggedDecision,
        resolved: Resolved,
        asked: &Asked,
    ) -> Result<OutcomeRow, Reason> {
        let model = self.models[resolved.model as usize].clone();
        let mut outcome = resolved.outcome;
        outcome.propensity = (model == decision.model).then_some(decision.propensity);
        let outcome = outcome.check();
        let outcome =
            outcome.map_err(|e| Reason::with("the outcomes contradict each other", &e))?;
        let columns = &self.report.context;
        let extra = decision.context.iter().filter(|(name, _)| columns.contains(name));
        Ok(OutcomeRow {
            request_id: Some(decision.decision_id.clone()),
            timestamp_ms: Some(decision.timestamp_ms),
            asked: asked.clone(),
            model,
            outcome,
            decision_id: Some(decision.decision_id.clone()),
            router: Some(decision.router.clone()),
            policy: Some(decision.policy.clone()),
            score_source: resolved.source,
            split: None,
            extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }

    fn finish(
        mut self,
        options: &JoinOptions,
        writer: LogWriter,
        rejects: &mut Rejects,
    ) -> Result<JoinReport, DataError> {
        rejects.flush()?;
        let missed = self.reports.values().filter(|reports| !reports.decided);
        self.report.no_decision = missed.map(|reports| reports.len() as u64).sum();
        self.report.torn = rejects.counts().get(TORN).copied().unwrap_or(0);
        self.report.rejected = rejects.total() - self.report.torn;
        if self.report.joined == 0 {
            return Err(nothing_joined(options, &self.report, rejects));
        }
        writer.finish()?;
        Ok(self.report)
    }
}

fn nothing_joined(options: &JoinOptions, report: &JoinReport, rejects: &Rejects) -> DataError {
    let mut why = vec![format!("{} decisions, {} outcomes", report.decisions, report.outcomes)];
    if report.no_decision > 0 {
        why.push(format!("{} outcomes of decisions that are not there", report.no_decision));
    }
    if report.no_prompt_stored > 0 {
        why.push(format!(
            "{} outcomes of prompts that are not stored; hint: give the texts with `--prompts FILE`, or \
             serve with `--log-prompts full`",
            report.no_prompt_stored
        ));
    }
    crate::read::no_rows(&options.dirs, &why, rejects.total(), rejects)
}

/// A decision id, or none where it is not one.
fn id_of(text: &str) -> Option<u128> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 32)
}
