//! Why a candidate could not be added.

/// Why a candidate could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The router chooses among it already.
    #[error(
        "`{model}` is a candidate of the router already; hint: to learn it anew, add it to a router without it, or refit every candidate with `farthing train`"
    )]
    Exists {
        /// The name.
        model: String,
    },
    /// No row of the log has that name.
    #[error("`{model}` is not in the log, which has {names}; hint: give one of those to `--model`")]
    NotInLog {
        /// The name.
        model: String,
        /// The names in the log.
        names: String,
    },
    /// Too little to say anything.
    #[error(
        "the log has {judged} judged outcomes of `{model}`, at least {needed} are needed; hint: let it answer more requests, or fill the `score` column"
    )]
    TooFew {
        /// The name.
        model: String,
        /// Its judged outcomes.
        judged: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A price that is none.
    #[error("the price of the new candidate cannot be used")]
    Price(#[from] farthing_core::PriceError),
    /// The forward pass failed.
    #[error("the forward pass of the router failed")]
    Forward(#[from] candle_core::Error),
    /// What was learned does not make a router.
    #[error("what was learned does not make a router")]
    Router(#[from] farthing_model::RouterError),
}
