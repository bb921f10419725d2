//! A request's way to predictions, in memory that is used again and again.

use farthing_core::{Prediction, Request};

use super::Router;
use crate::features::{self, Features};
use crate::network::{self, Outputs};

/// Scores requests one after another. Its memory grows to the byte budget of a routing text and to the
/// size of a router, and then nothing is allocated for a request any more; keep one a thread.
#[derive(Debug, Default)]
pub struct Scorer {
    reading: features::Scratch,
    features: Features,
    passing: network::Scratch,
    outputs: Outputs,
    predictions: Vec<Prediction>,
}

impl Scorer {
    /// Predictions for a request, one a candidate, with `p_above_bar` at the bar of that position; the same
    /// as [`Router::featurize`] and [`Router::predict`] together. Only the forward pass of an encoder can
    /// fail.
    pub fn score(
        &mut self,
        router: &Router,
        request: &Request,
        bar_index: usize,
    ) -> Result<&[Prediction], candle_core::Error> {
        let Self { reading, features, passing, outputs, predictions } = self;
        router.featurizer.featurize_into(request, reading, features)?;
        router.network.forward_into(features, passing, outputs);
        predictions.clear();
        predictions.extend(router.interpret(features, outputs, bar_index));
        Ok(predictions)
    }

    /// What was read of the last request.
    pub fn features(&self) -> &Features {
        &self.features
    }
}
