//! A stream on its way to the client: the body of the answer.
//!
//! It is dropped when the client goes away, which ends the upstream's request and closes the account.

use axum::body::{Body, Bytes};
use serde_json::json;

use super::account::{Account, Cost};
use super::attempt::Patience;
use super::cache::Keep;
use super::failure::{Cause, Failure};
use super::protocol::Shape;
use super::stream::{Step, Stream};

/// A stream and who pays for it.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) stream: Box<Stream>,
    pub(super) account: Account,
    pub(super) patience: Patience,
    pub(super) shape: Shape,
    /// Whether the client wants to be told what it cost.
    pub(super) explain: bool,
    /// Where the stream is kept for others.
    pub(super) keep: Option<Keep>,
}

impl Relay {
    /// The body of the answer.
    pub(super) fn into_body(self) -> Body {
        let pieces = futures_util::stream::unfold(Some(self), async |relay| {
            let mut relay = relay?;
            let (piece, goes_on) = relay.next().await;
            Some((Ok::<_, std::convert::Infallible>(piece), goes_on.then_some(relay)))
        });
        Body::from_stream(pieces)
    }

    /// The next piece, and whether there may be more.
    async fn next(&mut self) -> (Bytes, bool) {
        let step = self.stream.next(self.patience).await;
        self.account.bill = self.stream.bill();
        match step {
            Ok(Step::Events(events)) => {
                if let Some(keep) = &mut self.keep {
                    keep.piece(&events);
                }
                (events, true)
            }
            Ok(Step::End(terminal)) => {
                if let Some(keep) = self.keep.take() {
                    keep.end(&terminal).await;
                }
                let cost = self.account.answered();
                let told = if self.explain { self.told(cost) } else { Vec::new() };
                ([told, terminal.to_vec()].concat().into(), false)
            }
            Err(cause) => {
                self.account.failed(&Failure::new(cause));
                (self.error(cause), false)
            }
        }
    }

    /// What the answer cost, as a chunk without a choice; other protocols have no place for it.
    fn told(&self, cost: Cost) -> Vec<u8> {
        if self.shape != Shape::Chat {
            return Vec::new();
        }
        let farthing = json!({
            "model": self.account.candidate(),
            "cost_usd": cost.usd,
            "cost_status": cost.status.name(),
        });
        let chunk = json!({"object": "chat.completion.chunk", "choices": [], "farthing": farthing});
        format!("data: {chunk}\n\n").into_bytes()
    }

    /// The end of a stream that did not come to its end: an error, and nothing that says it is whole.
    fn error(&self, cause: Cause) -> Bytes {
        let message = format!(
            "the answer of `{}` broke off ({cause}); hint: what came before is not the whole answer",
            self.account.candidate()
        );
        let text = match self.shape {
            Shape::Chat | Shape::Embeddings => {
                let error = json!({
                    "error": {
                        "message": message,
                        "type": "server_error",
                        "param": null,
                        "code": "upstream_stream_failed",
                    },
                    "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}],
                });
                format!("data: {error}\n\n")
            }
            Shape::Responses => {
                let error = json!({
                    "type": "error",
                    "code": "upstream_stream_failed",
                    "message": message,
                    "param": null,
                });
                format!("event: error\ndata: {error}\n\n")
            }
            Shape::Messages => {
                let error =
                    json!({"type": "error", "error": {"type": "api_error", "message": message}});
                format!("event: error\ndata: {error}\n\n")
            }
        };
        text.into()
    }
}
