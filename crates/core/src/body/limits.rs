//! How much of its own a client may send beside the conversation: what is kept with a decision that waits
//! to be logged must not be larger than what is counted.

use crate::{RequestError, RouteOptions};

/// Most entries of `context`.
const CONTEXT_ENTRIES: usize = 64;
/// Longest name in `context`, and longest `session_id`, in bytes.
const NAME_BYTES: usize = 256;
/// Longest value in `context`, in bytes.
const VALUE_BYTES: usize = 1024;
/// Most names of any list.
const LISTED_NAMES: usize = 1024;

impl RouteOptions {
    /// Refuses options that are larger than anybody needs.
    pub(super) fn check_size(&self) -> Result<(), RequestError> {
        let listed = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
        let candidates =
            if self.elsewhere.candidates_in_models { "models" } else { "farthing.candidates" };
        within(candidates, listed(&self.candidates), LISTED_NAMES, "names")?;
        within("farthing.exclude", self.exclude.len(), LISTED_NAMES, "names")?;
        within("farthing.regions", listed(&self.regions), LISTED_NAMES, "names")?;
        within("farthing.tags", self.tags.len(), LISTED_NAMES, "names")?;
        within("farthing.context", self.context.len(), CONTEXT_ENTRIES, "entries")?;
        for (name, value) in &self.context {
            within("farthing.context", name.len(), NAME_BYTES, "bytes in a name")?;
            within("farthing.context", value.len(), VALUE_BYTES, "bytes in a value")?;
        }
        let session = self.session_id.as_ref().map_or(0, String::len);
        within("farthing.session_id", session, NAME_BYTES, "bytes")
    }
}

fn within(
    place: &'static str,
    found: usize,
    most: usize,
    what: &'static str,
) -> Result<(), RequestError> {
    if found <= most {
        return Ok(());
    }
    Err(RequestError::TooLarge { place, found, most, what })
}
