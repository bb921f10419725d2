//! A file, flags and the environment, resolved in one place. Flags and environment win over the file;
//! which of the two a value came from is no matter here.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use farthing_core::{Digest, PriceTable};
use farthing_model::Router;
use toml::de::DeTable;

use super::file::{self, FromFile};
use super::mistakes::{Mistakes, nearest, quoted};
use super::shown;
use super::table::{Placed, Table};
use super::{ConfigError, LogConfig, Mistake, PromptStorage, ServeConfig};
use crate::auth::{Unprotected, check_protected};
use crate::error::chain;
use crate::source;

/// Where settings come from. They can be resolved again and again: what has changed on disk is seen.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// What stands above the file.
    pub overrides: Overrides,
    /// How a price table is read: its formats are not the business of a server.
    pub read_prices: PriceReader,
    /// Where keys of upstreams are looked up by the names that the file gives.
    pub env: EnvReader,
}

/// Reads a price table.
pub type PriceReader = fn(&Path) -> Result<PriceTable, Box<dyn Error + Send + Sync>>;

/// The value of an environment variable.
pub type EnvReader = fn(&str) -> Option<String>;

/// Flags and environment variables. Relative paths start from the working directory.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `router.path`.
    pub router: Option<PathBuf>,
    /// `router.prices`.
    pub prices: Option<PathBuf>,
    /// `listen`.
    pub listen: Option<SocketAddr>,
    /// `log.dir`.
    pub log: Option<PathBuf>,
    /// `log.prompts`.
    pub log_prompts: Option<PromptStorage>,
    /// `trace.filter`.
    pub trace: Option<String>,
}

/// Settings without a mistake.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The settings.
    pub config: ServeConfig,
    /// Digest of the file's bytes; `None`: there is no file.
    pub digest: Option<Digest>,
    prices_file: Option<PathBuf>,
}

impl Resolved {
    /// The settings as a configuration file, defaults included and keys of clients left out: there is
    /// nothing secret in it.
    pub fn to_toml(&self) -> String {
        shown::to_toml(&self.config, self.prices_file.as_deref())
    }
}

impl Sources {
    /// The settings, or everything that is wrong with them. Reads the file and what it names, except
    /// that of the router only its candidates are looked at; a router that is not there is not a
    /// mistake of the settings.
    pub fn resolve(&self) -> Result<Resolved, ConfigError> {
        let Some(path) = &self.file else { return self.resolve_text(Path::new(""), "", None) };
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!(
                "cannot read `{}`: {error}; hint: give the configuration file with `--config`",
                path.display()
            );
            ConfigError { mistakes: vec![Mistake { place: None, message }] }
        })?;
        self.resolve_text(path, &text, Some(Digest::of(text.as_bytes())))
    }

    fn resolve_text(
        &self,
        path: &Path,
        text: &str,
        digest: Option<Digest>,
    ) -> Result<Resolved, ConfigError> {
        let mistakes = Mistakes::new(path, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            mistakes.add_syntax(
                at,
                format!("not TOML: {}; hint: see https://toml.io", error.message()),
            );
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let root = Table::root(document.get_ref(), &mistakes);
        let mut read = file::read(root, base, self.env);
        if digest.is_none() {
            // What is given by flags alone is served as it was when the server started.
            read.config.router.poll = None;
        }
        let prices_file = self.merge(&mut read, &mistakes);
        add_keys(&mut read, &mistakes);
        check_candidates(&read, &mistakes);
        self.check_addresses(&read, &mistakes);
        mistakes.unless_any(Resolved { config: read.config, digest, prices_file })
    }

    /// Puts flags above the file, and reads the prices; the file they are from.
    fn merge(&self, read: &mut FromFile, mistakes: &Mistakes<'_>) -> Option<PathBuf> {
        let overrides = &self.overrides;
        let config = &mut read.config;
        match overrides.router.as_ref().or(read.router.as_ref()) {
            Some(router) => config.router.path.clone_from(router),
            None => mistakes.add_elsewhere("there is no router; hint: give DIR or `router.path`"),
        }
        config.listen = overrides.listen.unwrap_or(config.listen);
        if let Some(dir) = overrides.log.as_ref().or(read.log_dir.as_ref()) {
            let prompts = overrides.log_prompts.unwrap_or(read.log.prompts);
            config.log = Some(LogConfig { dir: dir.clone(), prompts, ..read.log.clone() });
        }
        match overrides.trace.as_deref().map(file::filter) {
            Some(Ok(filter)) => config.trace.filter = filter,
            Some(Err(due)) => {
                let message = format!("`--trace` is not {due}; hint: correct it or leave it out");
                mistakes.add_elsewhere(message);
            }
            None => {}
        }
        let from_file = read.prices.as_ref();
        let file = overrides.prices.as_ref().or(from_file.map(|prices| &prices.value))?;
        let at = from_file.filter(|_| overrides.prices.is_none()).map(|prices| prices.at);
        match (self.read_prices)(file) {
            Ok(prices) => config.prices = Some(prices),
            Err(error) => {
                let message = format!("the prices cannot be used: {}", chain(error.as_ref()));
                mistakes.add_anywhere(at, message);
            }
        }
        Some(file.clone())
    }

    /// Addresses that others can reach need keys; the first that has none is told where it stands.
    fn check_addresses(&self, read: &FromFile, mistakes: &Mistakes<'_>) {
        let Err(Unprotected { address }) = check_protected(&read.config, &read.config.auth) else {
            return;
        };
        let [main, admin] = read.listen_at;
        let at = match self.overrides.listen {
            _ if address != read.config.listen => admin,
            Some(_) => None,
            None => main,
        };
        mistakes.add_anywhere(at, Unprotected { address }.to_string());
    }
}

/// Adds the keys of the keys file: a digest a line, `#` begins a comment. No message quotes it.
fn add_keys(read: &mut FromFile, mistakes: &Mistakes<'_>) {
    let Some(Placed { value: path, at }) = &read.keys_file else { return };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!(
                "cannot read `{}` of `auth.keys_file`: {error}; hint: correct it or leave it out",
                path.display()
            );
            return mistakes.add(*at, message);
        }
    };
    for (line, content) in text.lines().enumerate() {
        let content = content.split_once('#').map_or(content, |(before, _)| before).trim();
        match Digest::try_from(content.to_owned()) {
            _ if content.is_empty() => {}
            Ok(key) => read.config.auth.keys.push(key),
            Err(_) => mistakes.add(
                *at,
                format!(
                    "`auth.keys_file`: line {} of `{}` is not of the form `sha256:<64 hex digits>`; \
                     hint: write the digest of a key, not the key",
                    line + 1,
                    path.display()
                ),
            ),
        }
    }
}

/// Everything said of candidates is said of those of the router, as far as there is one.
fn check_candidates(read: &FromFile, mistakes: &Mistakes<'_>) {
    let dir = source::resolve(&read.config.router.path).ok();
    let Some(Ok(known)) = dir.map(|dir| Router::stored_candidates(&dir)) else { return };
    for name in read.named.iter().filter(|name| !known.contains(&name.value)) {
        let hint = match nearest(&name.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", quoted(known.iter().map(String::as_str))),
        };
        let message = format!("the router has no candidate `{}`; hint: {hint}", name.value);
        mistakes.add(name.at, message);
    }
}
