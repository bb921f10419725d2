//! Where a conversation stands: who answered it last, and how much of it a provider may still have in its
//! cache.
//!
//! A pin is told to clients as one word and can be sent back, so that any replica can go on with a session
//! that another one began.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Who answered a session last, after which turn.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pin {
    /// Name of the candidate.
    pub model: String,
    /// Turns so far.
    pub turns: u32,
    /// Bytes of text that it was sent: what of the next request may be cached.
    pub bytes: u64,
    /// When: seconds since 1970, UTC.
    pub at: u64,
}

/// A word that is no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no pin of a session; hint: send what the last answer had, or nothing")]
pub struct NotAPin;

/// Longer names are cut off nowhere else, but a header has its limits.
const LONGEST_NAME: usize = 256;

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1:{}:{}:{}:{}", self.turns, self.bytes, self.at, self.model)
    }
}

impl TryFrom<String> for Pin {
    type Error = NotAPin;

    fn try_from(text: String) -> Result<Self, NotAPin> {
        text.parse()
    }
}

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, NotAPin> {
        let mut parts = text.splitn(5, ':');
        let mut part = || parts.next().ok_or(NotAPin);
        if part()? != "1" {
            return Err(NotAPin);
        }
        let number = |text: &str| text.parse::<u64>().map_err(|_| NotAPin);
        let turns = u32::try_from(number(part()?)?).map_err(|_| NotAPin)?;
        let (bytes, at) = (number(part()?)?, number(part()?)?);
        let model = part()?;
        let fits = (1..=LONGEST_NAME).contains(&model.len());
        fits.then(|| Self { model: model.to_owned(), turns, bytes, at }).ok_or(NotAPin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_they_are_written() {
        let pin = Pin { model: "org/m:1".into(), turns: 3, bytes: 18_231, at: 1_795_559_400 };
        assert_eq!(pin.to_string(), "1:3:18231:1795559400:org/m:1");
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let long = format!("1:1:1:1:{}", "m".repeat(257));
        for wrong in ["", "1", "1:2:3:4", "1:2:3:4:", "2:1:1:1:m", "1:-1:1:1:m", "1:1:1:x:m", &long]
        {
            assert_eq!(wrong.parse::<Pin>(), Err(NotAPin), "{wrong}");
        }
    }
}
