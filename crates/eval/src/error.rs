//! Why there is no report.

use farthing_core::Bar;
use farthing_model::RouteError;

/// Why a router cannot be evaluated on a log.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The log holds no request.
    #[error("the log holds no request; hint: check the rejects file")]
    EmptyLog,
    /// Every request was used in training.
    #[error(
        "nothing is left to evaluate: all {seen} requests of the log were used to fit or certify the router; hint: give a log of other prompts, or the whole log that it was trained on, of which a part was sealed"
    )]
    NothingLeft {
        /// Requests that were skipped.
        seen: u64,
    },
    /// The log has no outcome of any candidate of the router.
    #[error(
        "no candidate of the router is in the log: the router has {router}, the log has {log}; hint: candidates are matched by name, see `farthing import --map model=COLUMN`"
    )]
    NoCommonCandidate {
        /// The router's candidates.
        router: String,
        /// The log's.
        log: String,
    },
    /// The router was not trained for the bar.
    #[error(
        "the router is not trained for bar {bar}; hint: use one of {trained}, or train with `--bar`"
    )]
    UnknownBar {
        /// As asked.
        bar: Bar,
        /// What there is.
        trained: String,
    },
    /// Another router's decisions are about other requests.
    #[error(
        "`{name}` decides none of the scored requests: of its {rows}, {seen} were used to fit or certify the router and the others are not in the log; hint: decisions are matched by the log's `request_id` or, where it has none, by the digest that `--show-prompts` shows; its first is `{theirs}`, the first scored one is `{ours}`"
    )]
    NothingDecided {
        /// What the other router is called.
        name: String,
        /// Requests that it decides.
        rows: u64,
        /// Those of them that are not scored.
        seen: u64,
        /// The id of one of its requests.
        theirs: String,
        /// The id of a scored request.
        ours: String,
    },
    /// The router's default policy names something that the router does not have.
    #[error("the router's policy `{0}` is not usable; hint: train it again")]
    UnusablePolicy(String),
    /// The router failed on a request.
    #[error("the router cannot predict")]
    Predict(#[source] RouteError),
}
