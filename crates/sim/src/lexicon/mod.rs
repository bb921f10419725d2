//! The words that prompts are made of: slots and what may fill them, a table for each language.
//!
//! Every sentence here was written for this crate; nothing is taken from a data set. A filling may
//! hold slots itself (`<noun>`). How slots are found and filled is the business of `crate::pen`.

mod common;
mod de;
mod en;
mod es;
mod fr;
mod ja;
mod tasks;
mod zh;

use crate::Language;

/// Slots by name, each with its fillings.
type Table = &'static [(&'static str, &'static [&'static str])];

/// What may fill a slot in a language: its own table first, then the tables without language.
pub(crate) fn fillings(language: Language, slot: &str) -> Option<&'static [&'static str]> {
    let own = match language {
        Language::English => en::TABLE,
        Language::German => de::TABLE,
        Language::French => fr::TABLE,
        Language::Spanish => es::TABLE,
        Language::Japanese => ja::TABLE,
        Language::Chinese => zh::TABLE,
    };
    [own, common::TABLE, tasks::TABLE]
        .into_iter()
        .find_map(|table| table.iter().find(|(name, _)| *name == slot))
        .map(|(_, fillings)| *fillings)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What every language must be able to say.
    const NEEDED: [&str; 14] = [
        "opener",
        "closer",
        "sentence",
        "review",
        "faq",
        "classify",
        "rewrite",
        "summarise",
        "fact",
        "rare_fact",
        "creative",
        "document",
        "vague",
        "constraint",
    ];

    #[test]
    fn every_language_has_every_slot_that_composers_ask_for() {
        for language in Language::ALL {
            for slot in NEEDED.into_iter().chain(["followup", "reply", "idiom", "translate"]) {
                let count = fillings(language, slot).map_or(0, <[_]>::len);
                assert!(count >= 3, "{language:?} has {count} fillings of <{slot}>");
            }
        }
    }

    #[test]
    fn every_slot_in_a_filling_can_be_filled() {
        for (language, own) in Language::ALL.into_iter().zip([
            en::TABLE,
            de::TABLE,
            fr::TABLE,
            es::TABLE,
            ja::TABLE,
            zh::TABLE,
        ]) {
            for (name, list) in own.iter().chain(common::TABLE).chain(tasks::TABLE) {
                for filling in *list {
                    for slot in crate::pen::slots(filling) {
                        // The task tables are English and are only read in English.
                        let known = fillings(language, slot).or(fillings(Language::English, slot));
                        let known = known.is_some() || crate::pen::BUILT_IN.contains(&slot);
                        assert!(known, "<{slot}> in <{name}> of {language:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_table_names_a_slot_twice() {
        for table in [en::TABLE, de::TABLE, fr::TABLE, es::TABLE, ja::TABLE, zh::TABLE] {
            let names: BTreeSet<_> = table.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), table.len());
        }
    }
}
