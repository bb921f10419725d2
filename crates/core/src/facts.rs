//! What candidates can do beside answering well, and what requests need of them.
//!
//! Facts are given by those who run a server, not learned. What is not given does not exclude a
//! candidate, with one exception: a request that asks for a region or a tag says where its data may
//! go, and an unknown place is not the one it asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::Exclusion;
use crate::{Request, RouteOptions};

/// What is said of the candidates of a router.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CandidateSettings {
    /// What each can do, by name.
    pub facts: BTreeMap<String, CandidateFacts>,
    /// Chosen where constraints leave nobody.
    pub when_none_eligible: Option<String>,
}

/// What one candidate can do; `None`: unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CandidateFacts {
    /// Most tokens of input and output together.
    pub context_window: Option<u64>,
    /// Longest answer, in tokens.
    pub max_output_tokens: Option<u64>,
    /// Whether it can call tools.
    pub tools: Option<bool>,
    /// Whether it can see images.
    pub vision: Option<bool>,
    /// Whether it keeps to a JSON schema.
    pub json_schema: Option<bool>,
    /// Where it runs.
    pub region: Option<String>,
    /// What else can be asked of it, such as `no-training`.
    pub tags: BTreeSet<String>,
}

/// What a request needs of whoever answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs<'a> {
    request: &'a Request,
    regions: Option<&'a [String]>,
    tags: &'a [String],
}

impl<'a> Needs<'a> {
    /// The needs of a request with its options.
    pub fn of(request: &'a Request, options: &'a RouteOptions) -> Self {
        Self { request, regions: options.regions.as_deref(), tags: &options.tags }
    }
}

impl CandidateFacts {
    /// Whether nothing is said of the candidate.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The first need that the candidate does not meet, where the request's input has so many
    /// tokens by its tokenizer. Region and tags come first, so that nothing else hides them.
    pub fn unmet(&self, needs: &Needs<'_>, input_tokens: f64) -> Option<Exclusion> {
        let Needs { request, regions, tags } = *needs;
        let elsewhere =
            |regions: &[String]| !self.region.as_ref().is_some_and(|r| regions.contains(r));
        if regions.is_some_and(elsewhere) {
            return Some(Exclusion::Region);
        }
        if tags.iter().any(|tag| !self.tags.contains(tag)) {
            return Some(Exclusion::Tag);
        }
        let cannot = |needed: bool, fact: Option<bool>| needed && fact == Some(false);
        if cannot(request.tools > 0, self.tools) {
            return Some(Exclusion::Tools);
        }
        if cannot(request.vision, self.vision) {
            return Some(Exclusion::Vision);
        }
        if cannot(request.json_schema, self.json_schema) {
            return Some(Exclusion::JsonSchema);
        }
        let max_tokens = request.max_tokens.unwrap_or(0);
        if self.max_output_tokens.is_some_and(|longest| max_tokens > longest) {
            return Some(Exclusion::MaxOutputTokens);
        }
        let needed = input_tokens + max_tokens as f64;
        let overflows = self.context_window.is_some_and(|window| needed > window as f64);
        overflows.then_some(Exclusion::ContextWindow)
    }
}

/// Input tokens of text in a language model's usual vocabulary, where nothing was learned of the
/// candidate's own: four bytes each, rounded up.
pub fn estimated_input_tokens(text_bytes: usize) -> f64 {
    text_bytes.div_ceil(4) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CandidateFacts {
        CandidateFacts {
            context_window: Some(100),
            max_output_tokens: Some(50),
            tools: Some(false),
            vision: Some(false),
            json_schema: Some(false),
            region: Some("eu".into()),
            tags: BTreeSet::from(["no-training".into(), "gdpr".into()]),
        }
    }

    /// What a request's body fails on the facts, and on none at all, with 10 input tokens.
    fn check(body: &str) -> [Option<Exclusion>; 2] {
        let body: crate::RouteBody = serde_json::from_str(body).unwrap();
        let (request, options) = body.check().unwrap();
        let needs = Needs::of(&request, &options);
        [facts(), CandidateFacts::default()].map(|facts| facts.unmet(&needs, 10.0))
    }

    #[test]
    fn a_known_inability_excludes_and_an_unknown_one_does_not() {
        for (more, cause) in [
            (r#""stream": true"#, None),
            (r#""tools": []"#, None),
            (r#""tools": [{"type": "function"}]"#, Some(Exclusion::Tools)),
            (r#""functions": [{}]"#, Some(Exclusion::Tools)),
            (r#""response_format": {"type": "text"}"#, None),
            (r#""response_format": {"type": "json_schema"}"#, Some(Exclusion::JsonSchema)),
            (r#""max_tokens": 50"#, None),
            (r#""max_tokens": 51"#, Some(Exclusion::MaxOutputTokens)),
            (r#""max_tokens": 18446744073709551615"#, Some(Exclusion::MaxOutputTokens)),
        ] {
            assert_eq!(check(&format!(r#"{{"prompt": "a", {more}}}"#)), [cause, None], "{more}");
        }
        let image = r#"{"messages": [{"role": "user", "content": [
            {"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": "x"}}]}]}"#;
        assert_eq!(check(image), [Some(Exclusion::Vision), None]);
    }

    #[test]
    fn an_unknown_place_is_not_the_one_asked_for() {
        for (asked, cause) in [
            (r#"{"regions": ["us", "eu"]}"#, [None, Some(Exclusion::Region)]),
            (r#"{"regions": ["us"]}"#, [Some(Exclusion::Region); 2]),
            (r#"{"regions": []}"#, [Some(Exclusion::Region); 2]),
            (r#"{"tags": ["gdpr", "no-training"]}"#, [None, Some(Exclusion::Tag)]),
            (r#"{"tags": ["gdpr", "other"]}"#, [Some(Exclusion::Tag); 2]),
            (r#"{"tags": []}"#, [None; 2]),
        ] {
            assert_eq!(
                check(&format!(r#"{{"prompt": "a", "farthing": {asked}}}"#)),
                cause,
                "{asked}"
            );
        }
    }

    #[test]
    fn input_and_answer_share_the_window() {
        let mut request = Request::from_prompt("a").unwrap();
        request.max_tokens = Some(40);
        let options = RouteOptions::default();
        let unmet = |input| facts().unmet(&Needs::of(&request, &options), input);
        assert_eq!(unmet(60.0), None);
        assert_eq!(unmet(60.5), Some(Exclusion::ContextWindow));
    }

    #[test]
    fn four_bytes_are_a_token() {
        for (bytes, tokens) in [(0, "0"), (1, "1"), (4, "1"), (5, "2")] {
            assert_eq!(estimated_input_tokens(bytes).to_string(), tokens);
        }
    }
}
