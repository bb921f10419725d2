//! The features of a log, each distinct request read once.

use std::collections::BTreeMap;

use farthing_core::Request;
use farthing_model::features::{Features, Featurizer};
use rayon::prelude::*;

use crate::Stage;
use crate::progress::{Observer, Steps};

/// Requests between two reports of progress, read in parallel.
const STRIDE: usize = 128;

/// `(n) requests -> (n) features`, in order. Requests that are alike are read once: an encoder takes
/// milliseconds for each. Each is a forward pass of its own, so neither threads nor neighbours
/// change a bit of it.
pub(crate) fn featurize(
    featurizer: &Featurizer,
    requests: &[&Request],
    observer: &Observer<'_>,
) -> Result<Vec<Features>, candle_core::Error> {
    let mut distinct: Vec<&Request> = Vec::new();
    let mut known = BTreeMap::<&Request, usize>::new();
    // Of each request the first one that is like it.
    let mut first = Vec::with_capacity(requests.len());
    for (i, request) in requests.iter().enumerate() {
        let alike = *known.entry(request).or_insert(i);
        if alike == i {
            distinct.push(request);
        }
        first.push(alike);
    }
    let steps = Steps::enter(observer, Stage::Featurize, distinct.len());
    let mut read = Vec::with_capacity(distinct.len());
    for stride in distinct.chunks(STRIDE) {
        let stride: Result<Vec<_>, _> =
            stride.par_iter().map(|request| featurizer.featurize(request)).collect();
        let stride = stride?;
        steps.advance(stride.len());
        read.extend(stride);
    }
    let mut read = read.into_iter();
    let mut features: Vec<Features> = Vec::with_capacity(requests.len());
    for (i, alike) in first.into_iter().enumerate() {
        let next = if alike == i { read.next() } else { Some(features[alike].clone()) };
        features.extend(next);
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use farthing_model::encoder::TextEncoder;

    use super::*;
    use crate::Progress;

    fn featurizer() -> Featurizer {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder");
        let encoder = Arc::new(TextEncoder::load(&dir).unwrap());
        Featurizer::new(vec!["task".to_owned()], None).with_encoder(Some(encoder))
    }

    fn requests() -> Vec<Request> {
        let prompt =
            |i: usize| ["the price ", "explain a table of ", "how "][i % 3].repeat(1 + i % 5);
        let context = |i: usize| [("task".to_owned(), format!("{}", i % 2))].into();
        (0..400)
            .map(|i| Request::from_prompt(prompt(i)).unwrap().with_context(context(i)))
            .collect()
    }

    #[test]
    fn each_distinct_request_is_read_once() {
        let requests = requests();
        let requests: Vec<&Request> = requests.iter().collect();
        let last = Mutex::new(None);
        let observer = |progress| *last.lock().unwrap() = Some(progress);
        let features = featurize(&featurizer(), &requests, &observer).unwrap();
        let all = Progress::At { stage: Stage::Featurize, done: 30, due: 30 };
        assert_eq!(last.into_inner().unwrap(), Some(all));
        for (request, features) in requests.iter().zip(&features) {
            assert_eq!(*features, featurizer().featurize(request).unwrap());
        }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let requests = requests();
        let requests: Vec<&Request> = requests.iter().collect();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| featurize(&featurizer(), &requests, &|_| {}).unwrap())
        };
        assert_eq!(run(1), run(3));
    }
}
