//! Budgets: what may be spent in a period, for all requests, for those of some keys, or for those with some
//! tag.
//!
//! A request is let in where every budget that it counts against has room for what it is expected to cost
//! beside what is spent and what others in flight are expected to cost; what it really cost is written down
//! when it ends. So concurrent requests do not overrun a budget by more than predictions are wrong.

mod book;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use farthing_core::Digest;

pub use book::BudgetError;
use book::{Book, Span};

use super::figures::escaped;
use crate::auth;
use crate::clock::unix_ms;
use crate::config::BudgetConfig;
use crate::error::ApiError;
use crate::{Clock, ErrorCode};

/// What a request is for, as far as budgets are concerned.
const TAGS: HeaderName = HeaderName::from_static("x-farthing-tags");

/// Every budget; clones share what is spent.
#[derive(Debug, Clone)]
pub(crate) struct Budgets(Arc<All>);

#[derive(Debug)]
struct All {
    list: Vec<Arc<Budget>>,
    /// Where what is spent outlives the server.
    file: Option<PathBuf>,
    /// What stands there.
    saved: Mutex<BTreeMap<String, Book>>,
    clock: Clock,
}

#[derive(Debug)]
struct Budget {
    name: String,
    config: BudgetConfig,
    book: Mutex<Book>,
    refused: AtomicU64,
}

/// What one request may spend. Dropped when nothing more is asked for it.
#[derive(Debug)]
pub(super) struct Allowance {
    budgets: Vec<Arc<Budget>>,
    expected_usd: f64,
    clock: Clock,
}

impl Budgets {
    /// The budgets of a configuration, with what an earlier server wrote down.
    pub(crate) fn new(
        config: &BTreeMap<String, BudgetConfig>,
        file: Option<PathBuf>,
        clock: Clock,
    ) -> Result<Self, BudgetError> {
        let file = file.filter(|_| !config.is_empty());
        let mut earlier = file.as_deref().map(book::read).transpose()?.unwrap_or_default();
        let budget = |(name, config): (&String, &BudgetConfig)| {
            let book = Mutex::new(earlier.remove(name).unwrap_or_default());
            let (name, config) = (name.clone(), config.clone());
            Arc::new(Budget { name, config, book, refused: AtomicU64::new(0) })
        };
        let list = config.iter().map(budget).collect();
        Ok(Self(Arc::new(All { list, file, saved: Mutex::default(), clock })))
    }

    /// Lets a request in that is expected to cost so much, or says which budget has no room for it.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        expected_usd: Option<f64>,
    ) -> Result<Option<Arc<Allowance>>, ApiError> {
        if self.0.list.is_empty() {
            return Ok(None);
        }
        let key = auth::key_of(headers).map(Digest::of);
        let tags: Vec<_> = headers.get_all(TAGS).iter().flat_map(tags).collect();
        let counts = |budget: &&Arc<Budget>| budget.counts(key.as_ref(), &tags);
        // Taken first: what has been taken is given back where a later budget refuses.
        let mut allowance = Allowance {
            budgets: Vec::new(),
            expected_usd: expected_usd.unwrap_or(0.0),
            clock: self.0.clock.clone(),
        };
        for budget in self.0.list.iter().filter(counts) {
            budget.reserve(allowance.expected_usd, unix_ms(self.0.clock.now()) / 1000)?;
            allowance.budgets.push(Arc::clone(budget));
        }
        Ok((!allowance.budgets.is_empty()).then(|| Arc::new(allowance)))
    }

    /// Whether there is something to write down, and where.
    pub(crate) fn are_kept(&self) -> bool {
        self.0.file.is_some()
    }

    /// Writes down what is spent, so that a restart does not forget it; blocks.
    pub(crate) fn save(&self) -> Result<(), BudgetError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let book = |budget: &Arc<Budget>| (budget.name.clone(), budget.book().settled());
        let books = self.0.list.iter().map(book).collect();
        let mut saved = self.0.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if *saved != books {
            book::write(file, &books)?;
            *saved = books;
        }
        Ok(())
    }

    /// The text exposition.
    pub(crate) fn render(&self) -> String {
        let now = unix_ms(self.0.clock.now()) / 1000;
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Budget) -> String| {
            if self.0.list.is_empty() {
                return;
            }
            // Writing to a String cannot fail.
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
            for budget in &self.0.list {
                let (label, value) = (escaped(&budget.name), value(budget));
                writeln!(text, "{name}{{budget=\"{label}\"}} {value}").unwrap_or_default();
            }
        };
        let limit = |budget: &Budget| budget.config.usd.to_string();
        family("farthing_budget_usd", "gauge", "What may be spent in a period", &limit);
        let spent =
            |budget: &Budget| budget.book().spent(Span::of(budget.config.per, now)).to_string();
        family("farthing_budget_spent_usd", "gauge", "What is spent of it", &spent);
        let refused = |budget: &Budget| budget.refused.load(Relaxed).to_string();
        let help = "Requests that it had no room for";
        family("farthing_budget_refused_total", "counter", help, &refused);
        text
    }
}

/// Names, separated by commas.
fn tags(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim)
}

impl Budget {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Numbers are added to it, and nothing else is done.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, key: Option<&Digest>, tags: &[&str]) -> bool {
        let BudgetConfig { keys, tags: own, .. } = &self.config;
        let is_own_key = key.is_some_and(|key| keys.contains(key));
        let has_tag = own.iter().any(|tag| tags.contains(&tag.as_str()));
        (keys.is_empty() && own.is_empty()) || is_own_key || has_tag
    }

    fn reserve(&self, usd: f64, now: u64) -> Result<(), ApiError> {
        let span = Span::of(self.config.per, now);
        if self.book().reserve(usd, self.config.usd, span) {
            return Ok(());
        }
        self.refused.fetch_add(1, Relaxed);
        let message = format!(
            "the budget `{}` is spent; hint: wait for its next {}, or have it raised",
            self.name,
            self.config.per.name()
        );
        let wait = Duration::from_secs(span.end.saturating_sub(now));
        Err(ApiError::new(ErrorCode::BudgetExceeded, message).retry_after(wait))
    }
}

impl Allowance {
    /// Writes down what an answer cost.
    pub(super) fn spend(&self, usd: f64) {
        let now = unix_ms(self.clock.now()) / 1000;
        for budget in &self.budgets {
            budget.book().spend(usd, Span::of(budget.config.per, now));
        }
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        for budget in &self.budgets {
            budget.book().release(self.expected_usd);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::config::Period;

    fn budgets(
        list: &[(&str, BudgetConfig)],
        file: Option<PathBuf>,
        clock: &Arc<AtomicU64>,
    ) -> Budgets {
        let list = list.iter().map(|(name, config)| ((*name).to_owned(), config.clone()));
        let now = Arc::clone(clock);
        let clock = Clock::from_fn(move || UNIX_EPOCH + Duration::from_secs(now.load(Relaxed)));
        Budgets::new(&list.collect(), file, clock).unwrap()
    }

    fn of(usd: f64) -> BudgetConfig {
        BudgetConfig { usd, per: Period::Hour, keys: Vec::new(), tags: Vec::new() }
    }

    fn asking(key: &str, tags: &str) -> HeaderMap {
        let given = [
            (HeaderName::from_static("x-api-key"), key.parse().unwrap()),
            (TAGS, tags.parse().unwrap()),
        ];
        given.into_iter().collect()
    }

    #[test]
    fn what_is_in_flight_counts_as_expected_and_then_as_it_was() {
        let clock = Arc::new(AtomicU64::new(7200));
        let budgets = budgets(&[("all", of(1.0))], None, &clock);
        let admit = |usd| budgets.admit(&HeaderMap::new(), Some(usd));
        let first = admit(0.6).unwrap().unwrap();
        let refused = admit(0.5).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::BudgetExceeded);
        assert!(refused.message().contains("`all` is spent"), "{}", refused.message());
        let second = admit(0.4).unwrap();
        first.spend(0.1);
        drop(first);
        assert!(admit(0.5).unwrap().is_some());
        drop(second);
        let text = budgets.render();
        assert!(text.contains("farthing_budget_spent_usd{budget=\"all\"} 0.1\n"), "{text}");
        assert!(text.contains("farthing_budget_refused_total{budget=\"all\"} 1\n"), "{text}");
        // What costs more than was expected is spent all the same, and then the budget is.
        admit(0.0).unwrap().unwrap().spend(5.0);
        assert!(admit(0.0).is_err());
        clock.store(10_800, Relaxed);
        assert!(admit(1.0).unwrap().is_some());
    }

    #[test]
    fn requests_count_by_key_or_tag() {
        let clock = Arc::new(AtomicU64::new(0));
        let by_key = BudgetConfig { keys: vec![Digest::of(b"one")], ..of(1.0) };
        let by_tag = BudgetConfig { tags: vec!["search".into()], ..of(1.0) };
        let budgets = budgets(&[("key", by_key), ("tag", by_tag)], None, &clock);
        let spend =
            |headers: &HeaderMap| budgets.admit(headers, None).map(|a| a.map(|a| a.spend(1.0)));
        assert!(spend(&asking("two", "beta")).unwrap().is_none());
        assert!(spend(&asking("one", "")).unwrap().is_some());
        assert!(spend(&asking("one", "")).is_err());
        assert!(spend(&asking("two", "beta, search")).unwrap().is_some());
        assert!(spend(&asking("two", "search")).is_err());
        assert!(spend(&asking("two", "beta")).unwrap().is_none());
    }

    #[test]
    fn what_is_spent_outlives_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Some(dir.path().join("budgets.json"));
        let clock = Arc::new(AtomicU64::new(100));
        let before = budgets(&[("all", of(1.0))], file(), &clock);
        before.admit(&HeaderMap::new(), None).unwrap().unwrap().spend(0.75);
        before.save().unwrap();
        let after = budgets(&[("all", of(1.0)), ("new", of(1.0))], file(), &clock);
        assert!(after.admit(&HeaderMap::new(), Some(0.5)).is_err());
        assert!(after.admit(&HeaderMap::new(), Some(0.25)).is_ok());
        std::fs::write(dir.path().join("budgets.json"), "{").unwrap();
        let config = [("all".to_owned(), of(1.0))].into();
        let error = Budgets::new(&config, file(), Clock::system()).unwrap_err();
        assert!(error.to_string().contains("budgets.json"), "{error}");
    }
}
