//! The tokens of one answer, as they are billed.

/// Tokens in four buckets that do not overlap; what is unknown is `None`, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens at the full price: neither read from a cache nor written to one.
    pub input_tokens: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cached_input_tokens: Option<u64>,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: Option<u64>,
    /// Output tokens, those of reasoning included.
    pub output_tokens: Option<u64>,
}

impl Usage {
    /// All input tokens; `None` where those at the full price are unknown. A bucket that a provider does
    /// not mention beside them is empty.
    pub fn all_input(&self) -> Option<u64> {
        let beside = [self.cached_input_tokens, self.cache_write_tokens];
        let beside = beside.into_iter().flatten().fold(0, u64::saturating_add);
        Some(self.input_tokens?.saturating_add(beside))
    }
}
