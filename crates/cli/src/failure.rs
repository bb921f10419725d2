//! Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 the deployment gate refused.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use farthing_core::RequestError;
use farthing_data::DataError;
use farthing_eval::EvalError;
use farthing_model::encoder::EncoderError;
use farthing_model::{RouteError, RouterError};
use farthing_serve::{ConfigError, ServeError};
use farthing_train::{AddError, DistillError, TrainError};

use crate::term;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The machine, not the user.
    Failed(anyhow::Error),
    /// A flag or a file that cannot be used.
    BadInput(anyhow::Error),
    /// The deployment gate refused; the reasons have been printed.
    Refused,
}

impl Failure {
    /// Prints the chain of causes to stderr and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (error, code) = match self {
            Self::Failed(error) => (error, 1),
            Self::BadInput(error) => (error, 2),
            Self::Refused => return ExitCode::from(3),
        };
        let closed_pipe = |cause: &(dyn Error + 'static)| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
        };
        // Whoever reads stdout has read enough.
        if error.chain().any(closed_pipe) {
            return ExitCode::SUCCESS;
        }
        let mut message = format!("error: {error}");
        for cause in error.chain().skip(1) {
            message.push_str("\n  because: ");
            message.push_str(&cause.to_string());
        }
        term::say(&message);
        ExitCode::from(code)
    }

    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::BadInput(anyhow::Error::msg(message.into()))
    }

    /// A place that cannot be written.
    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| {
            let place = format!("cannot write `{}`", path.display());
            Self::Failed(anyhow::Error::new(error).context(place))
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        use ServeError::{Candidates, Router, Source};
        if matches!(error, Source(_) | Router(_) | Candidates(_)) {
            return Self::BadInput(error.into());
        }
        Self::Failed(error.into())
    }
}

/// Errors that come from what the user gave.
macro_rules! bad_input {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::BadInput(error.into())
            }
        }
    )*};
}

bad_input!(
    AddError,
    ConfigError,
    DataError,
    DistillError,
    EncoderError,
    EvalError,
    RequestError,
    RouteError,
    RouterError,
    TrainError
);
