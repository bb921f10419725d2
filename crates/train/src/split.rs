//! Who may see which request: fit, certificate and sealed are disjoint groups of requests.

use std::collections::{BTreeMap, BTreeSet};

use farthing_core::Digest;
use farthing_data::Record;

use crate::objective::FOLDS;
use crate::{SplitBy, TrainConfig, TrainError};

/// The certificate and the sealed split take a tenth each, at most this many requests.
const MAX_HELD_OUT: usize = 2000;

/// Positions of records, ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    /// What learners, blending and calibration see.
    pub(crate) fit: Vec<usize>,
    /// What thresholds are certified on.
    pub(crate) certificate: Vec<usize>,
    /// What the gate is judged on.
    pub(crate) sealed: Vec<usize>,
}

/// Splits records by group as the configuration says, or says why their groups do not allow it.
pub(crate) fn assign(records: &[&Record], config: &TrainConfig) -> Result<Roles, TrainError> {
    let roles = match config.split_by {
        SplitBy::Random => at_random(records, config.seed),
        SplitBy::Time => by_time(records)?,
    };
    let fit_groups: BTreeSet<u64> = roles.fit.iter().map(|&i| records[i].group).collect();
    if roles.certificate.is_empty() || roles.sealed.is_empty() || fit_groups.len() < FOLDS {
        let mut sizes = BTreeMap::<u64, usize>::new();
        for record in records {
            *sizes.entry(record.group).or_default() += 1;
        }
        return Err(TrainError::Unsplittable {
            requests: records.len(),
            groups: sizes.len(),
            largest: sizes.into_values().max().unwrap_or_default(),
        });
    }
    Ok(roles)
}

/// In an order drawn from the seed: each held-out role has at least a tenth of the requests, but none
/// of a group that is larger than that, which is for fitting.
fn at_random(records: &[&Record], seed: u64) -> Roles {
    let mut order: Vec<(u64, u64, usize)> = records
        .iter()
        .enumerate()
        .map(|(i, record)| {
            let key = [seed.to_le_bytes(), record.group.to_le_bytes()].concat();
            (Digest::of(&key).prefix(), record.group, i)
        })
        .collect();
    order.sort_unstable();
    let due = due(records.len());
    let mut roles = Roles::default();
    for group in order.chunk_by(|a, b| a.1 == b.1) {
        let role = if group.len() > due {
            &mut roles.fit
        } else if roles.sealed.len() < due {
            &mut roles.sealed
        } else if roles.certificate.len() < due {
            &mut roles.certificate
        } else {
            &mut roles.fit
        };
        role.extend(group.iter().map(|(_, _, i)| i));
    }
    roles.fit.sort_unstable();
    roles.certificate.sort_unstable();
    roles.sealed.sort_unstable();
    roles
}

/// The newest tenth of the requests is sealed and the tenth before it certifies. A group has the role of
/// its newest request, and its requests from before that role's time have none: in the fit they would
/// give a held-out request away, and held out they would be older than what was fitted.
fn by_time(records: &[&Record]) -> Result<Roles, TrainError> {
    let times: Option<Vec<i64>> = records.iter().map(|record| record.timestamp_ms).collect();
    let Some(times) = times else {
        let missing = records.iter().filter(|record| record.timestamp_ms.is_none()).count();
        return Err(TrainError::NoTimestamps { missing, requests: records.len() });
    };
    let mut newest_first = times.clone();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let due = due(records.len());
    let start = |held_out: usize| newest_first.get(held_out - 1).copied().unwrap_or(i64::MIN);
    let (sealed_from, certificate_from) = (start(due), start(2 * due));
    let mut newest = BTreeMap::<u64, i64>::new();
    for (record, &time) in records.iter().zip(&times) {
        let newest = newest.entry(record.group).or_insert(time);
        *newest = time.max(*newest);
    }
    let mut roles = Roles::default();
    for (i, (record, &time)) in records.iter().zip(&times).enumerate() {
        let newest = newest[&record.group];
        let (role, from) = if newest >= sealed_from {
            (&mut roles.sealed, sealed_from)
        } else if newest >= certificate_from {
            (&mut roles.certificate, certificate_from)
        } else {
            (&mut roles.fit, i64::MIN)
        };
        if time >= from {
            role.push(i);
        }
    }
    Ok(roles)
}

/// How many requests of so many a held-out role should have.
fn due(requests: usize) -> usize {
    requests.div_ceil(10).clamp(1, MAX_HELD_OUT)
}

#[cfg(test)]
mod tests {
    use farthing_core::Request;

    use super::*;

    /// A request of a group, asked at a time.
    fn record(i: u32, group: u32, timestamp_ms: Option<u32>) -> Record {
        let prompt = format!("request {i}");
        Record {
            key: Digest::of(prompt.as_bytes()),
            group: u64::from(group),
            request_id: None,
            request: Request::from_prompt(prompt).unwrap(),
            labels: Vec::new(),
            timestamp_ms: timestamp_ms.map(i64::from),
            cells: Vec::new(),
        }
    }

    fn split(records: &[Record], split_by: SplitBy) -> Result<Roles, TrainError> {
        let records: Vec<&Record> = records.iter().collect();
        assign(&records, &TrainConfig { split_by, ..TrainConfig::default() })
    }

    fn groups(records: &[Record], role: &[usize]) -> BTreeSet<u64> {
        role.iter().map(|&i| records[i].group).collect()
    }

    #[test]
    fn no_group_has_two_roles() {
        // Groups of up to 59 requests, and one of 100, which is too large to be held out.
        let group = |i: u32| if i < 100 { 1000 } else { i.isqrt() };
        let records: Vec<Record> = (0..900).map(|i| record(i, group(i), None)).collect();
        let roles = split(&records, SplitBy::Random).unwrap();
        let [fit, certificate, sealed] =
            [&roles.fit, &roles.certificate, &roles.sealed].map(|role| groups(&records, role));
        assert!(fit.is_disjoint(&certificate) && fit.is_disjoint(&sealed));
        assert!(certificate.is_disjoint(&sealed) && fit.contains(&1000));
        assert!(roles.sealed.len() >= 90 && roles.certificate.len() >= 90);
        assert_eq!(roles.fit.len() + roles.certificate.len() + roles.sealed.len(), 900);
    }

    #[test]
    fn what_is_held_out_is_newer_than_all_that_was_fitted() {
        // Every fourth request comes again 150 later; the order is not that of time.
        let group = |i: u32| if i >= 150 && i % 4 == 2 { i - 150 } else { i };
        let records: Vec<Record> =
            (0..1000).map(|i| i * 377 % 1000).map(|i| record(i, group(i), Some(i))).collect();
        let roles = split(&records, SplitBy::Time).unwrap();
        let time = |&i: &usize| records[i].timestamp_ms.unwrap();
        let range = |role: &[usize]| {
            (role.iter().map(time).min().unwrap(), role.iter().map(time).max().unwrap())
        };
        assert_eq!(range(&roles.sealed), (900, 999));
        assert_eq!(roles.sealed.len(), 100);
        // 800 comes again at 950.
        assert_eq!(range(&roles.certificate), (801, 899));
        assert!(range(&roles.fit).1 < 800);
        let fit = groups(&records, &roles.fit);
        assert!(fit.is_disjoint(&groups(&records, &roles.sealed)));
        assert!(fit.is_disjoint(&groups(&records, &roles.certificate)));
        let used = roles.fit.len() + roles.certificate.len() + roles.sealed.len();
        assert_eq!(used, 1000 - 50, "the older ones of the pairs that reach into a held-out time");
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let one = |group: fn(u32) -> u32| -> Vec<Record> {
            (0..100).map(|i| record(i, group(i), Some(5))).collect()
        };
        let refused = |records: &[Record], by| split(records, by).unwrap_err().to_string();
        assert!(refused(&one(|_| 1), SplitBy::Random).contains("1 groups"));
        assert!(refused(&one(|i| i % 4), SplitBy::Random).contains("largest of 25 of 100"));
        assert!(refused(&one(|i| i), SplitBy::Time).contains("--split-by time"), "one time");
        let mut records = one(|i| i);
        records[7].timestamp_ms = None;
        let said = refused(&records, SplitBy::Time);
        assert!(said.contains("1 of 100 requests have none"), "{said}");
    }
}
