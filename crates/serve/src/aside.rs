//! Work of milliseconds, kept off the threads that answer: so much at once, so much that waits, and the
//! rest is refused. Work that has begun holds its place until it is done, whoever still waits for it.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::ErrorCode;
use crate::error::ApiError;

/// Where such work is done.
#[derive(Debug)]
pub(crate) struct Aside {
    /// One permit for whatever runs or waits.
    places: Arc<Semaphore>,
    /// One permit a thread.
    threads: Arc<Semaphore>,
}

impl Aside {
    pub(crate) fn new(threads: usize, waiting: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(threads + waiting)),
            threads: Arc::new(Semaphore::new(threads)),
        }
    }

    /// Does some work once there is a thread for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let message = "too many requests wait to be read; hint: send it again in a second";
            ApiError::new(ErrorCode::Overloaded, message)
        })?;
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(ApiError::internal)?;
        let done = spawn_blocking(move || {
            let result = work();
            drop((thread, place));
            result
        });
        done.await.map_err(ApiError::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn work_holds_its_place_when_nobody_waits_for_it() {
        let aside = Arc::new(Aside::new(1, 1));
        let (finish, may_finish) = channel::<()>();
        let mut first = JoinSet::new();
        let shared = Arc::clone(&aside);
        first.spawn(async move { shared.run(move || may_finish.recv()).await.map(|_| ()) });
        while aside.threads.available_permits() > 0 {
            yield_now().await;
        }
        first.shutdown().await;
        let mut second = JoinSet::new();
        let shared = Arc::clone(&aside);
        second.spawn(async move { shared.run(|| 2).await });
        while aside.places.available_permits() > 0 {
            yield_now().await;
        }
        assert!(second.try_join_next().is_none());
        assert_eq!(aside.run(|| 3).await.unwrap_err().code(), ErrorCode::Overloaded);
        finish.send(()).unwrap();
        assert_eq!(second.join_next().await.unwrap().unwrap().unwrap(), 2);
        assert_eq!(aside.run(|| 3).await.unwrap(), 3);
    }
}
