//! Neutral rewording by a small table of our own. It is English; of other languages and of code only
//! a full stop or question mark at the end is touched.

/// At the start of a sentence: what is said, and another way to say it.
const OPENINGS: [(&str, &str); 20] = [
    ("what is", "tell me"),
    ("what's", "tell me"),
    ("what are", "tell me"),
    ("who is", "tell me who is"),
    ("how do i", "how can I"),
    ("how can i", "how do I"),
    ("can you", "could you"),
    ("could you", "can you"),
    ("please", "kindly"),
    ("calculate", "please calculate"),
    ("describe", "please describe"),
    ("explain", "please explain"),
    ("find", "please find"),
    ("give", "please give"),
    ("list", "please list"),
    ("solve", "please solve"),
    ("summarise", "please summarise"),
    ("summarize", "please summarize"),
    ("translate", "please translate"),
    ("write", "please write"),
];
/// Anywhere. Without `is not`, which Python and SQL know as well.
const CONTRACTIONS: [(&str, &str); 20] = [
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("did not", "didn't"),
    ("cannot", "can't"),
    ("will not", "won't"),
    ("would not", "wouldn't"),
    ("should not", "shouldn't"),
    ("it is", "it's"),
    ("i am", "I'm"),
    ("you are", "you're"),
    ("don't", "do not"),
    ("doesn't", "does not"),
    ("didn't", "did not"),
    ("can't", "cannot"),
    ("won't", "will not"),
    ("wouldn't", "would not"),
    ("shouldn't", "should not"),
    ("it's", "it is"),
    ("i'm", "I am"),
    ("you're", "you are"),
];
const STOPS: [char; 6] = ['.', '?', '!', '。', '？', '！'];

/// Rewords a text, each place once; then a last full stop, question or exclamation mark goes, or a
/// full stop comes after a last word that has none.
pub(super) fn reword(text: &str) -> String {
    let mut reworded = String::with_capacity(text.len() + 16);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some((phrase, words)) = replaceable(text, at) {
            push_like(c, words, &mut reworded);
            at += phrase.len();
        } else {
            reworded.push(c);
            at += c.len_utf8();
        }
    }
    end_otherwise(reworded)
}

/// The phrase that stands at a place of the text, and other words for it.
fn replaceable(text: &str, at: usize) -> Option<(&'static str, &'static str)> {
    let (before, rest) = text.split_at(at);
    if !rest.starts_with(char::is_alphabetic) || before.ends_with(in_word) {
        return None;
    }
    let begins = |(phrase, _): &&(&str, &str)| {
        let head = rest.get(..phrase.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(phrase))
            && !rest[phrase.len()..].starts_with(in_word)
    };
    let opening = OPENINGS
        .iter()
        .find(begins)
        .filter(|(phrase, _)| opens_sentence(before) && is_followed_by_word(&rest[phrase.len()..]));
    opening.or_else(|| CONTRACTIONS.iter().find(begins)).copied()
}

/// Whether the word after this text is the first of a sentence.
fn opens_sentence(before: &str) -> bool {
    let said = before.trim_end();
    said.is_empty() || (said.len() < before.len() && said.ends_with(STOPS))
}

/// Not so in code: `list = [1]`, `find(x)`.
fn is_followed_by_word(text: &str) -> bool {
    text.strip_prefix(' ').is_some_and(|text| text.starts_with(char::is_alphanumeric))
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '\'' || c == '_'
}

/// Appends `words`, with a capital where the phrase that they replace began with one.
fn push_like(first: char, words: &str, text: &mut String) {
    let start = text.len();
    text.push_str(words);
    if first.is_ascii_uppercase() {
        text[start..].get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    }
}

fn end_otherwise(text: String) -> String {
    let body = text.trim_end();
    match body.strip_suffix(STOPS) {
        Some(bare) if !bare.trim().is_empty() => bare.to_owned(),
        None if body.ends_with(char::is_alphanumeric) => format!("{body}."),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        for (text, expected) in [
            ("What is the capital of France?", "Tell me the capital of France"),
            ("I know what is wrong.", "I know what is wrong"),
            ("Do it. Explain why it's so", "Do it. Please explain why it is so."),
            ("Don't say \"cannot\"!\n", "Do not say \"can't\""),
            ("please list 3 primes", "kindly list 3 primes."),
            ("Writers explain; writes", "Writers explain; writes."),
            ("if x is not None:\n    write(x)", "if x is not None:\n    write(x)"),
            ("list = [x.find a]", "list = [x.find a]"),
            ("Ok! Find œufs. find 東京", "Ok! Please find œufs. please find 東京."),
            ("東京はどこ？", "東京はどこ"),
            ("東京はどこ", "東京はどこ."),
            ("hej 🙂", "hej 🙂"),
            ("...", ".."),
            ("?", "?"),
            ("", ""),
        ] {
            assert_eq!(reword(text), expected);
        }
    }
}
