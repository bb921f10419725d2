//! The closed sets of core, listed and named: label values and the sets in the OpenAPI file.
//!
//! Each match is exhaustive, so a new variant in core does not compile here until it has a name.

use farthing_core::{Exclusion, Reason};

/// Every reason, by position.
pub(crate) const REASONS: [Reason; 12] = [
    Reason::CheapestAboveBar,
    Reason::FallbackReference,
    Reason::FallbackBestQuality,
    Reason::Utility,
    Reason::BestQuality,
    Reason::Cheapest,
    Reason::Fixed,
    Reason::Explored,
    Reason::NoneEligibleDefault,
    Reason::Requested,
    Reason::Session,
    Reason::Rule,
];

/// Every exclusion.
pub(crate) const EXCLUSIONS: [Exclusion; 17] = [
    Exclusion::NotInCandidates,
    Exclusion::Excluded,
    Exclusion::Unpriced,
    Exclusion::MaxCost,
    Exclusion::NotFixed,
    Exclusion::ExploreOnly,
    Exclusion::ContextWindow,
    Exclusion::MaxOutputTokens,
    Exclusion::Tools,
    Exclusion::Vision,
    Exclusion::JsonSchema,
    Exclusion::Region,
    Exclusion::Tag,
    Exclusion::Unhealthy,
    Exclusion::NoUpstream,
    Exclusion::Rule,
    Exclusion::MaxLatency,
];

/// A reason's position in [`REASONS`], and its name as decisions have it.
pub(crate) fn reason_row(reason: Reason) -> (usize, &'static str) {
    match reason {
        Reason::CheapestAboveBar => (0, "cheapest_above_bar"),
        Reason::FallbackReference => (1, "fallback_reference"),
        Reason::FallbackBestQuality => (2, "fallback_best_quality"),
        Reason::Utility => (3, "utility"),
        Reason::BestQuality => (4, "best_quality"),
        Reason::Cheapest => (5, "cheapest"),
        Reason::Fixed => (6, "fixed"),
        Reason::Explored => (7, "explored"),
        Reason::NoneEligibleDefault => (8, "none_eligible_default"),
        Reason::Requested => (9, "requested"),
        Reason::Session => (10, "session"),
        Reason::Rule => (11, "rule"),
    }
}

/// An exclusion's name as decisions have it.
pub(crate) fn exclusion_name(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::NotInCandidates => "not_in_candidates",
        Exclusion::Excluded => "excluded",
        Exclusion::Unpriced => "unpriced",
        Exclusion::MaxCost => "max_cost",
        Exclusion::NotFixed => "not_fixed",
        Exclusion::ExploreOnly => "explore_only",
        Exclusion::ContextWindow => "context_window",
        Exclusion::MaxOutputTokens => "max_output_tokens",
        Exclusion::Tools => "tools",
        Exclusion::Vision => "vision",
        Exclusion::JsonSchema => "json_schema",
        Exclusion::Region => "region",
        Exclusion::Tag => "tag",
        Exclusion::Unhealthy => "unhealthy",
        Exclusion::NoUpstream => "no_upstream",
        Exclusion::Rule => "rule",
        Exclusion::MaxLatency => "max_latency",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_decisions() {
        for (position, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(reason_row(reason).0, position);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason_row(reason).1);
        }
        for exclusion in EXCLUSIONS {
            assert_eq!(serde_json::to_value(exclusion).unwrap(), exclusion_name(exclusion));
        }
    }
}
