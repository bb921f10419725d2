//! What an instance answers: whole, or a stream that has begun.
//!
//! Until here another instance can still be tried, so whatever shows that an answer is none is looked for
//! here: an error in a good status, text that is not JSON, a stream that stalls or ends before its first
//! token.

use std::time::Instant;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use reqwest::Response;

use super::account::Account;
use super::attempt::Sender;
use super::call::Call;
use super::failure::{Cause, Failure};
use super::protocol::bill_of;
use super::stream::Stream;

/// What an instance answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: AnswerBody,
    pub(super) account: Account,
}

#[derive(Debug)]
pub(super) enum AnswerBody {
    Whole(Bytes),
    Stream(Box<Stream>),
}

/// Makes an attempt; the account of one that failed is closed.
pub(super) async fn begin(
    sender: &Sender<'_>,
    call: &Call<'_>,
    mut account: Account,
) -> Result<Answer, Failure> {
    match try_begin(sender, call, &mut account).await {
        Ok((headers, body)) => Ok(Answer { headers, body, account }),
        Err(failure) => {
            account.failed(&failure);
            Err(failure)
        }
    }
}

async fn try_begin(
    sender: &Sender<'_>,
    call: &Call<'_>,
    account: &mut Account,
) -> Result<(HeaderMap, AnswerBody), Failure> {
    let instance = account.instance();
    let body = call.for_model(&instance.model);
    let response = sender.send(instance, body).await?;
    let headers = response.headers().clone();
    if call.is_stream() {
        let mut stream = open_stream(sender, response, call.hides_usage())?;
        let patience = sender.patience;
        let time = patience.timeouts.first_token;
        patience.within(time, Cause::FirstTokenTimeout, stream.begin(patience)).await??;
        account.first_token(Instant::now());
        return Ok((headers, AnswerBody::Stream(Box::new(stream))));
    }
    let body = sender.collect(response).await?;
    account.bill = bill_of(sender.shape, &body).map_err(Cause::from)?;
    Ok((headers, AnswerBody::Whole(body)))
}

fn open_stream(
    sender: &Sender<'_>,
    response: Response,
    hides_usage: bool,
) -> Result<Stream, Cause> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Err(Cause::Malformed);
    }
    Ok(Stream::new(response, sender.shape, hides_usage))
}
