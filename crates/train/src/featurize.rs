//! The features of a log, each distinct request read once.

use std::collections::BTreeMap;

use farthing_core::{Digest, Request};
use farthing_model::features::{Features, Featurizer};
use rayon::prelude::*;

/// Requests between two reports of progress, read in parallel.
const STRIDE: usize = 128;

/// `(n) requests -> (n) features`, in order. Requests that are alike are read once: an encoder takes
/// milliseconds for each. Each is a forward pass of its own, so neither threads nor neighbours
/// change a bit of it. `progress` is told how many requests are done and of how many.
pub(crate) fn featurize(
    featurizer: &Featurizer,
    requests: &[&Request],
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Features>, candle_core::Error> {
    let mut distinct: Vec<&Request> = Vec::new();
    let mut known = BTreeMap::<Digest, usize>::new();
    let mut places = Vec::with_capacity(requests.len());
    for &request in requests {
        let place =
            *known.entry(Digest::of(format!("{request:?}").as_bytes())).or_insert_with(|| {
                distinct.push(request);
                distinct.len() - 1
            });
        places.push(place);
    }
    let mut features = Vec::with_capacity(distinct.len());
    for stride in distinct.chunks(STRIDE) {
        let read: Result<Vec<_>, _> =
            stride.par_iter().map(|request| featurizer.featurize(request)).collect();
        features.extend(read?);
        progress(features.len(), distinct.len());
    }
    Ok(places.into_iter().map(|place| features[place].clone()).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;
    use std::sync::Arc;

    use farthing_model::encoder::TextEncoder;

    use super::*;

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
        let last = Cell::new((0, 0));
        let features =
            featurize(&featurizer(), &requests, &|done, of| last.set((done, of))).unwrap();
        assert_eq!(last.get(), (30, 30));
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
            pool.install(|| featurize(&featurizer(), &requests, &|_, _| {}).unwrap())
        };
        assert_eq!(run(1), run(3));
    }
}
