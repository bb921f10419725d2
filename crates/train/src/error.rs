//! Why no router could be trained.

/// Why no router could be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting outside its range.
    #[error("`{flag}` is not in {range}: {value}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// Nothing to choose between.
    #[error(
        "the log has {judged} candidate(s) with a score, at least 2 are needed: {names}; hint: log the outcomes of another model, or fill the `score` column of those without one"
    )]
    OneCandidate {
        /// Candidates with at least one score.
        judged: usize,
        /// Every candidate, those without a score marked.
        names: String,
    },
    /// Too little to learn from.
    #[error(
        "the log has {judged} judged requests, at least {needed} are needed to split them; hint: judge more answers"
    )]
    TooFew {
        /// Requests with at least one score.
        judged: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Groups that must stay whole leave nothing for one side of a split.
    #[error(
        "{requests} requests fall into {groups} groups that must stay whole, the largest of {largest} of {requests}, and that leaves too little to fit or to hold out; hint: give `--group` a column of more and smaller values (a prompt that two values share joins them), or, with `--split-by time`, a log of a longer time"
    )]
    Unsplittable {
        /// Judged requests.
        requests: usize,
        /// Their groups.
        groups: usize,
        /// Requests in the largest of them.
        largest: usize,
    },
    /// A split by time without times.
    #[error(
        "`--split-by time` needs the `timestamp` of every request, and {missing} of {requests} requests have none; hint: fill the column, or leave the flag out"
    )]
    NoTimestamps {
        /// Requests without one.
        missing: usize,
        /// Judged requests.
        requests: usize,
    },
    /// A directory for checkpoints that cannot be used.
    #[error("cannot use `{}` for `--checkpoint`", path.display())]
    Checkpoint {
        /// The directory.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No way of routing costs as little.
    #[error(
        "no policy keeps a mean cost of {budget_usd} USD a request: always taking the cheapest candidate costs {least_usd:.3e}; hint: give `--budget` at least that"
    )]
    Budget {
        /// What was asked.
        budget_usd: f64,
        /// What the cheapest candidates cost.
        least_usd: f64,
    },
    /// A policy that compares costs, without costs.
    #[error(
        "`{flag}` needs costs, and the log has none; hint: give it a `cost_usd` column, or token counts and `--prices`"
    )]
    NoCosts {
        /// The flag.
        flag: &'static str,
    },
    /// Not even a router without learners decides as fast.
    #[error(
        "a decision among {candidates} candidates is estimated to take {least_us:.0} us at 2,000 tokens before anything is learned, and `--max-decision-us` is {limit_us}; hint: give `--max-decision-us` at least {least} (what is learned takes some more), leave out candidates with `--models`, or read less with `--encoder static` or `none`",
        least = least_us.ceil()
    )]
    DecisionTime {
        /// What was asked.
        limit_us: f64,
        /// The estimate without learners.
        least_us: f64,
        /// Candidates.
        candidates: usize,
    },
    /// The forward pass failed.
    #[error("the forward pass of the new router failed")]
    Forward(#[from] candle_core::Error),
    /// What was learned does not make a router.
    #[error("what was learned does not make a router")]
    Router(#[from] farthing_model::RouterError),
}
