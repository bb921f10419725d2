//! Texts for a log that holds digests only, from tables that somebody else keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use farthing_core::log::{Asked, column};

use crate::columns::{Required, Wanted};
use crate::convert;
use crate::table::{Row, scan};
use crate::value::{Reason, Value};
use crate::{DataError, Rejects};

/// The requests of these tables whose digests are wanted, by digest.
pub(super) fn read(
    paths: &[PathBuf],
    digests: &BTreeSet<String>,
    rejects: &mut Rejects,
) -> Result<BTreeMap<String, Asked>, DataError> {
    let names = [column::PROMPT, column::MESSAGES].map(str::to_owned);
    let wanted = Wanted {
        names: names.clone().into(),
        required: vec![Required { any_of: names.into(), hint: "texts are looked for there" }],
    };
    let mut found = BTreeMap::new();
    for path in paths {
        scan(path, &wanted, &mut |Row { line, values }| match values.and_then(request) {
            Ok((digest, asked)) => {
                if digests.contains(&digest) {
                    found.insert(digest, asked);
                }
                Ok(())
            }
            Err(reason) => rejects.add(path, line, &reason),
        })?;
    }
    Ok(found)
}

fn request(values: &[Value<'_>]) -> Result<(String, Asked), Reason> {
    let prompt = values[0].text(column::PROMPT)?.map(|text| Asked::Prompt(text.to_owned()));
    let messages = values[1].json(column::MESSAGES)?.map(|text| Asked::Messages(text.to_owned()));
    let asked = prompt.or(messages).ok_or_else(|| Reason::plain("neither prompt nor messages"))?;
    Ok((convert::request(&asked)?.digest().to_string(), asked))
}
