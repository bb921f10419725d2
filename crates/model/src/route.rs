//! One request to one decision: what `POST /v1/route` and `farthing route` share.

use std::borrow::Cow;
use std::sync::Arc;

use farthing_core::rules::{Chosen, Effect, Known};
use farthing_core::{
    Bar, CandidateFacts, CandidateReport, Choice, Constraints, Decision, Digest, Exclusion, Needs,
    NoneEligible, Policy, Prediction, Reason, Request, RouteOptions, decide,
};

use crate::{Router, Scorer, Session};

/// What a decision depends on beside the request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances<'a> {
    /// Uniform in [0, 1); decides on exploration.
    pub draw: f64,
    /// Positions of candidates that do not answer at present.
    pub unhealthy: &'a [usize],
    /// Positions of candidates that may not be chosen for reasons outside request and router.
    pub barred: &'a [(usize, Exclusion)],
    /// The session that the request goes on with.
    pub session: Option<Session>,
    /// What waiting for each candidate is worth, in USD: part of its cost where costs are compared. Nothing
    /// where there are none.
    pub waiting_usd: &'a [f64],
    /// Seconds since 1970, UTC, for rules that ask for the time.
    pub unix_seconds: Option<u64>,
}

impl Circumstances<'static> {
    /// Everyone answers.
    pub fn drawn(draw: f64) -> Self {
        Self {
            draw,
            unhealthy: &[],
            barred: &[],
            session: None,
            waiting_usd: &[],
            unix_seconds: None,
        }
    }
}

/// A choice with what it was based on, before it is given an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The choice.
    pub choice: Choice,
    /// One prediction a candidate.
    pub predictions: Vec<Prediction>,
    /// Name of the policy in force.
    pub policy: Arc<str>,
    /// The bar in force.
    pub bar: Bar,
    /// Whether the routing text was cut.
    pub truncated: bool,
    /// The arm of the configured experiment.
    pub arm: Option<Arc<str>>,
    /// The rules of the configuration that held.
    pub rules: Vec<Arc<str>>,
}

/// Why a request was not routed.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// No policy has that name.
    #[error("unknown policy: `{name}`; hint: use one of {known}")]
    UnknownPolicy {
        /// As asked.
        name: String,
        /// What there is.
        known: String,
    },
    /// The router was not trained for that bar.
    #[error(
        "the router is not trained for bar {bar}; hint: use one of {trained}, or train with `--bar`"
    )]
    UnknownBar {
        /// As asked.
        bar: Bar,
        /// What there is.
        trained: String,
    },
    /// A name in `candidates`, `models` or `exclude` that the router does not have.
    #[error("unknown candidate in `{field}`: `{name}`; hint: use any of {known}")]
    UnknownCandidate {
        /// `candidates`, `models` or `exclude`.
        field: &'static str,
        /// As asked.
        name: String,
        /// What there is.
        known: String,
    },
    /// `max_cost_usd` is not a cost.
    #[error(
        "`max_cost_usd` is not a number of at least 0: {0}; hint: give USD for this request, or leave it out"
    )]
    MaxCost(f64),
    /// No candidate satisfies the constraints.
    #[error(transparent)]
    NoneEligible(#[from] NoneEligible),
    /// The forward pass failed.
    #[error("the forward pass failed")]
    Forward(#[from] candle_core::Error),
}

impl Router {
    /// Decides on one request.
    pub fn route(
        &self,
        scorer: &mut Scorer,
        request: &Request,
        options: &RouteOptions,
        circumstances: Circumstances<'_>,
    ) -> Result<Decided, RouteError> {
        let rules = self.rules();
        let Circumstances { draw, unix_seconds, .. } = circumstances;
        let arm = rules.experiment.as_ref().and_then(|experiment| experiment.arm(options, draw));
        let known = Known { request, unix_seconds, arm: arm.as_deref() };
        let mut effect = rules.before(&known);
        let mut decided = self.choose(scorer, (request, options), circumstances, &effect)?;
        let best = decided.choice.ranked[0];
        let Prediction { p_above_bar, cost_usd, .. } = decided.predictions[best];
        let margin = decided.choice.margin;
        let model = &*self.candidates()[best];
        if rules.after(&known, &Chosen { model, p_above_bar, margin, cost_usd }, &mut effect) {
            decided = self.choose(scorer, (request, options), circumstances, &effect)?;
        }
        Ok(Decided { arm, rules: effect.names, ..decided })
    }

    /// The choice with what rules have made of it.
    fn choose(
        &self,
        scorer: &mut Scorer,
        (request, options): (&Request, &RouteOptions),
        circumstances: Circumstances<'_>,
        effect: &Effect<'_>,
    ) -> Result<Decided, RouteError> {
        let manifest = self.manifest();
        let bar = options.bar.or(effect.bar).unwrap_or(manifest.bars[0].bar);
        let bar_index = self.bar_index(bar).ok_or_else(|| RouteError::UnknownBar {
            bar,
            trained: list(manifest.bars.iter().map(|card| card.bar.to_string())),
        })?;
        let name = match options.policy.as_deref().or(effect.policy) {
            None | Some("default") => manifest.default_policy.as_str(),
            Some(name) => name,
        };
        let policy = self.policy(name, bar_index).ok_or_else(|| RouteError::UnknownPolicy {
            name: name.to_owned(),
            known: list(manifest.policies.keys().cloned()),
        })?;
        let constraints = self.constraints(options)?;
        let mut predictions = scorer.score(self, request, bar_index)?.to_vec();
        let (text_bytes, truncated) = (scorer.features().text_bytes, scorer.features().truncated);
        let Circumstances { draw, unhealthy, barred, session, waiting_usd, .. } = circumstances;
        // What stands outside comes first: it can forbid a candidate where nobody is eligible.
        let names = self.candidates().iter().enumerate();
        let ruled_out = names.filter(|(_, name)| effect.bars(name));
        let mut unmet: Vec<_> = ruled_out.map(|(i, _)| (i, Exclusion::Rule)).collect();
        unmet.extend(barred);
        unmet.extend(self.unmet(&Needs::of(request, options), text_bytes));
        let constraints = Constraints { unmet, unhealthy: unhealthy.to_vec(), ..constraints };
        let mut choice = match &session {
            Some(session) => {
                let compared = with_waiting(&predictions, waiting_usd);
                let alone = decide(&policy, &compared, &constraints, 1.0).ok();
                self.discount(session, &mut predictions);
                let capped = capped(constraints, &predictions);
                let spread = self.over_turns(session, &predictions);
                stay(session, policy, &with_waiting(&spread, waiting_usd), &capped, alone)?
            }
            None if waiting_usd.is_empty() => decide(&policy, &predictions, &constraints, draw)?,
            None => {
                let capped = capped(constraints, &predictions);
                decide(&policy, &with_waiting(&predictions, waiting_usd), &capped, draw)?
            }
        };
        let best = choice.ranked[0];
        let is_named = effect.names_alone(&self.candidates()[best]);
        if is_named && choice.reason != Reason::NoneEligibleDefault {
            choice.reason = Reason::Rule;
        }
        let (arm, rules) = (None, Vec::new());
        Ok(Decided { choice, predictions, policy: name.into(), bar, truncated, arm, rules })
    }

    /// The choice of a client that named a candidate, by position: no policy and no constraint is asked,
    /// and what was expected of every candidate is there to be held against what comes.
    pub fn requested(
        &self,
        scorer: &mut Scorer,
        request: &Request,
        candidate: usize,
    ) -> Result<Decided, RouteError> {
        let predictions = scorer.score(self, request, 0)?.to_vec();
        let choice = Choice {
            ranked: vec![candidate],
            reason: Reason::Requested,
            margin: f64::INFINITY,
            propensity: 1.0,
            excluded: vec![None; predictions.len()],
        };
        let (bar, truncated) = (self.manifest().bars[0].bar, scorer.features().truncated);
        let (policy, arm, rules) = ("requested".into(), None, Vec::new());
        Ok(Decided { choice, predictions, policy, bar, truncated, arm, rules })
    }

    fn constraints(&self, options: &RouteOptions) -> Result<Constraints, RouteError> {
        let positions = |field: &'static str, names: &[String]| {
            let position = |name: &String| {
                self.position(name).ok_or_else(|| RouteError::UnknownCandidate {
                    field,
                    name: name.clone(),
                    known: list(self.candidates().iter().cloned()),
                })
            };
            names.iter().map(position).collect::<Result<Vec<_>, _>>()
        };
        if let Some(cap) = options.max_cost_usd.filter(|cap| cap.is_nan() || *cap < 0.0) {
            return Err(RouteError::MaxCost(cap));
        }
        let only = options.candidates.as_deref();
        let listed = if options.elsewhere.candidates_in_models { "models" } else { "candidates" };
        Ok(Constraints {
            candidates: only.map(|names| positions(listed, names)).transpose()?,
            exclude: positions("exclude", &options.exclude)?,
            max_cost_usd: options.max_cost_usd,
            ..Constraints::default()
        })
    }

    /// Candidates that do not meet what a request with so much text needs, each with what it fails.
    fn unmet(&self, needs: &Needs<'_>, text_bytes: usize) -> Vec<(usize, Exclusion)> {
        let fails = |(i, facts): (usize, &CandidateFacts)| {
            Some((i, facts.unmet(needs, self.input_tokens(i, text_bytes))?))
        };
        self.facts().iter().enumerate().filter_map(fails).collect()
    }

    /// Digest of the policy of that name with its parameters at every bar, and with the prices, facts and
    /// rules that the router's digest does not cover.
    pub fn policy_digest(&self, name: &str) -> Digest {
        let rules = (0..self.manifest().bars.len()).map(|bar| self.policy(name, bar));
        let own = format!("{name} {:?}", rules.collect::<Vec<_>>());
        let text = if self.is_repriced() { format!("{own} {:?}", self.prices()) } else { own };
        let rules = self.rules();
        let text = if rules.is_empty() { text } else { format!("{text} {rules:?}") };
        let text = match self.facts() {
            facts if facts.iter().all(CandidateFacts::is_unknown) => text,
            facts => format!("{text} {facts:?}"),
        };
        Digest::of(text.as_bytes())
    }
}

impl Decided {
    /// The decision as clients see it. With `explain` every candidate is listed.
    pub fn decision<'a>(
        &'a self,
        router: &'a Router,
        decision_id: impl Into<Cow<'a, str>>,
        decision_us: f64,
        explain: bool,
    ) -> Decision<'a> {
        let name = |i: usize| Cow::Borrowed(&*router.candidates()[i]);
        let Choice { ranked, reason, margin, propensity, excluded } = &self.choice;
        // A choice that nobody was eligible for is listed with what stood against it.
        let listed = |i: usize| explain || i == ranked[0] || excluded[i].is_none();
        let predictions = self.predictions.iter().enumerate().filter(|(i, _)| listed(*i));
        let reports = predictions.map(|(i, prediction)| CandidateReport {
            model: name(i),
            quality: prediction.quality,
            p_above_bar: prediction.p_above_bar,
            cost_usd: prediction.cost_usd,
            output_tokens: prediction.output_tokens,
            output_tokens_q90: prediction.output_tokens_q90,
            eligible: excluded[i].is_none(),
            excluded_by: excluded[i],
        });
        Decision {
            object: Cow::Borrowed("routing.decision"),
            decision_id: decision_id.into(),
            model: name(ranked[0]),
            models: ranked.iter().map(|&i| name(i)).collect(),
            policy: Cow::Borrowed(&*self.policy),
            reason: *reason,
            bar: self.bar,
            margin: Some(*margin).filter(|margin| margin.is_finite()),
            propensity: *propensity,
            router: Cow::Borrowed(router.digest()),
            truncated: self.truncated,
            decision_us,
            arm: self.arm.as_deref().map(Cow::Borrowed),
            rules: self.rules.iter().map(|name| Cow::Borrowed(&**name)).collect(),
            candidates: reports.collect(),
        }
    }
}

/// The choice within a session, where nothing is explored: `alone` is what would be chosen without it.
fn stay(
    session: &Session,
    policy: Policy,
    compared: &[Prediction],
    constraints: &Constraints,
    alone: Option<Choice>,
) -> Result<Choice, NoneEligible> {
    let policy = Policy { explore: 0.0, ..policy };
    let mut choice = decide(&policy, compared, constraints, 1.0)?;
    let best = choice.ranked[0];
    if best == session.candidate && alone.is_none_or(|alone| best != alone.ranked[0]) {
        choice.reason = Reason::Session;
    }
    Ok(choice)
}

/// Costs with what waiting is worth.
fn with_waiting<'p>(predictions: &'p [Prediction], waiting_usd: &[f64]) -> Cow<'p, [Prediction]> {
    if waiting_usd.is_empty() {
        return predictions.into();
    }
    let add = |(prediction, waiting): (&Prediction, &f64)| Prediction {
        cost_usd: prediction.cost_usd.map(|usd| usd + waiting),
        ..*prediction
    };
    predictions.iter().zip(waiting_usd).map(add).collect()
}

/// The constraints with their cap put on these costs, where others are compared.
fn capped(mut constraints: Constraints, predictions: &[Prediction]) -> Constraints {
    let Some(cap) = constraints.max_cost_usd.take() else { return constraints };
    for (i, prediction) in predictions.iter().enumerate() {
        match prediction.cost_usd {
            Some(usd) if usd <= cap => {}
            Some(_) => constraints.unmet.push((i, Exclusion::MaxCost)),
            None => constraints.unmet.push((i, Exclusion::Unpriced)),
        }
    }
    constraints
}

fn list(names: impl Iterator<Item = String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
