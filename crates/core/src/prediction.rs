//! What a router expects of one candidate on one request.

/// Expected outcome of one candidate on one request. Predictions stand in slices in the router's
/// candidate order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// E\[score\], in [0, 1]; fine-grained, for ranking.
    pub quality: f64,
    /// Calibrated P(score >= bar) at the bar in force.
    pub p_above_bar: f64,
    /// Expected cost in USD; `None` where neither price nor logged cost is known.
    pub cost_usd: Option<f64>,
    /// Expected output tokens; `None` where the log had none.
    pub output_tokens: Option<f64>,
    /// Nine answers in ten are no longer than this many tokens; `None` where that was not learned.
    pub output_tokens_q90: Option<f64>,
}
