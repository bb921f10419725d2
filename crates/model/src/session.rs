//! What it costs to go on with a session, and what it costs to leave.
//!
//! Whoever answered the last turn may have the conversation in its cache, where reading it again is cheap.
//! Another candidate reads all of it at full price once, and has it in its own cache from then on. Spread
//! over the turns that are still to come, that one reading is what a change has to earn: a session is left
//! exactly where the expected saving over its remaining turns is more than the cache that is lost.

use farthing_core::Prediction;

use crate::Router;

/// A session that has a turn behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Session {
    /// Position of the candidate that answered last.
    pub candidate: usize,
    /// Bytes of the request's text that it has in its cache.
    pub cached_bytes: usize,
    /// Turns that are expected from now on, this one included; at least 1.
    pub remaining_turns: f64,
}

impl Router {
    /// Gives the candidate of a session the cost that it has with its cache.
    pub(crate) fn discount(&self, session: &Session, predictions: &mut [Prediction]) {
        let saved = self.cache_saving(session.candidate, session.cached_bytes);
        let prediction = &mut predictions[session.candidate];
        prediction.cost_usd = prediction.cost_usd.map(|usd| (usd - saved).max(0.0));
    }

    /// The cost of a turn for each candidate, as an average over the turns to come: everybody has a cache
    /// but in the first one, and the session's candidate has it already. `predictions` are discounted.
    pub(crate) fn over_turns(
        &self,
        session: &Session,
        predictions: &[Prediction],
    ) -> Vec<Prediction> {
        let with_cache = 1.0 - session.remaining_turns.max(1.0).recip();
        let mut spread = predictions.to_vec();
        for (i, prediction) in spread.iter_mut().enumerate() {
            if i != session.candidate {
                let saved = with_cache * self.cache_saving(i, session.cached_bytes);
                prediction.cost_usd = prediction.cost_usd.map(|usd| (usd - saved).max(0.0));
            }
        }
        spread
    }

    /// What a candidate costs less in a request that has so many bytes in its cache, in USD.
    fn cache_saving(&self, candidate: usize, cached_bytes: usize) -> f64 {
        // A cost that was learned from a log, without a price, knows no cache.
        let by_tokens = self.manifest().candidates[candidate].cost.tokens.is_some();
        let price = self.prices().get(&self.candidates()[candidate]).filter(|_| by_tokens);
        price.map_or(0.0, |price| {
            let tokens = self.input_tokens(candidate, cached_bytes);
            price.cost_usd(tokens, 0.0, 0.0) - price.cost_usd(tokens, tokens, 0.0)
        })
    }
}
