//! The model card of the wider router.

use farthing_core::{Bar, Digest};
use farthing_model::{IntervalCard, Manifest};

use crate::card;

/// The card of any router, and what is special about this one.
pub(super) fn describe(manifest: &Manifest, position: usize, voided: &[Bar]) -> String {
    let new = &manifest.candidates[position];
    let from = manifest.extended_from.as_ref().map(Digest::to_string).unwrap_or_default();
    let came = format!(
        "`{}` was added to `{from}` from {} judged outcomes; nothing else was refitted, and the gate above is \
         that router's.",
        new.model, new.outcomes
    );
    let of = |interval: IntervalCard| {
        format!("{:.4} [{:.4}, {:.4}]", interval.value, interval.low, interval.high)
    };
    let sure = new.added.as_ref().map_or_else(String::new, |added| {
        format!(
            "Mean score {}, less that of `{}`: {} ({} paired requests).",
            of(added.quality),
            manifest.reference,
            of(added.difference),
            added.paired
        )
    });
    let state = match new.explore_only() {
        Some(lacks) => format!("Only exploration chooses it: {lacks}."),
        None if voided.is_empty() => "It takes part in decisions.".to_owned(),
        None => {
            "It takes part in decisions, so the certificates are void; thresholds are as they were."
                .to_owned()
        }
    };
    format!("{}\n## Added afterwards\n\n{came} {sure} {state}\n", card::write(manifest))
}
